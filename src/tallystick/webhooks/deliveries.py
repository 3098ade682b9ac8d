"""Messages on their way: which are due, who may take them, and what came of each attempt."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from psycopg.rows import DictRow

from tallystick.db.pool import Tx, all_rows
from tallystick.db.sqlfile import beside
from tallystick.webhooks.posting import TIMEOUT_S, Message, Outcome

_SQL = beside(__file__, "delivery.sql")

RETRY_DELAYS_S = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600)
"""After the first, second, ... failed attempt; then the message has failed (8 attempts, ~28 h)."""
OFF_AFTER = timedelta(days=5)
GUARD = timedelta(seconds=4 * TIMEOUT_S)
"""How long an attempt is its taker's; one of which nothing was heard by then is due again."""
_FORGOTTEN_AT_ONCE = 2000


async def take(
    tx: Tx, *, under_way: Mapping[str, int], each: int, most: int, now: datetime
) -> list[Message]:
    """Up to `most` due messages, each for one attempt, every consumer's in its turn.

    A consumer has `each` places, one only while nothing gets through to it; `under_way` says how
    many of them are taken.
    """
    row = {
        "consumers": list(under_way),
        "numbers": list(under_way.values()),
        "each": each,
        "most": most,
        "now": now,
        "guard": now + GUARD,
    }
    return [_message(found) for found in await all_rows(tx, _SQL["take"], row)]


async def record(tx: Tx, message: Message, outcome: Outcome, *, now: datetime) -> None:
    """Write down an attempt: done, again later, or given up."""
    row = {
        "id": message.delivery_id,
        "attempt": message.number,
        "consumer_id": message.consumer_id,
        "status": outcome.status,
        "error": outcome.error,
        "now": now,
        "off_before": now - OFF_AFTER,
    }
    # The consumer first: who deletes one holds it before its messages.
    if outcome.arrived:
        await tx.execute(_SQL["consumer_is_well"], row)
        await tx.execute(_SQL["succeed"], row)
        return
    await tx.execute(_SQL["consumer_failed"], row)
    # A worker that died took an attempt with it, and what was to be waited after it: who has none
    # left is only given up after the time that all of them take.
    if message.number > len(RETRY_DELAYS_S):
        told_before = now - timedelta(seconds=sum(RETRY_DELAYS_S))
        await tx.execute(_SQL["give_up"], {**row, "told_before": told_before})
    delay = timedelta(seconds=RETRY_DELAYS_S[min(message.number, len(RETRY_DELAYS_S)) - 1])
    await tx.execute(_SQL["retry_later"], {**row, "next_at": now + delay})


async def forget_events(tx: Tx, *, before: datetime) -> bool:
    """Drop some of the events told before that moment; whether there may be more."""
    forgotten = await tx.execute(
        _SQL["forget_events"], {"before": before, "most": _FORGOTTEN_AT_ONCE}
    )
    return forgotten.rowcount == _FORGOTTEN_AT_ONCE


def _message(row: DictRow) -> Message:
    return Message(
        delivery_id=str(row["id"]),
        number=row["attempt"],
        event_id=str(row["event_id"]),
        consumer_id=str(row["consumer_id"]),
        url=row["url"],
        sealed_secret=bytes(row["sealed_secret"]),
        body=row["body"].encode(),
    )
