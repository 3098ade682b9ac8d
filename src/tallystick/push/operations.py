"""Push operations: what was asked to be written, and the jobs queued for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import DictRow

from tallystick.connectors.contract import Change, Picture
from tallystick.db.pool import Tx, all_rows, one
from tallystick.db.sqlfile import beside
from tallystick.errors import NotFound, Problem
from tallystick.jobs.queue import defer
from tallystick.lib.ids import is_uuid, new_id
from tallystick.lib.secrets import digest
from tallystick.push import columns
from tallystick.push.outcomes import Refusal
from tallystick.push.states import STATUS_CODES, State
from tallystick.push.turns import Waiting

_SQL = beside(__file__, "operation.sql")

PERFORM = "push.perform"
CREATE, UPLOAD = "Create", "UploadAttachment"

TRUSTED = timedelta(seconds=30)
"""How long a queued job is waited for before another is queued; one too many does no harm."""
_WAITING_MAX = 2000


@dataclass(frozen=True, slots=True)
class File:
    """A file on its way to a platform."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """What a caller wants to be written, and by when."""

    company_id: str
    client_id: str
    connection_id: str
    organisation_id: str | None
    data_type: str
    body: str
    kind: str = CREATE
    record_id: str | None = None
    targets: tuple[str, ...] = ()
    timeout_minutes: int | None = None
    sync_after: bool = True
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One write on its way; the columns of its row."""

    key: str
    company_id: str
    connection_id: str
    client_id: str
    organisation_id: str | None
    data_type: str
    kind: str
    state: State
    attempt: int
    looks: int
    in_doubt: bool
    request: str
    targets: tuple[str, ...]
    record_id: str | None
    attachment_id: str | None
    changes: tuple[Change, ...]
    picture: Picture
    settlement: Sequence[Mapping[str, Any]] | None
    resolution: Mapping[str, Any] | None
    refusal: Refusal | None
    error_message: str | None
    warnings: tuple[Problem, ...]
    errors: tuple[Problem, ...]
    status_code: int
    sync_after: bool
    timeout_minutes: int | None
    resume_at: datetime | None
    sent_at: datetime | None
    requested_at: datetime
    completed_at: datetime | None


# --- asking for a write, and looking at it ---


async def accept(tx: Tx, request: Request, *, now: datetime, file: File | None = None) -> Operation:
    """Take a write in, and queue a job for it in the same transaction."""
    operation = await _insert(tx, request, State.Pending, None, now=now)
    if file is not None:
        row = {"name": file.name, "content_type": file.content_type, "content": file.content}
        await tx.execute(_SQL["add_file"], {"key": operation.key, **row})
    await _queue(tx, operation.key, operation.connection_id)
    return operation


async def refuse(tx: Tx, request: Request, refusal: Refusal, *, now: datetime) -> Operation:
    """Keep a write that will not be sent; whoever calls tells the event."""
    return await _insert(tx, request, State.Failed, refusal, now=now)


async def _insert(
    tx: Tx, request: Request, state: State, refusal: Refusal | None, *, now: datetime
) -> Operation:
    minutes, ends = request.timeout_minutes, state is not State.Pending
    row = {
        "company_id": request.company_id,
        "key": new_id(),
        "connection_id": request.connection_id,
        "client_id": request.client_id,
        "organisation_id": request.organisation_id,
        "data_type": request.data_type,
        "kind": request.kind,
        "state": state.value,
        "request": request.body,
        "targets": [*request.targets, _same(request)],
        "record_id": request.record_id,
        "error_message": refusal.message if refusal else None,
        "validation": columns.validation_text(
            refusal.problems if refusal else (), request.warnings
        ),
        "status_code": refusal.status_code if refusal else STATUS_CODES["Pending"],
        "sync_after": request.sync_after,
        "timeout_minutes": minutes,
        "deadline_at": None if minutes is None else now + timedelta(minutes=minutes),
        "resume_at": None if ends else now,
        "queued_until": None if ends else now + TRUSTED,
        "requested_at": now,
        "completed_at": now if ends else None,
    }
    return _made(await one(tx, _SQL["accept"], row))


def _same(request: Request) -> str:
    """What two equal requests have in common.

    While one is looked for, an equal one must not be sent: its record would be taken for the
    other's.
    """
    text = "\n".join((request.kind, request.data_type, request.record_id or "", request.body))
    return f"same/{digest(text).hex()}"


async def get(tx: Tx, *, company_id: str, key: str) -> Operation:
    """One write of a company.

    Raises:
        NotFound: unknown here.
    """
    keys = {"company_id": company_id, "key": key}
    row = await one(tx, _SQL["get"], keys) if is_uuid(key) else None
    if row is None:
        raise NotFound(f"No push operation was found with key {key[:100]}")
    return _made(row)


async def connection_of(tx: Tx, key: str) -> str | None:
    row = await one(tx, _SQL["connection_of"], {"key": key})
    return None if row is None else str(row["connection_id"])


async def lock(session: Tx, connection_id: str) -> bool:
    """Become the only one who writes through a connection, until the session ends."""
    row = await one(session, _SQL["lock"], {"connection_id": connection_id})
    return row is not None and bool(row["held"])


async def unlock(session: Tx, connection_id: str) -> None:
    await session.execute(_SQL["unlock"], {"connection_id": connection_id})


async def is_there(tx: Tx, connection_id: str) -> bool:
    """Whether the connection was not deleted meanwhile."""
    return await one(tx, _SQL["is_there"], {"connection_id": connection_id}) is not None


async def waiting(tx: Tx, connection_id: str) -> list[Waiting]:
    """What a connection has to do or to find out, in the order of requests."""
    keys = {"connection_id": connection_id, "most": _WAITING_MAX}
    return [
        Waiting(
            key=str(row["key"]),
            state=State(row["state"]),
            targets=frozenset(row["targets"]),
            resume_at=row["resume_at"],
            attempt=row["attempt"],
            looks=row["looks"],
        )
        for row in await all_rows(tx, _SQL["waiting"], keys)
    ]


async def whole(tx: Tx, key: str) -> Operation | None:
    """One that waits; None where it has ended meanwhile."""
    row = await one(tx, _SQL["whole"], {"key": key})
    return None if row is None else of_row(row)


async def hold_books(tx: Tx, operation: Operation) -> bool:
    """Whether the operation's connection still leads to the books it was meant for.

    It does so until this transaction ends.
    """
    if await one(tx, _SQL["hold_company"], {"company_id": operation.company_id}) is None:
        return False
    keys = {
        "connection_id": operation.connection_id,
        "organisation_id": operation.organisation_id,
    }
    return await one(tx, _SQL["hold_books"], keys) is not None


async def file(tx: Tx, key: str) -> File | None:
    row = await one(tx, _SQL["file"], {"key": key})
    return None if row is None else File(row["name"], row["content_type"], bytes(row["content"]))


async def drop_file(tx: Tx, key: str) -> None:
    await tx.execute(_SQL["drop_file"], {"key": key})


# --- queueing ---


async def _queue(tx: Tx, key: str, connection_id: str) -> None:
    await defer(tx, PERFORM, lock=f"push:{connection_id}", key=key)


async def queue_due(tx: Tx, *, now: datetime, most: int) -> int:
    """Queue a job for each connection where something is due and no job is expected."""
    rows = await all_rows(
        tx, _SQL["due"], {"now": now, "most": most, "trusted_until": now + TRUSTED}
    )
    for row in rows:
        key = str(row["key"])
        await trust_until(tx, key, until=now + TRUSTED)
        await _queue(tx, key, str(row["connection_id"]))
    return len(rows)


async def queue_again(tx: Tx, key: str, connection_id: str) -> None:
    """Another job for a connection that has more to do than one job should."""
    await _queue(tx, key, connection_id)


async def trust_until(tx: Tx, key: str, *, until: datetime) -> None:
    """Until then a job for this operation is expected to come."""
    await tx.execute(_SQL["trust_until"], {"key": key, "queued_until": until})


async def wait_behind(tx: Tx, connection_id: str, *, until: datetime, now: datetime) -> None:
    """What waits for others is not due before they are."""
    moments = {"resume_at": until, "now": now}
    await tx.execute(_SQL["wait_behind"], {"connection_id": connection_id, **moments})


# --- rows ---


def of_row(row: DictRow) -> Operation:
    """An operation of a whole row of its table."""
    validation = columns.value(row["validation"]) or {}
    ids: dict[str, Any] = {name: str(row[name]) for name in _IDS}
    return Operation(
        **{name: row[name] for name in _PLAIN},
        **ids,
        state=State(row["state"]),
        targets=tuple(row["targets"]),
        changes=columns.changes(row["changes"]),
        picture=columns.picture(row["picture"]),
        settlement=columns.value(row["settlement"]),
        resolution=columns.value(row["resolution"]),
        refusal=columns.refusal(row["refusal"]),
        errors=columns.problems(validation.get("errors")),
        warnings=columns.problems(validation.get("warnings")),
    )


_IDS = ("key", "company_id", "connection_id", "client_id")
_PLAIN = (
    "organisation_id", "data_type", "kind", "attempt", "looks", "in_doubt", "request", "record_id",
    "attachment_id", "error_message", "status_code", "sync_after", "timeout_minutes", "resume_at",
    "sent_at", "requested_at", "completed_at",
)  # fmt: skip


def _made(row: DictRow | None) -> Operation:
    if row is None:
        raise LookupError("The statement gave no row.")
    return of_row(row)
