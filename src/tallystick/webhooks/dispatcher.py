"""Delivers one message: take it, sign and post it, write down what came of it."""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from tallystick.db.pool import Database, Tx, one
from tallystick.db.sqlfile import beside
from tallystick.lib.clock import Clock
from tallystick.lib.log import log
from tallystick.lib.secrets import Vault
from tallystick.webhooks.consumers import context

_SQL = beside(__file__, "delivery.sql")

TIMEOUT_S = 15.0
RETRY_DELAYS_S = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 10 * 3600)
"""After the first, second, ... failed attempt; then the message has failed (8 attempts, ~28 h)."""
OFF_AFTER = timedelta(days=5)
_GUARD = timedelta(seconds=4 * TIMEOUT_S)


@dataclass(frozen=True, slots=True)
class Message:
    """One attempt at one delivery."""

    delivery_id: str
    attempt: int
    event_id: str
    consumer_id: str
    url: str
    secret: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the receiver answered, or why there was no answer."""

    status: int | None = None
    error: str | None = None

    @property
    def arrived(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def signature(*, secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The Standard Webhooks signature: `v1,` and HMAC-SHA256 over `id.timestamp.body`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


async def deliver(
    delivery_id: str, *, database: Database, http: httpx.AsyncClient, vault: Vault, clock: Clock
) -> None:
    """Make one attempt, if the message is due and its consumer listens."""
    async with database.transaction() as tx:
        message = await _claim(tx, delivery_id, vault, clock.now())
    if message is None:
        return
    outcome = await _post(message, http, clock.now())
    async with database.transaction() as tx:
        await _record(tx, message, outcome, clock.now())


async def _claim(tx: Tx, delivery_id: str, vault: Vault, now: datetime) -> Message | None:
    row = await one(tx, _SQL["claim"], {"id": delivery_id, "now": now, "guard": now + _GUARD})
    if row is None:
        return None
    consumer_id = str(row["consumer_id"])
    return Message(
        delivery_id=str(row["id"]),
        attempt=row["attempt"],
        event_id=str(row["event_id"]),
        consumer_id=consumer_id,
        url=row["url"],
        secret=vault.open(bytes(row["sealed_secret"]), context=context(consumer_id)).decode(),
        body=row["body"].encode(),
    )


async def _post(message: Message, http: httpx.AsyncClient, now: datetime) -> Outcome:
    message_id, timestamp = "msg_" + message.event_id.replace("-", ""), int(now.timestamp())
    headers = {
        "content-type": "application/json",
        "user-agent": "Tallystick-Webhooks",
        # The same in every attempt, so that a receiver can tell a repetition.
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(
            secret=message.secret, message_id=message_id, timestamp=timestamp, body=message.body
        ),
    }
    try:
        # Only the status counts: the answer's body is never read.
        async with http.stream(
            "POST", message.url, content=message.body, headers=headers, timeout=TIMEOUT_S
        ) as response:
            return Outcome(status=response.status_code)
    except httpx.HTTPError as error:
        return Outcome(error=str(error)[:200] or type(error).__name__)


async def _record(tx: Tx, message: Message, outcome: Outcome, now: datetime) -> None:
    row = {
        "id": message.delivery_id,
        "attempt": message.attempt,
        "consumer_id": message.consumer_id,
        "status": outcome.status,
        "error": outcome.error,
        "now": now,
        "off_before": now - OFF_AFTER,
    }
    log.info(
        "webhook_attempted",
        delivery=message.delivery_id,
        attempt=message.attempt,
        status=outcome.status,
        error=outcome.error,
    )
    if outcome.arrived:
        await tx.execute(_SQL["succeed"], row)
        await tx.execute(_SQL["consumer_is_well"], row)
        return
    if message.attempt <= len(RETRY_DELAYS_S):
        delay = timedelta(seconds=RETRY_DELAYS_S[message.attempt - 1])
        await tx.execute(_SQL["retry_later"], {**row, "next_at": now + delay})
    else:
        await tx.execute(_SQL["give_up"], row)
    await tx.execute(_SQL["consumer_failed"], row)
