"""How a customer lets us in: Xero's OAuth 2 addresses and scopes, and choosing the organisation."""

import base64
import binascii
import contextlib
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from tallystick.connectors.contract import (
    AppCredentials,
    OAuth,
    Organisation,
    Raw,
    TokenPair,
)
from tallystick.connectors.http import Answer, Call, send
from tallystick.connectors.oauth import exchange_code, exchange_refresh_token, revoke
from tallystick.connectors.xero.client import API_URL, refusal
from tallystick.errors import Missing, Unreachable
from tallystick.lib import json
from tallystick.lib.clock import SystemClock

_LOGIN_URL = "https://login.xero.com"
IDENTITY_URL = "https://identity.xero.com"

# Granular scopes: apps made from 2026-03-02 on get no others, older apps change by September 2027.
SCOPES = (
    "offline_access",
    "openid",
    "profile",
    "email",
    "accounting.invoices",
    "accounting.payments",
    "accounting.contacts",
    "accounting.settings",
    "accounting.attachments",
)

# Choosing and ending are asked for without a moment; it only says until when a limit would last.
_CLOCK = SystemClock()


def _address(app: AppCredentials, host: str, path: str) -> str:
    """Xero spreads its addresses over three hosts; another base address holds them all."""
    return f"{app.base_url.rstrip('/') if app.base_url else host}{path}"


def _authorize_page(app: AppCredentials) -> str:
    return _address(app, _LOGIN_URL, "/identity/connect/authorize")


def _token_url(app: AppCredentials, path: str) -> str:
    # The real host lacks the `/identity` that the login host has.
    prefix = "/identity" if app.base_url else ""
    return _address(app, IDENTITY_URL, f"{prefix}{path}")


def _connections_url(app: AppCredentials) -> str:
    return _address(app, API_URL, "/connections")


def authorize_url(app: AppCredentials, redirect_uri: str, state: str) -> str:
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(app.scopes or SCOPES),
        "state": state,
    }
    return f"{_authorize_page(app)}?{urlencode(query, quote_via=quote)}"


async def exchange(
    http: httpx.AsyncClient, app: AppCredentials, code: str, redirect_uri: str, now: datetime
) -> TokenPair:
    url = _token_url(app, "/connect/token")
    return await exchange_code(http, app, url=url, code=code, redirect_uri=redirect_uri, now=now)


async def renew(
    http: httpx.AsyncClient, app: AppCredentials, refresh_token: str, now: datetime
) -> TokenPair:
    url = _token_url(app, "/connect/token")
    return await exchange_refresh_token(http, app, url=url, refresh_token=refresh_token, now=now)


async def organisations(
    http: httpx.AsyncClient, app: AppCredentials, access_token: str
) -> tuple[Organisation, ...]:
    """All organisations this user ever granted, those of the token's own consent first."""
    granted = _authentication_event(access_token)
    tenants = await _tenants(http, app, access_token)
    tenants.sort(key=lambda tenant: tenant.get("authEventId") != granted)
    return tuple(
        Organisation(
            id=str(tenant["tenantId"]),
            name=str(tenant.get("tenantName") or ""),
            grant_id=str(tenant["id"]),
        )
        for tenant in tenants
        # A user may also have granted a practice, which has no books.
        if tenant.get("tenantType") == "ORGANISATION"
    )


async def disconnect(
    http: httpx.AsyncClient, app: AppCredentials, tokens: TokenPair, grant_id: str
) -> None:
    """End one grant, and the tokens with the last one: they belong to the user, not to a grant."""
    url = f"{_connections_url(app)}/{quote(grant_id, safe='')}"
    # Ended before, perhaps by the customer in Xero, is as good.
    with contextlib.suppress(Missing):
        await _identity(http, "DELETE", url, tokens.access_token)
    if not await _tenants(http, app, tokens.access_token):
        await revoke(
            http,
            app,
            url=_token_url(app, "/connect/revocation"),
            refresh_token=tokens.refresh_token,
            now=_CLOCK.now(),
        )


async def _tenants(
    http: httpx.AsyncClient, app: AppCredentials, access_token: str
) -> list[dict[str, Any]]:
    answer = await _identity(http, "GET", _connections_url(app), access_token)
    tenants = answer.json()
    if not isinstance(tenants, list):
        raise Unreachable("Xero's list of connections is no list.", sent=True)
    return [tenant for tenant in tenants if isinstance(tenant, dict)]


async def _identity(http: httpx.AsyncClient, method: str, url: str, access_token: str) -> Answer:
    headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
    now = _CLOCK.now()
    answer = await send(http, Call(method, url, headers=headers), at=now)
    error = refusal(answer, now=now)
    if error:
        raise error
    return answer


def _authentication_event(access_token: str) -> str | None:
    """The consent a token came from. Not verified: Xero itself gave it to us over TLS."""
    parts = access_token.split(".")
    try:
        claims: Raw = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, binascii.Error, json.MalformedJson):
        return None
    return claims.get("authentication_event_id") if isinstance(claims, dict) else None


XERO_OAUTH = OAuth(
    authorize_url=authorize_url,
    exchange=exchange,
    renew=renew,
    organisations=organisations,
    disconnect=disconnect,
)
