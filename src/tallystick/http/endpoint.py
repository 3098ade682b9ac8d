"""What a route is: one row of a table that gives the route, its documentation and its status."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tallystick.access.idempotency import Once
from tallystick.db.pool import Tx
from tallystick.errors import BadRequest, NotFound, TooLarge
from tallystick.http.house import House
from tallystick.lib import json
from tallystick.lib.ids import canonical

BODY_BYTES_MAX = 2 * 1024 * 1024
"""JSON bodies; files have a limit of their own where they come in."""
BODY_WITHIN_S = 120.0
"""How long a body may be on its way: who sends a byte now and then must not stay for ever."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the client, and by which of its keys.

    `company_id` is set where a browser asks with a company's access token: it may see no other.
    """

    client_id: str
    key_id: str
    company_id: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request on its way through a handler."""

    house: House
    request: Request
    caller: Caller
    correlation_id: str
    once: Once | None = None

    @property
    def raw_path(self) -> str:
        """The path as it was sent, still encoded."""
        sent: bytes | None = self.request.scope.get("raw_path")
        return self.request.url.path if sent is None else sent.partition(b"?")[0].decode("latin-1")

    def path(self, name: str) -> str:
        """A piece of the path, decoded."""
        return str(self.request.path_params[name])

    def uuid(self, name: str) -> str:
        """A piece of the path that is an id of ours; what cannot be one is not found."""
        text = self.path(name)
        known = canonical(text)
        if known is None:
            raise NotFound(f"Nothing was found with ID {text[:100]}.")
        return known

    def param(self, name: str) -> str | None:
        """A query parameter by name, whatever its case; the last one where it is repeated."""
        found = [v for k, v in self.request.query_params.multi_items() if k.lower() == name.lower()]
        return found[-1] if found else None

    async def body(
        self, *, size_bytes_max: int = BODY_BYTES_MAX, within_s: float = BODY_WITHIN_S
    ) -> bytes:
        """The raw body, never more than the limit of it in memory, nor for longer."""
        chunks = bytearray()
        try:
            async with asyncio.timeout(within_s):
                async for chunk in self.request.stream():
                    chunks += chunk
                    if len(chunks) > size_bytes_max:
                        raise TooLarge(f"The body is larger than {size_bytes_max} bytes.")
        except TimeoutError as error:
            raise BadRequest(f"The body did not arrive within {within_s:g} s.") from error
        return bytes(chunks)

    async def json(self) -> Any:
        """The body as JSON with exact numbers."""
        return _read(await self.body())

    async def json_object(self, *, optional: bool = False) -> dict[str, Any]:
        """The body as a JSON object; an empty one where nothing was sent and that is allowed."""
        content = await self.body()
        value = {} if optional and not content.strip() else _read(content)
        if not isinstance(value, dict):
            raise BadRequest("The body must be a JSON object.")
        return value

    async def keep(self, tx: Tx, response: Response) -> Response:
        """Keep the answer of a write in the transaction that makes it true, then give it.

        A repetition of the request then gets it, even if this process dies before it is sent.
        """
        if self.once is not None:
            now = self.house.clock.now()
            body = bytes(response.body)
            await self.once.keep(tx, status=response.status_code, body=body, now=now)
        return response


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method on one path.

    `path` uses `{name}`; its literal parts match whatever their case. `body` and `answer` are JSON
    schemas for the documentation; None means there is none. `open` needs no key; `by_token` may
    also be asked by a browser with a company's access token. `writes` makes something that must
    not be made twice: a repeated request without an idempotency key is recognised too.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    status: int = 200
    body: Mapping[str, Any] | None = None
    answer: Mapping[str, Any] | None = None
    query: tuple[str, ...] = ()
    errors: tuple[int, ...] = (401, 404, 429, 503)
    aliases: tuple[str, ...] = field(default=())
    open: bool = False
    by_token: bool = False
    writes: bool = False
    size_bytes_max: int = BODY_BYTES_MAX


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except json.MalformedJson as error:
        raise BadRequest(f"The body is not valid JSON: {error}.") from error


def answer(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer of dictionaries, lists and exact numbers."""
    return Response(json.dumps(value), status, headers, media_type="application/json")


def nothing(status: int = 204) -> Response:
    """An answer without a body."""
    return Response(status_code=status)
