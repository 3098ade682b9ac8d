"""An httpx transport that lets nothing pass to or from Xero that its OpenAPI files do not allow."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

import httpx
from tests.oracles.openapi_paths import SpecViolation
from tests.oracles.xero_openapi import (
    validate_identity_request,
    validate_identity_response,
    validate_request,
    validate_response,
)
from tests.oracles.xero_tokens import validate_token_request, validate_token_response
from tests.oracles.yaml_files import Raw

_ACCOUNTING: Final = re.compile(r"^.*?/api\.xro/2\.0(?P<path>/.*)$")
_CONNECTIONS: Final = re.compile(r"^.*?(?P<path>/[Cc]onnections(/[^/]+)?)$")
_TOKEN: Final = re.compile(r"^.*(?P<path>/connect/token)$")


@dataclass(frozen=True, slots=True)
class Seen:
    """One exchange. No status: the answer was lost, or the request refused here."""

    api: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    idempotency_key: str | None
    template: str | None = None
    status: int | None = None
    violation: str | None = None


@dataclass(slots=True)
class Checked(httpx.AsyncBaseTransport):
    """Passes requests on to `inner`, each one and its answer judged and kept in `seen`.

    A caller may swallow the AssertionError; `violations` still tells.
    """

    inner: httpx.AsyncBaseTransport
    open_mode: bool = False
    seen: list[Seen] = field(default_factory=list)

    @property
    def violations(self) -> list[str]:
        return [one.violation for one in self.seen if one.violation is not None]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        at = _target(request)
        if at is None:
            return await self.inner.handle_async_request(request)
        place = len(self.seen)
        self.seen.append(at)
        try:
            template = _check_request(at, request, await request.aread())
            self.seen[place] = replace(at, template=template)
            answer = await _whole(await self.inner.handle_async_request(request))
            self.seen[place] = replace(self.seen[place], status=answer.status_code)
            _check_response(at, answer, open_mode=self.open_mode)
        except SpecViolation as violation:
            self.seen[place] = replace(self.seen[place], violation=str(violation))
            raise
        return httpx.Response(
            answer.status_code,
            headers=answer.headers.raw,
            stream=httpx.ByteStream(answer.extensions["received"]),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        await self.inner.aclose()


def _target(request: httpx.Request) -> Seen | None:
    path = request.url.raw_path.decode("ascii").partition("?")[0]
    for api, pattern in (
        ("accounting", _ACCOUNTING),
        ("identity", _CONNECTIONS),
        ("token", _TOKEN),
    ):
        found = pattern.match(path)
        if found:
            return Seen(
                api=api,
                method=request.method,
                path=found["path"],
                query=tuple(request.url.params.multi_items()),
                idempotency_key=request.headers.get("idempotency-key"),
            )
    return None


async def _whole(answer: httpx.Response) -> httpx.Response:
    """The answer with its body read, the bytes as received kept beside the decoded ones."""
    if not isinstance(answer.stream, httpx.AsyncByteStream):
        raise TypeError("the inner transport answered without an asynchronous stream")
    received = b"".join([chunk async for chunk in answer.stream])
    await answer.aclose()
    return httpx.Response(
        answer.status_code,
        headers=answer.headers.raw,
        content=received,
        extensions={**answer.extensions, "received": received},
    )


def _check_request(at: Seen, request: httpx.Request, body: bytes) -> str:
    if at.api == "token":
        validate_token_request(request.headers, body)
        return at.path
    judge = validate_request if at.api == "accounting" else validate_identity_request
    sent = _parsed(request.headers, body) if body else None
    return judge(at.method, at.path, at.query, request.headers, sent).template


def _check_response(at: Seen, answer: httpx.Response, *, open_mode: bool) -> None:
    body = _parsed(answer.headers, answer.content)
    if at.api == "token":
        validate_token_response(answer.status_code, body)
    elif at.api == "identity":
        validate_identity_response(at.method, at.path, answer.status_code, body)
    else:
        validate_response(at.method, at.path, answer.status_code, body, open_mode=open_mode)


def _parsed(headers: httpx.Headers, body: bytes) -> Raw:
    """JSON as such, everything else as the bytes it is."""
    if "json" not in headers.get("content-type", "") or not body:
        return body
    try:
        return json.loads(body, parse_float=Decimal, parse_constant=_no_number)
    except ValueError as error:
        raise SpecViolation(f"not JSON: {error}") from error


def _no_number(word: str) -> Raw:
    raise SpecViolation(f"{word} is not JSON")
