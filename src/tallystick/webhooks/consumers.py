"""Who receives webhooks: addresses, what they want to hear, and the secrets they check."""

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tallystick.db.pool import Tx, all_rows, one
from tallystick.db.sqlfile import beside
from tallystick.errors import BadRequest, Conflict, NotFound
from tallystick.lib import egress
from tallystick.lib.ids import new_id
from tallystick.lib.secrets import Vault
from tallystick.webhooks.catalogue import is_known

_SQL = beside(__file__, "consumer.sql")

CONSUMERS_MAX = 50
TAGS_MAX = 10
TAG_LENGTH_MAX = 128
EVENT_TYPES_MAX = 200
URL_LENGTH_MAX = 2048
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Consumer:
    """One address; `secret` (`whsec_...`) is known only in the answer to its registration."""

    id: str
    url: str
    disabled: bool
    event_types: tuple[str, ...]
    company_tags: tuple[str, ...]
    secret: str | None = field(default=None, repr=False)

    def wire(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": self.id,
            "url": self.url,
            "disabled": self.disabled,
            "eventTypes": list(self.event_types),
            "companyTags": list(self.company_tags),
        }
        return shown if self.secret is None else {**shown, "secret": self.secret}


def context(consumer_id: str) -> str:
    """What a consumer's sealed secret is bound to."""
    return f"consumer/{consumer_id}"


async def create(
    tx: Tx,
    *,
    client_id: str,
    vault: Vault,
    policy: egress.Policy,
    url: str,
    event_types: Sequence[str],
    company_tags: Sequence[str],
    disabled: bool,
    now: datetime,
) -> Consumer:
    """Register an address.

    Raises:
        BadRequest: an address that may not be called, an unknown event, a tag out of bounds.
        Conflict: the client has as many as it may have.
    """
    _check(url, event_types, company_tags, policy)
    await tx.execute(_SQL["lock_client"], {"client_id": client_id})
    if len(await all_rows(tx, _SQL["of_client"], {"client_id": client_id})) >= CONSUMERS_MAX:
        raise Conflict(f"A client has at most {CONSUMERS_MAX} webhook consumers; delete one first.")
    secret = "whsec_" + base64.b64encode(os.urandom(_SECRET_BYTES)).decode()
    consumer = Consumer(
        new_id(), url, disabled, tuple(event_types), tuple(company_tags), secret=secret
    )
    row = {
        "id": consumer.id,
        "client_id": client_id,
        "url": url,
        "disabled": disabled,
        "event_types": list(event_types),
        "company_tags": list(company_tags),
        "sealed_secret": vault.seal(secret.encode(), context=context(consumer.id)),
        "now": now,
    }
    await tx.execute(_SQL["add"], row)
    return consumer


async def of_client(tx: Tx, client_id: str) -> list[Consumer]:
    """All consumers of a client, oldest first."""
    rows = await all_rows(tx, _SQL["of_client"], {"client_id": client_id})
    return [
        Consumer(
            str(row["id"]),
            row["url"],
            row["disabled"],
            tuple(row["event_types"]),
            tuple(row["company_tags"]),
        )
        for row in rows
    ]


async def delete(tx: Tx, *, client_id: str, consumer_id: str) -> None:
    """Forget an address and what was still to be sent to it."""
    if not await one(tx, _SQL["remove"], {"client_id": client_id, "id": consumer_id}):
        raise NotFound(f"No webhook consumer was found with ID {consumer_id}.")


def _check(
    url: str, event_types: Sequence[str], company_tags: Sequence[str], policy: egress.Policy
) -> None:
    reason = egress.complaint(url, policy)
    if len(url) > URL_LENGTH_MAX or reason:
        why = reason or f"it is longer than {URL_LENGTH_MAX} characters"
        raise BadRequest(f"The url cannot be used: {why}.")
    if not 1 <= len(event_types) <= EVENT_TYPES_MAX:
        raise BadRequest(f"eventTypes must name 1 to {EVENT_TYPES_MAX} events.")
    unknown = next((name for name in event_types if not is_known(name)), None)
    if unknown is not None:
        raise BadRequest(f"eventTypes names an unknown event: {unknown[:100]}.")
    if len(company_tags) > TAGS_MAX or any(len(tag) > TAG_LENGTH_MAX for tag in company_tags):
        raise BadRequest(
            f"companyTags takes up to {TAGS_MAX} entries of {TAG_LENGTH_MAX} characters."
        )
    if any(":" not in tag for tag in company_tags):
        raise BadRequest("Each of companyTags must read key:value.")
