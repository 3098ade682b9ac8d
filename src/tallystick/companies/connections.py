"""Connections: a company's links to platforms, and the moves of their status."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from tallystick.companies import addresses, companies
from tallystick.companies.companies import Company
from tallystick.connectors.contract import Organisation
from tallystick.connectors.registry import PLATFORMS, Platform
from tallystick.db.pool import Tx, all_rows, one
from tallystick.db.sqlfile import beside
from tallystick.errors import BadRequest, Conflict, NotFound, NotLinked
from tallystick.lib import moments
from tallystick.lib.ids import canonical, derived_id, new_id
from tallystick.webhooks import outbox

_SQL = beside(__file__, "connection.sql")

CONNECTIONS_MAX = 100
"""What a company may have: also a web page with its access token makes them, and lists show all."""


class Status(enum.StrEnum):
    """Whether a connection may be used."""

    PendingAuth = "PendingAuth"
    Linked = "Linked"
    Unlinked = "Unlinked"
    Deauthorized = "Deauthorized"


@dataclass(frozen=True, slots=True)
class Move:
    """From where a statement of that name may move a connection; `to` None leaves it there."""

    come_from: frozenset[Status]
    to: Status | None


MOVES: Mapping[str, Move] = {
    "linked": Move(frozenset(Status), Status.Linked),
    "failed": Move(frozenset(Status) - {Status.Linked}, None),
    "unlinked": Move(frozenset({Status.Linked}), Status.Unlinked),
    "deauthorised": Move(frozenset({Status.Linked}), Status.Deauthorized),
}


@dataclass(frozen=True, slots=True)
class ConnectionFault:
    """Why an authorisation failed: the status a Link redirect shows, the platform's own text."""

    status_code: int
    status_text: str
    message: str


@dataclass(frozen=True, slots=True)
class Connection:
    """One company's link to one platform."""

    company_id: str
    id: str
    client_id: str
    platform_key: str
    status: Status
    base_url: str | None
    simulated: bool
    organisation_id: str | None
    organisation_name: str | None
    grant_id: str | None
    errors: tuple[Mapping[str, Any], ...]
    created_at: datetime
    linked_at: datetime | None
    last_sync_at: datetime | None

    @property
    def platform(self) -> Platform:
        return PLATFORMS[self.platform_key]

    def must_be_linked(self) -> None:
        """Refuse what needs the customer's permission.

        Raises:
            NotLinked: with the status it has.
        """
        if self.status is not Status.Linked:
            raise NotLinked(self.id, self.status)


async def create(
    tx: Tx, *, company: Company, platform_key: str, simulated: bool, now: datetime
) -> Connection:
    """A connection that waits for the customer.

    Raises:
        NotFound: the company was deleted meanwhile.
        Conflict: the company has as many as it may.
    """
    await _make_room(tx, company)
    connection_id = new_id()
    row = {
        "company_id": company.id,
        "id": connection_id,
        "client_id": company.client_id,
        "platform_key": platform_key,
        "simulated": simulated,
        "now": now,
    }
    connection = _made(await one(tx, _SQL["create"], row), connection_id)
    await _tell(tx, connection, "connection.created", now=now)
    return connection


async def _make_room(tx: Tx, company: Company) -> None:
    """Hold the company, so that two at once cannot pass the limit."""
    key = {"company_id": company.id}
    if await one(tx, _SQL["lock_company"], key) is None:
        raise NotFound(f"No company was found with ID {company.id}")
    held = await one(tx, _SQL["count"], key)
    if held is not None and held["number"] >= CONNECTIONS_MAX:
        raise Conflict(
            f"A company has at most {CONNECTIONS_MAX} connections; delete one that is not used."
        )


async def get(tx: Tx, *, client_id: str, company_id: str, connection_id: str) -> Connection:
    """The connection, if it is this client's and this company's.

    Raises:
        NotFound: unknown, deleted, or somebody else's; the text is the same.
    """
    keys = {"company_id": canonical(company_id), "id": canonical(connection_id)}
    found = all(keys.values()) and await one(tx, _SQL["get"], {**keys, "client_id": client_id})
    return _made(found or None, connection_id)


async def find(tx: Tx, connection_id: str) -> Connection:
    """The connection whoever's it is; for jobs.

    Raises:
        NotFound: it was deleted.
    """
    return _made(await one(tx, _SQL["find"], {"id": connection_id}), connection_id)


async def of_company(tx: Tx, company_id: str) -> list[Connection]:
    """Newest first."""
    return (await of_companies(tx, [company_id])).get(company_id, [])


async def of_companies(tx: Tx, company_ids: Sequence[str]) -> dict[str, list[Connection]]:
    """By company, newest first."""
    found: dict[str, list[Connection]] = {}
    for row in await all_rows(tx, _SQL["of_companies"], {"company_ids": list(company_ids)}):
        connection = of_row(row)
        found.setdefault(connection.company_id, []).append(connection)
    return found


async def linked(
    tx: Tx,
    connection: Connection,
    *,
    organisation: Organisation,
    base_url: str | None,
    simulated: bool,
    now: datetime,
) -> Connection:
    """The customer let us into an organisation.

    Raises:
        Conflict: the company has another linked accounting connection, and its client allows one.
    """
    await one(tx, _SQL["lock_company"], {"company_id": connection.company_id})
    if await one(tx, _SQL["rival"], {"company_id": connection.company_id, "id": connection.id}):
        raise Conflict("The company already has a linked accounting connection. Unlink it first.")
    resolution = {"status": "Resolved", "resolvedOnUtc": moments.text(now)}
    row = await _move(
        tx,
        "linked",
        connection,
        organisation_id=organisation.id,
        organisation_name=organisation.name,
        grant_id=organisation.grant_id,
        base_url=base_url,
        simulated=simulated,
        resolution=Jsonb(resolution),
        now=now,
    )
    if row is None:
        raise _gone(connection.id)
    was, moved = row.pop("was"), of_row(row)
    event = "connection.connected" if was == Status.PendingAuth else "connection.reconnected"
    await _tell(tx, moved, event, now=now)
    return moved


async def failed(
    tx: Tx, connection: Connection, *, error: ConnectionFault, now: datetime
) -> Connection:
    """The customer did not let us in; one that is linked meanwhile is not touched."""
    row = await _move(tx, "failed", connection, fault=_fault(error, now))
    if row is None:
        return await find(tx, connection.id)
    moved = of_row(row)
    await _tell(tx, moved, "connection.failed", now=now)
    return moved


async def unlinked(tx: Tx, connection: Connection, *, now: datetime) -> Connection:
    """Sever it on our side: the tokens are gone with the transaction.

    Raises:
        BadRequest: it is not linked.
    """
    row = await _move(tx, "unlinked", connection)
    if row is None:
        status = (await find(tx, connection.id)).status
        raise BadRequest(
            f"Data connection {connection.id} cannot be unlinked: only a Linked connection can, "
            f"its status is {status}."
        )
    await tx.execute(_SQL["remove_credential"], {"id": connection.id})
    moved = of_row(row)
    await _tell(tx, moved, "connection.disconnected", now=now)
    return moved


async def deauthorised(tx: Tx, connection: Connection, *, reason: str, now: datetime) -> Connection:
    """The permission is gone on their side; one that is not linked any more is not touched."""
    error = ConnectionFault(401, reason, "The platform no longer accepts our access.")
    row = await _move(tx, "deauthorised", connection, fault=_fault(error, now))
    if row is None:
        return await find(tx, connection.id)
    moved = of_row(row)
    await _tell(tx, moved, "connection.disconnected", now=now)
    return moved


async def delete(tx: Tx, connection: Connection, *, now: datetime) -> None:
    """Remove it with what was read through it; the writes made through it stay on record."""
    keys = {"company_id": connection.company_id, "id": connection.id}
    # Company first, then what hangs on it: the order in which a page is stored too.
    await one(tx, _SQL["lock_company"], keys)
    gone = _made(await one(tx, _SQL["delete"], keys), connection.id)
    for statement in ("delete_datasets", "delete_batches", "delete_records"):
        await tx.execute(_SQL[statement], keys)
    await _tell(tx, gone, "connection.deleted", now=now)


async def shares_grant(tx: Tx, connection: Connection) -> bool:
    """Whether ending the platform's grant would cut off another connection."""
    keys = {"grant_id": connection.grant_id, "id": connection.id}
    row = await one(tx, _SQL["shares_grant"], keys)
    return row is not None and bool(row["shared"])


async def _move(tx: Tx, name: str, connection: Connection, **values: Any) -> DictRow | None:
    keys = {"company_id": connection.company_id, "id": connection.id}
    return await one(tx, _SQL[name], {**keys, **values})


def _fault(error: ConnectionFault, now: datetime) -> Jsonb:
    fault = {
        "statusCode": str(error.status_code),
        "statusText": error.status_text,
        "errorMessage": error.message,
        "erroredOnUtc": moments.text(now),
        "status": "Active",
    }
    return Jsonb([fault])


async def _tell(tx: Tx, connection: Connection, event_type: str, *, now: datetime) -> None:
    company = await companies.find(tx, connection.company_id)
    shown = wire(connection, connection.platform, await addresses.public_url(tx))
    await outbox.emit(
        tx,
        client_id=company.client_id,
        company_id=company.id,
        company_tags=company.tags,
        event_type=event_type,
        payload={"referenceCompany": companies.reference(company), "connection": shown},
        now=now,
    )


def _gone(connection_id: str) -> NotFound:
    return NotFound(f"Data connection {connection_id} not found")


def _made(row: DictRow | None, connection_id: str) -> Connection:
    if row is None:
        raise _gone(connection_id)
    return of_row(row)


def of_row(row: DictRow) -> Connection:
    """A connection of a whole row of its table."""
    ids = {name: str(row[name]) for name in ("company_id", "id", "client_id")}
    return Connection(
        **{**row, **ids, "status": Status(row["status"]), "errors": tuple(row["errors"])}
    )


# --- what the world sees ---


def shown_name(platform: Platform, *, simulated: bool) -> str:
    """A simulated platform says so wherever it is named."""
    return f"{platform.name} (simulated)" if simulated else platform.name


def wire(connection: Connection, platform: Platform, public_url: str) -> dict[str, Any]:
    """A connection of the API."""
    here = f"{public_url}/companies/{connection.company_id}/connections/{connection.id}"
    synced, organisation = connection.last_sync_at, connection.organisation_name
    return {
        "id": connection.id,
        "integrationId": derived_id("integration", platform.key),
        "integrationKey": platform.key,
        "sourceId": derived_id("source", platform.key),
        "sourceType": platform.source_type,
        "platformName": shown_name(platform, simulated=connection.simulated),
        "linkUrl": f"{here}/start",
        "status": connection.status.value,
        **({} if synced is None else {"lastSync": moments.text(synced)}),
        "created": moments.text(connection.created_at),
        "dataConnectionErrors": [dict(error) for error in connection.errors],
        "connectionInfo": {} if organisation is None else {"organisationName": organisation},
    }
