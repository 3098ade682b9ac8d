"""Talking to Xero: what its answers mean, and walking its pages without losing a record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.unit.connectors.world import OpenPermit

from tallystick.connectors.contract import Access, Page
from tallystick.connectors.http import Answer
from tallystick.connectors.xero.client import XeroClient, paged, records_of, refusal
from tallystick.errors import (
    Missing,
    NotPermitted,
    PlatformError,
    RateLimited,
    Refused,
    Unauthorized,
    Unreachable,
)
from tallystick.lib import json
from tallystick.lib.clock import FixedClock

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def answer(status: int, body: Any = b"", **headers: str) -> Answer:
    text = body if isinstance(body, bytes) else json.dumps(body)
    return Answer(status, httpx.Headers(headers), text, NOW)


def problem(detail: str) -> dict[str, Any]:
    return {"Type": None, "Title": "No", "Status": 401, "Detail": detail}


@pytest.mark.parametrize(
    ("seen", "meant"),
    [
        (answer(401, problem("TokenExpired: token expired at 09:00")), Unauthorized),
        (answer(401, problem("AuthenticationUnsuccessful")), Unauthorized),
        (answer(401, problem("AuthorizationUnsuccessful")), NotPermitted),
        (answer(403, problem("AuthenticationUnsuccessful")), Unauthorized),
        (answer(403, problem("Forbidden")), NotPermitted),
        (answer(404, b"The resource you're looking for cannot be found"), Missing),
        (answer(400, {"ErrorNumber": 16, "Message": "No viable comparison"}), Refused),
        (answer(400, b"not even JSON"), Refused),
        (answer(412, b""), Refused),
        (answer(408, b""), Unreachable),
        (answer(409, b"the same request is still worked on"), Unreachable),
        (answer(429, b"Rate Limit Exceeded"), RateLimited),
        (answer(500, b"<html>"), Unreachable),
        (answer(501, b""), Unreachable),
        (answer(503, b""), Unreachable),
        (answer(302, b""), Unreachable),
    ],
)
def test_every_answer_has_a_verdict(seen: Answer, meant: type[PlatformError]) -> None:
    found = refusal(seen, now=NOW)
    assert type(found) is meant
    if isinstance(found, Unreachable):
        assert found.sent


def test_a_good_answer_has_none() -> None:
    assert refusal(answer(200), now=NOW) is None
    assert refusal(answer(204), now=NOW) is None


def test_what_is_wrong_is_said_with_its_place() -> None:
    body = {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": [
            {
                "LineItems": [{}, {"ValidationErrors": [{"Message": "Account code missing"}]}],
                "ValidationErrors": [{"Message": "Invoice not of valid status"}],
            }
        ],
    }
    found = refusal(answer(400, body), now=NOW)
    assert isinstance(found, Refused)
    assert found.message == "Invoice not of valid status"
    assert [(one.item_id, one.message) for one in found.problems] == [
        ("", "Invoice not of valid status"),
        ("LineItems[1]", "Account code missing"),
    ]


def test_a_limit_says_which_and_until_when() -> None:
    headers = {"x-rate-limit-problem": "Day", "retry-after": "20000"}
    found = refusal(answer(429, b"", **headers), now=NOW)
    assert isinstance(found, RateLimited)
    assert found.limit == "day"
    assert found.until == NOW + timedelta(seconds=20000)


# --- a small Xero of one list ---


class Tokens:
    def __init__(self) -> None:
        self.renewals = 0

    async def current(self) -> str:
        return "token"

    async def renewed(self, stale: str) -> str:
        self.renewals += 1
        return f"{stale} anew"


def client(
    answering: Callable[[httpx.Request], httpx.Response],
    *,
    permit: OpenPermit | None = None,
    tokens: Tokens | None = None,
) -> XeroClient:
    return XeroClient(
        Access(
            http=httpx.AsyncClient(transport=httpx.MockTransport(answering)),
            tokens=tokens or Tokens(),
            permit=permit or OpenPermit(),
            clock=FixedClock(NOW),
            organisation_id="tenant",
        )
    )


class Things:
    """A list in pages of ten, ordered by id, that may be added to between two pages."""

    def __init__(self, count: int, *, counts: bool = True) -> None:
        self.ids = [f"{number:04}" for number in range(count)]
        self.asked: list[httpx.Request] = []
        self.added: dict[int, str] = {}
        self._counts = counts

    def __call__(self, asked: httpx.Request) -> httpx.Response:
        self.asked.append(asked)
        if len(self.asked) in self.added:
            self.ids = sorted([*self.ids, self.added[len(self.asked)]])
        page = int(asked.url.params["page"])
        shown = self.ids[(page - 1) * 10 : page * 10]
        body: dict[str, Any] = {"Things": [{"ThingID": one} for one in shown]}
        if self._counts:
            pages = -(-len(self.ids) // 10)
            body["pagination"] = {
                "page": page,
                "pageSize": 10,
                "pageCount": pages,
                "itemCount": len(self.ids),
            }
        return httpx.Response(200, json=body)


PAGES = paged("/Things", "Things", id_field="ThingID", page_size=10, unitdp="4")


async def walked(
    things: Things, *, since: datetime | None = None, cursor: str | None = None, stop: int = 0
) -> list[Page]:
    found = []
    async for page in PAGES(client(things), since, cursor):
        found.append(page)
        if len(found) == stop:
            break
    return found


def ids(pages: list[Page]) -> list[str]:
    return [raw["ThingID"] for page in pages for raw in page.raws]


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 25])
@pytest.mark.parametrize("counts", [True, False])
async def test_all_pages_are_read_and_the_last_has_no_cursor(count: int, *, counts: bool) -> None:
    things = Things(count, counts=counts)
    pages = await walked(things)
    assert ids(pages) == things.ids
    assert [page.cursor is None for page in pages] == [False] * (len(pages) - 1) + [True]


async def test_each_page_is_asked_for_with_order_units_and_the_moment() -> None:
    things = Things(11)
    since = datetime(2026, 3, 4, 5, 6, 7, 890000, tzinfo=UTC)
    await walked(things, since=since)
    for number, asked in enumerate(things.asked, start=1):
        assert dict(asked.url.params) == {
            "order": "ThingID ASC",
            "page": str(number),
            "pageSize": "10",
            "unitdp": "4",
        }
        assert asked.headers["if-modified-since"] == "2026-03-04T05:06:07"
        assert asked.headers["xero-tenant-id"] == "tenant"
        assert asked.headers["accept"] == "application/json"


async def test_a_record_added_ahead_of_us_only_shifts_the_rest() -> None:
    things = Things(25)
    things.added = {2: "0015a"}
    pages = await walked(things)
    assert set(ids(pages)) == set(things.ids)
    assert len(things.asked) == 3


async def test_a_record_added_behind_us_has_the_list_walked_again() -> None:
    things = Things(25)
    things.added = {2: "0003a"}
    pages = await walked(things)
    assert set(ids(pages)) == set(things.ids)
    assert "0003a" in ids(pages)


async def test_a_list_that_never_holds_still_ends() -> None:
    things = Things(25)
    things.added = {number: f"0000{number:03}" for number in range(2, 200)}
    pages = await walked(things)
    assert len(things.asked) < 15
    assert "records and showed" in pages[-1].gaps


async def test_a_walk_that_met_all_has_no_gaps() -> None:
    things = Things(25)
    things.added = {2: "0003a"}
    assert not any(page.gaps for page in await walked(things))


async def test_a_list_that_shows_one_page_for_ever_ends_with_a_gap() -> None:
    asked = []

    def stuck(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        shown = [{"ThingID": f"{number:04}"} for number in range(10)]
        return httpx.Response(200, json={"Things": shown, "pagination": {"pageCount": 10**9}})

    pages = [page async for page in PAGES(client(stuck), None, None)]
    assert len(asked) < 10
    assert pages[-1].cursor is None
    assert pages[-1].gaps


async def test_pages_too_large_are_asked_for_in_smaller_ones() -> None:
    """One record of the second page weighs more than the limit allows beside others."""
    things, heavy = Things(35), "0015"
    sizes = []

    def weighing(request: httpx.Request) -> httpx.Response:
        size, page = int(request.url.params["pageSize"]), int(request.url.params["page"])
        sizes.append(size)
        shown = things.ids[(page - 1) * size : page * size]
        padding = "x" * (17 * 1024 * 1024) if heavy in shown and size > 1 else ""
        pages = -(-len(things.ids) // size)
        told = {"pageCount": pages, "itemCount": len(things.ids)}
        listed = [{"ThingID": one} for one in shown]
        return httpx.Response(200, json={"Things": listed, "pagination": told, "x": padding})

    pages = [page async for page in PAGES(client(weighing), None, None)]
    assert ids(pages) == things.ids
    assert sizes == [10, 10, *[1] * 10, 10, 10]
    assert not any(page.gaps for page in pages)


@pytest.mark.parametrize("stop", [1, 2])
async def test_a_walk_goes_on_where_it_was_left(stop: int) -> None:
    things = Things(25)
    before = await walked(things, stop=stop)
    after = await walked(things, cursor=before[-1].cursor)
    assert ids(before) + ids(after) == things.ids
    assert len(things.asked) == 3


async def test_a_walk_that_goes_on_knows_what_it_has_not_met() -> None:
    things = Things(25)
    before = await walked(things, stop=2)
    things.ids = sorted([*things.ids, "0003a"])
    after = await walked(things, cursor=before[-1].cursor)
    assert "0003a" in ids(after)


# --- calls ---


async def test_a_missing_scope_does_not_cost_a_token() -> None:
    tokens = Tokens()
    refusing = client(
        lambda _: httpx.Response(401, json=problem("AuthorizationUnsuccessful")), tokens=tokens
    )
    with pytest.raises(NotPermitted):
        await refusing.get("/Items")
    assert tokens.renewals == 0


async def test_a_limit_is_told_to_all_who_share_it() -> None:
    permit = OpenPermit()
    headers = {"x-rate-limit-problem": "minute", "retry-after": "9"}
    limited = client(lambda _: httpx.Response(429, headers=headers), permit=permit)
    with pytest.raises(RateLimited):
        await limited.get("/Items")
    assert permit.refusals == [(NOW + timedelta(seconds=9), "minute")]


async def test_an_hour_off_is_waited_for_though_nobody_knows_what_was_done() -> None:
    permit = OpenPermit()
    down = client(lambda _: httpx.Response(503, headers={"retry-after": "60"}), permit=permit)
    with pytest.raises(Unreachable) as caught:
        await down.put("/Items", {}, key="k", body={})
    assert caught.value.sent
    assert permit.refusals == [(NOW + timedelta(seconds=60), "unavailable")]


async def test_a_creation_carries_its_key_and_exact_numbers() -> None:
    asked: list[httpx.Request] = []

    def answering(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={})

    await client(answering).put("/Items", {"unitdp": "4"}, key="operation-1", body={"a": 1})
    assert asked[0].headers["idempotency-key"] == "operation-1"
    assert asked[0].headers["content-type"] == "application/json"
    assert str(asked[0].url) == "https://api.xero.com/api.xro/2.0/Items?unitdp=4"


@pytest.mark.parametrize("body", [None, [], {}, {"Things": None}, {"Things": {}}])
def test_an_answer_without_its_list_is_no_empty_list(body: Any) -> None:
    with pytest.raises(Unreachable):
        records_of(body, "Things")
