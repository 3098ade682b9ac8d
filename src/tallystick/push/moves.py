"""Every move of a push operation: one statement each, which does nothing where it came too late."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tallystick.connectors.contract import Picture
from tallystick.db.pool import Tx, all_rows, one
from tallystick.db.sqlfile import beside
from tallystick.push import columns
from tallystick.push.operations import Operation, of_row
from tallystick.push.outcomes import Outcome, Refusal

_SQL = beside(__file__, "operation.sql")

ABANDONED = timedelta(seconds=60)
"""After this an operation is looked at, whatever became of the worker that had it."""

# Each gives the operation as it now is, or None where it has moved meanwhile.


async def claim(
    tx: Tx, operation: Operation, *, picture: Picture, now: datetime
) -> Operation | None:
    return await _move(
        tx, "claim", operation, picture=columns.picture_text(picture), **_sending(now)
    )


async def send_again(tx: Tx, operation: Operation, *, now: datetime) -> Operation | None:
    return await _move(tx, "send_again", operation, **_sending(now))


def _sending(now: datetime) -> dict[str, datetime]:
    return {"now": now, "resume_at": now + ABANDONED}


async def still_mine(session: Tx, operation: Operation) -> bool:
    """Whether it is still this attempt that may send; asked where the lock is held."""
    keys = {"key": operation.key, "attempt": operation.attempt}
    return await one(session, _SQL["still_mine"], keys) is not None


async def postpone(
    tx: Tx, operation: Operation, *, until: datetime, in_vain: bool
) -> Operation | None:
    """Not now. `in_vain`: it was tried, and is counted."""
    return await _move(tx, "postpone", operation, resume_at=until, vain=int(in_vain))


async def doubt(
    tx: Tx,
    operation: Operation,
    *,
    until: datetime,
    known: Outcome | None = None,
    refusal: Refusal | None = None,
) -> Operation | None:
    """Look later. `known`: it was written, and only reading back is left."""
    return await _move(
        tx,
        "doubt",
        operation,
        resume_at=until,
        changes=columns.changes_text(known.changes) if known else None,
        record_id=_record_id(operation, known) if known else None,
        attachment_id=known.attachment_id if known else None,
        refusal=columns.refusal_text(refusal) if refusal else None,
    )


async def succeed(
    tx: Tx,
    operation: Operation,
    outcome: Outcome,
    *,
    settlement: Sequence[Mapping[str, Any]] | None,
    now: datetime,
) -> Operation | None:
    return await _move(
        tx,
        "succeed",
        operation,
        changes=columns.changes_text(outcome.changes),
        record_id=_record_id(operation, outcome),
        attachment_id=outcome.attachment_id,
        settlement=columns.text(settlement),
        validation=columns.validation_text((), (*operation.warnings, *outcome.warnings)),
        now=now,
    )


async def fail(
    tx: Tx, operation: Operation, refusal: Refusal, *, now: datetime
) -> Operation | None:
    return await _move(
        tx,
        "fail",
        operation,
        status_code=refusal.status_code,
        error_message=refusal.message,
        validation=columns.validation_text(refusal.problems, operation.warnings),
        now=now,
    )


async def time_out(
    tx: Tx, *, now: datetime, look_at: datetime, message: str, most: int
) -> list[Operation]:
    """Fence everything whose deadline has passed."""
    fenced: list[Operation] = []
    for due in await all_rows(tx, _SQL["overdue"], {"now": now, "most": most}):
        values = {"now": now, "resume_at": look_at, "error_message": message}
        row = await one(tx, _SQL["time_out"], {"key": due["key"], **values})
        if row is not None:
            fenced.append(of_row(row))
    return fenced


async def abandon(tx: Tx, operation: Operation, *, message: str, now: datetime) -> Operation | None:
    """Time one out that nobody can find out more about, whatever its deadline."""
    values = {"now": now, "resume_at": now, "error_message": message}
    return await _move(tx, "time_out", operation, **values)


async def ask_later(tx: Tx, operation: Operation, *, until: datetime) -> Operation | None:
    """What became of a write that timed out is not known yet."""
    return await _move(tx, "ask_later", operation, resume_at=until)


async def resolve(
    tx: Tx,
    operation: Operation,
    resolution: Mapping[str, Any],
    *,
    settlement: Sequence[Mapping[str, Any]] | None,
) -> Operation | None:
    """What became of a write that timed out."""
    return await _move(
        tx,
        "resolve",
        operation,
        resolution=columns.text(resolution),
        settlement=columns.text(settlement),
    )


async def taken(tx: Tx, operation: Operation, record_ids: Sequence[str]) -> set[str]:
    """Which of these records are known to be the work of another operation."""
    keys = {
        "connection_id": operation.connection_id,
        "key": operation.key,
        "record_ids": list(record_ids),
    }
    return {row["record_id"] for row in await all_rows(tx, _SQL["taken"], keys)}


async def _move(tx: Tx, name: str, operation: Operation, **values: Any) -> Operation | None:
    keys = {"key": operation.key, "attempt": operation.attempt}
    row = await one(tx, _SQL[name], {**keys, **values})
    return None if row is None else of_row(row)


def _record_id(operation: Operation, outcome: Outcome) -> str | None:
    return outcome.changes[0].id if outcome.changes else operation.record_id
