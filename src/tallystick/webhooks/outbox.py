"""Tells an event: the row and its deliveries stand in the transaction that makes it true."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tallystick.db.pool import Tx, all_rows
from tallystick.db.sqlfile import beside
from tallystick.lib import json
from tallystick.lib.ids import new_id
from tallystick.webhooks.catalogue import EVENT_TYPES, covers

_SQL = beside(__file__, "outbox.sql")


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
    wanting = [
        str(consumer["id"])
        for consumer in await all_rows(tx, _SQL["listening"], {"client_id": client_id})
        if any(covers(pattern, event_type) for pattern in consumer["event_types"])
        and _routes(consumer["company_tags"], company_tags, has_company=company_id is not None)
    ]
    if wanting:
        ids = [new_id() for _ in wanting]
        deliveries = {"event_id": event_id, "ids": ids, "consumers": wanting, "now": now}
        await tx.execute(_SQL["add_deliveries"], deliveries)
    return event_id


def _routes(filters: Sequence[str], tags: Mapping[str, str], *, has_company: bool) -> bool:
    """Any tag of the company matching any filter is enough; names and values count their case."""
    if not filters or not has_company:
        return True
    return bool(set(filters) & {f"{key}:{value}" for key, value in tags.items()})
