"""Requests that come twice: with a key as its owner says, without one as far as can be told.

A caller's library repeats a POST whose answer it did not get, and sends no key by itself. So a
write without a key is known by its client, API key, path and body: where its answer may not have
arrived, a repetition within the hour gets it; where it has arrived, one of the documents that
would hurt gets it for another minute, with a warning. `Tallystick-Duplicate: allow` means two.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout, TooManyRequests
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive

from tallystick.access.idempotency import Earlier, Key, Once, State, claim
from tallystick.db.pool import Tx
from tallystick.errors import BadRequest, Conflict, Unavailable, Unprocessable
from tallystick.http.endpoint import Call, Endpoint
from tallystick.lib import ids, json
from tallystick.lib.log import log
from tallystick.model import canonical_key

KEYED_FOR = timedelta(hours=24)
DOUBTFUL_FOR = timedelta(hours=1)
CERTAIN_FOR = timedelta(seconds=60)
SLOW_S = 4.0
"""After 5 seconds the reference's Python client gives up and sends the request again."""

_SETTLES_IN = timedelta(seconds=1)
_POLL_S = (0.01, 0.02, 0.04, 0.08, 0.16, 0.3)
_PATH_MAX = 500
KEYED_METHODS = frozenset({"POST", "PUT", "PATCH"})
"""Where a key means something; elsewhere it is ignored."""
# What is bad to have twice, so that even a repetition that looks meant is taken for a retry.
_HURT_TWICE = frozenset(
    {
        "bills",
        "invoices",
        "creditNotes",
        "billCreditNotes",
        "payments",
        "billPayments",
        "suppliers",
        "customers",
    }
)
_WARNING = {
    "itemId": "Request",
    "message": (
        "The same request was answered less than a minute ago; this is that answer, and nothing "
        "was written again. Send the header 'Tallystick-Duplicate: allow' to mean a second one."
    ),
    "validatorName": "Duplicate",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as its repetitions are recognised."""

    key: Key
    body_digest: bytes
    keyed: bool
    hurts_twice: bool


@dataclass(frozen=True, slots=True)
class Done:
    """An answer, and what is to be done when it has surely arrived."""

    response: Response
    arrived: Callable[[], Awaitable[None]] | None = None


Render = Callable[[Exception], Response]


async def run(call: Call, endpoint: Endpoint, render: Render) -> Done:
    """The handler's answer, or the one an earlier request got; `render` makes one of an error."""
    key = _key_sent(call, endpoint)
    watched = endpoint.writes and not _means_two(call)
    if key is None and not watched:
        return Done(await endpoint.handler(call))
    content = await call.body(size_bytes_max=endpoint.size_bytes_max)
    asked = _asked(call, key, content)
    once = Once(
        asked.key,
        vault=call.house.vault,
        kept_for=KEYED_FOR if asked.keyed else DOUBTFUL_FOR,
    )
    earlier = await _claimed(call, once, asked)
    if earlier is not None:
        return Done(_replayed(earlier, asked))
    request = Request(call.request.scope, _again(content, call.request.receive))
    return await _first(replace(call, request=request, once=once), endpoint, asked, once, render)


def _key_sent(call: Call, endpoint: Endpoint) -> str | None:
    key = call.request.headers.get("idempotency-key")
    if key is None or endpoint.method not in KEYED_METHODS:
        return None
    known = ids.canonical(key.strip())
    if known is None:
        raise BadRequest("The Idempotency-Key must be a GUID.")
    return known


def _means_two(call: Call) -> bool:
    return call.request.headers.get("tallystick-duplicate", "").strip().lower() == "allow"


def _asked(call: Call, key: str | None, content: bytes) -> Asked:
    body_digest = hashlib.sha256(call.request.scope["query_string"] + b"\0" + content).digest()
    scope = f"{call.request.method} {_short(call.raw_path.lower())}"
    last = call.raw_path.rstrip("/").rpartition("/")[2]
    hurts_twice = canonical_key(last) in _HURT_TWICE
    client_id = call.caller.client_id
    if key is not None:
        return Asked(Key(client_id, scope, key), body_digest, keyed=True, hurts_twice=hurts_twice)
    alone = Key(client_id, f"{scope} {call.caller.key_id}", f"body:{body_digest.hex()}")
    return Asked(alone, body_digest, keyed=False, hurts_twice=hurts_twice)


def _short(path: str) -> str:
    """The path, or its digest where it is too long for an index."""
    return path if len(path) <= _PATH_MAX else hashlib.sha256(path.encode()).hexdigest()


def _again(content: bytes, receive: Receive) -> Receive:
    """The body once more, for a handler that reads it itself."""
    waiting: list[Message] = [{"type": "http.request", "body": content, "more_body": False}]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again


async def _claimed(call: Call, once: Once, asked: Asked) -> Earlier | None:
    """None: the key is ours. Waits a moment for a request without a key that is in flight."""
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    turn = 0
    while True:
        now = call.house.clock.now()
        async with call.house.database.transaction() as tx:
            earlier = await claim(
                tx, once, vault=call.house.vault, body_digest=asked.body_digest, now=now
            )
        if earlier is None:
            return None
        if asked.keyed:
            _must_be_answered(earlier, asked)
            return earlier
        waited_s = loop.time() - began_at
        if earlier.state is State.Open and waited_s >= SLOW_S:
            raise Unavailable("The same request is still being worked on. Ask again.")
        # Answers are marked as arrived right after they were sent: give that a moment.
        fresh = earlier.kept_at is not None and now - earlier.kept_at < _SETTLES_IN
        unsettled = earlier.state is State.Doubtful and fresh
        settling = unsettled and waited_s < _SETTLES_IN.total_seconds()
        if earlier.state is not State.Open and not settling:
            return earlier
        await asyncio.sleep(_POLL_S[min(turn, len(_POLL_S) - 1)])
        turn += 1


def _must_be_answered(earlier: Earlier, asked: Asked) -> None:
    if earlier.body_digest != asked.body_digest:
        raise Unprocessable("The Idempotency-Key was used for another request already.")
    if earlier.state is State.Open:
        raise Conflict("The request with this Idempotency-Key is still being worked on.")


def _replayed(earlier: Earlier, asked: Asked) -> Response:
    body = earlier.body
    if not asked.keyed and earlier.state is State.Answered:
        body = _warned(body)
    response = Response(body, earlier.status or 200, {"Tallystick-Replayed": "true"})
    if body:
        response.headers["Content-Type"] = "application/json"
    return response


def _warned(body: bytes) -> bytes:
    told: dict[str, Any] = json.loads(body)
    validation = told.get("validation") or {}
    warnings = [*(validation.get("warnings") or ()), _WARNING]
    told["validation"] = {"errors": validation.get("errors") or [], "warnings": warnings}
    return json.dumps(told)


async def _first(call: Call, endpoint: Endpoint, asked: Asked, once: Once, render: Render) -> Done:
    began_at = asyncio.get_running_loop().time()
    try:
        response = await endpoint.handler(call)
    except Exception as error:  # noqa: BLE001 - rendered, and logged where nobody foresaw it
        once.kept = False  # its transaction may have been rolled back
        response = render(error)
    except BaseException:
        await _quietly(call, once.release)
        raise
    if not once.kept:
        await _keep_or_release(call, once, asked, response)

    async def arrived() -> None:
        if asked.keyed or asyncio.get_running_loop().time() - began_at > SLOW_S:
            return
        now = call.house.clock.now()
        until = now + CERTAIN_FOR if asked.hurts_twice and _wrote(response) else now
        await _quietly(call, lambda tx: once.arrived(tx, expires_at=until))

    return Done(response, arrived)


def _wrote(response: Response) -> bool:
    """Not where the write was refused at once: once the cause is mended, the same is meant."""
    told = json.loads(bytes(response.body)) if response.body else None
    return not (isinstance(told, dict) and told.get("status") == "Failed")


async def _keep_or_release(call: Call, once: Once, asked: Asked, response: Response) -> None:
    """What a handler did not keep itself. A refusal without a key may be tried again at once."""
    status = response.status_code
    final = (200 <= status < 500 and status != 429) if asked.keyed else 200 <= status < 300
    if status >= 500:
        # Has no effect where the answer stands already: its transaction did after all.
        await _quietly(call, once.release)
        return
    async with call.house.database.transaction() as tx:
        if final:
            await call.keep(tx, response)
        else:
            await once.release(tx)


async def _quietly(call: Call, step: Callable[[Tx], Awaitable[None]]) -> None:
    """A step whose failure leaves things on the safe side: as if the answer had not arrived."""
    try:
        async with call.house.database.transaction() as tx:
            await step(tx)
    except (psycopg.Error, PoolTimeout, TooManyRequests) as error:
        log.warning("idempotency_not_settled", problem=type(error).__name__)
