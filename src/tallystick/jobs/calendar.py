"""What is done again and again, by one process of all: whoever holds the calendar's lock."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from tallystick.db.pool import Tx, one
from tallystick.db.sqlfile import beside
from tallystick.lib.log import log

_SQL = beside(__file__, "calendar.sql")

_LOCK = 7_331_002  # any number, the same in every process that keeps the calendar
_LOOK_AGAIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Tick:
    """Something due every so often. It must bear being run twice, and being cut off anywhere."""

    name: str
    every_s: float
    run: Callable[[], Awaitable[None]]


async def keep(database_url: str, ticks: Sequence[Tick], stop: asyncio.Event) -> None:
    """Wait for the calendar's lock and run the ticks while it is held, until told to stop."""
    while not stop.is_set():
        try:
            await _keep_once(database_url, ticks, stop)
        except psycopg.OperationalError as error:
            log.warning("calendar_lost_database", error=type(error).__name__)
        await elapsed(stop, _LOOK_AGAIN_S)


async def once(ticks: Sequence[Tick]) -> None:
    """Run each tick a single time, without the lock."""
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


async def _keep_once(database_url: str, ticks: Sequence[Tick], stop: asyncio.Event) -> None:
    async with await AsyncConnection.connect(
        database_url,
        autocommit=True,
        row_factory=dict_row,
        application_name="tallystick-calendar",
    ) as holder:
        row = await one(holder, _SQL["try_lock"], {"lock": _LOCK})
        if row is None or not row["held"]:
            return
        running = [asyncio.create_task(_repeat(tick, stop)) for tick in ticks]
        try:
            await _hold(holder, stop)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


async def _hold(holder: Tx, stop: asyncio.Event) -> None:
    """The lock lives as long as its connection: as soon as that is gone, the ticks stop."""
    while await elapsed(stop, _LOOK_AGAIN_S):
        await holder.execute(_SQL["alive"])


async def _repeat(tick: Tick, stop: asyncio.Event) -> None:
    while True:
        try:
            await tick.run()
        except Exception:  # noqa: BLE001 - one tick's fault must not end the calendar
            log.exception("tick_failed", tick=tick.name)
        if not await elapsed(stop, tick.every_s):
            return
