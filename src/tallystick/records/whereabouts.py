"""Where a company's records of a data type lie: who may ask, and which connection brought them.

One look-up for all of it, because every list begins with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.db.pool import Tx, all_rows
from tallystick.db.sqlfile import beside

_SQL = beside(__file__, "whereabouts.sql")


@dataclass(frozen=True, slots=True)
class Shelf:
    """What one connection holds of a data type: `held` once a read of it ever came to its end."""

    connection_id: str
    platform_key: str
    simulated: bool
    held: bool
    in_progress: bool


async def of_company(
    tx: Tx, *, client_id: str, company_id: str, data_type: str
) -> Sequence[Shelf] | None:
    """One shelf for each connection, the newest first; None: the client has no such company."""
    rows = await all_rows(
        tx,
        _SQL["of_company"],
        {"client_id": client_id, "company_id": company_id, "data_type": data_type},
    )
    if not rows:
        return None
    return [Shelf(**row) for row in rows if row["connection_id"] is not None]
