"""Messages arrive at least once: through failures, silence, long nights and killed workers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from standardwebhooks.webhooks import Webhook
from tests.store.hooks import Hooks, hooks_in

from tallystick.db.pool import Database
from tallystick.lib.clock import FixedClock
from tallystick.lib.secrets import Vault
from tallystick.webhooks import consumers, deliveries
from tallystick.webhooks.deliveries import GUARD, RETRY_DELAYS_S
from tallystick.webhooks.dispatcher import AT_ONCE, AT_ONCE_EACH, Dispatcher
from tallystick.webhooks.jobs import HISTORY, WebhookJobs


@pytest.fixture
async def hooks(database: Database, clock: FixedClock, vault: Vault) -> AsyncIterator[Hooks]:
    async with hooks_in(database, clock, vault) as made:
        yield made


async def test_what_arrives_is_signed_and_sent_once(hooks: Hooks) -> None:
    consumer = await hooks.register("hook.example")
    event_id = await hooks.tell()

    await hooks.later(seconds=0)
    await hooks.later(hours=30)

    (sent,) = hooks.receivers.requests
    assert consumer.secret
    assert sent.headers["webhook-id"] == "msg_" + event_id.replace("-", "")
    assert sent.headers["webhook-timestamp"] == str(int(_began(hooks, hours=30)))
    # The library looks at the machine's clock, so only the signature itself is its to judge.
    expected = Webhook(consumer.secret).sign(
        sent.headers["webhook-id"],
        hooks.clock.now() - timedelta(hours=30),
        sent.content.decode(),
    )
    assert sent.headers["webhook-signature"] == expected
    (row,) = await hooks.deliveries()
    assert (row["state"], row["attempt"], row["last_status"]) == ("Success", 1, 204)


@pytest.mark.parametrize(
    "answer",
    [
        500,
        404,
        301,
        307,
        410,
        httpx.ConnectError("refused"),
        httpx.ReadTimeout(""),
        httpx.RemoteProtocolError("no HTTP"),
        httpx.InvalidURL("no address"),
        UnicodeError("label too long"),
        OSError("no route"),
    ],
    ids=repr,
)
async def test_anything_but_2xx_is_a_failure_that_counts(
    hooks: Hooks, answer: int | Exception
) -> None:
    await hooks.register("hook.example")
    hooks.receivers.answers["hook.example"] = answer
    await hooks.tell()

    await hooks.later(seconds=0)

    (row,) = await hooks.deliveries()
    assert (row["state"], row["attempt"]) == ("Attempting", 1)
    assert row["next_at"] == hooks.clock.now() + timedelta(seconds=5)
    assert len(hooks.receivers.requests) == 1, "redirects are not followed"


async def test_eight_attempts_are_made_on_schedule_and_no_ninth(hooks: Hooks) -> None:
    await hooks.register("hook.example")
    hooks.receivers.answers["hook.example"] = 503
    await hooks.tell()

    await hooks.later(seconds=0)
    for number, delay_s in enumerate(RETRY_DELAYS_S, start=1):
        await hooks.later(seconds=delay_s - 1)
        assert len(hooks.receivers.requests) == number, "not before its time"
        await hooks.later(seconds=1)
        assert len(hooks.receivers.requests) == number + 1
    await hooks.later(hours=40)

    assert len(hooks.receivers.requests) == 8
    (row,) = await hooks.deliveries()
    assert (row["state"], row["attempt"], row["last_status"]) == ("Failure", 8, 503)
    assert row["next_at"] is None


async def test_the_id_stays_and_the_timestamp_is_fresh_in_every_attempt(hooks: Hooks) -> None:
    await hooks.register("hook.example")
    hooks.receivers.answers["hook.example"] = 500
    await hooks.tell()
    await hooks.later(seconds=0)
    hooks.receivers.answers.clear()
    await hooks.later(seconds=5)

    first, second = hooks.receivers.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.content == second.content
    stamps = [int(sent.headers["webhook-timestamp"]) for sent in (first, second)]
    assert stamps[1] - stamps[0] == 5
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


async def test_a_receiver_that_was_down_for_a_day_gets_everything(hooks: Hooks) -> None:
    await hooks.register("hook.example")
    hooks.receivers.answers["hook.example"] = httpx.ConnectError("refused")
    told = []
    for _ in range(24):
        told.append(await hooks.tell())
        await hooks.later(hours=1)
    hooks.receivers.requests.clear()

    hooks.receivers.answers.clear()
    await hooks.later(hours=10)

    arrived = {sent.headers["webhook-id"] for sent in hooks.receivers.requests}
    assert arrived == {"msg_" + event_id.replace("-", "") for event_id in told}
    assert {row["state"] for row in await hooks.deliveries()} == {"Success"}


async def test_nothing_through_for_five_days_switches_a_consumer_off(hooks: Hooks) -> None:
    consumer = await hooks.register("hook.example")
    hooks.receivers.answers["hook.example"] = 500
    for _ in range(5):
        await hooks.tell()
        await hooks.later(seconds=0)
        assert not (await hooks.consumer(consumer.id))["disabled"]
        await hooks.later(days=1)
    await hooks.tell()
    await hooks.later(seconds=1)

    assert (await hooks.consumer(consumer.id))["disabled"]
    tried = len(hooks.receivers.requests)
    before = len(await hooks.deliveries())
    await hooks.tell()
    await hooks.later(days=2)
    assert len(hooks.receivers.requests) == tried
    assert len(await hooks.deliveries()) == before, "a consumer that is off is not told"


async def test_one_success_begins_the_five_days_anew(hooks: Hooks) -> None:
    consumer = await hooks.register("hook.example")
    hooks.receivers.answers["hook.example"] = 500
    await hooks.tell()
    await hooks.later(seconds=0)
    await hooks.later(days=3)
    hooks.receivers.answers.clear()
    await hooks.tell()
    await hooks.later(seconds=0)
    hooks.receivers.answers["hook.example"] = 500
    await hooks.tell()
    await hooks.later(days=3)

    row = await hooks.consumer(consumer.id)
    assert not row["disabled"]
    assert row["failing_since"] == hooks.clock.now()


async def test_a_consumer_that_is_off_is_left_alone_until_it_is_on_again(hooks: Hooks) -> None:
    consumer = await hooks.register("hook.example")
    await hooks.tell()
    switch = "update consumer set disabled = %(off)s where id = %(id)s returning id"
    await hooks.rows(switch, id=consumer.id, off=True)
    await hooks.later(hours=1)
    assert hooks.receivers.requests == []

    await hooks.rows(switch, id=consumer.id, off=False)
    await hooks.later(seconds=0)

    assert len(hooks.receivers.requests) == 1


async def test_what_waits_for_a_deleted_consumer_is_dropped(hooks: Hooks) -> None:
    consumer = await hooks.register("hook.example")
    hooks.receivers.answers["hook.example"] = 500
    await hooks.tell()
    await hooks.later(seconds=0)

    async with hooks.database.transaction() as tx:
        await consumers.delete(tx, client_id=hooks.client_id, consumer_id=consumer.id)
    await hooks.later(hours=1)

    assert len(hooks.receivers.requests) == 1
    assert await hooks.deliveries() == []


async def test_a_consumer_may_be_deleted_while_its_message_is_under_way(hooks: Hooks) -> None:
    consumer = await hooks.register("slow.example")
    hooks.receivers.silent["slow.example"] = released = asyncio.Event()
    await hooks.tell()
    delivering = asyncio.create_task(hooks.dispatcher.deliver_due())
    await _until(lambda: hooks.receivers.waiting == 1)

    async with hooks.database.transaction() as tx:
        await consumers.delete(tx, client_id=hooks.client_id, consumer_id=consumer.id)
    released.set()
    await delivering

    assert await hooks.deliveries() == []


async def test_an_attempt_takes_its_time_and_no_more(
    database: Database, clock: FixedClock, vault: Vault
) -> None:
    """Not a timeout a byte: a receiver that drips would hold its place for ever."""
    async with hooks_in(database, clock, vault, timeout_s=0.05) as hooks:
        await hooks.register("slow.example")
        hooks.receivers.silent["slow.example"] = asyncio.Event()
        await hooks.tell()

        async with asyncio.timeout(5):
            await hooks.later(seconds=0)

        (row,) = await hooks.deliveries()
        assert row["attempt"] == 1
        assert row["last_error"] == "There was no answer within 0.05 s."


async def test_a_silent_receiver_holds_up_nobody_else(hooks: Hooks) -> None:
    await hooks.register("slow.example", "company.created")
    await hooks.register("quick.example", "company.deleted")
    hooks.receivers.silent["slow.example"] = released = asyncio.Event()
    for _ in range(3 * AT_ONCE):
        await hooks.tell("company.created")
    for _ in range(20):
        await hooks.tell("company.deleted")

    stop = asyncio.Event()
    running = asyncio.create_task(hooks.dispatcher.run(stop))
    await _until(lambda: len(hooks.receivers.to("quick.example")) == 20)

    assert hooks.receivers.waiting_most == AT_ONCE_EACH
    hooks.receivers.silent.clear()
    released.set()
    await _until(lambda: len(hooks.receivers.to("slow.example")) == 3 * AT_ONCE)
    stop.set()
    await running
    assert {row["state"] for row in await hooks.deliveries()} == {"Success"}


async def test_many_silent_receivers_leave_room_for_one_that_answers(hooks: Hooks) -> None:
    """With more of them than would fill all places, each has its turn."""
    released = asyncio.Event()
    for number in range(AT_ONCE // AT_ONCE_EACH + 4):
        host = f"slow-{number}.example"
        await hooks.register(host, "company.created")
        hooks.receivers.silent[host] = released
    await hooks.register("quick.example", "company.deleted")
    for _ in range(AT_ONCE_EACH):
        await hooks.tell("company.created")
    await hooks.tell("company.deleted")

    stop = asyncio.Event()
    running = asyncio.create_task(hooks.dispatcher.run(stop))
    await _until(lambda: bool(hooks.receivers.to("quick.example")))
    assert hooks.receivers.waiting_most <= AT_ONCE
    released.set()
    stop.set()
    await running


async def test_a_failing_receiver_has_one_place(hooks: Hooks) -> None:
    await hooks.register("down.example")
    hooks.receivers.answers["down.example"] = 500
    await hooks.tell()
    await hooks.later(seconds=0)
    hooks.receivers.answers.clear()
    hooks.receivers.silent["down.example"] = released = asyncio.Event()
    for _ in range(AT_ONCE_EACH):
        await hooks.tell()

    assert await hooks.dispatcher.begin_due() == 1
    assert await hooks.dispatcher.begin_due() == 0
    released.set()
    await hooks.later(seconds=5)

    assert {row["state"] for row in await hooks.deliveries()} == {"Success"}


async def test_two_workers_never_take_the_same_attempt(
    hooks: Hooks, clock: FixedClock, vault: Vault
) -> None:
    for number in range(5):
        await hooks.register(f"hook-{number}.example")
    for _ in range(30):
        await hooks.tell()
    async with (
        Database(hooks.database.url, size=3) as other,
        httpx.AsyncClient(transport=hooks.receivers) as http,
    ):
        beside = Dispatcher(database=other, http=http, vault=vault, clock=clock)

        await asyncio.gather(hooks.dispatcher.deliver_due(), beside.deliver_due())
        await hooks.later(seconds=0)

    assert len(hooks.receivers.requests) == 150
    assert {row["attempt"] for row in await hooks.deliveries()} == {1}


async def test_an_attempt_of_which_nothing_was_heard_is_made_again(hooks: Hooks) -> None:
    await hooks.register("hook.example")
    await hooks.tell()
    async with hooks.database.transaction() as tx:
        taken = await deliveries.take(tx, under_way={}, each=4, most=4, now=hooks.clock.now())
    assert len(taken) == 1

    await hooks.later(seconds=GUARD.total_seconds() - 1)
    assert hooks.receivers.requests == []
    await hooks.later(seconds=1)

    (row,) = await hooks.deliveries()
    assert (row["state"], row["attempt"]) == ("Success", 2)


async def test_an_attempt_that_died_with_its_worker_shortens_nothing(hooks: Hooks) -> None:
    await hooks.register("hook.example")
    hooks.receivers.answers["hook.example"] = 503
    await hooks.tell()
    await hooks.later(seconds=0)
    for delay_s in RETRY_DELAYS_S[:4]:
        await hooks.later(seconds=delay_s)
    # The sixth begins, and its worker dies: there are no ten hours between it and the seventh.
    hooks.clock.advance(seconds=RETRY_DELAYS_S[4])
    async with hooks.database.transaction() as tx:
        assert await deliveries.take(tx, under_way={}, each=4, most=4, now=hooks.clock.now())
    await hooks.later(seconds=GUARD.total_seconds())
    await hooks.later(hours=10)
    hooks.receivers.answers["hook.example"] = 204
    await hooks.later(hours=10)

    (row,) = await hooks.deliveries()
    assert row["state"] == "Success"


async def test_a_success_heard_late_still_ends_the_message(hooks: Hooks) -> None:
    await hooks.register("slow.example")
    hooks.receivers.silent["slow.example"] = released = asyncio.Event()
    await hooks.tell()
    first = asyncio.create_task(hooks.dispatcher.deliver_due())
    await _until(lambda: hooks.receivers.waiting == 1)
    hooks.clock.advance(seconds=GUARD.total_seconds() + 1)
    async with hooks.database.transaction() as tx:
        assert await deliveries.take(tx, under_way={}, each=4, most=4, now=hooks.clock.now())
    released.set()
    await first

    (row,) = await hooks.deliveries()
    assert row["state"] == "Success"


async def test_a_secret_that_does_not_open_stops_its_own_consumer_only(hooks: Hooks) -> None:
    broken = await hooks.register("broken.example")
    await hooks.register("whole.example")
    await hooks.rows(
        "update consumer set sealed_secret = 'x' where id = %(id)s returning id", id=broken.id
    )
    await hooks.tell()

    await hooks.later(seconds=0)

    assert [sent.url.host for sent in hooks.receivers.requests] == ["whole.example"]
    assert (await hooks.consumer(broken.id))["failing_since"] is not None


async def test_looking_for_what_is_due_stays_cheap_beside_a_hundred_thousand_that_wait(
    hooks: Hooks,
) -> None:
    """Only what is taken is touched: rows and buffers do not grow with what waits."""
    consumer = await hooks.register("down.example")
    event_id = await hooks.tell()
    await hooks.rows(
        "with made as (insert into delivery"
        " (id, event_id, consumer_id, state, attempt, next_at, created_at)"
        " select gen_random_uuid(), %(event)s, %(consumer)s, 'Attempting', 3,"
        "  %(now)s + make_interval(secs => n), %(now)s"
        " from generate_series(1, 100000) as n returning id) select count(*) from made",
        event=event_id,
        consumer=consumer.id,
        now=hooks.clock.now() - timedelta(hours=20),
    )
    await _analyze(hooks)
    arguments = {
        "consumers": [],
        "numbers": [],
        "each": AT_ONCE_EACH,
        "most": AT_ONCE,
        "now": hooks.clock.now(),
        "guard": hooks.clock.now() + GUARD,
    }
    (row,) = await hooks.rows(
        "explain (analyze, buffers, format json) " + deliveries._SQL["take"], **arguments
    )
    (plan,) = row["QUERY PLAN"]

    assert plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] < 500


async def test_events_are_forgotten_after_ninety_days_with_what_never_went_out(
    hooks: Hooks, clock: FixedClock, vault: Vault
) -> None:
    consumer = await hooks.register("hook.example")
    await hooks.tell()
    await hooks.rows(
        "update consumer set disabled = true where id = %(id)s returning id", id=consumer.id
    )
    async with httpx.AsyncClient(transport=hooks.receivers) as http:
        jobs = WebhookJobs(database=hooks.database, http=http, vault=vault, clock=clock)
        clock.advance(seconds=HISTORY.total_seconds() - 1)
        await jobs.forget_old()
        assert len(await hooks.deliveries()) == 1

        clock.advance(seconds=2)
        await jobs.forget_old()

    assert await hooks.deliveries() == []
    assert await hooks.rows("select id from event") == []


async def test_told_to_stop_it_lets_attempts_end(
    hooks: Hooks, clock: FixedClock, vault: Vault
) -> None:
    await hooks.register("slow.example")
    hooks.receivers.silent["slow.example"] = released = asyncio.Event()
    await hooks.tell()
    async with httpx.AsyncClient(transport=hooks.receivers) as http:
        jobs = WebhookJobs(database=hooks.database, http=http, vault=vault, clock=clock)
        async with jobs.delivering():
            await _until(lambda: hooks.receivers.waiting == 1)
            asyncio.get_running_loop().call_later(0.2, released.set)

    (row,) = await hooks.deliveries()
    assert row["state"] == "Success"


async def test_no_representation_of_a_message_shows_a_secret(hooks: Hooks) -> None:
    await hooks.register("hook.example")
    await hooks.tell()
    async with hooks.database.transaction() as tx:
        (message,) = await deliveries.take(tx, under_way={}, each=1, most=1, now=hooks.clock.now())

    assert "hook.example" not in repr(message)
    assert "sealed" not in repr(message)


def _began(hooks: Hooks, **ago: float) -> float:
    return (hooks.clock.now() - timedelta(**ago)).timestamp()


async def _analyze(hooks: Hooks) -> None:
    async with hooks.database.session() as alone:
        await alone.execute("analyze delivery")


async def _until(condition: object, within_s: float = 10) -> None:
    assert callable(condition)
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - a receiver sets no event of ours
            await asyncio.sleep(0.01)
