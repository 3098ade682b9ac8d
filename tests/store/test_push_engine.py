"""The engine against a platform on paper that fails in every way it can."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import psycopg
import pytest
from tests.store.push_desk import Desk, desk_of, payment

from tallystick.companies import connections
from tallystick.connectors.contract import Organisation
from tallystick.db.pool import Database
from tallystick.errors import Problem
from tallystick.lib.clock import FixedClock
from tallystick.lib.secrets import Vault
from tallystick.model import BillPayment
from tallystick.push import moves, operations
from tallystick.push.engine import ATTEMPTS_MAX
from tallystick.push.operations import File
from tallystick.push.states import State

SUPPLIER = {"supplierName": "Łukasz & Søn", "status": "Active"}


@pytest.fixture
async def desk(database: Database, clock: FixedClock, vault: Vault) -> AsyncIterator[Desk]:
    async with desk_of(database, clock, vault) as desk:
        yield desk


async def test_a_payment_is_written_proved_cached_and_told_of(desk: Desk) -> None:
    asked = await desk.ask(payment("b1", "40.00"))
    done = await desk.perform(asked)
    assert done.state is State.Success
    assert (done.status_code, done.attempt, done.record_id) == (200, 1, "p1")
    assert desk.paper.dues["b1"] == Decimal("60.00")
    assert done.settlement == [
        {
            "recordRef": {"id": "b1", "dataType": "bills"},
            "amountDueBefore": 100,
            "amountDueExpected": 60,
            "amountDueAfter": 60,
            "settled": True,
        }
    ]
    [(event, payload)] = await desk.events()
    assert event == "billPayments.write.successful"
    assert payload["status"] == "Success"
    assert payload["record"] == {"id": "p1"}
    assert (await desk.cached("billPayments"))["p1"]["totalAmount"] == 40
    assert (await desk.cached("bills"))["b1"]["amountDue"] == 60


async def test_a_job_that_runs_twice_sends_once(desk: Desk) -> None:
    asked = await desk.ask(payment("b1", "40"))
    await desk.perform(asked)
    await desk.perform(asked)
    assert desk.paper.calls.count("create") == 1
    assert len(await desk.events()) == 1


async def test_two_workers_at_once_send_once(desk: Desk) -> None:
    asked = await desk.ask(payment("b1", "40"))
    await asyncio.gather(*(desk.jobs.perform(asked.key) for _ in range(5)))
    assert desk.paper.calls.count("create") == 1
    assert (await desk.see(asked)).state is State.Success


async def test_a_lost_answer_is_looked_for_and_found(desk: Desk) -> None:
    desk.paper.fail("create", "lost")
    asked = await desk.ask(payment("b1", "40"))
    unheard = await desk.perform(asked)
    assert unheard.state is State.Checking
    assert await desk.events() == []
    # Not before the platform has had time to show it.
    assert (await desk.perform(asked, after_s=1)).state is State.Checking
    assert desk.paper.calls.count("find") == 0
    done = await desk.perform(asked, after_s=1)
    assert (done.state, done.record_id) == (State.Success, "p1")
    assert desk.paper.calls.count("create") == 1
    assert len(await desk.events()) == 1
    assert done.settlement is not None
    assert done.settlement[0]["settled"] is True


async def test_a_write_that_did_not_arrive_is_sent_again(desk: Desk) -> None:
    desk.paper.fail("create", "down")
    asked = await desk.ask(payment("b1", "40"))
    assert (await desk.perform(asked)).state is State.Checking
    done = await desk.perform(asked, after_s=2)
    assert (done.state, done.attempt) == (State.Success, 2)
    assert list(desk.paper.payments) == ["p1"]


async def test_an_answer_nobody_foresaw_is_looked_into(desk: Desk) -> None:
    desk.paper.fail("create", "bug")
    asked = await desk.ask(payment("b1", "40"))
    assert (await desk.perform(asked)).state is State.Checking
    assert (await desk.perform(asked, after_s=2)).state is State.Success


async def test_while_the_platform_cannot_be_asked_it_stays_unknown(desk: Desk) -> None:
    desk.paper.fail("create", "lost")
    desk.paper.fail("find", "down", "limited", "dead", "bug")
    asked = await desk.ask(payment("b1", "40"))
    for after_s in (0, 2, 10, 60, 600):
        assert (await desk.perform(asked, after_s=after_s)).state is State.Checking
    assert (await desk.perform(asked, after_s=900)).state is State.Success
    assert desk.paper.calls.count("create") == 1


async def test_two_candidates_are_left_to_a_person(desk: Desk) -> None:
    desk.paper.fail("create", "lost")
    asked = await desk.ask(payment("b1", "40"))
    await desk.perform(asked)
    first = desk.paper.payments["p1"]
    desk.paper.payments["typed-in"] = first.model_copy(update={"id": "typed-in"})
    assert (await desk.perform(asked, after_s=2)).state is State.Checking
    assert (await desk.perform(asked, after_s=3600)).state is State.Checking
    del desk.paper.payments["typed-in"]
    assert (await desk.perform(asked, after_s=3600)).record_id == "p1"


async def test_an_equal_write_waits_while_the_first_is_looked_for(desk: Desk) -> None:
    desk.paper.fail("create", "lost")
    first, second = await desk.ask(SUPPLIER, supplier=True), await desk.ask(SUPPLIER, supplier=True)
    await desk.perform(first)
    assert (await desk.perform(second)).state is State.Pending
    await desk.perform(second, after_s=2)
    assert (await desk.see(first)).record_id == "p1"
    assert (await desk.see(second)).record_id == "p2"
    assert len(desk.paper.suppliers) == 2


async def test_what_another_operation_wrote_is_not_claimed(desk: Desk) -> None:
    lost = await desk.ask(SUPPLIER, supplier=True)
    desk.paper.fail("create", "down")
    await desk.perform(lost)
    other = await desk.ask({**SUPPLIER, "phone": "1"}, supplier=True)
    assert (await desk.perform(other)).record_id == "p1"
    assert (await desk.perform(lost, after_s=2)).record_id == "p2"


async def test_a_refusal_fails_with_its_reasons(desk: Desk) -> None:
    desk.paper.fail("create", "refused")
    done = await desk.perform(await desk.ask(payment("b1", "40")))
    assert (done.state, done.status_code) == (State.Failed, 400)
    assert done.errors == (Problem("Date", "The period is locked.", "Paper"),)
    [(event, payload)] = await desk.events()
    assert event == "billPayments.write.unsuccessful"
    assert "record" not in payload


async def test_a_bill_the_books_do_not_know_is_refused_before_sending(desk: Desk) -> None:
    done = await desk.perform(await desk.ask(payment("b9", "40")))
    assert done.state is State.Failed
    assert done.errors[0].item_id == "Lines[0].Links[0].Id"
    assert "create" not in desk.paper.calls


async def test_a_refused_second_attempt_does_not_hide_that_the_first_arrived(desk: Desk) -> None:
    """The platform showed nothing in time; the second attempt fails because the first did land."""
    desk.paper.fail("create", "down")
    asked = await desk.ask(payment("b1", "100"))
    await desk.perform(asked)
    late = desk.paper
    late.fail("create", "refused")
    checking = await desk.perform(asked, after_s=2)
    assert checking.state is State.Checking
    late.payments["late"] = BillPayment.from_wire({**payment("b1", "100"), "id": "late"})
    late.dues["b1"] = Decimal(0)
    done = await desk.perform(asked, after_s=2)
    assert (done.state, done.record_id) == (State.Success, "late")


async def test_a_refused_second_attempt_fails_where_nothing_is_found(desk: Desk) -> None:
    desk.paper.fail("create", "down", "refused")
    asked = await desk.ask(payment("b1", "100"))
    await desk.perform(asked)
    await desk.perform(asked, after_s=2)
    done = await desk.perform(asked, after_s=2)
    assert (done.state, done.errors[0].item_id) == (State.Failed, "Date")


async def test_sending_again_ends_some_time(desk: Desk) -> None:
    desk.paper.fail("create", *["down"] * 20)
    asked = await desk.ask(payment("b1", "40"))
    for _ in range(ATTEMPTS_MAX + 1):
        done = await desk.perform(asked, after_s=3)
    assert (done.state, done.attempt, done.status_code) == (State.Failed, ATTEMPTS_MAX, 500)


@pytest.mark.parametrize("call", ["create", "picture"])
@pytest.mark.parametrize("fault", ["limited", "unsent"])
async def test_what_was_certainly_not_done_stays_pending(desk: Desk, call: str, fault: str) -> None:
    desk.paper.fail(call, fault)
    asked = await desk.ask(payment("b1", "40"))
    waits = await desk.perform(asked)
    assert (waits.state, waits.sent_at, waits.in_doubt) == (State.Pending, None, False)
    done = await desk.perform(asked, after_s=61)
    assert done.state is State.Success
    assert desk.paper.calls.count("find") == 0


async def test_an_ended_permission_fails_what_was_not_sent(desk: Desk) -> None:
    desk.paper.fail("create", "dead")
    done = await desk.perform(await desk.ask(payment("b1", "40")))
    assert (done.state, done.status_code) == (State.Failed, 401)
    assert "linkUrl" in (done.error_message or "")


async def test_what_was_sent_waits_for_a_new_permission(desk: Desk) -> None:
    desk.paper.fail("create", "lost")
    asked = await desk.ask(payment("b1", "40"))
    await desk.perform(asked)
    async with desk.database.transaction() as tx:
        await connections.unlinked(tx, desk.connection, now=desk.clock.now())
    assert (await desk.perform(asked, after_s=60)).state is State.Checking
    await _link(desk, "org-1")
    assert (await desk.perform(asked, after_s=60)).state is State.Success


async def test_nothing_is_written_into_other_books(desk: Desk) -> None:
    asked = await desk.ask(payment("b1", "40"))
    await _link(desk, "org-2")
    done = await desk.perform(asked)
    assert (done.state, done.status_code) == (State.Failed, 403)
    assert "other books" in (done.error_message or "")
    assert desk.paper.calls == []


async def test_a_write_in_doubt_is_not_looked_for_in_other_books(desk: Desk) -> None:
    desk.paper.fail("create", "down")
    asked = await desk.ask(payment("b1", "40"))
    await desk.perform(asked)
    await _link(desk, "org-2")
    assert (await desk.perform(asked, after_s=60)).state is State.Checking
    assert "find" not in desk.paper.calls


async def _link(desk: Desk, organisation_id: str) -> None:
    async with desk.database.transaction() as tx:
        await connections.linked(
            tx,
            desk.connection,
            organisation=Organisation(organisation_id, "Books", "grant"),
            base_url=None,
            simulated=False,
            now=desk.clock.now(),
        )


# --- reading back ---


async def test_a_success_waits_a_little_for_being_read_back(desk: Desk) -> None:
    desk.paper.fail("read_back", "down")
    asked = await desk.ask(payment("b1", "40"))
    assert (await desk.perform(asked)).state is State.Checking
    done = await desk.perform(asked, after_s=1)
    assert done.state is State.Success
    assert (desk.paper.calls.count("create"), desk.paper.calls.count("find")) == (1, 0)
    assert "p1" in await desk.cached("billPayments")


async def test_a_success_is_told_of_even_if_it_cannot_be_read_back(desk: Desk) -> None:
    desk.paper.fail("read_back", *["down"] * 50)
    asked = await desk.ask(payment("b1", "40"))
    done = await desk.perform(asked)
    for _ in range(8):
        done = await desk.perform(asked, after_s=60)
    assert done.state is State.Success
    assert done.settlement is not None
    assert done.settlement[0]["settled"] is False
    assert desk.paper.calls.count("create") == 1


async def test_nothing_is_read_back_where_the_caller_does_not_want_it(desk: Desk) -> None:
    asked = await desk.ask(payment("b1", "40"), sync_after=False)
    done = await desk.perform(asked)
    assert (done.state, done.settlement) == (State.Success, None)
    assert "read_back" not in desk.paper.calls


async def test_another_change_meanwhile_is_seen_in_the_proof(desk: Desk) -> None:
    desk.paper.fail("create", "lost")
    asked = await desk.ask(payment("b1", "40"))
    await desk.perform(asked)
    desk.paper.dues["b1"] -= Decimal("0.01")
    done = await desk.perform(asked, after_s=2)
    assert done.settlement is not None
    assert done.settlement[0]["settled"] is False
    assert done.settlement[0]["amountDueAfter"] == Decimal("59.99")


# --- the order of requests ---


async def test_writes_go_out_in_the_order_of_requests(desk: Desk) -> None:
    asked = [await desk.ask(payment("b1", str(amount))) for amount in (1, 2, 3)]
    await desk.perform(asked[2])
    assert [int(one.total_amount) for one in desk.paper.payments.values()] == [1, 2, 3]


async def test_nothing_overtakes_what_a_limit_holds_up(desk: Desk) -> None:
    desk.paper.fail("create", "limited")
    first, second = await desk.ask(payment("b1", "1")), await desk.ask(payment("b2", "2"))
    await desk.perform(first)
    held = await desk.perform(second)
    assert held.state is State.Pending
    assert held.resume_at == desk.paper.limited_until
    await desk.perform(second, after_s=61)
    assert [int(one.total_amount) for one in desk.paper.payments.values()] == [1, 2]


async def test_what_is_looked_for_holds_up_only_its_own_bills(desk: Desk) -> None:
    desk.paper.fail("create", "down")
    stuck = await desk.ask(payment("b1", "1"))
    same_bill, other_bill = await desk.ask(payment("b1", "2")), await desk.ask(payment("b2", "3"))
    await desk.perform(stuck)
    assert (await desk.see(other_bill)).state is State.Success
    assert (await desk.see(same_bill)).state is State.Pending
    await desk.perform(stuck, after_s=2)
    assert (await desk.see(same_bill)).state is State.Success


async def test_what_was_found_holds_up_its_bills_until_it_was_read_back(desk: Desk) -> None:
    desk.paper.fail("create", "lost")
    desk.paper.fail("read_back", "down")
    first = await desk.ask(payment("b1", "40"))
    await desk.perform(first)
    second = await desk.ask(payment("b1", "5"))
    await desk.perform(second, after_s=2)
    assert desk.paper.calls.count("create") == 1
    for operation in (first, second):
        done = await desk.perform(operation, after_s=2)
        assert done.settlement is not None
        assert done.settlement[0]["settled"] is True


async def test_a_failed_write_does_not_hold_up_the_next(desk: Desk) -> None:
    desk.paper.fail("create", "refused")
    first, second = await desk.ask(payment("b1", "1")), await desk.ask(payment("b1", "2"))
    await desk.perform(first)
    assert (await desk.see(second)).state is State.Success


# --- who may send ---


async def test_what_a_dead_worker_left_behind_is_looked_for(desk: Desk) -> None:
    asked = await desk.ask(payment("b1", "40"))
    async with desk.database.transaction() as tx:
        await moves.claim(tx, asked, picture=asked.picture, now=desk.clock.now())
    assert (await desk.perform(asked)).state is State.Checking
    assert "create" not in desk.paper.calls


async def test_a_worker_whose_lock_was_cut_does_not_send(desk: Desk) -> None:
    """The session is ended while the worker reads the picture, as if it had been frozen."""
    asked = await desk.ask(payment("b1", "40"))

    async def cut(_: str) -> None:
        await desk.rows(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name like '%%-lock'"
        )

    desk.paper.fail("picture", "cut")
    desk.paper.on_fault = cut
    with pytest.raises(psycopg.OperationalError):
        await desk.jobs.perform(asked.key)
    assert "create" not in desk.paper.calls
    assert (await desk.see(asked)).state is State.Sending
    assert (await desk.perform(asked)).state is State.Checking
    assert (await desk.perform(asked, after_s=2)).state is State.Success
    assert desk.paper.calls.count("create") == 1


async def test_a_worker_without_the_lock_leaves_it_to_the_holder(desk: Desk) -> None:
    asked = await desk.ask(payment("b1", "40"))
    async with desk.database.session() as other:
        assert await operations.lock(other, desk.connection.id)
        assert (await desk.perform(asked)).state is State.Pending
        desk.clock.advance(seconds=3)
        await desk.jobs.wake_due()
    assert len(await _queued(desk)) == 2
    assert (await desk.perform(asked)).state is State.Success


async def test_an_attempt_gone_by_does_not_send(desk: Desk) -> None:
    asked = await desk.ask(payment("b1", "40"))
    async with desk.database.transaction() as tx:
        claimed = await moves.claim(tx, asked, picture=asked.picture, now=desk.clock.now())
        assert claimed is not None
        assert await moves.still_mine(tx, claimed)
        assert not await moves.still_mine(tx, asked)


# --- deadlines ---


async def test_what_timed_out_unsent_is_never_sent(desk: Desk) -> None:
    asked = await desk.ask(payment("b1", "40"), timeout_minutes=1)
    desk.clock.advance(seconds=60)
    # Even before anybody has noticed that it is late.
    assert (await desk.perform(asked)).state is State.Pending
    await desk.jobs.fence_overdue()
    late = await desk.perform(asked)
    assert (late.state, late.status_code, late.resume_at) == (State.TimedOut, 408, None)
    assert "create" not in desk.paper.calls
    [(event, payload)] = await desk.events()
    assert (event, payload["status"]) == ("billPayments.write.unsuccessful", "TimedOut")


async def test_what_timed_out_after_it_arrived_is_resolved_as_written(desk: Desk) -> None:
    desk.paper.fail("create", "lost")
    desk.paper.fail("find", "down")
    asked = await desk.ask(payment("b1", "40"), timeout_minutes=1)
    await desk.perform(asked)
    await desk.perform(asked, after_s=60)
    await desk.jobs.fence_overdue()
    assert (await desk.see(asked)).state is State.TimedOut
    done = await desk.perform(asked, after_s=16)
    assert done.state is State.TimedOut
    assert done.resolution is not None
    assert done.resolution["outcome"] == "Written"
    assert done.resolution["recordRef"] == {"id": "p1", "dataType": "billPayments"}
    assert [event for event, _ in await desk.events()] == [
        "billPayments.write.unsuccessful",
        "billPayments.write.resolved",
    ]
    assert "p1" in await desk.cached("billPayments")


async def test_what_timed_out_and_did_not_arrive_is_resolved_as_not_written(desk: Desk) -> None:
    desk.paper.fail("create", "down")
    desk.paper.fail("find", "down")
    asked = await desk.ask(payment("b1", "40"), timeout_minutes=1)
    await desk.perform(asked)
    await desk.perform(asked, after_s=60)
    await desk.jobs.fence_overdue()
    done = await desk.perform(asked, after_s=16)
    assert done.resolution is not None
    assert done.resolution["outcome"] == "NotWritten"
    assert desk.paper.payments == {}


async def test_an_answer_after_the_deadline_resolves_it(desk: Desk) -> None:
    asked = await desk.ask(payment("b1", "40"), timeout_minutes=1)

    async def late(_: str) -> None:
        desk.clock.advance(seconds=60)
        await desk.jobs.fence_overdue()

    desk.paper.fail("create", "late")
    desk.paper.on_fault = late
    done = await desk.perform(asked)
    assert done.state is State.TimedOut
    assert done.resolution is not None
    assert done.resolution["outcome"] == "Written"


async def test_what_timed_out_with_two_candidates_stays_unknown(desk: Desk) -> None:
    desk.paper.fail("create", "lost")
    asked = await desk.ask(payment("b1", "40"), timeout_minutes=1)
    await desk.perform(asked)
    first = desk.paper.payments["p1"]
    desk.paper.payments["typed-in"] = first.model_copy(update={"id": "typed-in"})
    desk.clock.advance(seconds=60)
    await desk.jobs.fence_overdue()
    for _ in range(5):
        done = await desk.perform(asked, after_s=120)
    assert done.resolution is not None
    assert done.resolution["outcome"] == "Unknown"


# --- queueing ---


async def test_one_job_is_queued_for_a_connection_however_much_is_due(desk: Desk) -> None:
    for amount in (1, 2, 3):
        await desk.ask(payment("b1", str(amount)))
    await desk.jobs.wake_due()
    assert len(await _queued(desk)) == 3, "the jobs that were queued with the requests are trusted"
    desk.clock.advance(seconds=31)
    await desk.jobs.wake_due()
    await desk.jobs.wake_due()
    assert len(await _queued(desk)) == 4


async def test_nothing_open_is_ever_without_a_time_to_look_again(desk: Desk) -> None:
    asked = await desk.ask(payment("b1", "1"))
    with pytest.raises(psycopg.errors.CheckViolation):
        await desk.rows(
            "update operation set resume_at = null where key = %(key)s returning key",
            key=asked.key,
        )


async def _queued(desk: Desk) -> list[dict[str, object]]:
    return await desk.rows("select id from procrastinate_jobs where task_name = 'push.perform'")


# --- files ---

FILE = File("bill.pdf", "application/pdf", b"%PDF-1.4")


async def test_a_file_is_uploaded_once(desk: Desk) -> None:
    desk.paper.fail("create", "lost")
    asked = await desk.ask_file(FILE)
    await desk.perform(asked)
    done = await desk.perform(asked, after_s=16)
    assert (done.state, done.record_id, done.attachment_id) == (State.Success, "b1", "p1")
    assert list(desk.paper.files.values()) == [("bill.pdf", "application/pdf", b"%PDF-1.4")]
    [(event, payload)] = await desk.events()
    assert event == "bills.write.successful"
    assert (payload["type"], payload["attachmentId"]) == ("UploadAttachment", "p1")
    assert await desk.rows("select key from operation_file") == []


async def test_a_failed_upload_still_names_its_record(desk: Desk) -> None:
    desk.paper.fail("create", "refused")
    done = await desk.perform(await desk.ask_file(FILE))
    assert done.state is State.Failed
    [(_, payload)] = await desk.events()
    assert payload["record"] == {"id": "b1"}


async def test_a_job_of_a_deleted_company_ends(desk: Desk) -> None:
    await desk.jobs.perform("00000000-0000-4000-8000-000000000000")
