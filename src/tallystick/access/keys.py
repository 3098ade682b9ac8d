"""API keys: only their digests are kept, so a key is shown once, when it is made."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import DictRow

from tallystick.db.pool import Tx, all_rows, one
from tallystick.db.sqlfile import beside
from tallystick.errors import Conflict, NotFound
from tallystick.lib.ids import new_id
from tallystick.lib.secrets import digest, new_token, same

_SQL = beside(__file__, "key.sql")

KEYS_MAX = 10
"""Keys a client may have at a time."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known about a key."""

    id: str
    client_id: str
    name: str | None
    created_at: datetime


async def issue(tx: Tx, *, client_id: str, name: str | None, now: datetime) -> tuple[ApiKey, str]:
    """A new key, and what to show once.

    Raises:
        Conflict: the client has as many as it may.
    """
    await one(tx, _SQL["lock_client"], {"client_id": client_id})
    held = await one(tx, _SQL["count"], {"client_id": client_id})
    if held is not None and held["number"] >= KEYS_MAX:
        raise Conflict(f"There are {KEYS_MAX} API keys already. Delete one first.")
    secret = new_token()
    row = {
        "id": new_id(),
        "client_id": client_id,
        "name": name,
        "digest": digest(secret),
        "now": now,
    }
    return _made(await one(tx, _SQL["add"], row)), secret


async def of_client(tx: Tx, client_id: str) -> list[ApiKey]:
    """Oldest first."""
    rows = await all_rows(tx, _SQL["of_client"], {"client_id": client_id})
    return [_made(row) for row in rows]


async def delete(tx: Tx, *, client_id: str, key_id: str) -> None:
    """Take a key away; the last one too, the operator can make another.

    Raises:
        NotFound: no such key, or another client's.
    """
    try:
        known = await one(
            tx, _SQL["delete"], {"id": str(uuid.UUID(key_id)), "client_id": client_id}
        )
    except ValueError:
        known = None
    if known is None:
        raise NotFound(f"No API key was found with ID {key_id}")


async def who(tx: Tx, key_digest: bytes) -> tuple[str, str] | None:
    """The client and the id of the key with that digest: one look into a unique index.

    Time tells nothing about keys: what is looked up and compared are digests of them.
    """
    row = await one(tx, _SQL["who"], {"digest": key_digest})
    if row is None or not same(bytes(row["digest"]), key_digest):
        return None
    return str(row["client_id"]), str(row["id"])


def _made(row: DictRow | None) -> ApiKey:
    if row is None:
        raise NotFound("No API key was found.")
    return ApiKey(**{**row, "id": str(row["id"]), "client_id": str(row["client_id"])})
