"""What a careless or ill-meaning caller sends: refused for good where it is wrong for good."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.requests import Request
from starlette.types import Message
from tests.journeys.api_ground import ApiGround, basic, ground

from tallystick.access import idempotency
from tallystick.companies import companies
from tallystick.companies.connections import CONNECTIONS_MAX
from tallystick.errors import BadRequest
from tallystick.http.auth import NOBODY
from tallystick.http.endpoint import Call
from tallystick.lib import json
from tallystick.lib.clock import FixedClock
from tallystick.lib.secrets import Vault


@pytest.fixture
async def api(
    shared_database_url: str, vault: Vault, clock: FixedClock
) -> AsyncIterator[ApiGround]:
    async with ground(shared_database_url, vault, clock) as served:
        yield served


@pytest.mark.parametrize("written", ["{%s}", "urn:uuid:%s", "%s"])
async def test_one_idempotency_key_is_one_however_it_is_written(
    api: ApiGround, written: str
) -> None:
    key = str(uuid4())
    first = await api.http.post(
        "/companies", json={"name": "Once"}, headers={"Idempotency-Key": key}
    )

    again = await api.http.post(
        "/companies", json={"name": "Once"}, headers={"Idempotency-Key": written % key.upper()}
    )

    assert again.headers["tallystick-replayed"] == "true"
    assert again.json()["id"] == first.json()["id"]


async def test_a_key_stretched_beyond_an_index_is_no_passing_trouble(api: ApiGround) -> None:
    """A refusal with 503 would be tried again for an hour."""
    odd = "".join("-" if bit == "1" else "urn:" for bit in f"{3**30_000:b}")
    stretched = odd + str(uuid4())

    answer = await api.http.post(
        "/companies", json={"name": "Long"}, headers={"Idempotency-Key": stretched}
    )

    assert answer.status_code in {200, 400}


@pytest.mark.parametrize("written", ["urn:uuid:{id}", "{{{id}}}", "１{tail}", "nothing", "%00"])
async def test_an_odd_id_is_found_or_unknown_and_never_malformed(
    api: ApiGround, written: str
) -> None:
    known = str(uuid4())
    path = f"/webhooks/{written.format(id=known, tail=known[1:])}"

    assert (await api.http.delete(path)).status_code == 404


@pytest.mark.parametrize("host", ["[", "a b", "x?y=z", "x#y", "[::1", "a:b:c", "x:99999999", ""])
async def test_no_host_header_breaks_an_answer(api: ApiGround, host: str) -> None:
    answer = await api.http.get("/companies?pageSize=7", headers={"Host": host})

    assert answer.status_code == 200
    assert answer.json()["_links"]["current"]["href"] == "/companies?pageSize=7"


async def test_a_company_deleted_while_it_is_connected_is_not_found(api: ApiGround) -> None:
    company = await api.company()
    path = f"/companies/{company['id']}/connections"
    async with api.house.database.transaction() as tx:
        await companies.delete(
            tx, client_id=api.client_id, company_id=company["id"], now=api.clock.now()
        )
        asking = asyncio.create_task(api.http.post(path, json={"platformKey": "gbol"}))
        await asyncio.wait({asking}, timeout=0.3)

    assert (await asking).status_code == 404


async def test_a_company_has_only_so_many_connections(api: ApiGround) -> None:
    company = await api.company()
    await api.rows(
        "insert into connection (company_id, id, client_id, platform_key, status, created_at)"
        " select %(company)s, gen_random_uuid(), %(client)s, 'gbol', 'PendingAuth', now()"
        " from generate_series(1, %(number)s) returning id",
        company=company["id"],
        client=api.client_id,
        number=CONNECTIONS_MAX - 2,
    )
    path = f"/companies/{company['id']}/connections"

    answers = await asyncio.gather(
        *(
            api.http.post(
                path, json={"platformKey": "gbol"}, headers={"Idempotency-Key": str(uuid4())}
            )
            for _ in range(6)
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200, 200, 409, 409, 409, 409]


async def test_a_repeated_registration_is_one_consumer_with_one_secret(api: ApiGround) -> None:
    """Two would send every event twice, one of them signed with a secret nobody knows."""
    body = {"url": "https://hook.example/", "eventTypes": ["*"]}

    await _sent_and_gone(api, "/webhooks", body)

    again = await api.http.post("/webhooks", json=body)

    assert again.headers["tallystick-replayed"] == "true"
    assert again.json()["secret"].startswith("whsec_")
    assert len((await api.json("GET", "/webhooks"))["results"]) == 1


async def test_a_body_that_never_ends_is_given_up(api: ApiGround) -> None:
    async def drip() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    scope = {"type": "http", "method": "POST", "path": "/companies", "headers": []}
    call = Call(api.house, Request(scope, drip), NOBODY, "0" * 32)

    with pytest.raises(BadRequest, match=r"within 0\.1 s"):
        await call.body(within_s=0.1)


async def test_all_expired_keys_are_forgotten_however_many(api: ApiGround) -> None:
    await api.rows(
        "insert into idempotency_key"
        " (client_id, scope, key, body_digest, holder, state, created_at, expires_at)"
        " select %(client)s, 'POST /x', n::text, '', gen_random_uuid(), 'Answered', %(then)s,"
        " %(then)s from generate_series(1, 12000) as n returning key",
        client=api.client_id,
        then=api.clock.now(),
    )

    async with api.house.database.transaction() as tx:
        rounds = [await idempotency.forget_expired(tx, now=api.clock.now()) for _ in range(3)]

    assert rounds == [True, True, False]
    assert await api.rows("select count(*) as number from idempotency_key") == [{"number": 0}]


async def test_a_token_of_one_company_makes_no_heap_of_connections(api: ApiGround) -> None:
    company = await api.company()
    token = (await api.json("GET", f"/companies/{company['id']}/accessToken"))["accessToken"]
    path = f"/companies/{company['id']}/connections"
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(api.app), base_url="https://books.example"
    ) as page:
        headers = {"Authorization": f"Bearer {token}", "Tallystick-Duplicate": "allow"}
        for _ in range(CONNECTIONS_MAX):
            made = await page.post(path, json={"platformKey": "gbol"}, headers=headers)
            assert made.status_code == 200
        refused = await page.post(path, json={"platformKey": "gbol"}, headers=headers)

    assert refused.status_code == 409


async def _sent_and_gone(api: ApiGround, path: str, body: Any) -> None:
    """A request whose caller hangs up before the answer."""
    told: list[Message] = [
        {"type": "http.request", "body": json.dumps(body), "more_body": False},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return told.pop(0) if len(told) > 1 else told[0]

    async def send(_: Message) -> None:
        """Nobody is there."""

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"authorization", basic(api.key).encode())],
        "scheme": "https",
        "server": ("books.example", 443),
        "root_path": "",
    }
    await api.app(scope, receive, send)
