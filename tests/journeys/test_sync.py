"""Reading the books of a linked connection, first and again."""

from typing import Any

from tests.journeys.test_crash_pull import edited
from tests.journeys.truth import collections, differences
from tests.journeys.world import World

from tallystick.sync import settings

_DAY_S = 24 * 3600.0


async def _reads(world: World, data_type: str) -> list[dict[str, Any]]:
    return await world.rows(
        "select * from dataset where data_type = %(type)s order by requested_at", type=data_type
    )


async def test_after_a_link_everything_is_read_and_told_once(world: World) -> None:
    await world.drain()

    reads = await world.rows("select data_type, status, error_message from dataset")
    assert [r for r in reads if (r["status"], r["error_message"]) != ("Complete", None)] == []
    assert len(reads) == 14
    (told,) = await world.events("read.completed")
    (initial,) = await world.events("read.completed.initial")
    for event in (told, initial):
        payload = event["payload"]
        assert payload["referenceCompany"]["id"] == world.company.id
        assert len(payload["dataTypes"]) == 14
        assert {each["status"] for each in payload["dataTypes"]} == {"Complete"}
        assert all(each["connectionId"] == world.connection.id for each in payload["dataTypes"])
    assert (await world.current()).last_sync_at is not None


async def test_the_cache_says_what_the_books_say(world: World) -> None:
    await world.drain()

    assert await differences(world) == {}


async def test_a_second_read_asks_only_for_what_changed_and_finds_all_of_it(world: World) -> None:
    await world.drain()
    world.advance(_DAY_S)
    await edited(world, items=False)
    await world.queue_all()
    await world.drain()

    (second,) = (await _reads(world, "suppliers"))[1:]
    assert not second["full_read"]
    assert second["since"] is not None
    assert second["records_changed"] == 1
    assert await differences(world) == {}


async def test_a_read_of_nothing_new_changes_nothing(world: World) -> None:
    await world.drain()
    world.advance(60)
    before = await world.rows("select id, data_type, change, body from record order by 1, 2")
    await world.queue_all()
    await world.drain()

    assert (
        await world.rows("select id, data_type, change, body from record order by 1, 2") == before
    )
    told = (await world.events("read.completed"))[-1]["payload"]["dataTypes"]
    assert not any(each["recordsModified"] for each in told)


async def test_a_relink_of_the_same_books_goes_on_where_it_was(world: World) -> None:
    await world.drain()
    world.advance(60)
    await world.link()
    await world.drain()

    first, second = await _reads(world, "bills")
    assert first["full_read"]
    assert not second["full_read"]
    assert len(await world.events("read.completed.initial")) == 2
    assert await differences(world) == {}


async def test_another_organisation_takes_the_place_of_the_first(world: World) -> None:
    await world.drain()
    world.advance(60)
    other = world.simulator.organisations()[1]["id"]
    await world.link(other)
    await world.drain()

    alive = await world.rows("select distinct data_type from record where not is_deleted")
    bills = await world.bodies("bills")
    theirs = World(**{**_parts(world), "connection": await world.current()})
    raw = await collections(theirs, "Invoices")
    held = {each["InvoiceID"] for each in raw["Invoices"] if each["Type"] == "ACCPAY"}
    gone = {id_ for id_, bill in bills.items() if id_ not in held}
    assert alive
    assert held <= bills.keys()
    assert all(bills[id_]["metadata"]["isDeleted"] for id_ in gone)


async def test_a_platforms_limit_is_waited_for_and_the_read_goes_on(world: World) -> None:
    world.simulator.fault(
        "rate_limits", retry_after_s=90, match={"method": "GET", "path": "/Invoices"}
    )
    await world.drain()

    (waiting,) = await _reads(world, "bills")
    assert waiting["status"] == "Fetching"
    assert waiting["status_description"].startswith("Paused until 20")
    world.advance(91)
    await world.drain()
    assert (await _reads(world, "bills"))[0]["status"] == "Complete"
    assert await differences(world) == {}


async def test_a_platform_that_fails_for_a_while_is_asked_again(world: World) -> None:
    world.simulator.fault("server_errors", times=3, match={"path": "/Invoices"})
    for _ in range(4):
        await world.drain()
        world.advance(50)
    await world.drain()

    assert await differences(world) == {}


async def test_a_platform_that_keeps_failing_ends_the_read_and_leaves_the_data(
    world: World,
) -> None:
    await world.drain()
    before = await world.bodies("bills")
    world.advance(60)
    world.simulator.fault("server_errors", times=1000, match={"path": "/Invoices"})
    await world.queue("bills")
    for _ in range(8):
        await world.drain()
        world.advance(301)

    assert (await _reads(world, "bills"))[-1]["status"] == "FetchError"
    assert await world.bodies("bills") == before
    (told,) = (await world.events("read.completed"))[-1]["payload"]["dataTypes"]
    assert told["status"] == "FetchError"


async def test_a_customer_who_disconnects_ends_in_deauthorized(world: World) -> None:
    await world.drain()
    before = await world.bodies("bills")
    world.advance(3600)
    world.simulator.revoke(world.organisation_id)
    await world.queue_all()
    await world.drain()

    assert (await world.current()).status == "Deauthorized"
    statuses = {r["status"] for r in await world.rows("select * from dataset where progress < 100")}
    assert statuses == {"AuthError"}
    assert len(await world.events("connection.disconnected")) == 1
    assert await world.bodies("bills") == before


async def test_tokens_that_end_between_pages_are_renewed(world: World) -> None:
    for path in ("/Contacts", "/Invoices", "/Payments"):
        world.simulator.fault("expires_tokens", match={"path": path})
    await world.drain()

    assert await differences(world) == {}


async def test_edits_are_caught_at_once_and_everything_is_read_again_weekly(world: World) -> None:
    await world.drain()
    world.advance(_DAY_S)
    await edited(world)
    await world.queue_all()
    await world.drain()
    assert await differences(world) == {}
    world.advance(7 * _DAY_S)
    await world.queue_all()
    await world.drain()

    _, daily, weekly = await _reads(world, "suppliers")
    assert not daily["full_read"]
    assert weekly["full_read"]
    assert await differences(world) == {}


async def test_a_lost_answer_of_a_renewal_costs_nothing(world: World) -> None:
    world.advance(3600)
    world.simulator.fault("loses_answers", match={"method": "POST", "path": "/connect/token"})
    await world.drain()

    assert (await world.current()).status == "Linked"
    assert await differences(world) == {}


async def test_a_page_that_shifts_while_it_is_read_loses_nothing(world: World) -> None:
    supplier = next(iter((await collections(world, "Contacts"))["Contacts"]))["ContactID"]
    for number in range(230):
        world.simulator.edit(world.organisation_id, "create_bill", bill=_bill(supplier, number))
    world.simulator.fault("pages_shift", times=5, match={"path": "/Invoices"})
    await world.drain()

    world.advance(600)
    await world.queue("bills")
    await world.drain()
    assert await differences(world) == {}


def _bill(supplier_id: str, number: int) -> dict[str, Any]:
    return {
        "Contact": {"ContactID": supplier_id},
        "InvoiceNumber": f"SHIFT-{number}",
        "Status": "DRAFT",
        "Date": "2026-11-01",
        "DueDate": "2026-12-01",
        "LineItems": [{"Description": "Oak", "Quantity": 1, "UnitAmount": "10.00"}],
    }


async def test_a_schedule_reads_again_when_its_time_has_come(world: World) -> None:
    await world.drain()
    async with world.database.transaction() as tx:
        await settings.save(
            tx,
            client_id=world.client_id,
            company_id=None,
            settings=settings.parsed([{"dataType": "bills", "syncSchedule": 1}]),
            now=world.now(),
        )
    await world.drain()
    assert len(await _reads(world, "bills")) == 1
    world.advance(3601)
    await world.drain()
    await world.drain()
    assert len(await _reads(world, "bills")) == 2
    assert len(await _reads(world, "suppliers")) == 1


def _parts(world: World) -> dict[str, Any]:
    return {name: getattr(world, name) for name in World.__slots__}
