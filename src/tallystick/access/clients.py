"""Clients: the tenants of an installation, what they say of themselves and what they chose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from tallystick.db.pool import Tx, all_rows, one
from tallystick.db.sqlfile import beside
from tallystick.errors import NotFound
from tallystick.lib.ids import new_id

_SQL = beside(__file__, "client.sql")
_ORIGINS = "allowedOrigins"


@dataclass(frozen=True, slots=True)
class Client:
    """One tenant. `profile` holds wire names: redirectUrl, logoUrl, iconUrl, whiteListUrls."""

    id: str
    name: str
    profile: Mapping[str, Any]
    settings: Mapping[str, Any]
    created_at: datetime

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """Web pages that may use a company's access token."""
        return tuple(self.settings.get(_ORIGINS, ()))


async def create(tx: Tx, *, name: str, now: datetime) -> Client:
    row = {"id": new_id(), "name": name, "now": now}
    return _made(await one(tx, _SQL["create"], row))


async def get(tx: Tx, client_id: str) -> Client:
    """The client.

    Raises:
        NotFound: there is none.
    """
    return _made(await one(tx, _SQL["get"], {"id": client_id}))


async def all_clients(tx: Tx) -> list[Client]:
    """Oldest first."""
    return [_made(row) for row in await all_rows(tx, _SQL["all_clients"])]


async def save_profile(tx: Tx, client_id: str, *, name: str, profile: Mapping[str, Any]) -> Client:
    row = {"id": client_id, "name": name, "profile": Jsonb(dict(profile))}
    return _made(await one(tx, _SQL["save_profile"], row))


async def allow_origins(tx: Tx, client_id: str, origins: Sequence[str]) -> Client:
    """These and no others."""
    row = {"id": client_id, "settings": Jsonb({_ORIGINS: list(origins)})}
    return _made(await one(tx, _SQL["change_settings"], row))


async def allow_several_connections(tx: Tx, client_id: str, *, allowed: bool) -> Client:
    """Whether a company may have more than one linked accounting connection."""
    row = {"id": client_id, "settings": Jsonb({"severalAccountingConnections": allowed})}
    return _made(await one(tx, _SQL["change_settings"], row))


async def lets_in_origin(tx: Tx, origin: str) -> bool:
    """Whether any client allows pages of that origin: a browser asks before it shows a token."""
    row = await one(tx, _SQL["lets_in_origin"], {"origin": origin})
    return row is not None and bool(row["lets_in"])


def _made(row: DictRow | None) -> Client:
    if row is None:
        raise NotFound("No client was found with that ID.")
    return Client(**{**row, "id": str(row["id"])})
