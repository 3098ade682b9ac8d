"""One HTTP call to a platform: sent within its limits, with a token, bounded in time and size."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from tallystick.connectors.contract import Access
from tallystick.errors import Unauthorized, Unreachable
from tallystick.lib import json
from tallystick.lib.egress import EgressRefused
from tallystick.lib.log import log

TIMEOUT = httpx.Timeout(30.0, connect=10.0, read=60.0)
# A platform that trickles bytes keeps every single timeout above happy; this ends it.
_WHOLE_CALL_S = 180.0
_SIZE_BYTES_MAX = 32 * 1024 * 1024

# Only these say for certain that no byte of the request left us.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

_PAUSE_LEAST = timedelta(seconds=1)
# The longest window any platform counts in; a larger number is a mistake, not a wish.
_PAUSE_MOST = timedelta(days=1)


class AnswerTooLarge(Unreachable):
    """More came than is taken into memory; asking for less at once may help."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request without its token."""

    method: str
    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    size_bytes_max: int = _SIZE_BYTES_MAX
    # What a log line calls it: paths and queries may hold people's names.
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole. `requested_at` is the moment before the request was sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    requested_at: datetime

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            Unreachable: it is no JSON, so nobody knows what was done.
        """
        try:
            return json.loads(self.body)
        except json.MalformedJson as error:
            raise Unreachable("The platform's answer is not JSON.", sent=True) from error


async def send(http: httpx.AsyncClient, call: Call, *, at: datetime) -> Answer:
    """Send once, whatever the answer.

    Raises:
        Unreachable: no whole answer came; `sent` is False only where that is certain.
    """
    try:
        async with asyncio.timeout(_WHOLE_CALL_S):
            return await _exchange(http, call, at)
    except TimeoutError as error:
        raise Unreachable("The platform took too long to answer.", sent=True) from error
    except EgressRefused as error:
        raise Unreachable(str(error), sent=False) from error
    except _NOT_SENT as error:
        raise Unreachable("The platform cannot be reached.", sent=False) from error
    except httpx.HTTPError as error:
        raise Unreachable("The platform's answer was lost.", sent=True) from error


async def _exchange(http: httpx.AsyncClient, call: Call, at: datetime) -> Answer:
    request = http.build_request(
        call.method,
        call.url,
        params=dict(call.params) or None,
        headers=dict(call.headers),
        content=call.content,
        timeout=TIMEOUT,
    )
    response = await http.send(request, stream=True, follow_redirects=False)
    try:
        body = await _bounded(response, call.size_bytes_max)
    finally:
        await response.aclose()
    return Answer(response.status_code, response.headers, body, at)


async def _bounded(response: httpx.Response, size_bytes_max: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > size_bytes_max:
            raise AnswerTooLarge("The platform's answer is larger than can be taken.", sent=True)
    return bytes(body)


async def request(
    access: Access, call: Call, *, platform: str, token_refused: Callable[[Answer], bool]
) -> Answer:
    """Make the call; a token the platform finds stale is renewed and the call made once more.

    Raises:
        Unreachable, RateLimited, Unauthorized
    """
    token = await _token(access, None)
    answer = await _attempt(access, call, token, platform=platform)
    if token_refused(answer):
        token = await _token(access, token)
        answer = await _attempt(access, call, token, platform=platform)
        if token_refused(answer):
            raise Unauthorized("The platform refused a token it had just given.")
    return answer


async def _token(access: Access, stale: str | None) -> str:
    """A token. Whatever happened at the token address, the call itself was not sent."""
    try:
        if stale is None:
            return await access.tokens.current()
        return await access.tokens.renewed(stale)
    except Unreachable as error:
        raise Unreachable(error.message, sent=False) from error


async def _attempt(access: Access, call: Call, token: str, *, platform: str) -> Answer:
    headers = {**call.headers, "Authorization": f"Bearer {token}"}
    with_token = replace(call, headers=headers)
    async with access.permit.slot():
        await access.permit.take()
        return await _logged(access, with_token, platform=platform)


async def _logged(access: Access, call: Call, *, platform: str) -> Answer:
    named = log.bind(platform=platform, method=call.method, endpoint=call.endpoint)
    started = time.monotonic()
    try:
        answer = await send(access.http, call, at=access.clock.now())
    except Unreachable as error:
        named.warning("platform_unreachable", sent=error.sent, duration_s=_since(started))
        raise
    named.info(
        "platform_called",
        status=answer.status,
        size_bytes=len(answer.body),
        duration_s=_since(started),
    )
    return answer


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)


def retry_at(headers: Mapping[str, str], *, now: datetime, default: timedelta) -> datetime:
    """The moment `Retry-After` names (RFC 9110, 10.2.3: seconds or a date)."""
    wanted = _pause(headers.get("retry-after", "").strip(), now)
    return now + min(max(default if wanted is None else wanted, _PAUSE_LEAST), _PAUSE_MOST)


def _pause(text: str, now: datetime) -> timedelta | None:
    if text.isascii() and text.isdigit():
        # Short enough to be a number that timedelta takes.
        return timedelta(seconds=int(text[:9]))
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
