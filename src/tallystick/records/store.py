"""The store of records: pages are put by hash; how they are read lies in `pages`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tallystick.db.pool import Tx, all_rows, one
from tallystick.db.sqlfile import beside
from tallystick.model import BY_KEY
from tallystick.model.base import Record
from tallystick.records.pages import Listed, get, page
from tallystick.records.rows import Incoming, Row, body, lead, row

_SQL = beside(__file__, "record.sql")

_CLOCKS_DIFFER_MAX = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Stored:
    """What came of a page. `deleted` are those that vanished from inside their parent."""

    read: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    deleted: int = 0


async def put_page(
    tx: Tx,
    *,
    company_id: str,
    connection_id: str,
    data_type: str,
    incoming: Sequence[Incoming],
    read_at: datetime,
    now: datetime,
    parents: Sequence[str] = (),
) -> Stored:
    """Store what is new or other than we hold it, unless what we hold was read later.

    `read_at` is when the request that brought it was sent. Records of `parents` that are not among
    the incoming ones are marked as deleted. Locks the company's row; lock it before any other row
    that a second job might lock in the other order.
    """
    return await put_rows(
        tx,
        company_id=company_id,
        connection_id=connection_id,
        data_type=data_type,
        rows=[row(each) for each in incoming],
        read_at=read_at,
        now=now,
        parents=parents,
    )


async def put_rows(
    tx: Tx,
    *,
    company_id: str,
    connection_id: str,
    data_type: str,
    rows: Sequence[Row],
    read_at: datetime,
    now: datetime,
    parents: Sequence[str] = (),
) -> Stored:
    """As `put_page`, for rows that were made before."""
    # A page may hold a record twice; the later one is the newer one.
    unique = list({each.id: each for each in rows}.values())
    put = _Put(tx, BY_KEY[data_type], _place(company_id, connection_id, data_type), read_at, now)
    other = await put.compare(unique)
    created, changed = await put.write(other)
    written = {each.id for each in other}
    await put.note_seen([each.id for each in unique if each.id not in written])
    return Stored(
        read=len(rows),
        created=created,
        changed=changed,
        unchanged=len(rows) - created - changed,
        deleted=await put.delete_vanished(parents, [each.id for each in unique]),
    )


@dataclass(frozen=True, slots=True)
class _Put:
    """One page on its way into the table: where it goes, and when it was read."""

    tx: Tx
    record_type: type[Record]
    place: Mapping[str, str]
    read_at: datetime
    now: datetime

    async def compare(self, rows: Sequence[Row]) -> list[Row]:
        """Those that are new, or whose content or raw record is another."""
        if not rows:
            return []
        # Planned each time: a plan kept from when the table was small would read all of it.
        found = await self.tx.execute(_SQL["compare"], {**self.place, **_keys(rows)}, prepare=False)
        return [
            rows[place - 1] for place in sorted(each["place"] for each in await found.fetchall())
        ]

    async def write(self, rows: Sequence[Row]) -> tuple[int, int]:
        """How many were created, and how many changed."""
        if not rows:
            return 0, 0
        moment = _in_ms(self.now)
        leads = [
            lead(self.record_type, is_deleted=is_deleted, modified_at=moment)
            for is_deleted in (False, True)
        ]
        parameters = {
            **self.place,
            **_keys(rows),
            "bodies": [body(each.content, leads[each.is_deleted]) for each in rows],
            "fields": [each.fields for each in rows],
            "are_deleted": [each.is_deleted for each in rows],
            "modified_at": moment,
            "read_at": self.read_at,
            "clock_went_back": self.now + _CLOCKS_DIFFER_MAX,
            "count": len(rows),
            "last_change": await _lock_company(self.tx, self.place, len(rows)),
        }
        stored = await all_rows(self.tx, _SQL["upsert"], parameters)
        created = sum(each["created"] for each in stored)
        return created, sum(each["changed"] for each in stored) - created

    async def note_seen(self, ids: list[str]) -> None:
        if ids:
            parameters = {**self.place, "read_at": self.read_at, "ids": ids}
            await self.tx.execute(_SQL["seen"], parameters)

    async def delete_vanished(self, parents: Sequence[str], ids: list[str]) -> int:
        if not parents:
            return 0
        await _lock_company(self.tx, self.place, 0)
        parameters = {
            **self.place,
            **_mark(self.record_type, self.now),
            "parents": list(parents),
            "ids": ids,
            "read_at": self.read_at,
        }
        found = await one(self.tx, _SQL["delete_vanished"], parameters)
        return 0 if found is None else int(found["deleted"])


async def known_raws(
    tx: Tx,
    *,
    company_id: str,
    connection_id: str,
    data_type: str,
    raw_hashes: Sequence[bytes],
) -> set[bytes]:
    """Those of the raw records whose records we hold just as they would be mapped again."""
    place = _place(company_id, connection_id, data_type)
    found = await all_rows(tx, _SQL["known_raws"], {**place, "raw_hashes": list(raw_hashes)})
    return {each["raw_hash"] for each in found}


async def touch(
    tx: Tx,
    *,
    company_id: str,
    connection_id: str,
    data_type: str,
    raw_hashes: Sequence[bytes],
    read_at: datetime,
) -> None:
    """Note that the records of known raw records were seen again."""
    if raw_hashes:
        place = _place(company_id, connection_id, data_type)
        parameters = {**place, "raw_hashes": list(raw_hashes), "read_at": read_at}
        await tx.execute(_SQL["seen_raws"], parameters)


async def count_missing(
    tx: Tx, *, company_id: str, connection_id: str, data_type: str, before: datetime
) -> tuple[int, int]:
    """How many records `mark_missing` would delete, and out of how many."""
    place = _place(company_id, connection_id, data_type)
    found = await one(tx, _SQL["count_missing"], {**place, "before": before})
    return (0, 0) if found is None else (int(found["missing"]), int(found["held"]))


async def mark_missing(
    tx: Tx,
    *,
    company_id: str,
    connection_id: str,
    data_type: str,
    before: datetime,
    now: datetime,
) -> int:
    """Mark as deleted what a whole read that began at `before` did not bring; how many."""
    place = _place(company_id, connection_id, data_type)
    await _lock_company(tx, place, 0)
    parameters = {**place, **_mark(BY_KEY[data_type], now), "before": before}
    found = await one(tx, _SQL["delete_missing"], parameters)
    return 0 if found is None else int(found["deleted"])


async def forget_seen(
    tx: Tx, *, company_id: str, connection_id: str, data_type: str, before: datetime
) -> None:
    """Let go of what was noted about reads that began, and ended, before that moment."""
    place = _place(company_id, connection_id, data_type)
    await tx.execute(_SQL["forget_seen"], {**place, "before": before})


def _place(company_id: str, connection_id: str, data_type: str) -> dict[str, str]:
    return {"company_id": company_id, "connection_id": connection_id, "data_type": data_type}


def _keys(rows: Sequence[Row]) -> dict[str, list[Any]]:
    return {
        "ids": [each.id for each in rows],
        "hashes": [each.hash for each in rows],
        "raw_hashes": [each.raw_hash for each in rows],
        "parents": [each.parent for each in rows],
    }


def _mark(record_type: type[Record], now: datetime) -> dict[str, Any]:
    """What turns the body of a live record into that of a deleted one."""
    moment = _in_ms(now)
    alive = lead(record_type, is_deleted=False, modified_at=moment)
    return {
        "lead": lead(record_type, is_deleted=True, modified_at=moment),
        "lead_length": len(alive),
        "modified_at": moment,
    }


async def _lock_company(tx: Tx, place: Mapping[str, str], count: int) -> int:
    found = await one(tx, _SQL["lock_company"], {**place, "count": count})
    return 0 if found is None else int(found["changes"])


def _in_ms(moment: datetime) -> datetime:
    """The moment as the wire shows it: what is asked for must be what was seen."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


__all__ = [
    "Listed",
    "Stored",
    "count_missing",
    "forget_seen",
    "get",
    "known_raws",
    "mark_missing",
    "page",
    "put_page",
    "put_rows",
    "touch",
]
