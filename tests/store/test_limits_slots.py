"""How many calls run side by side for one set of books."""

import asyncio
from datetime import timedelta

import pytest

from tallystick.companies.limits import BooksPermit, slots_of
from tallystick.connectors.contract import Limits
from tallystick.db.pool import Database
from tallystick.errors import RateLimited
from tallystick.lib.clock import FixedClock

XERO = Limits(concurrent=5)


def _permit(database: Database, clock: FixedClock, slots: asyncio.Semaphore) -> BooksPermit:
    return BooksPermit(database=database, clock=clock, books_key="b", limits=XERO, slots=slots)


async def test_callers_together_leave_room_for_a_pull_and_a_push(
    database: Database, clock: FixedClock
) -> None:
    slots = asyncio.Semaphore(slots_of(XERO))
    under_way, most = 0, 0

    async def call() -> None:
        nonlocal under_way, most
        async with _permit(database, clock, slots).slot():
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0)
            under_way -= 1

    await asyncio.gather(*(call() for _ in range(20)))
    assert most == 3


async def test_a_call_that_fails_gives_its_place_back(
    database: Database, clock: FixedClock
) -> None:
    slots = asyncio.Semaphore(1)
    permit = _permit(database, clock, slots)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with permit.slot():
                raise ZeroDivisionError
    assert not slots.locked()


async def test_who_waits_too_long_is_told_when_to_come_back(
    database: Database, clock: FixedClock
) -> None:
    slots = asyncio.Semaphore(0)
    permit = BooksPermit(
        database=database,
        clock=clock,
        books_key="b",
        limits=XERO,
        slots=slots,
        slot_wait_s_max=0.01,
    )
    with pytest.raises(RateLimited) as caught:
        async with permit.slot():
            raise AssertionError("there is no place")
    assert caught.value.limit == "concurrent"
    assert caught.value.until - clock.now() == timedelta(seconds=5)


def test_one_call_is_always_possible() -> None:
    assert [slots_of(Limits(concurrent=most)) for most in (1, 2, 3, 5)] == [1, 1, 1, 3]
