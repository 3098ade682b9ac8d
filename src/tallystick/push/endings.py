"""How a write ends: the operation, what it wrote, its event, all in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from tallystick.companies import companies
from tallystick.db.pool import Tx
from tallystick.errors import NotFound
from tallystick.lib import moments
from tallystick.model import Record
from tallystick.push import moves, operations, wire
from tallystick.push.operations import Operation
from tallystick.push.outcomes import Outcome, Refusal
from tallystick.push.proof import Settlement
from tallystick.push.states import State
from tallystick.records import store
from tallystick.records.rows import Incoming
from tallystick.webhooks import outbox

_GONE = 401
_UNSENT = "The connection was deleted before the write was sent. Nothing was sent."
_UNHEARD = "The connection was deleted before it was known whether the write had arrived."

_WORDS: Mapping[State, str] = {
    State.Success: "successful",
    State.Failed: "unsuccessful",
    State.TimedOut: "unsuccessful",
}


@dataclass(frozen=True, slots=True)
class ReadBack:
    """What was read again after a write, and when it was asked for."""

    records: Sequence[Record]
    read_at: datetime
    settlements: Sequence[Settlement]


async def succeed(
    tx: Tx, operation: Operation, outcome: Outcome, seen: ReadBack, *, now: datetime
) -> None:
    """It is written. What timed out meanwhile stays timed out and is resolved instead."""
    settlement = [one.wire() for one in seen.settlements] or None
    ended = await moves.succeed(tx, operation, outcome, settlement=settlement, now=now)
    if ended is None:
        first = outcome.changes[0]
        written = _resolution("Written", now, {"id": first.id, "dataType": first.data_type})
        ended = await moves.resolve(tx, operation, written, settlement=settlement)
    if ended is not None:
        await _store(tx, ended, seen, now=now)
        await _close(tx, ended, now=now)


async def fail(tx: Tx, operation: Operation, refusal: Refusal, *, now: datetime) -> None:
    """It was not written and will not be."""
    ended = await moves.fail(tx, operation, refusal, now=now)
    if ended is None:
        unwritten = _resolution("NotWritten", now)
        ended = await moves.resolve(tx, operation, unwritten, settlement=None)
    if ended is not None:
        await _close(tx, ended, now=now)


async def give_up(tx: Tx, operation: Operation, *, now: datetime) -> None:
    """A write that timed out, of which nobody can find out more."""
    ended = await moves.resolve(tx, operation, _resolution("Unknown", now), settlement=None)
    if ended is not None:
        await _close(tx, ended, now=now)


async def tell(tx: Tx, operation: Operation, *, now: datetime) -> None:
    """The event of what has just become true of an operation."""
    word = _WORDS[operation.state] if operation.resolution is None else "resolved"
    try:
        company = await companies.find(tx, operation.company_id)
    except NotFound:
        # It was deleted while the write was open: there is nobody left to tell.
        return
    await outbox.emit(
        tx,
        client_id=company.client_id,
        company_id=company.id,
        company_tags=company.tags,
        event_type=f"{operation.data_type}.write.{word}",
        payload=wire.event(operation, company),
        now=now,
    )


async def orphan(tx: Tx, operation: Operation, *, now: datetime) -> None:
    """Its connection was deleted: what was not sent never is, of the rest nobody can say more."""
    if operation.changes:
        known = Outcome(operation.changes, operation.attachment_id)
        await succeed(tx, operation, known, ReadBack((), now, ()), now=now)
    elif operation.sent_at is None:
        await fail(tx, operation, Refusal(_UNSENT, status_code=_GONE), now=now)
    else:
        ended = await moves.abandon(tx, operation, message=_UNHEARD, now=now)
        if ended is not None:
            await tell(tx, ended, now=now)
        await give_up(tx, ended or operation, now=now)


async def _close(tx: Tx, ended: Operation, *, now: datetime) -> None:
    await operations.drop_file(tx, ended.key)
    await tell(tx, ended, now=now)


async def _store(tx: Tx, ended: Operation, seen: ReadBack, *, now: datetime) -> None:
    """What was written, and what it touched, can be read before the event tells of it.

    Not through a connection that has gone, or that by now belongs to other books.
    """
    if not seen.records or not await operations.hold_books(tx, ended):
        return
    for data_type, records in groupby(
        sorted(seen.records, key=lambda one: (one.key, one.id)), key=lambda one: one.key
    ):
        await store.put_page(
            tx,
            company_id=ended.company_id,
            connection_id=ended.connection_id,
            data_type=data_type,
            incoming=[Incoming(record) for record in records],
            read_at=seen.read_at,
            now=now,
        )


def _resolution(
    word: str, now: datetime, record_ref: Mapping[str, str] | None = None
) -> dict[str, Any]:
    found = {} if record_ref is None else {"recordRef": record_ref}
    return {"outcome": word, **found, "resolvedOnUtc": moments.text(now)}
