"""Events stand in the transaction that makes them true, and go to whoever asked for them."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest
from tests.store.hooks import Hooks, hooks_in

from tallystick.db.pool import Database
from tallystick.errors import BadRequest, Conflict, NotFound
from tallystick.lib import json
from tallystick.lib.clock import FixedClock
from tallystick.lib.egress import Policy
from tallystick.lib.ids import new_id
from tallystick.lib.secrets import Vault
from tallystick.webhooks import catalogue, consumers, outbox


@pytest.fixture
async def hooks(database: Database, clock: FixedClock, vault: Vault) -> AsyncIterator[Hooks]:
    async with hooks_in(database, clock, vault) as made:
        yield made


async def test_a_transaction_that_is_undone_tells_nothing(hooks: Hooks) -> None:
    await hooks.register("hook.example")

    async def cut_off() -> None:
        async with hooks.database.transaction() as tx:
            await outbox.emit(
                tx,
                client_id=hooks.client_id,
                company_id=None,
                company_tags={},
                event_type="company.created",
                payload={},
                now=hooks.clock.now(),
            )
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await cut_off()
    assert await hooks.rows("select * from event") == []
    assert await hooks.deliveries() == []


async def test_an_event_is_stored_as_it_is_sent(hooks: Hooks) -> None:
    await hooks.register("hook.example")

    event_id = await hooks.tell("company.created")
    await hooks.later(seconds=0)

    (sent,) = hooks.receivers.requests
    assert json.loads(sent.content) == {
        "id": event_id,
        "eventType": "company.created",
        "generatedDate": "2026-11-20T09:00:00.000Z",
        "payload": {"name": "Brú na Mara"},
    }


async def test_an_event_outside_the_catalogue_cannot_be_told(hooks: Hooks) -> None:
    with pytest.raises(ValueError, match="not in the catalogue"):
        await hooks.tell("company.changed")


@pytest.mark.parametrize(
    ("pattern", "event_type", "heard"),
    [
        ("*", "bills.write.successful", True),
        ("bills.write.*", "bills.write.resolved", True),
        ("bills.write.*", "billPayments.write.successful", False),
        ("bills.*", "billPayments.write.successful", False),
        ("read.completed", "read.completed", True),
        ("read.completed", "read.completed.initial", False),
        ("DataConnectionStatusChanged", "connection.disconnected", True),
        ("Push Operation Status Changed()", "suppliers.write.unsuccessful", True),
        ("Dataset data changed", "read.completed", True),
        ("DataSyncCompleted", "company.created", False),
    ],
)
async def test_a_consumer_hears_what_it_asked_for(
    hooks: Hooks, pattern: str, event_type: str, *, heard: bool
) -> None:
    await hooks.register("hook.example", pattern)

    await hooks.tell(event_type)

    assert len(await hooks.deliveries()) == heard


async def test_one_event_is_one_message_however_often_it_was_asked_for(hooks: Hooks) -> None:
    await hooks.register("hook.example", "*", "company.*", "company.created")

    await hooks.tell("company.created")

    assert len(await hooks.deliveries()) == 1


@pytest.mark.parametrize(
    ("filters", "tags", "heard"),
    [
        ((), {}, True),
        (("region:uk",), {"region": "uk"}, True),
        (("region:uk", "tier:gold"), {"tier": "gold", "region": "de"}, True),
        (("region:uk",), {"region": "UK"}, False),
        (("Region:uk",), {"region": "uk"}, False),
        (("region:uk",), {}, False),
        (("url:https://a.example",), {"url": "https://a.example"}, True),
    ],
)
async def test_any_tag_of_the_company_that_matches_is_enough(
    hooks: Hooks, filters: tuple[str, ...], tags: dict[str, str], *, heard: bool
) -> None:
    await hooks.register("hook.example", company_tags=filters)

    await hooks.tell(tags=tags)

    assert len(await hooks.deliveries()) == heard


async def test_what_concerns_no_company_is_told_whatever_the_tags(hooks: Hooks) -> None:
    await hooks.register("hook.example", company_tags=("region:uk",))

    await hooks.tell("client.rateLimit.reached", has_company=False)

    assert len(await hooks.deliveries()) == 1


async def test_another_clients_consumers_hear_nothing(hooks: Hooks) -> None:
    async with hooks_in(hooks.database, hooks.clock, hooks.vault) as stranger:
        await stranger.register("stranger.example")

        await hooks.tell()

        assert await hooks.deliveries() == []
        with pytest.raises(NotFound):
            await _delete(hooks, (await stranger.register("other.example")).id)


async def test_a_consumer_deleted_meanwhile_never_breaks_what_is_told(hooks: Hooks) -> None:
    consumer = await hooks.register("hook.example")
    async with hooks.database.transaction() as tx:
        await outbox.emit(
            tx,
            client_id=hooks.client_id,
            company_id=None,
            company_tags={},
            event_type="company.created",
            payload={},
            now=hooks.clock.now(),
        )
        deleting = asyncio.create_task(_delete(hooks, consumer.id))
        done, _ = await asyncio.wait({deleting}, timeout=0.2)
        assert not done, "it waits for the transaction that still has a message for it"
    await deleting
    assert await hooks.deliveries() == []
    assert len(await hooks.rows("select * from event")) == 1


async def test_many_tell_while_many_are_deleted(hooks: Hooks) -> None:
    found = [await hooks.register(f"hook-{number}.example") for number in range(12)]

    told = await asyncio.gather(
        *(hooks.tell() for _ in range(12)),
        *(_delete(hooks, consumer.id) for consumer in found),
        return_exceptions=True,
    )

    assert [one for one in told if isinstance(one, BaseException)] == []
    assert await hooks.deliveries() == []


async def test_a_client_has_fifty_consumers_even_when_it_asks_at_once(hooks: Hooks) -> None:
    for number in range(47):
        await hooks.register(f"hook-{number}.example")

    made = await asyncio.gather(
        *(hooks.register(f"late-{number}.example") for number in range(8)), return_exceptions=True
    )

    assert sum(isinstance(one, Conflict) for one in made) == 5
    (row,) = await hooks.rows("select count(*) as number from consumer")
    assert row["number"] == consumers.CONSUMERS_MAX


async def test_registering_does_not_hold_up_what_the_client_does(hooks: Hooks) -> None:
    async with hooks.database.transaction() as tx:
        await consumers.create(
            tx,
            client_id=hooks.client_id,
            vault=hooks.vault,
            policy=Policy(),
            url="https://hook.example/",
            event_types=["*"],
            company_tags=[],
            disabled=False,
            now=hooks.clock.now(),
        )
        async with asyncio.timeout(5):
            await hooks.tell()


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://a\u0000b.example/",
        "http://exam\nple.com/",
        "https://hook.example/a\tb",
        "https://hook.example/ b",
        "https://" + "a" * 64 + ".example/",
        "https://hook..example/",
        "https://hook.example:0/",
        "https://hook.example/" + "a" * 2048,
        "ftp://hook.example/",
    ],
)
async def test_an_address_that_can_never_be_called_is_refused_at_once(
    hooks: Hooks, url: str
) -> None:
    async with hooks.database.transaction() as tx:
        with pytest.raises(BadRequest):
            await consumers.create(
                tx,
                client_id=hooks.client_id,
                vault=hooks.vault,
                policy=Policy(),
                url=url,
                event_types=["*"],
                company_tags=[],
                disabled=False,
                now=hooks.clock.now(),
            )


async def test_a_secret_is_sealed_in_the_database_and_absent_from_representations(
    hooks: Hooks,
) -> None:
    consumer = await hooks.register("hook.example")

    assert consumer.secret
    assert consumer.secret not in repr(consumer)
    row = await hooks.consumer(consumer.id)
    assert consumer.secret.encode() not in bytes(row["sealed_secret"])


def test_every_name_a_consumer_may_ask_for_means_something() -> None:
    assert all(catalogue.is_known(name) for name in catalogue.EVENT_TYPES)
    assert not any(map(catalogue.is_known, ("", "company", "Company.created", "x*", "**")))


async def test_a_message_cannot_outlive_its_consumer(hooks: Hooks) -> None:
    """Whatever the code does: the database itself holds that."""
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        await hooks.rows(
            "insert into delivery (id, event_id, consumer_id, state, created_at)"
            " values (%(id)s, %(id)s, %(id)s, 'Sending', now()) returning id",
            id=new_id(),
        )


async def _delete(hooks: Hooks, consumer_id: str) -> None:
    async with hooks.database.transaction() as tx:
        await consumers.delete(tx, client_id=hooks.client_id, consumer_id=consumer_id)
