"""The only way to ask for work later: a job is deferred in the transaction that makes it true."""

from procrastinate import PsycopgConnector
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

from tallystick.db.pool import Tx, all_rows, one
from tallystick.db.sqlfile import beside

_SQL = beside(__file__, "queue.sql")

# Never opened: every deferral runs on the caller's own connection.
_jobs = JobManager(PsycopgConnector())


async def defer(
    tx: Tx, task: str, *, lock: str | None = None, **arguments: str | int | None
) -> None:
    """Ask for `task(**arguments)` as soon as this transaction is committed.

    Of the jobs with the same `lock` one runs at a time, in the order of their deferral. There is
    no "not before": a job scheduled ahead would hold up every later one of its lock. Who must wait
    writes the moment into a row of its own, and a tick defers it when that has come.
    """
    deferrer = configure_task(name=task, job_manager=_jobs, lock=lock, connection=tx)
    await deferrer.defer_async(**arguments)


async def live(tx: Tx, task: str, argument: str) -> set[str]:
    """The values of `argument` for which a job of this task waits or runs."""
    rows = await all_rows(tx, _SQL["live"], {"task": task, "argument": argument})
    return {row["value"] for row in rows}


async def heartbeat_age_s(tx: Tx) -> float | None:
    """Seconds since any worker last said that it lives; None if there is no worker."""
    row = await one(tx, _SQL["heartbeat"])
    return None if row is None else row["age_s"]


async def unfinished(tx: Tx) -> int:
    """How many jobs wait or run."""
    row = await one(tx, _SQL["unfinished"])
    return 0 if row is None else int(row["jobs"])
