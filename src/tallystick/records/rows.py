"""A record as it is stored: its finished text, what queries look at, and its hash."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from tallystick.lib import json
from tallystick.model.base import Record
from tallystick.query.comparison import folded, sortable
from tallystick.query.fields import Kind, Stored, of

_HASH_BYTES = 16

_UNDATED = ("id", "metadata", "sourceModifiedDate")
"""What the wire does not show of a type that is served as an object of its own."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A record to store.

    `raw_hash` tells the raw record it was mapped from, `parent` names that raw record where it
    holds several of ours.
    """

    record: Record
    raw_hash: bytes | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A record on its way into the table. `content` is its JSON without what the store adds."""

    id: str
    content: str
    fields: str
    hash: bytes
    raw_hash: bytes | None
    parent: str | None
    is_deleted: bool


def row(incoming: Incoming) -> Row:
    """The row of a record; the same record always gives the same hash."""
    record = incoming.record
    wire = record.wire()
    is_deleted = record.metadata is not None and bool(record.metadata.is_deleted)
    fields = json.dumps(_filterable(type(record), wire))
    for name in ("metadata",) if record.dated else _UNDATED:
        wire.pop(name, None)
    content = json.canonical(wire)
    digest = hashlib.blake2b(content, digest_size=_HASH_BYTES, person=b"deleted" * is_deleted)
    return Row(
        id=record.id.replace("\0", ""),
        content=content.decode(),
        fields=fields.decode(),
        hash=digest.digest(),
        raw_hash=incoming.raw_hash,
        parent=incoming.parent,
        is_deleted=is_deleted,
    )


def lead(record_type: type[Record], *, is_deleted: bool, modified_at: datetime) -> str:
    """How a body starts: what changes while the record's content stays the same.

    It stands first and is always of one length for live records, so that SQL can replace it.
    """
    if not record_type.dated:
        return "{"
    at = modified_at.isoformat(timespec="milliseconds").removesuffix("+00:00")
    truth = "true" if is_deleted else "false"
    return f'{{"metadata":{{"isDeleted":{truth}}},"modifiedDate":"{at}Z",'


def body(content: str, lead_text: str) -> str:
    """The finished text of the wire."""
    return lead_text + content[1:]


def _filterable(record_type: type[Record], wire: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, first, rest, stored in _takers(record_type):
        value = wire.get(first)
        for key in rest:
            if value is None:
                break
            value = value.get(key)
        if value is not None:
            found[path] = value if stored is None else stored(value)
    return found


Taker = tuple[str, str, tuple[str, ...], Callable[[str], str] | None]
"""A path, its first name and the others, and what is done to the value before it is stored."""


@cache
def _takers(record_type: type[Record]) -> tuple[Taker, ...]:
    return tuple(
        (field.path, *_split(field.path), _KEPT[field.kind])
        for field in of(record_type).values()
        if isinstance(field.place, Stored)
    )


def _split(path: str) -> tuple[str, tuple[str, ...]]:
    first, *rest = path.split(".")
    return first, tuple(rest)


def _text(value: str) -> str:
    # The database's JSON cannot hold the character NUL, which some platforms let in.
    return folded(value.replace("\0", ""))


_KEPT: Mapping[Kind, Callable[[str], str] | None] = {
    Kind.NUMBER: None,
    Kind.TRUTH: None,
    Kind.TEXT: _text,
    Kind.WORD: _text,
    Kind.DAY: sortable,
    Kind.MOMENT: sortable,
}
