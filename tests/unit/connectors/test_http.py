"""One call to a platform: what is certain about it, whatever happens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tallystick.connectors.contract import Access
from tallystick.connectors.http import Answer, Call, request, retry_at, send
from tallystick.errors import Unauthorized, Unreachable
from tallystick.lib.clock import FixedClock
from tallystick.lib.egress import EgressRefused

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
GET = Call("GET", "https://platform.example/things")


class Tokens:
    def __init__(self, *, renewing_fails: bool = False) -> None:
        self.renewed_of: list[str] = []
        self._renewing_fails = renewing_fails

    async def current(self) -> str:
        return "first"

    async def renewed(self, stale: str) -> str:
        self.renewed_of.append(stale)
        if self._renewing_fails:
            raise Unreachable("The token address is silent.", sent=True)
        return "second"


class Permit:
    def __init__(self) -> None:
        self.taken = 0

    def slot(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def take(self) -> None:
        self.taken += 1

    async def refused(self, *, until: datetime, limit: str) -> None:
        raise AssertionError(f"nobody said that limit {limit} is used up until {until}")


def access(transport: httpx.AsyncBaseTransport, tokens: Tokens, permit: Permit) -> Access:
    return Access(
        http=httpx.AsyncClient(transport=transport),
        tokens=tokens,
        permit=permit,
        clock=FixedClock(NOW),
        organisation_id="org",
    )


def answering(*statuses: int) -> tuple[httpx.MockTransport, list[str]]:
    """Answers with each status in turn; keeps the tokens it was shown."""
    shown: list[str] = []

    def answer(asked: httpx.Request) -> httpx.Response:
        shown.append(asked.headers["authorization"])
        return httpx.Response(statuses[len(shown) - 1], json={})

    return httpx.MockTransport(answer), shown


def is_stale(answer: Answer) -> bool:
    return answer.status == 401


def raising(error: Exception) -> httpx.MockTransport:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    return httpx.MockTransport(answer)


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        (httpx.ConnectError("no route, no name, no handshake"), False),
        (httpx.ConnectTimeout("slow"), False),
        (httpx.PoolTimeout("busy"), False),
        (EgressRefused("It points inside."), False),
        (httpx.ReadTimeout("silent"), True),
        (httpx.WriteTimeout("stuck"), True),
        (httpx.ReadError("cut"), True),
        (httpx.WriteError("cut"), True),
        (httpx.RemoteProtocolError("gone"), True),
        (httpx.ProxyError("in between"), True),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_only_what_never_left_counts_as_not_sent(error: Exception, *, sent: bool) -> None:
    async with httpx.AsyncClient(transport=raising(error)) as http:
        with pytest.raises(Unreachable) as caught:
            await send(http, GET, at=NOW)
    assert caught.value.sent is sent


async def test_a_stale_token_is_renewed_and_the_call_made_once_more() -> None:
    transport, shown = answering(401, 200)
    tokens, permit = Tokens(), Permit()
    answer = await request(
        access(transport, tokens, permit), GET, platform="p", token_refused=is_stale
    )
    assert answer.status == 200
    assert shown == ["Bearer first", "Bearer second"]
    assert tokens.renewed_of == ["first"]
    # Each call counts against the limits.
    assert permit.taken == 2


async def test_a_renewed_token_that_is_refused_too_ends_it() -> None:
    transport, shown = answering(401, 401, 401)
    with pytest.raises(Unauthorized):
        await request(
            access(transport, Tokens(), Permit()), GET, platform="p", token_refused=is_stale
        )
    assert len(shown) == 2


async def test_a_write_whose_token_could_not_be_renewed_was_not_sent() -> None:
    transport, _ = answering(401)
    with pytest.raises(Unreachable) as caught:
        await request(
            access(transport, Tokens(renewing_fails=True), Permit()),
            GET,
            platform="p",
            token_refused=is_stale,
        )
    assert not caught.value.sent


class _Endless(httpx.AsyncByteStream):
    def __init__(self) -> None:
        self.given = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.given += 1
            yield b"x" * 1000


async def test_an_answer_without_end_is_cut_off() -> None:
    stream = _Endless()
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=stream))
    call = Call("GET", "https://platform.example/", size_bytes_max=5000)
    async with httpx.AsyncClient(transport=transport) as http:
        with pytest.raises(Unreachable, match="larger") as caught:
            await send(http, call, at=NOW)
    assert caught.value.sent
    assert stream.given == 6


async def test_a_redirect_is_not_followed() -> None:
    def answer(asked: httpx.Request) -> httpx.Response:
        assert asked.url.host == "platform.example"
        return httpx.Response(302, headers={"location": "https://elsewhere.example/"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        assert (await send(http, GET, at=NOW)).status == 302


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("17", timedelta(seconds=17)),
        ("0", timedelta(seconds=1)),
        ("999999999999999999999", timedelta(days=1)),
        ("Fri, 20 Nov 2026 09:00:30 GMT", timedelta(seconds=30)),
        ("Fri, 20 Nov 2020 09:00:30 GMT", timedelta(seconds=1)),
        ("soon", timedelta(minutes=5)),
        ("", timedelta(minutes=5)),
        ("-3", timedelta(minutes=5)),
        ("٣", timedelta(minutes=5)),
    ],
)
def test_the_wait_asked_for_is_kept_within_reason(said: str, wait: timedelta) -> None:
    until = retry_at({"retry-after": said}, now=NOW, default=timedelta(minutes=5))
    assert until == NOW + wait


async def test_what_is_no_json_says_nothing_about_what_was_done() -> None:
    answer = Answer(200, {}, b"<html>", NOW)
    reading: Callable[[], object] = answer.json
    with pytest.raises(Unreachable) as caught:
        reading()
    assert caught.value.sent
