"""Whether anybody works: the newest sign of life of all workers."""

from tallystick.db.pool import Tx, one
from tallystick.db.sqlfile import beside

_SQL = beside(__file__, "heartbeat.sql")


async def newest_age_s(tx: Tx) -> float | None:
    """Seconds since any worker was heard of; None where none ever was, or all have left."""
    row = await one(tx, _SQL["newest"])
    return None if row is None else row["age_s"]
