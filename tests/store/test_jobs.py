"""Jobs on a real queue: asked for with their cause, one after another, taken over from the dead."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tallystick.db.pool import Database, all_rows
from tallystick.jobs import calendar, queue, worker
from tallystick.jobs.calendar import Tick


async def _until(condition: Callable[[], Awaitable[bool]], within_s: float = 20) -> None:
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110 - other processes set no event of ours
            await asyncio.sleep(0.02)


async def _jobs(database: Database) -> list[dict[str, object]]:
    async with database.transaction() as tx:
        return await all_rows(
            tx, "select task_name, status::text, args from procrastinate_jobs order by id"
        )


@asynccontextmanager
async def _working(
    database: Database, *, grace_s: float = 5, **tasks: Callable[..., Awaitable[None]]
) -> AsyncIterator[asyncio.Event]:
    """A worker in this process, with the tasks under the names `test.<name>`."""
    stop = asyncio.Event()
    running = asyncio.create_task(
        worker.run(
            database.url,
            tasks={f"test.{name}": task for name, task in tasks.items()},
            calendar=(),
            concurrency=4,
            poll_s=0.05,
            stalled_s=1,
            stop=stop,
            grace_s=grace_s,
        )
    )
    try:
        yield stop
    finally:
        stop.set()
        await running


async def test_a_job_exists_exactly_if_its_transaction_was_committed(database: Database) -> None:
    async def cut_off() -> None:
        async with database.transaction() as tx:
            await queue.defer(tx, "test.note", word="rolled back")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await cut_off()
    async with database.transaction() as tx:
        await queue.defer(tx, "test.note", word="kept")
        assert await queue.live(tx, "test.note", "word") == {"kept"}
        assert await queue.unfinished(tx) == 1
    assert [job["args"] for job in await _jobs(database)] == [{"word": "kept"}]


async def test_deferring_twice_never_breaks_the_callers_transaction(database: Database) -> None:
    async with database.transaction() as tx:
        for _ in range(2):
            await queue.defer(tx, "test.note", lock="pull:1", word="again")
    assert len(await _jobs(database)) == 2


async def test_jobs_of_one_lock_run_in_turn_and_soon_after_each_other(database: Database) -> None:
    running, most, done = 0, 0, list[int]()
    all_done = asyncio.Event()

    async def note(number: int) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        done.append(number)
        if len(done) == 8:
            all_done.set()

    async with database.transaction() as tx:
        for number in range(8):
            await queue.defer(tx, "test.note", lock="push:1", number=number)
    async with _working(database, note=note), asyncio.timeout(10):
        await all_done.wait()
    assert done == list(range(8))
    assert most == 1


async def test_a_worker_that_is_stopped_ends_its_job_first(database: Database) -> None:
    begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        begun.set()
        await may_end.wait()
        ended.set()

    async with database.transaction() as tx:
        await queue.defer(tx, "test.slow")
    async with _working(database, slow=slow) as stop:
        await begun.wait()
        stop.set()
        may_end.set()
    assert ended.is_set()
    assert await _jobs(database) == []


async def test_a_job_that_does_not_end_in_time_is_cut_off(database: Database) -> None:
    begun = asyncio.Event()

    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    async with database.transaction() as tx:
        await queue.defer(tx, "test.endless")
    async with _working(database, grace_s=0.1, endless=endless) as stop:
        await begun.wait()
        stop.set()
    assert [job["status"] for job in await _jobs(database)] == ["aborted"]


async def test_the_end_of_a_job_that_failed_is_kept_and_others_go_on(database: Database) -> None:
    fine = asyncio.Event()

    async def broken() -> None:
        raise ValueError("no")

    async def good() -> None:
        fine.set()

    async with database.transaction() as tx:
        await queue.defer(tx, "test.broken", lock="a")
        await queue.defer(tx, "test.good", lock="a")
    async with _working(database, broken=broken, good=good), asyncio.timeout(10):
        await fine.wait()
    assert [(j["task_name"], j["status"]) for j in await _jobs(database)] == [
        ("test.broken", "failed")
    ]


_HANGS = """
import asyncio, sys
from tallystick.jobs import worker

async def hang():
    print("begun", flush=True)
    await asyncio.Event().wait()

asyncio.run(worker.run(sys.argv[1], tasks={"test.hang": hang}, calendar=(), concurrency=1,
                       poll_s=0.05, stalled_s=1))
"""


def _hanging_worker(database: Database) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", _HANGS, database.url], stdout=subprocess.PIPE)


async def test_the_job_of_a_killed_worker_is_taken_over(database: Database) -> None:
    async with database.transaction() as tx:
        await queue.defer(tx, "test.hang", lock="pull:1")
    process = _hanging_worker(database)
    assert process.stdout is not None
    try:
        await asyncio.to_thread(process.stdout.readline)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    taken_over = asyncio.Event()

    async def hang() -> None:
        taken_over.set()

    async with _working(database, hang=hang), asyncio.timeout(15):
        await taken_over.wait()


async def test_a_worker_process_ends_on_sigterm(database: Database) -> None:
    process = _hanging_worker(database)

    async def alive() -> bool:
        async with database.transaction() as tx:
            return await queue.heartbeat_age_s(tx) is not None

    try:
        await _until(alive)
        process.terminate()
        assert await asyncio.to_thread(process.wait, 15) == 0
    finally:
        process.kill()
        process.communicate()


async def test_one_worker_keeps_the_calendar_and_another_takes_it_over(database: Database) -> None:
    ticks: list[str] = []

    def tick(name: str) -> Tick:
        async def note() -> None:
            ticks.append(name)

        return Tick("test", 0.02, note)

    stops = {name: asyncio.Event() for name in ("one", "two")}
    keeping = {
        name: asyncio.create_task(calendar.keep(database.url, (tick(name),), stop, lease_s=1.0))
        for name, stop in stops.items()
    }

    async def ticked() -> bool:
        return len(ticks) > 3

    async def both() -> bool:
        return set(ticks) == {"one", "two"}

    await _until(ticked)
    (first,) = set(ticks)
    stops[first].set()
    await _until(both)
    stops["one"].set()
    stops["two"].set()
    await asyncio.gather(*keeping.values())
    # One after the other, never in turns.
    assert ticks == sorted(ticks, key=lambda name: name != first)


async def test_a_tick_that_fails_is_run_again(database: Database) -> None:
    runs, stop = 0, asyncio.Event()

    async def flaky() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise ValueError("once")
        stop.set()

    async with asyncio.timeout(10):
        await calendar.keep(database.url, (Tick("flaky", 0.01, flaky),), stop, lease_s=1.0)
    assert runs == 2


async def test_drain_does_what_waits_and_what_that_asks_for(database: Database) -> None:
    done: list[int] = []

    async def countdown(number: int) -> None:
        done.append(number)
        if number:
            async with database.transaction() as tx:
                await queue.defer(tx, "test.countdown", lock="x", number=number - 1)

    async with database.transaction() as tx:
        await queue.defer(tx, "test.countdown", lock="x", number=3)
    await worker.drain(database.url, tasks={"test.countdown": countdown})
    assert done == [3, 2, 1, 0]
