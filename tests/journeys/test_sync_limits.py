"""Many reads of one connection within the limits that Xero sets."""

import shutil
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.journeys import simulator
from tests.journeys.truth import differences
from tests.journeys.world import World, world_of

from tallystick.db.pool import Database
from tallystick.lib.secrets import Vault

_READS = 8


@pytest.fixture
async def limited(
    database: Database, vault: Vault, tmp_path: Path, seeded_books: Path
) -> AsyncIterator[World]:
    """A world whose Xero counts calls."""
    state = tmp_path / "xero"
    shutil.copytree(seeded_books, state)
    with simulator.running(state, limited=True) as xero:
        async with world_of(database, vault, tmp_path, xero, limited=True) as world:
            yield world


async def test_reads_use_the_limit_up_and_never_meet_a_refusal(limited: World) -> None:
    world = limited
    await world.drain()
    for _ in range(_READS):
        await world.queue_all()
        await _through(world)

    called = [each for each in world.simulator.requests() if "/api.xro/" in each["path"]]
    assert {each["status"] for each in called} == {200}
    assert len(called) > 120
    moments = sorted(datetime.fromisoformat(each["at"]) for each in called)
    spent = (moments[-1] - moments[0]) / timedelta(minutes=1)
    assert len(called) / spent >= 54
    world.advance(120)
    assert await differences(world) == {}


async def _through(world: World) -> None:
    """End all reads; where they wait for the limit, so does everybody."""
    for _ in range(40):
        await world.drain()
        waiting = await world.rows(
            "select min(resume_at) as at from dataset where completed_at is null"
        )
        if waiting[0]["at"] is None:
            return
        world.advance(max((waiting[0]["at"] - world.now()).total_seconds(), 0) + 0.01)
    raise AssertionError("the reads do not end")
