"""A process that is frozen inside a transaction must not keep its locks from all the others."""

from tallystick.db.pool import Tx
from tallystick.db.sqlfile import beside

_SQL = beside(__file__, "frozen.sql")


async def let_go_if_frozen(tx: Tx) -> None:
    """The database ends this transaction when nothing is heard of it for a while."""
    await tx.execute(_SQL["let_go"])
