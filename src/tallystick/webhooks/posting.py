"""One attempt at one message: signed, posted, and what the receiver said of it."""

import asyncio
import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime

import httpx

TIMEOUT_S = 15.0
"""For the whole attempt, from the name to the last header: a receiver that drips gets no longer."""
_ERROR_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent, and where to; `number` counts attempts from 1."""

    delivery_id: str
    number: int
    event_id: str
    consumer_id: str
    url: str = field(repr=False)  # those of some receivers are secrets themselves
    sealed_secret: bytes = field(repr=False)
    body: bytes = field(repr=False)


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


async def post(
    message: Message,
    http: httpx.AsyncClient,
    *,
    secret: str,
    now: datetime,
    timeout_s: float = TIMEOUT_S,
) -> Outcome:
    """Send it once. Whatever goes wrong on the way is an outcome: it must count as an attempt."""
    try:
        async with asyncio.timeout(timeout_s):
            return Outcome(status=await _status(message, http, _headers(message, secret, now)))
    except TimeoutError:
        return Outcome(error=f"There was no answer within {timeout_s:g} s.")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return Outcome(error=str(error)[:_ERROR_LENGTH_MAX] or type(error).__name__)


async def _status(message: Message, http: httpx.AsyncClient, headers: dict[str, str]) -> int:
    # Only the status counts: the answer's body is never read.
    async with http.stream(
        "POST", message.url, content=message.body, headers=headers, follow_redirects=False
    ) as response:
        return response.status_code


def _headers(message: Message, secret: str, now: datetime) -> dict[str, str]:
    message_id, timestamp = "msg_" + message.event_id.replace("-", ""), int(now.timestamp())
    return {
        "content-type": "application/json",
        "user-agent": "Tallystick-Webhooks",
        # The same in every attempt, so that a receiver can tell a repetition.
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(
            secret=secret, message_id=message_id, timestamp=timestamp, body=message.body
        ),
    }
