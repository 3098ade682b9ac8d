"""A worker is killed at every step of a write; whoever takes over ends it, once and truly."""

import os
import signal
from pathlib import Path

import pytest
from tests.journeys.push_ground import (
    ENDED,
    added,
    ask,
    bodies,
    documents,
    ended,
    facts,
    pays,
    see,
    without_reads,
)
from tests.journeys.world import World, until

from tallystick.connectors.contract import SETTLES_AFTER
from tallystick.push.operations import Operation
from tallystick.push.states import State

POINTS = (
    "push.before_picture",
    "push.after_picture",
    "push.after_claim",
    "push.after_create",
    "push.after_read_back",
    "push.before_finish",
    "push.after_finish",
)
_SETTLED_S = SETTLES_AFTER.total_seconds() + 1
KINDS = ("payment", "batch", "allocation", "bill", "credit note", "supplier")


@pytest.fixture
async def quiet_world(world: World) -> World:
    await without_reads(world)
    return world


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("point", POINTS)
async def test_a_write_survives_a_kill(quiet_world: World, kind: str, point: str) -> None:
    world = quiet_world
    before = await documents(world)
    data_type, body = bodies(await facts(world))[kind]
    asked = await ask(world, data_type, body)

    with world.worker(TALLYSTICK_CRASH_AT=point) as doomed:
        await world.killed(doomed)
    with world.worker():
        await until(lambda: _is_looked_for_or_over(world, asked))
        # What the platform gets to show it, without waiting for it.
        world.advance(_SETTLED_S)
        [done] = await ended(world, asked)

    await _written_once(world, before, done)


async def _is_looked_for_or_over(world: World, asked: Operation) -> bool:
    return (await see(world, asked)).state in {State.Checking, *ENDED}


async def _written_once(world: World, before: dict[str, set[str]], done: Operation) -> None:
    """One document at the platform, a true status, one event, and the record in the cache."""
    assert done.state is State.Success, done.error_message
    new = added(before, await documents(world))
    made = {one.id for one in done.changes if one.data_type == done.data_type}
    assert new == {done.data_type: made}
    assert [one["payload"]["id"] for one in await _told(world)] == [done.key]
    cached = await world.bodies(done.data_type)
    assert made <= cached.keys()
    for proved in done.settlement or ():
        assert proved["settled"], proved
    if done.data_type == "billPayments":
        assert done.settlement


async def _told(world: World) -> list[dict[str, dict[str, str]]]:
    return [one for one in await world.events() if ".write." in one["eventType"]]


async def test_a_write_survives_being_killed_again_and_again(quiet_world: World) -> None:
    """While it is sent, while it is looked for, and while it is read back."""
    world = quiet_world
    before = await documents(world)
    asked = await ask(world, *bodies(await facts(world))["payment"])
    for point in ("push.after_create", "push.after_find", "push.before_finish"):
        with world.worker(TALLYSTICK_CRASH_AT=point) as doomed:
            await world.killed(doomed)
    with world.worker():
        [done] = await ended(world, asked)
    await _written_once(world, before, done)


async def test_a_worker_killed_while_sending_again_sends_no_third(quiet_world: World) -> None:
    world = quiet_world
    before = await documents(world)
    asked = await ask(world, *bodies(await facts(world))["payment"])
    for point in ("push.after_claim", "push.after_create"):
        with world.worker(TALLYSTICK_CRASH_AT=point) as doomed:
            await world.killed(doomed)
    assert (await see(world, asked)).attempt == 2
    with world.worker():
        [done] = await ended(world, asked)
    await _written_once(world, before, done)


@pytest.mark.parametrize("point", ["push.after_picture", "push.after_claim"])
async def test_a_frozen_worker_that_wakes_does_not_send(quiet_world: World, point: str) -> None:
    """It is taken for dead and its lock is cut; another one ends the write; then it wakes."""
    world = quiet_world
    before = await documents(world)
    asked = await ask(world, *bodies(await facts(world))["payment"])
    with world.worker(TALLYSTICK_FREEZE_AT=point) as frozen:
        await until(lambda: _is_stopped(frozen.pid))
        # As the server does with a machine that is gone; a frozen process keeps its connections.
        await world.rows(
            "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
            " and datname = current_database() and application_name like '%%-lock'"
        )
        with world.worker():
            [done] = await ended(world, asked)
            world.simulator.forget_requests()
            os.kill(frozen.pid, signal.SIGCONT)
            other = await ask(world, *bodies(await facts(world))["supplier"])
            await ended(world, other)
    sent = [one for one in world.simulator.requests() if one["method"] == "PUT"]
    assert [one["path"].rsplit("/", 1)[1] for one in sent] == ["Contacts"]
    new = added(before, await documents(world))
    assert len(new["billPayments"]) == 1
    assert done.state is State.Success


async def _is_stopped(pid: int) -> bool:
    return _process_state(pid) == "T"


def _process_state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_a_frozen_worker_that_keeps_its_lock_is_waited_for(quiet_world: World) -> None:
    """Nobody else sends while it may still wake; what it then sends is the only one."""
    world = quiet_world
    before = await documents(world)
    asked = await ask(world, *bodies(await facts(world))["payment"])
    with world.worker(TALLYSTICK_FREEZE_AT="push.after_claim") as frozen:
        await until(lambda: _is_stopped(frozen.pid))
        with world.worker():

            async def taken_over() -> bool:
                return "job_taken_over" in world.worker_log()

            await until(taken_over)
            assert (await see(world, asked)).state is State.Sending
            os.kill(frozen.pid, signal.SIGCONT)
            [done] = await ended(world, asked)
    await _written_once(world, before, done)


# --- what the platform does on the way ---


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ["loses_answers", "server_errors"])
async def test_an_answer_that_never_comes_is_looked_for(
    quiet_world: World, kind: str, fault: str
) -> None:
    world = quiet_world
    before = await documents(world)
    asked = await ask(world, *bodies(await facts(world))[kind])
    world.simulator.fault(fault, times=1, match={"method": "PUT"})
    await world.drain()
    assert (await see(world, asked)).state is State.Checking
    world.advance(_SETTLED_S)
    await world.drain()
    await _written_once(world, before, await see(world, asked))


async def test_a_limit_holds_a_write_up_and_no_more(quiet_world: World) -> None:
    world = quiet_world
    before = await documents(world)
    known = await facts(world)
    first = await ask(world, *bodies(known)["payment"])
    second = await ask(world, *bodies(known)["supplier"])
    world.simulator.fault("rate_limits", times=1, match={"method": "PUT"}, retry_after_s=30)
    await world.drain()
    assert {(await see(world, one)).state for one in (first, second)} == {State.Pending}
    world.advance(31)
    await world.drain()
    done = [await see(world, one) for one in (first, second)]
    assert [one.state for one in done] == [State.Success, State.Success]
    new = added(before, await documents(world))
    assert {data_type: len(ids) for data_type, ids in new.items()} == {
        "billPayments": 1,
        "suppliers": 1,
    }


async def test_a_token_that_ends_on_the_way_is_renewed(quiet_world: World) -> None:
    world = quiet_world
    before = await documents(world)
    asked = await ask(world, *bodies(await facts(world))["payment"])
    world.simulator.fault("expires_tokens", times=1, match={"method": "PUT"})
    await world.drain()
    await _written_once(world, before, await see(world, asked))


async def test_a_permission_that_was_taken_back_fails_the_write(quiet_world: World) -> None:
    world = quiet_world
    known = await facts(world)
    before = await documents(world)
    asked = await ask(world, *bodies(known)["payment"])
    world.simulator.revoke(world.organisation_id)
    await world.drain()
    done = await see(world, asked)
    assert (done.state, done.status_code) == (State.Failed, 401)
    assert added(before, await documents(world)) == {}


async def test_what_xero_refuses_fails_with_its_words(quiet_world: World) -> None:
    world = quiet_world
    known = await facts(world)
    before = await documents(world)
    too_much = pays(known, (known.bills[0], "9999999.00"))
    unknown = pays(known, ({"InvoiceID": "00000000-0000-4000-8000-000000000000"}, "1.00"))
    asked = [await ask(world, "billPayments", body) for body in (too_much, unknown)]
    await world.drain()
    done = [await see(world, one) for one in asked]
    assert [one.state for one in done] == [State.Failed, State.Failed]
    assert all(one.errors for one in done)
    assert done[1].errors[0].item_id == "Lines[0].Links[0].Id"
    assert added(before, await documents(world)) == {}
