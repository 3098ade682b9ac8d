"""What platforms share of OAuth 2: a code, or a refresh token, exchanged for tokens."""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

import httpx

from tallystick.connectors.contract import AppCredentials, TokenPair
from tallystick.connectors.http import Answer, Call, retry_at, send
from tallystick.errors import NotPermitted, RateLimited, Unauthorized, Unreachable

_SIZE_BYTES_MAX = 256 * 1024


async def exchange_code(
    http: httpx.AsyncClient,
    app: AppCredentials,
    *,
    url: str,
    code: str,
    redirect_uri: str,
    now: datetime,
) -> TokenPair:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    return _pair(await _post(http, app, url=url, form=form, now=now), kept="", now=now)


async def exchange_refresh_token(
    http: httpx.AsyncClient, app: AppCredentials, *, url: str, refresh_token: str, now: datetime
) -> TokenPair:
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    answer = await _post(http, app, url=url, form=form, now=now)
    # RFC 6749, section 6: a server that gives no new refresh token leaves the old one valid.
    return _pair(answer, kept=refresh_token, now=now)


async def revoke(
    http: httpx.AsyncClient, app: AppCredentials, *, url: str, refresh_token: str, now: datetime
) -> None:
    """End a refresh token (RFC 7009); one that is unknown there already is answered 200."""
    form = {"token": refresh_token, "token_type_hint": "refresh_token"}
    await _post(http, app, url=url, form=form, now=now)


async def _post(
    http: httpx.AsyncClient,
    app: AppCredentials,
    *,
    url: str,
    form: Mapping[str, str],
    now: datetime,
) -> Answer:
    call = Call(
        "POST",
        url,
        headers={
            "Authorization": _basic(app),
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
        },
        content=urlencode(form).encode(),
        size_bytes_max=_SIZE_BYTES_MAX,
    )
    answer = await send(http, call, at=now)
    _raise_refusal(answer, now=now)
    return answer


def _basic(app: AppCredentials) -> str:
    """RFC 6749, section 2.3.1: id and secret are form-encoded before they are joined."""
    pair = f"{quote(app.client_id, safe='')}:{quote(app.client_secret, safe='')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _raise_refusal(answer: Answer, *, now: datetime) -> None:
    if answer.status < 300:
        return
    if answer.status == 429:
        until = retry_at(answer.headers, now=now, default=timedelta(minutes=1))
        raise RateLimited("The token address asks to wait.", until=until, limit="token")
    error = _error_word(answer)
    if error == "invalid_grant":
        raise Unauthorized("The permission has ended; the customer has to link again.")
    # Our own registration is wrong: no customer's connection may suffer for it.
    if error in {"invalid_client", "unauthorized_client", "invalid_scope", "invalid_request"}:
        raise NotPermitted(f"The platform refuses this app's registration ({error}).")
    raise Unreachable(f"The token address answered {answer.status}.", sent=True)


def _error_word(answer: Answer) -> str:
    try:
        body = answer.json()
    except Unreachable:
        return ""
    word = body.get("error") if isinstance(body, dict) else None
    return word if isinstance(word, str) else ""


def _pair(answer: Answer, *, kept: str, now: datetime) -> TokenPair:
    body = answer.json()
    access_token = body.get("access_token") if isinstance(body, dict) else None
    if not isinstance(access_token, str) or not access_token:
        raise Unreachable("The token address answered without a token.", sent=True)
    return TokenPair(
        access_token=access_token,
        refresh_token=str(body.get("refresh_token") or kept),
        expires_at=now + timedelta(seconds=_lifetime_s(body.get("expires_in"))),
    )


def _lifetime_s(expires_in: object) -> int:
    try:
        return max(0, int(str(expires_in)))
    except ValueError:
        # Nothing said: believe it for a short while, a refused token is renewed anyway.
        return 60
