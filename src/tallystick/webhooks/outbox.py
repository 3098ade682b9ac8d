"""Tells an event: the row and its deliveries stand in the transaction that makes it true."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tallystick.db.pool import Tx, all_rows
from tallystick.db.sqlfile import beside
from tallystick.jobs.queue import defer
from tallystick.lib import json
from tallystick.lib.ids import new_id
from tallystick.webhooks.catalogue import EVENT_TYPES, covered

_SQL = beside(__file__, "outbox.sql")

DELIVER = "webhooks.deliver"


async def emit(
    tx: Tx,
    *,
    client_id: str,
    company_id: str | None,
    company_tags: Mapping[str, str],
    event_type: str,
    payload: Mapping[str, Any],
    now: datetime,
) -> str:
    """Store an event and one delivery for each consumer that wants it; returns the event's id.

    `company_tags` decide which consumers with tag filters are told; without a company all are.
    """
    if event_type not in EVENT_TYPES:
        raise ValueError(f"The event {event_type} is not in the catalogue.")
    event_id = new_id()
    envelope = {
        "id": event_id,
        "eventType": event_type,
        "generatedDate": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "payload": payload,
    }
    row = {"id": event_id, "client_id": client_id, "company_id": company_id, "now": now}
    body = json.dumps(envelope).decode()
    await tx.execute(_SQL["add_event"], {**row, "event_type": event_type, "body": body})
    for consumer in await all_rows(tx, _SQL["listening"], {"client_id": client_id}):
        if _wants(consumer["event_types"], event_type) and _routes(
            consumer["company_tags"], company_tags, has_company=company_id is not None
        ):
            await _add_delivery(tx, event_id, str(consumer["id"]), now)
    return event_id


async def _add_delivery(tx: Tx, event_id: str, consumer_id: str, now: datetime) -> None:
    delivery_id = new_id()
    row = {"id": delivery_id, "event_id": event_id, "consumer_id": consumer_id, "now": now}
    await tx.execute(_SQL["add_delivery"], row)
    await defer(tx, DELIVER, delivery_id=delivery_id)


def _wants(patterns: Sequence[str], event_type: str) -> bool:
    return any(event_type in covered(pattern) for pattern in patterns)


def _routes(filters: Sequence[str], tags: Mapping[str, str], *, has_company: bool) -> bool:
    """Any tag of the company matching any filter is enough; names and values count their case."""
    if not filters or not has_company:
        return True
    return bool(set(filters) & {f"{key}:{value}" for key, value in tags.items()})
