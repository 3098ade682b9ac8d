"""The worker's entrances to push operations: perform one, wake those due, fence those overdue."""

from tallystick.companies.reach import Reach
from tallystick.connectors.contract import SETTLES_AFTER
from tallystick.db.pool import Database
from tallystick.jobs.calendar import Tick
from tallystick.lib.clock import Clock
from tallystick.push import endings, moves, operations
from tallystick.push.engine import Engine

_AT_ONCE_MAX = 500
_WAKE_EVERY_S = 0.5
_FENCE_EVERY_S = 5.0
_TIMED_OUT = "The push operation did not complete within its timeout."


class PushJobs:
    """What the worker needs to write."""

    def __init__(self, *, database: Database, reach: Reach, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._engine = Engine(database=database, reach=reach, clock=clock)

    async def perform(self, key: str) -> None:
        """What is due on the connection of that operation."""
        await self._engine.perform(key)

    async def wake_due(self) -> None:
        """Queue what is due and for which no job is expected."""
        now, found = self._clock.now(), _AT_ONCE_MAX
        while found == _AT_ONCE_MAX:
            async with self._database.transaction() as tx:
                found = await operations.queue_due(tx, now=now, most=_AT_ONCE_MAX)

    async def fence_overdue(self) -> None:
        """Time out what did not end in time; each with its event, some at once a transaction."""
        now, found = self._clock.now(), _AT_ONCE_MAX
        while found == _AT_ONCE_MAX:
            async with self._database.transaction() as tx:
                fenced = await moves.time_out(
                    tx, now=now, look_at=now + SETTLES_AFTER, message=_TIMED_OUT, most=_AT_ONCE_MAX
                )
                found = len(fenced)
                for operation in fenced:
                    await endings.tell(tx, operation, now=now)
                    if operation.resume_at is None:
                        await operations.drop_file(tx, operation.key)

    def ticks(self) -> tuple[Tick, ...]:
        """What the calendar does for writes."""
        return (
            Tick("push.wake_due", _WAKE_EVERY_S, self.wake_due),
            Tick("push.fence_overdue", _FENCE_EVERY_S, self.fence_overdue),
        )
