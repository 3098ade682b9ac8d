"""Where customers reach this installation, for the links that events carry.

It lies in the database because most events are told by workers, which serve nothing themselves.
"""

from tallystick.db.pool import Tx, one
from tallystick.db.sqlfile import beside

_SQL = beside(__file__, "address.sql")


async def announce(tx: Tx, public_url: str) -> None:
    """Say where this installation is served."""
    await tx.execute(_SQL["announce"], {"url": public_url})


async def public_url(tx: Tx) -> str:
    """The announced address; empty, so that links are relative, as long as nobody serves."""
    row = await one(tx, _SQL["get"])
    return "" if row is None else str(row["url"])
