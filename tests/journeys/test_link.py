"""Customers link their books: the straight way, the choice, the return, linking again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.journeys.link_ground import PUBLIC, XERO, Browser, Page, World, start_of, world_of

from tallystick.companies import credentials
from tallystick.companies.connections import Connection, Status
from tallystick.db.pool import Database, one
from tallystick.errors import Unauthorized
from tallystick.lib.clock import FixedClock
from tallystick.lib.secrets import Vault

TEMPLATE = (
    "https://lender.test/{ref}/back?c={statusCode}&m={errorMessage}&k={connectionId}"
    "&n={data.company.companyName}&p={platformName}"
)


@pytest.fixture
async def world(
    database: Database, clock: FixedClock, vault: Vault, tmp_path: Path
) -> AsyncIterator[World]:
    async with world_of(database, clock, vault, tmp_path) as world:
        yield world


async def _at_xero(world: World, connection: Connection, query: str = "") -> tuple[Browser, Page]:
    """A browser on the platform's own page."""
    browser = await world.browser()
    page = await browser.press(await browser.open(start_of(connection, query)), "continue")
    assert page.url.startswith(XERO)
    return browser, page


async def _link(world: World, connection: Connection, organisation: str) -> Page:
    browser, page = await _at_xero(world, connection)
    return await browser.press(page, "allow", organisation=world.organisations()[organisation])


async def test_a_customer_links_and_is_told_so(world: World) -> None:
    connection = await world.connection()
    name = next(iter(world.organisations()))

    page = await _link(world, connection, name)

    assert page.status == 200
    assert "You are connected" in page.text
    assert name in page.text
    linked = await world.now(connection)
    assert linked.status is Status.Linked
    assert linked.organisation_id == world.organisations()[name]
    assert (linked.base_url, linked.simulated) == (f"{XERO}/xero", True)
    assert await world.events() == ["connection.created", "connection.connected"]


async def test_the_tokens_are_kept_sealed_and_open_the_platform(world: World) -> None:
    connection = await world.connection()
    await _link(world, connection, next(iter(world.organisations())))

    async with world.database.transaction() as tx:
        pair = await credentials.load(tx, world.vault, connection_id=connection.id)
        row = await one(tx, "select sealed from credential")
        visit = await one(tx, "select state, sealed, oauth_state from link_session")

    assert pair
    assert row
    assert pair.refresh_token.encode() not in bytes(row["sealed"])
    assert visit
    assert (visit["state"], visit["sealed"]) == ("Connected", None)
    ground = world.flow.ground
    oauth, app = ground.reach.connector("gbol").oauth, ground.reach.app("gbol")
    assert await oauth.organisations(ground.reach.http, app, pair.access_token)


async def test_the_customer_comes_back_to_the_clients_address(world: World) -> None:
    await world.profile(redirectUrl=TEMPLATE)
    connection = await world.connection()
    browser, page = await _at_xero(world, connection, "?ref=a%2Fb%20c&statusCode=403")

    page = await browser.press(page, "allow")

    name = (await world.now(connection)).organisation_name or ""
    assert page.away == (
        f"https://lender.test/a%2Fb%20c/back?c=200&m=&k={connection.id}"
        f"&n={name.replace('&', '%26').replace(' ', '%20')}&p=Xero%20%28simulated%29"
    )


async def test_a_customer_of_several_organisations_chooses_one(world: World) -> None:
    first, second = list(world.organisations())[:2]
    await _link(world, await world.connection(), first)
    async with world.database.transaction() as tx:
        await tx.execute("update connection set status = 'Unlinked'")
    connection = await world.connection()

    page = await _link(world, connection, second)

    assert "Which books" in page.text
    assert first in page.text
    assert (await world.now(connection)).status is Status.PendingAuth
    async with world.database.transaction() as tx:
        kept = await one(tx, "select sealed from link_session where state = 'Choosing'")
    assert kept
    assert second.encode() not in bytes(kept["sealed"])


async def _choosing(world: World) -> tuple[Browser, Page, Connection]:
    first, second = list(world.organisations())[:2]
    await _link(world, await world.connection(), first)
    async with world.database.transaction() as tx:
        await tx.execute("update connection set status = 'Unlinked'")
    connection = await world.connection()
    browser, page = await _at_xero(world, connection)
    page = await browser.press(page, "allow", organisation=world.organisations()[second])
    return browser, page, connection


async def test_what_was_granted_last_is_offered_first_and_any_can_be_chosen(world: World) -> None:
    first, second = list(world.organisations())[:2]
    browser, page, connection = await _choosing(world)
    assert page.forms[0].fields["organisation"] == world.organisations()[second]

    page = await browser.press(page, "connect", organisation=world.organisations()[first])

    assert "You are connected" in page.text
    assert (await world.now(connection)).organisation_name == first


async def test_an_organisation_that_was_not_offered_is_refused(world: World) -> None:
    browser, page, connection = await _choosing(world)

    page = await browser.press(page, "connect", organisation="somebody-elses")

    assert page.status == 400
    assert (await world.now(connection)).status is Status.PendingAuth


async def test_linking_again_with_the_same_organisation_needs_no_question(world: World) -> None:
    connection = await world.connection()
    name = next(iter(world.organisations()))
    await _link(world, connection, name)
    async with world.database.transaction() as tx:
        await tx.execute("update connection set status = 'Unlinked'")

    page = await _link(world, connection, name)

    assert "You are connected" in page.text
    assert (await world.events())[-1] == "connection.reconnected"


async def _returning_with_another(world: World) -> tuple[Browser, Page, Connection]:
    """A connection that was linked to the first organisation comes back with the second alone."""
    first, second = list(world.organisations())[:2]
    connection = await world.connection()
    await _link(world, connection, first)
    async with world.database.transaction() as tx:
        await tx.execute("update connection set status = 'Unlinked'")
    world.remove_app(world.organisations()[first])
    browser, page = await _at_xero(world, connection)
    page = await browser.press(page, "allow", organisation=world.organisations()[second])
    return browser, page, connection


async def test_another_organisation_than_before_must_be_confirmed(world: World) -> None:
    first, second = list(world.organisations())[:2]
    browser, page, connection = await _returning_with_another(world)
    assert "This is a different organisation" in page.text
    assert first in page.text
    assert (await world.now(connection)).status is Status.Unlinked

    page = await browser.press(page, "confirm")

    assert "You are connected" in page.text
    assert (await world.now(connection)).organisation_name == second


async def test_a_customer_who_meant_the_other_one_goes_back(world: World) -> None:
    first = next(iter(world.organisations()))
    browser, page, connection = await _returning_with_another(world)

    page = await browser.follow(page, "Go back and sign in again")
    page = await browser.press(page, "continue")
    page = await browser.press(page, "allow", organisation=world.organisations()[first])
    page = await browser.press(page, "connect", organisation=world.organisations()[first])

    assert "You are connected" in page.text
    assert (await world.now(connection)).organisation_name == first


async def test_choosing_another_one_from_the_list_is_asked_about_too(world: World) -> None:
    first, second = list(world.organisations())[:2]
    connection = await world.connection()
    await _link(world, connection, first)
    async with world.database.transaction() as tx:
        await tx.execute("update connection set status = 'Unlinked'")
    browser, page = await _at_xero(world, connection)
    page = await browser.press(page, "allow", organisation=world.organisations()[second])
    # What was linked before is proposed, though the other was granted just now.
    assert page.forms[0].fields["organisation"] == world.organisations()[first]

    page = await browser.press(page, "connect", organisation=world.organisations()[second])

    assert "This is a different organisation" in page.text
    page = await browser.follow(page, "Go back")
    assert "Which books" in page.text


async def test_a_connection_whose_permission_died_is_linked_again(world: World) -> None:
    connection = await world.connection()
    name = next(iter(world.organisations()))
    await _link(world, connection, name)
    world.remove_app(world.organisations()[name])
    ground = world.flow.ground
    tokens = credentials.ConnectionTokens(
        database=world.database,
        vault=world.vault,
        clock=world.clock,
        http=ground.reach.http,
        oauth=ground.reach.connector("gbol").oauth,
        app=ground.reach.app("gbol"),
        connection_id=connection.id,
    )
    world.clock.advance(seconds=3600)
    with pytest.raises(Unauthorized):
        await tokens.current()
    assert (await world.now(connection)).status is Status.Deauthorized
    assert (await world.events())[-1] == "connection.disconnected"

    await _link(world, connection, name)

    linked = await world.now(connection)
    assert linked.status is Status.Linked
    assert [error["status"] for error in linked.errors] == ["Resolved"]
    assert (await world.events())[-1] == "connection.reconnected"
    assert await tokens.current()


async def test_a_linked_connection_leaves_without_anything_new(world: World) -> None:
    await world.profile(redirectUrl=TEMPLATE)
    connection = await world.connection()
    browser, page = await _at_xero(world, connection)
    await browser.press(page, "allow")

    page = await browser.open(start_of(connection, "?ref=x"))

    assert "already connected" in page.text
    away = page.links["Back to Harbour Lending"]
    assert away.startswith("https://lender.test/x/back?c=201&m=&")


async def test_a_linked_customer_may_sign_in_again(world: World) -> None:
    connection = await world.connection()
    name = next(iter(world.organisations()))
    await _link(world, connection, name)

    page = await _link(world, connection, name)

    assert "You are connected" in page.text
    assert (await world.now(connection)).status is Status.Linked


async def test_links_of_the_older_shape_lead_to_the_same_page(world: World) -> None:
    connection, browser = await world.connection(), await world.browser()
    page = await browser.open(f"{PUBLIC}/link/start/{connection.company_id}/{connection.id}")
    assert "Step 1 of 3" in page.text


async def test_the_first_page_says_who_asks_for_what_and_that_it_is_a_rehearsal(
    world: World,
) -> None:
    browser = await world.browser()
    page = await browser.open(start_of(await world.connection()))
    for words in (
        "Harbour Lending",
        "Harrow & Vale",
        "Xero (simulated)",
        "Suppliers and bills",
        "rehearsal",
    ):
        assert words in page.text
    for unbuilt in ("QuickBooks", "NetSuite"):
        assert unbuilt not in page.text
