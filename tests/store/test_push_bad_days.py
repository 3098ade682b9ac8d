"""Writes on bad days: connections and companies that go, requests that never go, stale workers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.store.push_desk import Desk, desk_of, payment

from tallystick.companies import companies, connections
from tallystick.connectors.contract import Change, Organisation
from tallystick.db.pool import Database
from tallystick.lib import json
from tallystick.lib.clock import FixedClock
from tallystick.lib.secrets import Vault
from tallystick.push import endings, history, moves, operations
from tallystick.push.operations import Operation
from tallystick.push.outcomes import Outcome, Refusal
from tallystick.push.states import State

SUPPLIER = {"supplierName": "Łukasz & Søn", "status": "Active"}


@pytest.fixture
async def desk(database: Database, clock: FixedClock, vault: Vault) -> AsyncIterator[Desk]:
    async with desk_of(database, clock, vault) as desk:
        yield desk


async def _delete_connection(desk: Desk) -> None:
    async with desk.database.transaction() as tx:
        await connections.delete(tx, desk.connection, now=desk.clock.now())


async def _delete_company(desk: Desk) -> None:
    async with desk.database.transaction() as tx:
        await companies.delete(
            tx,
            client_id=desk.connection.client_id,
            company_id=desk.connection.company_id,
            now=desk.clock.now(),
        )


# --- what has gone ---


async def test_what_was_not_sent_fails_where_the_connection_was_deleted(desk: Desk) -> None:
    asked = [await desk.ask(payment("b1", str(amount))) for amount in (1, 2)]
    await _delete_connection(desk)
    done = [await desk.perform(asked[0]), await desk.see(asked[1])]
    assert [(one.state, one.status_code) for one in done] == [(State.Failed, 401)] * 2
    assert desk.paper.calls == []
    assert len(await desk.events()) == 2


async def test_what_nobody_can_look_for_any_more_ends_as_unknown(desk: Desk) -> None:
    desk.paper.fail("create", "lost")
    asked = await desk.ask(payment("b1", "40"))
    await desk.perform(asked)
    await _delete_connection(desk)
    done = await desk.perform(asked, after_s=60)
    assert done.state is State.TimedOut
    assert done.resolution is not None
    assert done.resolution["outcome"] == "Unknown"
    assert done.resume_at is None
    assert {event for event, _ in await desk.events()} == {
        "billPayments.write.unsuccessful",
        "billPayments.write.resolved",
    }


@pytest.mark.parametrize("gone", ["unlinked", "deleted"])
async def test_what_is_known_to_be_written_is_told_though_the_connection_is_gone(
    desk: Desk, gone: str
) -> None:
    desk.paper.fail("read_back", "down")
    asked = await desk.ask(payment("b1", "40"))
    assert (await desk.perform(asked)).state is State.Checking
    if gone == "deleted":
        await _delete_connection(desk)
    else:
        async with desk.database.transaction() as tx:
            await connections.unlinked(tx, desk.connection, now=desk.clock.now())
    done = await desk.perform(asked, after_s=60)
    assert (done.state, done.record_id) == (State.Success, "p1")
    assert desk.paper.calls.count("create") == 1


async def test_writes_of_a_deleted_company_end(desk: Desk) -> None:
    unsent = await desk.ask(payment("b1", "1"))
    await _delete_company(desk)
    await desk.jobs.perform(unsent.key)
    assert await _open(desk) == 0


async def _open(desk: Desk) -> int:
    rows = await desk.rows("select key from operation where resume_at is not null")
    return len(rows)


async def test_a_deleted_company_does_not_stop_the_deadlines_of_others(desk: Desk) -> None:
    await desk.ask(payment("b1", "1"), timeout_minutes=1)
    await _delete_company(desk)
    desk.clock.advance(seconds=61)
    await desk.jobs.fence_overdue()
    assert await desk.rows("select key from operation where completed_at is null") == []


async def test_a_success_is_not_lost_with_the_connection(desk: Desk) -> None:
    """Deleted between the platform's yes and the end of the operation."""
    asked = await desk.ask(payment("b1", "40"))

    async def delete(_: str) -> None:
        await _delete_connection(desk)

    desk.paper.fail("read_back", "delete")
    desk.paper.on_fault = delete
    assert (await desk.perform(asked)).state is State.Success
    assert await desk.cached("billPayments") == {}


async def test_what_was_written_into_other_books_is_not_shown_among_these(desk: Desk) -> None:
    asked = await desk.ask(payment("b1", "40"))

    async def link(_: str) -> None:
        async with desk.database.transaction() as tx:
            await connections.linked(
                tx,
                desk.connection,
                organisation=Organisation("org-2", "Other books", "grant"),
                base_url=None,
                simulated=False,
                now=desk.clock.now(),
            )

    desk.paper.fail("read_back", "link")
    desk.paper.on_fault = link
    assert (await desk.perform(asked)).state is State.Success
    assert await desk.cached("billPayments") == {}


async def test_ending_a_write_and_linking_again_do_not_wait_crosswise(desk: Desk) -> None:
    for amount in range(1, 8):
        asked = await desk.ask(payment("b1", str(amount)))

        async def link() -> None:
            async with desk.database.transaction() as tx:
                await connections.linked(
                    tx,
                    desk.connection,
                    organisation=Organisation("org-1", "Books", "grant"),
                    base_url=None,
                    simulated=False,
                    now=desk.clock.now(),
                )

        await asyncio.gather(desk.jobs.perform(asked.key), *(link() for _ in range(3)))
        assert (await desk.see(asked)).state is State.Success


# --- whose record it is ---


async def test_what_waits_for_being_read_back_is_not_claimed_by_an_equal_one(desk: Desk) -> None:
    desk.paper.fail("create", "down")
    lost = await desk.ask(SUPPLIER, supplier=True)
    await desk.perform(lost)
    desk.paper.fail("read_back", *["down"] * 3)
    other = await desk.ask({**SUPPLIER, "phone": "1"}, supplier=True)
    assert (await desk.perform(other)).state is State.Checking
    await desk.perform(lost, after_s=2)
    for _ in range(6):
        await desk.perform(lost, after_s=60)
    assert (await desk.see(other)).record_id == "p1"
    assert (await desk.see(lost)).record_id == "p2"


async def test_an_attempt_gone_by_resolves_nothing(desk: Desk) -> None:
    """A worker wakes with the refusal of its attempt; a later one may have arrived."""
    asked = await desk.ask(payment("b1", "40"), timeout_minutes=1)
    async with desk.database.transaction() as tx:
        first = await moves.claim(tx, asked, picture=asked.picture, now=desk.clock.now())
        assert first is not None
        await moves.doubt(tx, first, until=desk.clock.now())
        assert await moves.send_again(tx, first, now=desk.clock.now()) is not None
    desk.clock.advance(seconds=61)
    await desk.jobs.fence_overdue()
    async with desk.database.transaction() as tx:
        await endings.fail(tx, first, Refusal("no"), now=desk.clock.now())
    assert (await desk.see(asked)).resolution is None


# --- what does not go ---


async def test_one_request_that_never_goes_does_not_hold_up_the_others(desk: Desk) -> None:
    """The platform fails whenever this one bill is asked for."""
    stuck = await desk.ask(payment("b1", "1"))
    desk.paper.fail("picture", *["down"] * 5)
    for _ in range(5):
        await desk.perform(stuck, after_s=60)
    same, other = await desk.ask(payment("b1", "2")), await desk.ask(payment("b2", "3"))
    await desk.perform(other)
    assert (await desk.see(other)).state is State.Success
    assert (await desk.see(same)).state is State.Pending
    assert (await desk.perform(stuck, after_s=60)).state is State.Success
    assert (await desk.see(same)).state is State.Success


async def test_a_platform_that_is_down_is_asked_by_few(desk: Desk) -> None:
    asked = [await desk.ask(payment("b1", str(n + 1)), sync_after=False) for n in range(12)]
    desk.paper.fail("picture", *["down"] * 1000)
    for _ in range(60):
        await desk.perform(asked[0], after_s=60)
    tried = [one for one in asked if (await desk.see(one)).looks]
    assert len(tried) <= 4


async def test_a_limit_is_not_counted_as_a_try(desk: Desk) -> None:
    desk.paper.fail("picture", *["limited"] * 8)
    first, second = await desk.ask(payment("b1", "1")), await desk.ask(payment("b2", "2"))
    for _ in range(8):
        # A moment that is over when it is named must not let anything overtake.
        desk.paper.limited_until = desk.clock.now()
        await desk.perform(first, after_s=60)
    assert (await desk.see(first)).looks == 0
    await desk.perform(second, after_s=60)
    assert [int(one.total_amount) for one in desk.paper.payments.values()] == [1, 2]


# --- many at once ---


async def test_a_long_list_of_writes_does_not_hold_what_was_asked_for(desk: Desk) -> None:
    asked = await desk.ask({**SUPPLIER, "contactName": "x" * 1000}, supplier=True)
    async with desk.database.transaction() as tx:
        found, total = await history.page(
            tx,
            company_id=asked.company_id,
            wanted=history.wanted(None, None),
            offset=0,
            limit=10,
        )
    assert total == 1
    assert found[0].request == ""
    assert replace(found[0], request=asked.request) == asked
    assert json.loads(asked.request)["contactName"]


async def test_a_thousand_waiting_writes_are_woken_by_one_row(desk: Desk) -> None:
    asked = await desk.ask(payment("b1", "1"))
    await _multiply(desk, asked, 1000)
    desk.clock.advance(seconds=31)
    await desk.jobs.wake_due()
    rows = await desk.rows(
        "select key from operation where queued_until > %(now)s", now=desk.clock.now()
    )
    assert len(rows) == 1


async def _multiply(desk: Desk, asked: Operation, times: int) -> None:
    await desk.rows(
        "with more as (insert into operation (company_id, key, connection_id, client_id, data_type,"
        " state, request, status_code, resume_at, requested_at)"
        " select company_id, gen_random_uuid(), connection_id, client_id, data_type, state,"
        " request, status_code, resume_at, requested_at"
        " from operation, generate_series(1, %(times)s) where key = %(key)s) select 1",
        key=asked.key,
        times=times,
    )


async def test_a_trust_from_before_the_clock_was_set_back_does_not_last(desk: Desk) -> None:
    await desk.ask(payment("b1", "1"))
    await desk.rows("update operation set resume_at = resume_at - interval '2 hours' returning key")
    desk.clock.advance(seconds=-3600)
    before = await desk.rows("select id from procrastinate_jobs")
    await desk.jobs.wake_due()
    assert len(await desk.rows("select id from procrastinate_jobs")) == len(before) + 1


async def test_known_changes_survive_a_second_doubt(desk: Desk) -> None:
    asked = await desk.ask(payment("b1", "40"))
    known = Outcome((Change("billPayments", "p9"),))
    async with desk.database.transaction() as tx:
        claimed = await moves.claim(tx, asked, picture=asked.picture, now=desk.clock.now())
        assert claimed is not None
        await moves.doubt(tx, claimed, until=desk.clock.now(), known=known)
        again = await moves.doubt(tx, claimed, until=desk.clock.now())
        assert again is not None
        assert (again.changes, again.record_id) == (known.changes, "p9")
        assert await operations.whole(tx, asked.key) == again
