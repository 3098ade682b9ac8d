"""Reads that were asked for together: when the last of them ends, one event tells of them all."""

from datetime import datetime
from typing import Any

from psycopg.rows import DictRow

from tallystick.companies import companies
from tallystick.db.pool import Tx, all_rows, one
from tallystick.db.sqlfile import beside
from tallystick.lib import moments
from tallystick.sync.states import Status
from tallystick.webhooks import outbox

_SQL = beside(__file__, "dataset.sql")


async def announce_if_over(tx: Tx, *, batch_id: str, public_url: str, now: datetime) -> None:
    """Tell of the batch once, in the transaction that ends its last read."""
    batch = await one(tx, _SQL["hold_batch"], {"id": batch_id})
    if batch is None or batch["announced_at"] is not None:
        return
    reads = await all_rows(tx, _SQL["of_batch"], {"id": batch_id})
    if not reads or any(read["completed_at"] is None for read in reads):
        return
    await tx.execute(_SQL["announce"], {"id": batch_id, "now": now})
    await _tell(tx, batch, reads, "read.completed", public_url=public_url, now=now)
    if batch["initial"] and any(read["status"] == Status.Complete for read in reads):
        await _tell(tx, batch, reads, "read.completed.initial", public_url=public_url, now=now)


async def _tell(
    tx: Tx,
    batch: DictRow,
    reads: list[DictRow],
    event_type: str,
    *,
    public_url: str,
    now: datetime,
) -> None:
    company = await companies.find(tx, str(batch["company_id"]))
    payload = {
        "referenceCompany": companies.reference(company),
        # Whatever these reads changed carries this moment or a later one.
        "modifiedFromDate": moments.text(batch["created_at"]),
        "dataTypes": [_told(read, public_url) for read in reads],
    }
    await outbox.emit(
        tx,
        client_id=company.client_id,
        company_id=company.id,
        company_tags=company.tags,
        event_type=event_type,
        payload=payload,
        now=now,
    )


def _told(read: DictRow, public_url: str) -> dict[str, Any]:
    told: dict[str, Any] = {
        "connectionId": str(read["connection_id"]),
        "dataType": read["data_type"],
        "recordsModified": read["records_changed"] + read["records_deleted"] > 0,
        "status": read["status"],
    }
    issues = _issues(read, public_url)
    return {**told, "issues": issues} if issues else told


def _issues(read: DictRow, public_url: str) -> list[dict[str, Any]]:
    here = f"{public_url}/companies/{read['company_id']}"
    issues = []
    if read["error_message"]:
        logs = f"{here}/data/history/{read['id']}"
        issues.append(_issue(f"error.{read['status']}", read["error_message"], logs))
    if read["issues"]:
        message = f"{read['issues']} oddities were found in what was read."
        logs = f"{here}/sync/{read['id']}/validation"
        issues.append(_issue("warning.validation", message, logs))
    return issues


def _issue(kind: str, message: str, logs: str) -> dict[str, Any]:
    return {"type": kind, "message": message, "links": {"logs": logs}}
