"""Raw records into records fit for storing: what did not change is recognised and not mapped."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import tallystick
from tallystick import connectors, model
from tallystick.connectors.contract import Books, Feed, Page, Raw, Read
from tallystick.connectors.fields import Fields
from tallystick.lib import json
from tallystick.model.base import Record
from tallystick.records.rows import Incoming
from tallystick.sync.datasets import Issue

_ISSUES_A_PAGE_MAX = 100


class MappingFault(Exception):
    """The mapping itself is wrong: no record of the platform should be able to do that."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """What one page became. `unknown` are paths of fields nobody reads or ignores by name."""

    incoming: tuple[Incoming, ...]
    parents: tuple[str, ...]
    issues: tuple[Issue, ...]
    unknown: frozenset[str]


@dataclass(slots=True)
class _Gathered:
    by_id: dict[str, Incoming] = field(default_factory=dict)
    parents: list[str] = field(default_factory=list)
    issues: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    unknown: set[str] = field(default_factory=set)


def raw_hashes(page: Page, feed: Feed[Any, Any], books: Books) -> list[bytes]:
    """For each raw record what its mapping depends on: itself, the mapping and the books."""
    beginning = f"{mapping_version()}\n{feed.name}\n{books.version}".encode()
    return [
        hashlib.blake2b(beginning + b"\n" + json.canonical(raw), digest_size=16).digest()
        for raw in page.raws
    ]


def mapped(
    raws: Sequence[tuple[Raw, bytes]],
    read: Read[Any, Any],
    feed: Feed[Any, Any],
    books: Books,
    *,
    gaps: str = "",
) -> Mapped:
    """The records of raw ones; what is odd in one never stops the others.

    `gaps` is the page's own word that records may be missing.

    Raises:
        MappingFault: the mapping broke in a way no value should cause.
    """
    gathered = _Gathered()
    for raw, raw_hash in raws:
        _gather(gathered, raw, raw_hash, read, feed, books)
    if gaps:
        gathered.issues["error", f"accounting-{read.type.key}-incomplete", "", gaps] += 1
    return Mapped(
        tuple(gathered.by_id.values()),
        tuple(gathered.parents),
        _issues(gathered, f"{read.type.__name__}Validator"),
        frozenset(gathered.unknown),
    )


def _issues(gathered: _Gathered, validator: str) -> tuple[Issue, ...]:
    """Errors first: where there are too many, those that forbid deletions must not be left out."""
    found = gathered.issues.most_common()
    found.sort(key=lambda issue: issue[0][0] != "error")
    return tuple(
        Issue(severity, rule, item.replace("\0", ""), message.replace("\0", ""), validator, count)
        for (severity, rule, item, message), count in found[:_ISSUES_A_PAGE_MAX]
    )


def _gather(
    gathered: _Gathered,
    raw: Raw,
    raw_hash: bytes,
    read: Read[Any, Any],
    feed: Feed[Any, Any],
    books: Books,
) -> None:
    fields = Fields(raw)
    rule = f"accounting-{read.type.key}"
    try:
        records = feed.records(fields, books)
    except ValueError as error:
        # Of a value that no record can hold; nobody knows which record it would have been.
        message = f"A record could not be mapped: {_first_line(error)}"
        gathered.issues["error", f"{rule}-unmappable", _named(raw), message] += 1
        return
    except Exception as error:
        raise MappingFault(
            f"The mapping of {feed.name} failed ({type(error).__name__})."
        ) from error
    parent = feed.parent(raw) if feed.parent is not None else None
    if parent is not None:
        gathered.parents.append(parent)
    for record in records:
        gathered.by_id[record.id] = Incoming(record, raw_hash=raw_hash, parent=parent)
    for odd in fields.odd:
        gathered.issues["warning", f"{rule}-odd", _item(records, raw), odd] += 1
    gathered.unknown |= fields.unread(feed.ignores)


def _item(records: Sequence[Record], raw: Raw) -> str:
    return records[0].id if records else _named(raw)


def _named(raw: Raw) -> str:
    """The best name of a raw record: its first member that ends in ID."""
    if isinstance(raw, dict):
        for key, value in raw.items():
            if key.lower().endswith("id") and isinstance(value, str):
                return value[:100]
    return ""


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


@cache
def mapping_version() -> str:
    """Changes with any line of the connectors, of the model, or with the release.

    A number raised by hand would be forgotten once, and then old records keep an old mapping.
    """
    digest = hashlib.blake2b(tallystick.__version__.encode(), digest_size=16)
    for folder in (connectors, model):
        for file in sorted(Path(folder.__file__ or "").parent.rglob("*.py")):
            digest.update(file.read_bytes())
    return digest.hexdigest()
