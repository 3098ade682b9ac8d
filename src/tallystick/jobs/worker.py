"""A process that does the deferred work, and takes over what dead workers left behind."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence

import psycopg
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job

from tallystick.jobs.calendar import Tick, elapsed, keep
from tallystick.lib.log import log

Task = Callable[..., Awaitable[None]]

_HOUR_S = 3600.0
# Long enough to end a call to a platform in most cases; what is cut off is taken up again.
_GRACE_S = 20.0
_COME_BACK_S = 1.0


async def run(
    database_url: str,
    *,
    tasks: Mapping[str, Task],
    calendar: Sequence[Tick],
    concurrency: int,
    poll_s: float,
    stalled_s: float,
    stop: asyncio.Event | None = None,
    grace_s: float = _GRACE_S,
) -> None:
    """Work until `stop` is set; without one, until SIGTERM or SIGINT.

    Running jobs get `grace_s` to end. After `stalled_s` of silence a worker counts as dead.
    """
    if stop is None:
        stop = _on_signals()
    app = _app(database_url, tasks, concurrency)
    async with app.open_async():
        ticks = (*calendar, *_own_ticks(app, stalled_s))
        async with asyncio.TaskGroup() as group:
            group.create_task(keep(database_url, ticks, stop, lease_s=stalled_s))
            group.create_task(
                _work(
                    app,
                    stop,
                    concurrency=concurrency,
                    poll_s=poll_s,
                    stalled_s=stalled_s,
                    grace_s=grace_s,
                )
            )


async def drain(database_url: str, *, tasks: Mapping[str, Task], concurrency: int = 4) -> None:
    """Do what waits now, and what that asks for, and return."""
    app = _app(database_url, tasks, concurrency)
    before: set[int | None] = set()
    async with app.open_async():
        # A job whose lock was just let go announces nothing, so look until nothing is found; what
        # stays the same waits behind a job of a dead worker.
        while (waiting := await _waiting(app)) and waiting != before:
            before = waiting
            await app.run_worker_async(
                wait=False,
                concurrency=concurrency,
                delete_jobs="always",
                listen_notify=False,
                install_signal_handlers=False,
            )


async def _waiting(app: App) -> set[int | None]:
    return {job.id for job in await app.job_manager.list_jobs_async(status="todo")}


def _on_signals() -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def _app(database_url: str, tasks: Mapping[str, Task], concurrency: int) -> App:
    connector = PsycopgConnector(
        conninfo=database_url,
        min_size=1,
        max_size=concurrency + 3,
        kwargs={"application_name": "tallystick-jobs"},
    )
    app = App(connector=connector)
    for name, task in tasks.items():
        app.task(name=name)(task)
    return app


async def _work(
    app: App,
    stop: asyncio.Event,
    *,
    concurrency: int,
    poll_s: float,
    stalled_s: float,
    grace_s: float,
) -> None:
    """Work; when the database goes away, come back with it."""
    while not stop.is_set():
        working = asyncio.create_task(
            app.run_worker_async(
                concurrency=concurrency,
                # The end of a job is announced to nobody, so the next of its lock is found by
                # looking: every few tenths of a second.
                fetch_job_polling_interval=poll_s,
                update_heartbeat_interval=stalled_s / 3,
                stalled_worker_timeout=stalled_s,
                shutdown_graceful_timeout=grace_s,
                delete_jobs="successful",
                install_signal_handlers=False,
            )
        )
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        working.cancel()
        await _ended(working)
        await elapsed(stop, _COME_BACK_S)


async def _ended(working: asyncio.Task[None]) -> None:
    try:
        await working
    except asyncio.CancelledError:
        log.info("worker_stopped")
    except (ConnectorException, psycopg.OperationalError) as error:
        log.warning("worker_lost_database", error=type(error).__name__)


def _own_ticks(app: App, stalled_s: float) -> tuple[Tick, ...]:
    async def take_over() -> None:
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=stalled_s):
            await _retry(app, job)

    async def prune() -> None:
        await app.job_manager.delete_old_jobs(
            nb_hours=24, include_failed=True, include_cancelled=True, include_aborted=True
        )

    return (
        Tick("jobs.take_over", stalled_s / 3, take_over),
        Tick("jobs.prune", _HOUR_S, prune),
    )


async def _retry(app: App, job: Job) -> None:
    """Put a dead worker's job back; its engine looks at its own rows and decides."""
    log.warning("job_taken_over", task=job.task_name, job=job.id)
    try:
        await app.job_manager.retry_job(job=job)
    except ConnectorException as error:
        # It ended while we looked.
        log.info("job_already_ended", job=job.id, error=type(error).__name__)
