"""A receiver is away for a day and everything else is killed meanwhile: every event arrives."""

import asyncio
import time
from collections.abc import Iterator, Sized
from datetime import timedelta

import httpx
import pytest
from tests.drills.installed import Installed, installed
from tests.drills.receiver import Receiver
from tests.drills.waiting import until
from tests.journeys.simulator import free_port

from tallystick.webhooks.deliveries import GUARD, RETRY_DELAYS_S

_EVENTS = 2000
_CALLERS = 8
_ROUND_WITHIN_S = 90.0
_KILLED_AFTER = {2, 5}
"""So many attempts, while the next ones are under way."""


@pytest.fixture
def here() -> Iterator[Installed]:
    with installed() as running:
        yield running


@pytest.fixture
def receiver(here: Installed) -> Iterator[Receiver]:
    made = Receiver(free_port(), here.clock)
    yield made
    made.down()


async def test_every_event_arrives_after_a_day_without_a_receiver(
    here: Installed, receiver: Receiver
) -> None:
    began = time.monotonic()
    await _register(here, receiver)
    made = await _companies_through_a_kill(here)
    for tries, delay_s in enumerate(RETRY_DELAYS_S, 1):
        await _all_tried(here, tries)
        if tries == len(RETRY_DELAYS_S):
            receiver.up()
        here.clock.advance(seconds=delay_s + 1)
        if tries in _KILLED_AFTER:
            await _some_tried(here, tries + 1)
            await _killed(here)
    await _delivered(here, receiver)

    attempts = here.rows("select attempt, count(*) from delivery group by 1 order by 1")
    twice = sum(number - 1 for number in receiver.heard.values())
    print(
        f"\n{len(made)} events, receiver down for {sum(RETRY_DELAYS_S) / 3600:.1f} h of the clock, "
        f"everything killed {here.starts - 1} times: {len(receiver.heard)} heard "
        f"({twice} again), {len(receiver.wrong)} wrongly signed; attempts {dict(attempts)}; "
        f"{time.monotonic() - began:.0f} s"
    )
    assert len(made) == _EVENTS
    assert {str(id_) for (id_,) in here.rows("select id from company")} == made
    assert set(receiver.heard) == made
    assert receiver.wrong == []
    assert here.rows("select distinct state from delivery") == [("Success",)]


async def _register(here: Installed, receiver: Receiver) -> None:
    async with here.http() as http:
        body = {"url": receiver.url, "eventTypes": ["company.created"]}
        receiver.secret = (await http.post("/webhooks", json=body)).json()["secret"]


async def _companies_through_a_kill(here: Installed) -> set[str]:
    """Each new company is an event; callers ask again for what was cut off."""
    names = [f"Company {number}" for number in range(_EVENTS)]
    made: set[str] = set()
    async with here.http(timeout=5) as http:
        asking = asyncio.gather(
            *(_create(http, names[first::_CALLERS], made) for first in range(_CALLERS))
        )
        await until(lambda: _some(made, _EVENTS // 3), within_s=_ROUND_WITHIN_S)
        await _killed(here)
        await asking
    return made


async def _some(made: Sized, number: int) -> bool:
    return len(made) >= number


async def _create(http: httpx.AsyncClient, names: list[str], made: set[str]) -> None:
    for name in names:
        made.add(await _created(http, name))


async def _created(http: httpx.AsyncClient, name: str) -> str:
    while True:
        try:
            answer = await http.post("/companies", json={"name": name})
        except httpx.TransportError:
            await asyncio.sleep(0.1)
            continue
        if answer.is_success:
            return str(answer.json()["id"])
        assert answer.status_code in {409, 500, 503}, answer.text
        await asyncio.sleep(0.1)


async def _killed(here: Installed) -> None:
    await asyncio.to_thread(here.kill)
    await asyncio.to_thread(here.start)
    here.clock.advance(seconds=GUARD.total_seconds())


async def _some_tried(here: Installed, times: int) -> None:
    async def tried() -> bool:
        [(number,)] = here.rows(
            "select count(*) from delivery where attempt >= %(times)s", times=times
        )
        return bool(number >= _EVENTS // 3)

    await until(tried, within_s=_ROUND_WITHIN_S)


async def _all_tried(here: Installed, times: int) -> None:
    """Wait until each message was tried that often and none is under way (until its guard)."""
    guard = GUARD if times > 1 else timedelta()

    async def tried() -> bool:
        [(left,)] = here.rows(
            "select count(*) from delivery"
            " where completed_at is null and (attempt < %(times)s or next_at <= %(soon)s)",
            times=times,
            soon=here.clock.now() + guard,
        )
        return not left

    await until(tried, within_s=_ROUND_WITHIN_S)


async def _delivered(here: Installed, receiver: Receiver) -> None:
    """With one more kill in the flood."""
    await until(lambda: _some(receiver.heard, _EVENTS // 2), within_s=_ROUND_WITHIN_S)
    await _killed(here)

    async def over() -> bool:
        return here.rows("select count(*) from delivery where completed_at is null") == [(0,)]

    await until(over, within_s=_ROUND_WITHIN_S)
