"""What is done again and again, by one process of all: whoever holds the calendar's lease."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from tallystick.db.pool import Tx, one
from tallystick.db.sqlfile import beside
from tallystick.lib.ids import new_id
from tallystick.lib.log import log

_SQL = beside(__file__, "calendar.sql")


@dataclass(frozen=True, slots=True)
class Tick:
    """Something due every so often. It must bear being run twice, and being cut off anywhere."""

    name: str
    every_s: float
    run: Callable[[], Awaitable[None]]


async def keep(
    database_url: str, ticks: Sequence[Tick], stop: asyncio.Event, *, lease_s: float
) -> None:
    """Wait for the lease and run the ticks while it is held, until told to stop.

    Who does not renew the lease in time has lost it, be it dead, frozen or cut off.
    """
    holder = new_id()
    while not stop.is_set():
        try:
            await _keep_once(database_url, ticks, stop, holder=holder, lease_s=lease_s)
        except psycopg.OperationalError as error:
            log.warning("calendar_lost_database", error=type(error).__name__)
        await elapsed(stop, lease_s / 4)


async def once(ticks: Sequence[Tick]) -> None:
    """Run each tick a single time, without the lease."""
    for tick in ticks:
        await tick.run()


async def elapsed(stop: asyncio.Event, seconds: float) -> bool:
    """Wait; False as soon as told to stop."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return True
    return False


async def _keep_once(
    database_url: str, ticks: Sequence[Tick], stop: asyncio.Event, *, holder: str, lease_s: float
) -> None:
    async with await AsyncConnection.connect(
        database_url,
        autocommit=True,
        row_factory=dict_row,
        application_name="tallystick-calendar",
    ) as db:
        while not await _take(db, holder, lease_s):
            if not await elapsed(stop, lease_s / 4):
                return
        log.info("calendar_kept")
        await _run_while_held(db, ticks, stop, holder=holder, lease_s=lease_s)


async def _run_while_held(
    db: Tx, ticks: Sequence[Tick], stop: asyncio.Event, *, holder: str, lease_s: float
) -> None:
    running = [asyncio.create_task(_repeat(tick, stop)) for tick in ticks]
    try:
        while await elapsed(stop, lease_s / 4):
            if not await _take(db, holder, lease_s):
                log.warning("calendar_lost")
                return
        await db.execute(_SQL["give_back"], {"holder": holder})
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _take(db: Tx, holder: str, lease_s: float) -> bool:
    return await one(db, _SQL["take"], {"holder": holder, "lease_s": lease_s}) is not None


async def _repeat(tick: Tick, stop: asyncio.Event) -> None:
    while True:
        try:
            await tick.run()
        except Exception:  # noqa: BLE001 - one tick's fault must not end the calendar
            log.exception("tick_failed", tick=tick.name)
        if not await elapsed(stop, tick.every_s):
            return
