"""Who may ask, keys, tokens, origins, profile, health, and the one shape of refusals."""

import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from tests.journeys.api_ground import ApiGround, asker, basic, ground

from tallystick.db.pool import Database
from tallystick.lib.clock import FixedClock
from tallystick.lib.secrets import Vault

ORIGIN = "https://app.example.com"


@pytest.fixture
async def api(
    shared_database_url: str, vault: Vault, clock: FixedClock
) -> AsyncIterator[ApiGround]:
    async with ground(shared_database_url, vault, clock) as api:
        yield api


async def _as(api: ApiGround, authorization: str | None, path: str = "/companies") -> Any:
    async with asker(api.app, None) as nobody:
        headers = {} if authorization is None else {"Authorization": authorization}
        return await nobody.get(path, headers=headers)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


# --- keys ---


@pytest.mark.parametrize(
    "shape",
    ["Basic {}", "basic {}", "BASIC  {}", "Basic {} "],
)
async def test_a_key_opens_whatever_the_case_of_the_scheme(api: ApiGround, shape: str) -> None:
    answer = await _as(api, shape.format(_encoded(api.key)))

    assert answer.status_code == 200


@pytest.mark.parametrize("ending", ["\n", "\r\n", ":"])
async def test_what_tools_add_to_a_key_does_no_harm(api: ApiGround, ending: str) -> None:
    assert (await _as(api, f"Basic {_encoded(api.key + ending)}")).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic !!!",
        "Basic é",
        "Basic " + _encoded("wrong"),
        "Basic " + _encoded(""),
        "Bearer",
        "Bearer x.y.z",
        "Digest abc",
    ],
)
async def test_nobody_else_gets_in(api: ApiGround, authorization: str | None) -> None:
    header = None if authorization is None else authorization.encode("latin-1")
    async with asker(api.app, None) as nobody:
        request = nobody.build_request("GET", "/companies")
        if header is not None:
            request.headers = httpx.Headers([(b"authorization", header)])
        answer = await nobody.send(request)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Basic"
    assert answer.json()["statusCode"] == 401


async def test_a_key_is_shown_once_and_only_its_digest_kept(api: ApiGround) -> None:
    api.clock.advance(seconds=1)
    answer = await api.http.post("/apiKeys", json={"name": "second"})

    assert answer.status_code == 201
    made = answer.json()
    assert (await _as(api, basic(made["apiKey"]))).status_code == 200
    listed = (await api.json("GET", "/apiKeys"))["results"]
    assert [key["name"] for key in listed] == ["first", "second"]
    assert all("apiKey" not in key for key in listed)
    stored = await api.rows("select * from api_key")
    assert made["apiKey"] not in repr(stored)


async def test_a_key_may_delete_itself_and_opens_nothing_afterwards(api: ApiGround) -> None:
    made = await api.json("POST", "/apiKeys")
    async with asker(api.app, made["apiKey"]) as http:
        assert (await http.get("/companies")).status_code == 200
        assert (await http.delete(f"/apiKeys/{made['id']}")).status_code == 204
        assert (await http.get("/companies")).status_code == 401

    assert (await api.http.delete(f"/apiKeys/{made['id']}")).status_code == 404
    assert (await api.http.delete("/apiKeys/none")).status_code == 404


async def test_the_eleventh_key_is_refused(api: ApiGround) -> None:
    for _ in range(9):
        await api.json("POST", "/apiKeys", json={})

    answer = await api.http.post("/apiKeys", json={})

    assert answer.status_code == 409


@pytest.mark.parametrize("body", [{"name": "n" * 51}, {"name": 1}, []])
async def test_a_key_with_an_odd_name_is_refused(api: ApiGround, body: Any) -> None:
    assert (await api.http.post("/apiKeys", json=body)).status_code == 400


async def test_another_clients_keys_cannot_be_deleted(api: ApiGround) -> None:
    [key] = (await api.json("GET", "/apiKeys"))["results"]

    async with api.stranger() as stranger:
        assert (await stranger.delete(f"/apiKeys/{key['id']}")).status_code == 404

    assert (await api.http.get("/apiKeys")).status_code == 200


# --- access tokens and pages ---


async def _token(api: ApiGround, company_id: str) -> str:
    answer = await api.json("GET", f"/companies/{company_id}/accessToken")
    assert (answer["expiresIn"], answer["tokenType"]) == (86_400, "Bearer")
    return str(answer["accessToken"])


async def test_a_token_manages_its_companys_connections_and_nothing_else(api: ApiGround) -> None:
    mine, other = await api.company("Mine"), await api.company("Other")
    bearer = f"Bearer {await _token(api, mine['id'])}"

    answers = {
        path: (await _as(api, bearer, path)).status_code
        for path in (
            f"/companies/{mine['id']}/connections",
            "/integrations",
            "/integrations/gbol/branding",
            f"/companies/{other['id']}/connections",
            f"/companies/{mine['id']}",
            "/companies",
            "/apiKeys",
            f"/companies/{mine['id']}/accessToken",
        )
    }

    assert list(answers.values()) == [200, 200, 200, 403, 403, 403, 403, 403]


async def test_a_token_ends_after_a_day(api: ApiGround) -> None:
    company = await api.company()
    bearer = f"Bearer {await _token(api, company['id'])}"
    path = f"/companies/{company['id']}/connections"

    api.clock.advance(seconds=86_399)
    assert (await _as(api, bearer, path)).status_code == 200
    api.clock.advance(seconds=2)
    assert (await _as(api, bearer, path)).status_code == 401


async def test_the_older_token_route_answers_the_token_alone(api: ApiGround) -> None:
    company = await api.company()

    answer = await api.json("GET", f"/companies/{company['id']}/connectionManagement/accessToken")

    assert list(answer) == ["accessToken"]


async def test_origins_are_kept_as_browsers_send_them(api: ApiGround) -> None:
    body = {"allowedOrigins": ["HTTPS://App.Example.com:443/", "http://localhost:3000"]}

    saved = await api.json("POST", "/corsSettings", json=body)

    assert saved == {"allowedOrigins": [ORIGIN, "http://localhost:3000"]}
    assert await api.json("GET", "/connectionManagement/corsSettings") == saved
    assert await api.json("POST", "/corsSettings", json={"allowedOrigins": []}) == {
        "allowedOrigins": []
    }


@pytest.mark.parametrize(
    "origin",
    [
        "https://a.example/path",
        "ftp://a.example",
        "a.example",
        "https://*.example",
        "*",
        "",
        5,
        "https://a.example?x=1",
        "https://u:p@a.example",
        "https://a.example:99999",
        "https://[",
    ],
)
async def test_what_is_no_origin_is_refused(api: ApiGround, origin: Any) -> None:
    answer = await api.http.post("/corsSettings", json={"allowedOrigins": [origin]})

    assert answer.status_code == 400


async def test_a_listed_page_may_ask_with_a_token(api: ApiGround) -> None:
    company = await api.company()
    await api.json("POST", "/corsSettings", json={"allowedOrigins": [ORIGIN]})
    token, path = await _token(api, company["id"]), f"/companies/{company['id']}/connections"

    async with asker(api.app, None) as page:
        asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
        before = await page.options(path, headers=asked)
        answer = await page.get(
            path, headers={"Origin": ORIGIN, "Authorization": f"Bearer {token}"}
        )
        refused = await page.get(path, headers={"Origin": ORIGIN, "Authorization": "Bearer old"})

    assert before.status_code == 204
    assert before.headers["access-control-allow-origin"] == ORIGIN
    assert "POST" in before.headers["access-control-allow-methods"]
    assert "authorization" in before.headers["access-control-allow-headers"].lower()
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["vary"] == "Origin"
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, ORIGIN)


async def test_other_pages_and_other_routes_are_not_opened(api: ApiGround) -> None:
    company = await api.company()
    await api.json("POST", "/corsSettings", json={"allowedOrigins": [ORIGIN]})
    token, path = await _token(api, company["id"]), f"/companies/{company['id']}/connections"
    name = "access-control-allow-origin"

    async with asker(api.app, None) as page:
        elsewhere = {"Origin": "https://evil.example", "Authorization": f"Bearer {token}"}
        assert name not in (await page.get(path, headers=elsewhere)).headers
        asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
        closed = await page.options("/companies", headers=asked)
        assert not [header for header in closed.headers if header.startswith("access-control")]
    with_key = await api.http.get(path, headers={"Origin": ORIGIN})
    assert name not in with_key.headers


# --- profile ---


async def test_a_profile_is_replaced_whole(api: ApiGround) -> None:
    assert await api.json("GET", "/profile") == {
        "name": "Buyer",
        "redirectUrl": "",
        "whiteListUrls": [],
    }
    profile = {
        "name": "Bob's",
        "redirectUrl": "https://bob.example/{companyId}",
        "logoUrl": "https://bob.example/logo.png",
        "whiteListUrls": ["https://bob.example"],
    }

    assert await api.json("PUT", "/profile", json=profile) == profile
    assert await api.json("GET", "/profile") == profile
    short = {"name": "Bob's", "redirectUrl": ""}
    assert await api.json("PUT", "/profile", json=short) == {**short, "whiteListUrls": []}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"name": "", "redirectUrl": ""},
        {"name": "x", "redirectUrl": 1},
        {"name": "x", "redirectUrl": "", "whiteListUrls": "all"},
        {"name": "x", "redirectUrl": "", "whiteListUrls": [1]},
    ],
)
async def test_a_profile_that_cannot_be_is_refused(api: ApiGround, body: Any) -> None:
    assert (await api.http.put("/profile", json=body)).status_code == 400


# --- every answer ---


async def test_every_answer_says_what_it_was_and_what_is_left(api: ApiGround) -> None:
    for path in ("/companies", "/nothing/here", "/companies/none"):
        answer = await api.http.get(path)

        assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-correlation-id"])
        assert answer.headers["content-type"] == "application/json"
        assert int(answer.headers["x-rate-limit-remaining"]) > 1_000_000
        assert answer.headers["x-rate-limit-limit"] == answer.headers["x-rate-limit-remaining"]
        assert answer.headers["x-rate-limit-reset"] == "2026-11-21T00:00:00Z"


async def test_refusals_have_one_shape(api: ApiGround) -> None:
    answer = await api.http.get("/companies/none")

    assert answer.json() == {
        "statusCode": 404,
        "service": "PublicApi",
        "error": "No company was found with ID none",
        "correlationId": answer.headers["x-correlation-id"],
        "validation": None,
        "canBeRetried": "False",
        "detailedErrorCode": 0,
    }
    refused = (await api.http.post("/companies", json={"name": ""})).json()
    assert [item["itemId"] for item in refused["validation"]["errors"]] == ["Name"]
    assert refused["validation"]["warnings"] == []


async def test_an_unknown_path_and_a_wrong_method_are_told_apart(api: ApiGround) -> None:
    unknown, wrong = await api.http.get("/nowhere"), await api.http.delete("/companies")

    assert (unknown.status_code, unknown.json()["error"]) == (404, "NotFound")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, POST")


async def test_paths_are_found_in_any_case_and_with_a_slash_at_the_end(api: ApiGround) -> None:
    assert (await api.http.get("/Companies/")).status_code == 200
    assert (await api.http.get("/apikeys")).status_code == 200


@pytest.mark.parametrize("body", ["", "{", '{"name": }', "\x00", '{"name": "\\ud800"}'])
async def test_malformed_json_is_refused(api: ApiGround, body: str) -> None:
    answer = await api.http.post("/companies", content=body)

    assert answer.status_code == 400


async def test_a_body_over_the_limit_is_not_taken(api: ApiGround) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 100_000

    answer = await api.http.post("/companies", content=chunks())

    assert answer.status_code == 413


# --- health and documentation ---


async def test_health_names_what_is_missing_and_needs_no_key(api: ApiGround) -> None:
    answer = await _as(api, None, "/health")

    assert answer.status_code == 200
    told = answer.json()
    ready = {check["name"]: check["ready"] for check in told["checks"]}
    assert ready == {"database": True, "migrations": True, "worker": False}
    assert told["status"] == "degraded"


async def test_without_a_database_health_says_so_and_the_api_asks_for_patience(
    database_url: str, vault: Vault, clock: FixedClock
) -> None:
    async with (
        ground(database_url, vault, clock) as api,
        asker(api.app, "some other key") as http,
        _exhausted(api.house.database),
    ):
        answer = await http.get("/companies")
        health = await http.get("/health")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["canBeRetried"] == "True"
    assert health.status_code == 503
    assert health.json()["status"] == "unavailable"


@asynccontextmanager
async def _exhausted(database: Database) -> AsyncIterator[None]:
    """Every connection of the pool is taken."""
    pool = database._pool
    usual, pool.timeout = pool.timeout, 0.05
    held = [await pool.getconn() for _ in range(pool.max_size)]
    try:
        yield
    finally:
        pool.timeout = usual
        for connection in held:
            await pool.putconn(connection)


async def test_the_documentation_is_open_and_covers_every_route(api: ApiGround) -> None:
    answer = await _as(api, None, "/openapi.json")

    document = answer.json()
    assert document["openapi"] == "3.1.0"
    assert {"get", "post"} <= set(document["paths"]["/companies"])
    assert "Invoice" in document["components"]["schemas"]
    pointed = set(re.findall(r'"#/components/schemas/(\w+)"', answer.text))
    assert pointed <= set(document["components"]["schemas"])
    assert "#/$defs/" not in answer.text
