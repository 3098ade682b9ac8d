"""A company's own page: choosing a platform, severing a connection, linking it again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.journeys.link_ground import PUBLIC, Browser, Page, World, world_of

from tallystick.companies import connections
from tallystick.companies.connections import Connection, Status
from tallystick.db.pool import Database, one
from tallystick.lib.clock import FixedClock
from tallystick.lib.secrets import Vault


@pytest.fixture
async def world(
    database: Database, clock: FixedClock, vault: Vault, tmp_path: Path
) -> AsyncIterator[World]:
    async with world_of(database, clock, vault, tmp_path) as world:
        yield world


async def _opened(world: World, query: str = "") -> tuple[Browser, Page]:
    browser = await world.browser()
    return browser, await browser.open(f"{PUBLIC}/company/{world.company.id}{query}")


async def _only(world: World) -> Connection:
    async with world.database.transaction() as tx:
        (connection,) = await connections.of_company(tx, world.company.id)
    return connection


async def _linked(world: World) -> tuple[Browser, Page]:
    """Linked from the company's page, and back on it."""
    browser, page = await _opened(world)
    page = await browser.press(page, platform="gbol")
    page = await browser.press(page, "continue")
    await browser.press(page, "allow")
    return browser, await browser.open(f"{PUBLIC}/company/{world.company.id}")


async def test_a_customer_picks_a_platform_and_links(world: World) -> None:
    await world.profile(redirectUrl="https://a.test/{ref}?c={statusCode}")
    browser, page = await _opened(world, "?ref=77")
    assert "Xero (simulated)" in page.text

    page = await browser.press(page, platform="gbol")
    assert "Step 1 of 3" in page.text
    page = await browser.press(page, "continue")
    page = await browser.press(page, "allow")

    assert page.away == "https://a.test/77?c=200"
    assert (await _only(world)).status is Status.Linked
    assert await world.events() == ["connection.created", "connection.connected"]


async def test_a_customer_with_a_pending_connection_goes_straight_to_it(world: World) -> None:
    connection = await world.connection()
    _, page = await _opened(world, "?ref=1")
    assert page.url.endswith(f"/connections/{connection.id}/start?ref=1")


async def test_picking_twice_makes_one_connection(world: World) -> None:
    browser, page = await _opened(world)
    await browser.press(page, platform="gbol")
    await browser.press(page, platform="gbol")
    await _only(world)


async def test_a_platform_that_is_not_offered_cannot_be_picked(world: World) -> None:
    browser, page = await _opened(world)
    assert (await browser.press(page, platform="qhyg")).status == 400
    assert await world.events() == []


async def test_a_page_of_another_browser_picks_nothing(world: World) -> None:
    _, page = await _opened(world)
    other = await world.browser()
    assert (await other.press(page, platform="gbol")).status == 410
    assert await world.events() == []


async def test_a_linked_customer_finishes_without_anything_new(world: World) -> None:
    await world.profile(redirectUrl="https://a.test/?c={statusCode}")
    _, page = await _linked(world)
    assert page.links["Finish"] == "https://a.test/?c=201"
    assert "Accounting software" not in page.text


async def test_a_customer_disconnects_and_the_platform_is_told(world: World) -> None:
    browser, page = await _linked(world)
    organisation = (await _only(world)).organisation_id or ""

    page = await browser.press(page)

    assert "Disconnected" in page.text
    assert (await _only(world)).status is Status.Unlinked
    assert (await world.events())[-1] == "connection.disconnected"
    async with world.database.transaction() as tx:
        assert not await one(tx, "select 1 from credential")
    with world.simulator.world.store.transaction() as books:
        assert not world.simulator.world.tokens(books).is_connected(organisation)


async def test_disconnecting_holds_though_the_platform_does_not_answer(world: World) -> None:
    browser, page = await _linked(world)
    world.simulator.world.faults.add({"name": "loses_answers", "times": 9, "match": {}})

    await browser.press(page)

    assert (await _only(world)).status is Status.Unlinked


async def test_disconnecting_twice_is_refused_by_name(world: World) -> None:
    browser, page = await _linked(world)
    await browser.press(page)
    assert (await browser.press(page)).status == 400
    assert (await world.events()).count("connection.disconnected") == 1


async def test_a_disconnected_customer_connects_again(world: World) -> None:
    browser, page = await _linked(world)
    page = await browser.press(page)

    page = await browser.follow(page, "Connect again")
    assert "before" in page.text
    page = await browser.press(page, "continue")
    page = await browser.press(page, "allow")

    assert "You are connected" in page.text
    assert (await _only(world)).status is Status.Linked
    assert (await world.events())[-1] == "connection.reconnected"


async def test_a_connection_whose_tokens_cannot_be_read_is_severed_too(world: World) -> None:
    browser, page = await _linked(world)
    async with world.database.transaction() as tx:
        await tx.execute("update credential set sealed = 'unreadable'")

    await browser.press(page)

    assert (await _only(world)).status is Status.Unlinked
