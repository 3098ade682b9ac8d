"""Reads of one data type through one connection: asked for, begun, moved on, ended."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from psycopg.rows import DictRow

from tallystick.companies.companies import Company
from tallystick.companies.connections import Connection
from tallystick.connectors.contract import Connector
from tallystick.db.pool import Tx, all_rows, one
from tallystick.db.sqlfile import beside
from tallystick.errors import DatasetInProgress, NotFound
from tallystick.jobs.queue import defer, live
from tallystick.lib.ids import is_uuid, new_id
from tallystick.sync.states import Status

_SQL = beside(__file__, "dataset.sql")

PULL = "sync.pull"


class Overtaken(Exception):
    """Another worker has taken this read over, or it is gone: what was just done is dropped."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One read of one data type."""

    company_id: str
    id: str
    connection_id: str
    data_type: str
    batch_id: str
    status: Status
    status_description: str | None
    error_message: str | None
    full_read: bool
    since: datetime | None
    read_began_at: datetime | None
    organisation_id: str | None
    deletions_accepted: bool
    feed: int
    cursor: str | None
    progress: int
    attempt: int
    tries: int
    records_read: int
    records_changed: int
    records_deleted: int
    resume_at: datetime | None
    requested_at: datetime
    completed_at: datetime | None

    @property
    def place(self) -> dict[str, str]:
        """Where its records are stored."""
        return {
            "company_id": self.company_id,
            "connection_id": self.connection_id,
            "data_type": self.data_type,
        }


_NAMES = tuple(field.name for field in fields(Dataset))
_IDS = ("company_id", "id", "connection_id", "batch_id")


@dataclass(frozen=True, slots=True)
class LastSuccess:
    """The last completed read of a type; `whole_read_at`: when everything was last read.

    `whole_read_since`: the earliest change that was then wanted; None for all there is.
    """

    dataset: Dataset
    whole_read_at: datetime | None
    whole_read_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Issue:
    """Something odd in what was read, and how often."""

    severity: str
    rule_id: str
    item_id: str
    message: str
    validator: str
    count: int = 1


async def queue(
    tx: Tx,
    *,
    company: Company,
    connection: Connection,
    connector: Connector[Any, Any],
    data_types: Sequence[str],
    initial: bool,
    skip_running: bool,
    now: datetime,
    deletions_accepted: bool = False,
) -> list[Dataset]:
    """Ask for reads, in the given order; types the platform lacks are left out.

    Raises:
        DatasetInProgress: one of them runs already, unless those are to be skipped.
    """
    batch = {
        "id": new_id(),
        "company_id": company.id,
        "connection_id": connection.id,
        "initial": initial,
        "now": now,
    }
    await tx.execute(_SQL["open_batch"], batch)
    queued: list[Dataset] = []
    for data_type in data_types:
        if connector.read_of(data_type) is None:
            continue
        row = {
            **batch,
            "id": new_id(),
            "batch_id": batch["id"],
            "data_type": data_type,
            "deletions_accepted": deletions_accepted,
        }
        dataset = await _insert(tx, row)
        if dataset is not None:
            queued.append(dataset)
        elif not skip_running:
            raise await in_progress(
                tx, company_id=company.id, connection_id=connection.id, data_type=data_type
            )
    return queued


async def in_progress(
    tx: Tx, *, company_id: str, connection_id: str, data_type: str
) -> DatasetInProgress:
    """The refusal that names the read that runs already."""
    keys = {"connection_id": connection_id, "data_type": data_type}
    running = await one(tx, _SQL["in_progress"], keys)
    return DatasetInProgress(data_type, company_id, str(running and running["id"]))


async def _insert(tx: Tx, row: dict[str, Any]) -> Dataset | None:
    inserted = await one(tx, _SQL["insert"], row)
    if inserted is None:
        return None
    dataset = of_row(inserted)
    await defer_pull(tx, dataset.id, dataset.connection_id)
    return dataset


async def defer_pull(tx: Tx, dataset_id: str, connection_id: str) -> None:
    """Reads of one connection run one after another."""
    await defer(tx, PULL, lock=f"pull:{connection_id}", dataset_id=dataset_id)


async def hold_company(tx: Tx, *, company_id: str) -> None:
    """Queue up with all who change something of the company; before any other lock."""
    await tx.execute(_SQL["hold_company"], {"company_id": company_id})


async def get(tx: Tx, *, company_id: str, dataset_id: str) -> Dataset:
    """The read.

    Raises:
        NotFound: this company has no such read.
    """
    row = is_uuid(dataset_id) and await one(
        tx, _SQL["get"], {"company_id": company_id, "id": dataset_id}
    )
    if not row:
        raise NotFound(f"No data set was found with ID {dataset_id}")
    return of_row(row)


async def begin(tx: Tx, *, dataset_id: str, now: datetime) -> Dataset | None:
    """The read at the start of a slice; None where there is nothing to do, or not yet."""
    keys = {"id": dataset_id, "now": now}
    row = await one(tx, _SQL["begin"], keys) or await one(tx, _SQL["begin_last_stage"], keys)
    return None if row is None else of_row(row)


async def plan(
    tx: Tx,
    dataset: Dataset,
    *,
    full_read: bool,
    since: datetime | None,
    organisation_id: str | None,
    now: datetime,
) -> Dataset:
    """Decide what is read, before the first request; the read starts at its first page."""
    return await _move(
        tx,
        "plan",
        dataset,
        full_read=full_read,
        since=since,
        organisation_id=organisation_id,
        now=now,
    )


async def advance(
    tx: Tx, dataset: Dataset, *, feed: int, cursor: str | None, progress: int, read: int
) -> Dataset:
    """Remember where to go on after a page that is stored in the same transaction."""
    return await _move(
        tx, "advance", dataset, feed=feed, cursor=cursor, progress=progress, read=read
    )


async def read_through(tx: Tx, dataset: Dataset) -> Dataset:
    """Every page of every feed is stored."""
    return await _move(tx, "read_through", dataset)


async def count(tx: Tx, dataset: Dataset, *, changed: int, deleted: int) -> None:
    values = {"id": dataset.id, "changed": changed, "deleted": deleted}
    await tx.execute(_SQL["count"], values)


async def pause(
    tx: Tx, dataset: Dataset, *, description: str, resume_at: datetime, tries: int
) -> Dataset:
    """Nothing is done before that moment; the status stays as it is."""
    values = {"description": description, "resume_at": resume_at, "tries": tries}
    return await _move(tx, "pause", dataset, **values)


async def complete(tx: Tx, dataset: Dataset, *, now: datetime) -> Dataset:
    return await _move(tx, "complete", dataset, now=now)


async def end(
    tx: Tx, dataset: Dataset, *, status: Status, error_message: str, now: datetime
) -> Dataset:
    """The read ended without success; what earlier reads brought stays."""
    return await _move(tx, "end", dataset, status=status, error_message=error_message, now=now)


async def last_success(tx: Tx, dataset: Dataset) -> LastSuccess | None:
    keys = {
        "company_id": dataset.company_id,
        "connection_id": dataset.connection_id,
        "data_type": dataset.data_type,
    }
    row = await one(tx, _SQL["last_success"], keys)
    if row is None:
        return None
    return LastSuccess(of_row(row), row["whole_read_at"], row["whole_read_since"])


async def defer_due(tx: Tx, *, now: datetime, most: int) -> int:
    """Ask for a job for each read that should be worked on and has none; how many."""
    working = sorted(await live(tx, PULL, "dataset_id"))
    rows = await all_rows(tx, _SQL["due"], {"now": now, "most": most, "working": working})
    for row in rows:
        await defer_pull(tx, str(row["id"]), str(row["connection_id"]))
    return len(rows)


async def latest(tx: Tx, *, company_id: str) -> list[DictRow]:
    """Per data type: data_type, id, status of the last read; good_id, good_at of the last good."""
    return await all_rows(tx, _SQL["latest"], {"company_id": company_id})


async def note(tx: Tx, *, dataset_id: str, issues: Sequence[Issue]) -> None:
    for issue in issues:
        row = {
            "dataset_id": dataset_id,
            "severity": issue.severity,
            "rule_id": issue.rule_id,
            "item_id": issue.item_id,
            "message": issue.message,
            "validator": issue.validator,
            "count": issue.count,
        }
        await tx.execute(_SQL["note_issue"], row)


async def issues_of(tx: Tx, *, dataset_id: str) -> list[Issue]:
    return [Issue(**row) for row in await all_rows(tx, _SQL["issues"], {"dataset_id": dataset_id})]


async def has_gaps(tx: Tx, *, dataset_id: str) -> bool:
    """Whether a record could not be mapped, or was never shown: nobody knows which it was."""
    row = await one(tx, _SQL["has_gaps"], {"dataset_id": dataset_id})
    return row is not None and bool(row["found"])


async def forget_old(tx: Tx, *, before: datetime) -> None:
    await tx.execute(_SQL["forget_old"], {"before": before})
    await tx.execute(_SQL["forget_batches"], {"before": before})


async def _move(tx: Tx, name: str, dataset: Dataset, **values: Any) -> Dataset:
    row = await one(tx, _SQL[name], {"id": dataset.id, "attempt": dataset.attempt, **values})
    if row is None:
        raise Overtaken
    return of_row(row)


def of_row(row: DictRow) -> Dataset:
    """A read of a whole row of its table."""
    values = {name: row[name] for name in _NAMES}
    ids = {name: str(row[name]) for name in _IDS}
    return Dataset(**{**values, **ids, "status": Status(row["status"])})
