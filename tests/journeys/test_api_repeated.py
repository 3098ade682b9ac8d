"""Requests that come twice: with an idempotency key, and without one as libraries repeat them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.types import Message
from tests.journeys.api_ground import PUBLIC, ApiGround, basic, ground

from tallystick.companies import companies
from tallystick.errors import BadRequest, DatasetInProgress
from tallystick.http.app import Api
from tallystick.http.endpoint import Call, Endpoint, answer
from tallystick.lib.clock import FixedClock
from tallystick.lib.ids import new_id
from tallystick.lib.secrets import Vault

BILLS = "/push/bills"
ITEMS = "/push/items"


@dataclass
class Desk:
    """Handlers that write something that can be counted, and may fail in every way."""

    fails_with: Exception | None = None
    dies_after_commit: bool = False
    waits_for: asyncio.Event | None = None
    keeps: bool = True
    status: str = "Pending"
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def write(self, call: Call) -> Response:
        name = (await call.json_object()).get("name", "")
        self.begun.set()
        if self.waits_for is not None:
            await self.waits_for.wait()
        async with call.house.database.transaction() as tx:
            made = await companies.create(
                tx,
                client_id=call.caller.client_id,
                name=str(name),
                description=None,
                tags={},
                created_by=None,
                now=call.house.clock.now(),
            )
            response = answer(
                {
                    "id": made.id,
                    "status": self.status,
                    "validation": {"errors": [], "warnings": []},
                }
            )
            if self.fails_with is not None:
                raise self.fails_with
            if self.keeps:
                await call.keep(tx, response)
        if self.dies_after_commit:
            raise asyncio.CancelledError
        return response

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return (
            Endpoint("POST", BILLS, self.write, "Write a bill", writes=True),
            Endpoint("POST", ITEMS, self.write, "Write an item", writes=True),
            Endpoint("POST", "/plain", self.write, "Not protected without a key"),
            Endpoint("PUT", "/plain", self.write, "Put"),
            Endpoint("DELETE", "/plain", self.write, "Delete"),
        )


@dataclass(frozen=True)
class Counter:
    """The API with a desk behind it."""

    api: ApiGround
    desk: Desk
    http: httpx.AsyncClient
    app: Any

    async def post(self, path: str = BILLS, *, name: str = "A", **headers: str) -> httpx.Response:
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        return await self.http.post(path, json={"name": name}, headers=sent)

    async def written(self) -> int:
        [row] = await self.api.rows(
            "select count(*)::int as number from company where client_id = %(client)s",
            client=self.api.client_id,
        )
        return int(row["number"])

    def advance(self, seconds: float) -> None:
        self.api.clock.advance(seconds=seconds)


@pytest.fixture
async def counter(
    shared_database_url: str, vault: Vault, clock: FixedClock
) -> AsyncIterator[Counter]:
    async with ground(shared_database_url, vault, clock) as api:
        desk = Desk()
        async with _served(api, desk) as served:
            yield served


@asynccontextmanager
async def _served(api: ApiGround, desk: Desk) -> AsyncIterator[Counter]:
    app = Starlette()
    app.router.default = Api(api.house, desk.endpoints)
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": basic(api.key)}
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC, headers=headers) as http:
        yield Counter(api, desk, http, app)


# --- with a key ---


async def test_the_same_key_gets_the_same_answer_and_nothing_is_written_again(
    counter: Counter,
) -> None:
    key = new_id()

    first = await counter.post("/plain", Idempotency_Key=key)
    again = await counter.post("/plain", Idempotency_Key=key.upper())

    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["tallystick-replayed"] == "true"
    assert "tallystick-replayed" not in first.headers
    assert await counter.written() == 1


async def test_a_key_is_kept_for_a_day(counter: Counter) -> None:
    key = new_id()
    await counter.post(Idempotency_Key=key)

    counter.advance(24 * 3600 - 1)
    await counter.post(Idempotency_Key=key)
    assert await counter.written() == 1
    counter.advance(1)
    await counter.post(Idempotency_Key=key)
    assert await counter.written() == 2


async def test_a_key_for_another_body_is_refused(counter: Counter) -> None:
    key = new_id()
    await counter.post(Idempotency_Key=key)

    assert (await counter.post(name="B", Idempotency_Key=key)).status_code == 422
    assert await counter.written() == 1


async def test_a_key_counts_for_its_path_and_method(counter: Counter) -> None:
    key = new_id()
    await counter.post(BILLS, Idempotency_Key=key)
    await counter.post(ITEMS, Idempotency_Key=key)
    await counter.http.put("/plain", json={}, headers={"Idempotency-Key": key})

    assert await counter.written() == 3


async def test_a_key_that_is_no_guid_is_refused_and_ignored_where_keys_mean_nothing(
    counter: Counter,
) -> None:
    assert (await counter.post(Idempotency_Key="one")).status_code == 400
    assert await counter.written() == 0

    request = counter.http.build_request(
        "DELETE", "/plain", json={}, headers={"Idempotency-Key": "one"}
    )
    assert (await counter.http.send(request)).status_code == 200


async def test_a_key_in_flight_is_a_conflict(counter: Counter) -> None:
    key, counter.desk.waits_for = new_id(), asyncio.Event()
    first = asyncio.create_task(counter.post(Idempotency_Key=key))
    await counter.desk.begun.wait()

    assert (await counter.post(Idempotency_Key=key)).status_code == 409

    counter.desk.waits_for.set()
    assert (await first).status_code == 200
    assert await counter.written() == 1


async def test_a_refusal_is_replayed_too(counter: Counter) -> None:
    key, counter.desk.fails_with = new_id(), BadRequest("No.")
    first = await counter.post(Idempotency_Key=key)
    counter.desk.fails_with = None

    again = await counter.post(Idempotency_Key=key)

    assert (first.status_code, again.status_code) == (400, 400)
    assert again.content == first.content
    assert await counter.written() == 0


async def test_a_fault_of_ours_is_never_replayed(counter: Counter) -> None:
    key, counter.desk.fails_with = new_id(), RuntimeError("a secret of the house")
    first = await counter.post(Idempotency_Key=key)
    counter.desk.fails_with = None

    again = await counter.post(Idempotency_Key=key)

    assert (first.status_code, again.status_code) == (500, 200)
    assert "secret" not in first.text
    assert await counter.written() == 1


async def test_many_requests_at_once_with_one_key_write_once(counter: Counter) -> None:
    key = new_id()

    answers = await asyncio.gather(*(counter.post(Idempotency_Key=key) for _ in range(100)))

    assert {one.status_code for one in answers} <= {200, 409, 503}
    assert len({one.content for one in answers if one.status_code == 200}) == 1
    assert await counter.written() == 1


async def test_an_answer_that_was_kept_survives_the_death_of_its_process(
    counter: Counter,
) -> None:
    key, counter.desk.dies_after_commit = new_id(), True
    with pytest.raises(asyncio.CancelledError):
        await counter.post(Idempotency_Key=key)
    counter.desk.dies_after_commit = False

    again = await counter.post(Idempotency_Key=key)

    assert again.headers["tallystick-replayed"] == "true"
    assert await counter.written() == 1


async def test_a_request_that_was_taken_over_cannot_write_any_more(counter: Counter) -> None:
    key, held = new_id(), asyncio.Event()
    counter.desk.waits_for = held
    frozen = asyncio.create_task(counter.post(Idempotency_Key=key))
    await counter.desk.begun.wait()
    counter.desk.waits_for = None
    counter.advance(61)
    assert (await counter.post(Idempotency_Key=key)).status_code == 200

    held.set()

    assert (await frozen).status_code == 409
    assert await counter.written() == 1


async def test_what_is_kept_is_sealed(counter: Counter) -> None:
    made = await counter.post(Idempotency_Key=new_id())

    [row] = await counter.api.rows("select sealed from idempotency_key")
    assert made.json()["id"].encode() not in bytes(row["sealed"])


# --- without a key ---


async def test_a_bill_sent_twice_within_a_minute_is_written_once_and_that_is_said(
    counter: Counter,
) -> None:
    first = await counter.post()

    again = await counter.post()

    assert again.headers["tallystick-replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]
    [warning] = again.json()["validation"]["warnings"]
    assert "Tallystick-Duplicate" in warning["message"]
    assert await counter.written() == 1


async def test_a_minute_later_the_same_bill_is_meant(counter: Counter) -> None:
    await counter.post()
    counter.advance(61)

    assert "tallystick-replayed" not in (await counter.post()).headers
    assert await counter.written() == 2


@pytest.mark.parametrize("path", [ITEMS, "/plain"])
async def test_what_does_not_hurt_twice_may_be_sent_twice(counter: Counter, path: str) -> None:
    await counter.post(path)

    assert "tallystick-replayed" not in (await counter.post(path)).headers
    assert await counter.written() == 2


async def test_a_caller_may_say_that_two_are_meant(counter: Counter) -> None:
    await counter.post()

    await counter.post(Tallystick_Duplicate="allow")

    assert await counter.written() == 2


async def test_what_was_refused_may_be_sent_again_at_once(counter: Counter) -> None:
    counter.desk.status = "Failed"
    await counter.post()

    assert "tallystick-replayed" not in (await counter.post()).headers


async def test_another_body_or_query_is_another_bill(counter: Counter) -> None:
    await counter.post()
    await counter.post(name="B")
    await counter.http.post(f"{BILLS}?timeoutInMinutes=5", json={"name": "A"})

    assert await counter.written() == 3


async def test_a_refusal_without_a_key_may_be_tried_again_at_once(counter: Counter) -> None:
    counter.desk.fails_with = DatasetInProgress("bills", "c", "d")
    assert (await counter.post()).status_code == 409
    counter.desk.fails_with = None

    assert (await counter.post()).status_code == 200


@pytest.mark.parametrize("path", [BILLS, ITEMS])
@pytest.mark.parametrize("keeps", [True, False])
async def test_an_answer_the_caller_did_not_get_is_given_for_an_hour(
    counter: Counter, path: str, *, keeps: bool
) -> None:
    counter.desk.keeps = keeps
    await _hung_up(counter, path)
    counter.advance(3599)

    again = await counter.post(path)

    assert again.headers["tallystick-replayed"] == "true"
    assert again.json()["validation"]["warnings"] == []
    assert await counter.written() == 1
    counter.advance(2)
    await counter.post(path)
    assert await counter.written() == 2


async def test_a_write_whose_process_died_is_answered_for_an_hour(counter: Counter) -> None:
    counter.desk.dies_after_commit = True
    with pytest.raises(asyncio.CancelledError):
        await counter.post(ITEMS)
    counter.desk.dies_after_commit = False
    counter.advance(1800)

    assert "tallystick-replayed" in (await counter.post(ITEMS)).headers
    assert await counter.written() == 1


async def test_many_equal_bills_at_once_are_written_once(counter: Counter) -> None:
    answers = await asyncio.gather(*(counter.post() for _ in range(40)))

    assert {one.status_code for one in answers} <= {200, 503}
    assert len({one.json()["id"] for one in answers if one.status_code == 200}) == 1
    assert await counter.written() == 1


async def test_a_repetition_waits_for_the_first_one(counter: Counter) -> None:
    counter.desk.waits_for = asyncio.Event()
    first = asyncio.create_task(counter.post(ITEMS))
    await counter.desk.begun.wait()
    second = asyncio.create_task(counter.post(ITEMS))

    await asyncio.wait({second}, timeout=0.2)
    assert not second.done()
    counter.desk.waits_for.set()

    assert (await first).status_code == 200
    assert (await second).status_code == 200


async def _hung_up(counter: Counter, path: str) -> None:
    """One request whose caller is gone before it is answered."""
    told: list[Message] = [
        {"type": "http.request", "body": b'{"name":"A"}', "more_body": False},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return told.pop(0) if len(told) > 1 else told[0]

    async def send(_: MutableMapping[str, Any]) -> None:
        return None

    app: Callable[..., Awaitable[None]] = counter.app
    headers = [
        (b"authorization", basic(counter.api.key).encode()),
        (b"content-type", b"application/json"),
    ]
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "scheme": "https",
        "server": ("books.example", 443),
        "root_path": "",
    }
    await app(scope, receive, send)
