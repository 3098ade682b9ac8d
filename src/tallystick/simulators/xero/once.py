"""Idempotency-Key: the same key gives the same answer, and the work is done once."""

import hashlib
from datetime import timedelta

from tallystick.simulators.xero.api.routes import handle
from tallystick.simulators.xero.call import Answer, Call
from tallystick.simulators.xero.errors import bad_body
from tallystick.simulators.xero.wire import ms

_KEY_LENGTH_MAX = 128
# How long Xero remembers a key is not published; six hours are our choice.
_REMEMBERS = timedelta(hours=6)


def once(call: Call, *, query: str) -> Answer:
    """Handle the call, or answer from memory; the memory commits with what was written.

    Refusals are not remembered: nothing was written, so asking again can do no harm.
    """
    # The header is declared on PUT and POST only (Xero OpenAPI, parameter Idempotency-Key).
    key = call.headers.get("idempotency-key") if call.method in ("PUT", "POST") else None
    if not key:
        return handle(call)
    if len(key) > _KEY_LENGTH_MAX:
        raise bad_body("Idempotency-Key is longer than 128 characters")
    digest = _digest(call, query)
    known = _remembered(call, key, digest)
    if known is not None:
        return known
    answer = handle(call)
    call.books.tx.run(
        "keep_answer",
        organisation=call.books.organisation_id,
        key=key,
        digest=digest,
        at_ms=ms(call.now),
        status=answer.status,
        body=answer.body,
    )
    return answer


def _remembered(call: Call, key: str, digest: str) -> Answer | None:
    row = call.books.tx.one(
        "answer",
        organisation=call.books.organisation_id,
        key=key,
        since_ms=ms(call.now - _REMEMBERS),
    )
    if row is None:
        return None
    if row["digest"] != digest:
        raise bad_body("Idempotency-Key was already used with another request")
    return Answer(status=row["status"], body=bytes(row["body"]))


def _digest(call: Call, query: str) -> str:
    words = f"{call.method} {call.path}?{query}\n".encode()
    return hashlib.sha256(words + call.body).hexdigest()
