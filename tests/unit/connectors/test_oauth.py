"""Tokens by code and by refresh token: whose fault a refusal is."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from tallystick.connectors.contract import AppCredentials
from tallystick.connectors.oauth import exchange_code, exchange_refresh_token, revoke
from tallystick.errors import NotPermitted, PlatformError, RateLimited, Unauthorized, Unreachable

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
URL = "https://identity.example/token"
APP = AppCredentials("the app", "s:ecret/")


def answering(status: int, body: Any, **headers: str) -> tuple[httpx.AsyncClient, list[Any]]:
    seen: list[Any] = []

    def answer(asked: httpx.Request) -> httpx.Response:
        seen.append((asked.headers["authorization"], parse_qs(asked.content.decode())))
        return httpx.Response(status, json=body, headers=headers)

    return httpx.AsyncClient(transport=httpx.MockTransport(answer)), seen


async def test_a_code_is_exchanged_with_the_apps_own_credentials() -> None:
    body = {"access_token": "a", "refresh_token": "r", "expires_in": 1800}
    http, seen = answering(200, body)
    pair = await exchange_code(
        http, APP, url=URL, code="c&de", redirect_uri="https://us.example/back", now=NOW
    )
    assert (pair.access_token, pair.refresh_token) == ("a", "r")
    assert pair.expires_at == NOW + timedelta(minutes=30)
    basic, form = seen[0]
    assert base64.b64decode(basic.removeprefix("Basic ")) == b"the%20app:s%3Aecret%2F"
    assert form == {
        "grant_type": ["authorization_code"],
        "code": ["c&de"],
        "redirect_uri": ["https://us.example/back"],
    }


async def test_a_server_that_gives_no_new_refresh_token_leaves_the_old_one() -> None:
    http, _ = answering(200, {"access_token": "a", "expires_in": "600"})
    pair = await exchange_refresh_token(http, APP, url=URL, refresh_token="old", now=NOW)
    assert pair.refresh_token == "old"


@pytest.mark.parametrize(
    ("status", "body", "meant"),
    [
        (400, {"error": "invalid_grant"}, Unauthorized),
        # Our own registration is wrong: no customer has to link again for that.
        (400, {"error": "invalid_client"}, NotPermitted),
        (401, {"error": "invalid_client"}, NotPermitted),
        (400, {"error": "unauthorized_client"}, NotPermitted),
        (400, {"error": {"code": 7}}, Unreachable),
        (400, [], Unreachable),
        (500, {}, Unreachable),
        (302, {}, Unreachable),
        (429, {}, RateLimited),
        (200, {"token_type": "Bearer"}, Unreachable),
        (200, [], Unreachable),
    ],
)
async def test_only_a_dead_grant_sends_the_customer_back(
    status: int, body: Any, meant: type[PlatformError]
) -> None:
    http, _ = answering(status, body)
    with pytest.raises(PlatformError) as caught:
        await exchange_refresh_token(http, APP, url=URL, refresh_token="old", now=NOW)
    assert type(caught.value) is meant
    assert "old" not in str(caught.value)


async def test_a_revoked_token_is_named_in_the_form() -> None:
    http, seen = answering(200, {})
    await revoke(http, APP, url=URL, refresh_token="old", now=NOW)
    assert seen[0][1]["token"] == ["old"]


def test_secrets_do_not_show() -> None:
    assert "ecret" not in repr(APP)
