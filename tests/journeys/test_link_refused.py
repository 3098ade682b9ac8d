"""Links that do not come to be: cancelled, replayed, too late, elsewhere, broken, hostile."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.journeys.link_ground import PUBLIC, XERO, Browser, Page, World, start_of, world_of

from tallystick.companies import companies
from tallystick.companies.connections import Connection, Status
from tallystick.db.pool import Database, one
from tallystick.lib.clock import FixedClock
from tallystick.lib.ids import new_id
from tallystick.lib.secrets import Vault


@pytest.fixture
async def world(
    database: Database, clock: FixedClock, vault: Vault, tmp_path: Path
) -> AsyncIterator[World]:
    async with world_of(database, clock, vault, tmp_path) as world:
        yield world


async def _at_xero(world: World, connection: Connection) -> tuple[Browser, Page]:
    browser = await world.browser()
    page = await browser.press(await browser.open(start_of(connection)), "continue")
    assert page.url.startswith(XERO)
    return browser, page


def _state(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query)["state"][0]


def _came_back(browser: Browser) -> str:
    """The address at which the platform sent the browser back to us."""
    return next(url for url in browser.trail if "/oauth2/callback/" in url)


async def _fault(world: World, connection: Connection) -> dict[str, str]:
    """The newest reason, and that the customer's side was told."""
    known = await world.now(connection)
    told = (await world.payload("connection.failed"))["connection"]
    assert told["dataConnectionErrors"] == [dict(error) for error in known.errors]
    assert known.status is Status.PendingAuth
    return dict(known.errors[0])


async def test_who_cancels_at_the_platform_is_remembered_and_may_come_again(world: World) -> None:
    await world.profile(redirectUrl="https://a.test/?c={statusCode}&m={errorMessage}")
    connection = await world.connection()
    browser, page = await _at_xero(world, connection)

    page = await browser.press(page, "cancel")

    assert page.away == "https://a.test/?c=403&m=User%20cancelled"
    fault = await _fault(world, connection)
    assert (fault["statusCode"], fault["errorMessage"]) == ("403", "User cancelled")
    assert (fault["statusText"], fault["status"]) == ("access_denied", "Active")
    page = await browser.press(await browser.open(start_of(connection)), "continue")
    page = await browser.press(page, "allow")
    assert page.away == "https://a.test/?c=200&m="
    linked = await world.now(connection)
    assert linked.errors[0]["status"] == "Resolved"
    assert "resolvedOnUtc" in linked.errors[0]
    assert await world.events() == [
        "connection.created",
        "connection.failed",
        "connection.connected",
    ]


async def test_who_cancels_on_the_first_page_never_leaves_for_the_platform(world: World) -> None:
    connection, browser = await world.connection(), await world.browser()

    page = await browser.press(await browser.open(start_of(connection)), "cancel")

    assert "You did not connect" in page.text
    assert (await _fault(world, connection))["statusCode"] == "403"
    assert not world.simulator.world.requests
    page = await browser.follow(page, "Try again")
    assert "Step 1 of 3" in page.text


async def test_an_answer_counts_once(world: World) -> None:
    connection = await world.connection()
    browser, page = await _at_xero(world, connection)
    await browser.press(page, "allow")
    exchanged = world.exchanges()

    page = await browser.open(_came_back(browser))

    assert page.status == 410
    assert world.exchanges() == exchanged == 1
    assert await world.events() == ["connection.created", "connection.connected"]


async def test_of_two_answers_at_once_one_counts(world: World) -> None:
    connection = await world.connection()
    browser, page = await _at_xero(world, connection)
    answer = await browser.http.post(page.url, data={**page.forms[0].fields, "decision": "allow"})
    back = answer.headers["location"]

    pages = await asyncio.gather(*(browser.http.get(back) for _ in range(4)))

    assert sorted(page.status_code for page in pages) == [302, 410, 410, 410]
    assert world.exchanges() == 1
    assert await world.events() == ["connection.created", "connection.connected"]


async def test_an_answer_that_comes_too_late_is_not_taken(world: World) -> None:
    connection = await world.connection()
    browser, page = await _at_xero(world, connection)
    world.clock.advance(seconds=15 * 60)

    page = await browser.press(page, "allow")

    assert page.status == 410
    assert "expired" in page.text
    assert world.exchanges() == 0
    assert (await world.now(connection)).status is Status.PendingAuth
    page = await browser.follow(page, "Start again")
    assert "Step 1 of 3" in page.text


async def test_an_answer_in_another_browser_is_not_taken(world: World) -> None:
    connection = await world.connection()
    browser, page = await _at_xero(world, connection)
    answer = await browser.http.post(page.url, data={**page.forms[0].fields, "decision": "allow"})
    other = await world.browser()
    await other.open(start_of(connection))

    lured = await other.open(answer.headers["location"])

    assert lured.status == 410
    assert "Start again" not in lured.text
    assert world.exchanges() == 0
    # Whose answer it is can still go on.
    assert "You are connected" in (await browser.open(answer.headers["location"])).text


async def test_a_visit_in_another_browser_can_neither_agree_nor_cancel(world: World) -> None:
    connection, browser = await world.connection(), await world.browser()
    page = await browser.open(start_of(connection))
    other = await world.browser()
    for decision in ("continue", "cancel"):
        assert (await other.press(page, decision)).status == 410
    assert await world.events() == ["connection.created"]


async def test_an_invented_answer_is_not_taken(world: World) -> None:
    browser = await world.browser()
    for query in ("", "?code=x", "?state=x&code=y", "?error=access_denied", "?state=%00"):
        page = await browser.open(f"{PUBLIC}/oauth2/callback/gbol{query}")
        assert page.status == 410
    assert world.exchanges() == 0


async def test_an_answer_of_another_platform_is_not_taken(world: World) -> None:
    connection = await world.connection()
    browser, page = await _at_xero(world, connection)
    page = await browser.open(f"{PUBLIC}/oauth2/callback/qhyg?code=x&state={_state(page)}")
    assert page.status == 410


async def test_a_dead_code_is_recorded_and_shown(world: World) -> None:
    connection = await world.connection()
    browser, page = await _at_xero(world, connection)

    page = await browser.open(f"{PUBLIC}/oauth2/callback/gbol?code=dead&state={_state(page)}")

    assert "could not be connected" in page.text
    fault = await _fault(world, connection)
    assert (fault["statusCode"], fault["errorMessage"]) == ("500", "Unknown error occurred")
    assert fault["statusText"]


@pytest.mark.parametrize("name", ["loses_answers", "server_errors"])
async def test_a_platform_that_stumbles_is_recorded_and_tried_again(
    world: World, name: str
) -> None:
    connection = await world.connection()
    browser, page = await _at_xero(world, connection)
    match = {"method": "POST", "path": "/connect/token"}
    world.simulator.world.faults.add({"name": name, "times": 1, "match": match})

    page = await browser.press(page, "allow")

    assert "could not be connected" in page.text
    assert (await _fault(world, connection))["statusCode"] == "500"
    page = await browser.press(await browser.follow(page, "Try again"), "continue")
    assert "You are connected" in (await browser.press(page, "allow")).text


async def test_the_platforms_own_refusal_is_shown_as_text(world: World) -> None:
    connection = await world.connection()
    browser, page = await _at_xero(world, connection)
    told = "error=server_error&error_description=%3Cscript%3Ealert(1)%3C%2Fscript%3E%00"

    page = await browser.open(f"{PUBLIC}/oauth2/callback/gbol?{told}&state={_state(page)}")

    assert "<script>" not in page.html
    assert "server_error <script>alert(1)</script>" in page.text
    assert (await _fault(world, connection))["statusText"].startswith("server_error")


async def test_a_second_connection_is_refused_while_one_is_linked(world: World) -> None:
    browser, page = await _at_xero(world, await world.connection())
    await browser.press(page, "allow")
    second = await world.connection()

    page = await browser.open(start_of(second))

    assert page.status == 409
    assert "connected already" in page.text
    assert "Continue to" not in page.text
    assert (await world.now(second)).status is Status.PendingAuth


async def test_a_second_connection_that_was_under_way_is_refused_at_its_end(world: World) -> None:
    late = await world.connection()
    late_browser, late_page = await _at_xero(world, late)
    browser, page = await _at_xero(world, await world.connection())
    await browser.press(page, "allow")

    late_page = await late_browser.press(late_page, "allow")

    assert "could not be connected" in late_page.text
    assert "already has a linked accounting connection" in late_page.text
    assert (await _fault(world, late))["statusCode"] == "500"
    async with world.database.transaction() as tx:
        assert not await one(
            tx, "select 1 from credential where connection_id = %(id)s", {"id": late.id}
        )


async def test_several_connections_are_linked_where_the_client_allows_it(world: World) -> None:
    async with world.database.transaction() as tx:
        await tx.execute(
            """update client set settings = '{"severalAccountingConnections": true}'"""
        )
    for _ in range(2):
        connection = await world.connection()
        browser, page = await _at_xero(world, connection)
        page = await browser.press(page, "allow")
        assert (await world.now(connection)).status is Status.Linked


async def test_a_platform_without_a_registered_app_is_not_supported(
    database: Database, clock: FixedClock, vault: Vault, tmp_path: Path
) -> None:
    async with world_of(database, clock, vault, tmp_path, configured=False) as world:
        await world.profile(redirectUrl="https://a.test/?c={statusCode}&m={errorMessage}")
        connection, browser = await world.connection(), await world.browser()

        page = await browser.press(await browser.open(start_of(connection)), "continue")

        assert page.away == "https://a.test/?c=501&m=Not%20supported"
        assert (await _fault(world, connection))["errorMessage"] == "Not supported"


async def test_a_redirect_that_is_not_allowed_stays_on_our_page(world: World) -> None:
    await world.profile(redirectUrl="https://{host}/", whiteListUrls=["https://a.test"])
    connection, browser = await world.connection(), await world.browser()
    page = await browser.open(start_of(connection, "?host=evil.test"))

    page = await browser.press(page, "cancel")

    assert page.away is None
    assert "could not send you back" in page.text
    assert "https://evil.test" not in page.html


async def test_what_does_not_exist_is_not_told_apart(world: World) -> None:
    connection, browser = await world.connection(), await world.browser()
    company = connection.company_id
    pages = [
        await browser.open(f"{PUBLIC}{path}")
        for path in (
            f"/companies/{company}/connections/{new_id()}/start",
            f"/companies/{new_id()}/connections/{connection.id}/start",
            "/companies/no-id/connections/%7Bx%7D/start",
            f"/link/start/{new_id()}/{new_id()}",
            f"/company/{new_id()}",
            "/company/%00",
        )
    ]
    assert {page.status for page in pages} == {404}
    assert len({page.html for page in pages}) == 1


@pytest.mark.parametrize(
    "path", ["/companies/{company}/connections/{id}/start", "/company/{company}"]
)
async def test_a_company_deleted_while_its_link_is_opened_is_missing(
    world: World, path: str
) -> None:
    connection, browser = await world.connection(), await world.browser()
    company = world.company
    url = f"{PUBLIC}{path.format(company=company.id, id=connection.id)}"
    async with world.database.transaction() as tx:
        await companies.delete(
            tx, client_id=company.client_id, company_id=company.id, now=world.clock.now()
        )
        opening = asyncio.create_task(browser.open(url))
        await asyncio.wait({opening}, timeout=0.3)

    assert (await opening).status == 404


async def test_pages_cannot_be_framed_kept_or_scripted(world: World) -> None:
    connection, browser = await world.connection(), await world.browser()
    for path in (
        f"/company/{new_id()}",
        f"/companies/{connection.company_id}/connections/{connection.id}/start",
    ):
        headers = (await browser.open(f"{PUBLIC}{path}")).headers
        assert headers["x-frame-options"] == "DENY"
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"


async def test_the_cookie_is_kept_from_scripts(world: World) -> None:
    connection, browser = await world.connection(), await world.browser()
    page = await browser.open(start_of(connection))
    cookie = page.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    async with world.database.transaction() as tx:
        row = await one(tx, "select browser, oauth_state from link_session")
    assert row
    held = cookie.split("=", 1)[1].split(";")[0]
    assert held.encode() not in bytes(row["browser"])


async def test_names_are_shown_as_text(world: World) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    connection, browser = await world.connection(), await world.browser()
    async with world.database.transaction() as tx:
        await tx.execute("update company set name = %(n)s", {"n": hostile})
        await tx.execute("update connection set organisation_name = %(n)s", {"n": hostile})
    for path in (
        start_of(connection),
        f"{PUBLIC}/company/{connection.company_id}?link.choose=true",
    ):
        page = await browser.open(path)
        assert "<img" not in page.html
        assert hostile in page.text


async def test_a_form_of_any_length_is_not_read(world: World) -> None:
    connection, browser = await world.connection(), await world.browser()
    page = await browser.open(start_of(connection))
    assert (await browser.press(page, "continue", more="x" * 20_000)).status == 413


async def test_a_link_with_strange_parameters_opens(world: World) -> None:
    browser = await world.browser()
    page = await browser.open(start_of(await world.connection(), "?a=%00&b=%FF&c&=d&c=é"))
    assert page.status == 200


async def test_the_secrets_of_a_choice_nobody_made_are_forgotten(world: World) -> None:
    connection = await world.connection()
    browser, page = await _at_xero(world, connection)
    await browser.press(page, "allow")
    async with world.database.transaction() as tx:
        await tx.execute("update link_session set state = 'Choosing', sealed = 'x'")
    world.clock.advance(seconds=3600)
    await browser.open(start_of(connection))
    async with world.database.transaction() as tx:
        assert not await one(tx, "select 1 from link_session where sealed is not null")
    world.clock.advance(seconds=2 * 86_400)
    await browser.open(start_of(connection))
    async with world.database.transaction() as tx:
        row = await one(tx, "select count(*) as visits from link_session")
    assert row == {"visits": 1}


async def test_agreeing_and_cancelling_at_once_end_in_one_way(world: World) -> None:
    connection = await world.connection()
    for name in world.organisations():
        browser, page = await _at_xero(world, connection)
        await browser.press(page, "allow", organisation=world.organisations()[name])
        async with world.database.transaction() as tx:
            await tx.execute("update connection set status = 'Unlinked', organisation_id = null")
    browser, page = await _at_xero(world, connection)
    page = await browser.press(page, "allow")
    assert "Which books" in page.text
    told = len(await world.events())

    done = await asyncio.gather(
        *(browser.press(page, decision) for decision in ("connect", "cancel") * 3)
    )

    assert sorted(page.status for page in done) == [200, 410, 410, 410, 410, 410]
    (end,) = (await world.events())[told:]
    linked = (await world.now(connection)).status is Status.Linked
    assert end == ("connection.reconnected" if linked else "connection.failed")
