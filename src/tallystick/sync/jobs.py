"""The worker's entrances to reading: pull a slice, wake what is due, queue what is wanted."""

from datetime import timedelta

from tallystick.companies.reach import Reach
from tallystick.db.pool import Database
from tallystick.jobs.calendar import Tick
from tallystick.jobs.worker import Task
from tallystick.lib.clock import Clock
from tallystick.sync import datasets, schedule
from tallystick.sync.engine import Engine

_AT_ONCE_MAX = 500
HISTORY = timedelta(days=90)


class SyncJobs:
    """What the worker needs to read."""

    def __init__(self, *, database: Database, clock: Clock, reach: Reach, public_url: str) -> None:
        self._database = database
        self._clock = clock
        self._reach = reach
        self._engine = Engine(database=database, clock=clock, reach=reach, public_url=public_url)

    def tasks(self) -> dict[str, Task]:
        """What the worker can be asked for."""
        return {datasets.PULL: self.pull}

    def ticks(self) -> tuple[Tick, ...]:
        """What the calendar does for reads."""
        return (
            Tick("sync.queue_initial", 1.0, self.queue_initial),
            Tick("sync.wake_due", 1.0, self.wake_due),
            Tick("sync.queue_scheduled", 15.0, self.queue_scheduled),
            Tick("sync.forget_old", 3600.0, self.forget_old),
        )

    async def pull(self, dataset_id: str) -> None:
        """One slice of one read."""
        await self._engine.pull(dataset_id)

    async def wake_due(self) -> None:
        """Every read whose time has come has a job, whatever became of the one it had."""
        async with self._database.transaction() as tx:
            await datasets.defer_due(tx, now=self._clock.now(), most=_AT_ONCE_MAX)

    async def queue_initial(self) -> None:
        """What is read when a customer has let us in."""
        await schedule.queue_initial(self._database, self._reach, now=self._clock.now())

    async def queue_scheduled(self) -> None:
        """What the settings want to be read again and again."""
        await schedule.queue_scheduled(self._database, self._reach, now=self._clock.now())

    async def forget_old(self) -> None:
        async with self._database.transaction() as tx:
            await datasets.forget_old(tx, before=self._clock.now() - HISTORY)
