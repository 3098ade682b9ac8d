"""Companies: the customers whose books are read and written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from tallystick.companies import addresses
from tallystick.db.pool import Tx, one
from tallystick.db.sqlfile import beside
from tallystick.errors import NotFound
from tallystick.lib import moments
from tallystick.lib.ids import canonical, new_id
from tallystick.webhooks import outbox

_SQL = beside(__file__, "company.sql")


@dataclass(frozen=True, slots=True)
class Company:
    """One customer of a client; may hold several connections."""

    id: str
    client_id: str
    name: str
    description: str | None
    tags: Mapping[str, str]
    created_by: str | None
    created_at: datetime
    last_sync_at: datetime | None


async def create(
    tx: Tx,
    *,
    client_id: str,
    name: str,
    description: str | None,
    tags: Mapping[str, str],
    created_by: str | None,
    now: datetime,
) -> Company:
    row = await one(
        tx,
        _SQL["create"],
        {
            "id": new_id(),
            "client_id": client_id,
            "name": name,
            "description": description,
            "tags": Jsonb(dict(tags)),
            "created_by": created_by,
            "now": now,
        },
    )
    company = _made(row, "")
    await _tell(tx, company, "company.created", now=now)
    return company


async def get(tx: Tx, *, client_id: str, company_id: str) -> Company:
    """The company, if it is this client's.

    Raises:
        NotFound: unknown, deleted, or another client's; the text is the same for all three.
    """
    key = canonical(company_id)
    found = key and await one(tx, _SQL["get"], {"id": key, "client_id": client_id})
    return _made(found or None, company_id)


async def find(tx: Tx, company_id: str) -> Company:
    """The company whoever's it is; for jobs.

    Raises:
        NotFound: it was deleted.
    """
    return _made(await one(tx, _SQL["find"], {"id": company_id}), company_id)


async def replace(
    tx: Tx,
    *,
    client_id: str,
    company_id: str,
    name: str,
    description: str | None,
    tags: Mapping[str, str],
) -> Company:
    """Set everything; what is None or empty is cleared."""
    values = {"name": name, "description": description, "tags": Jsonb(dict(tags))}
    return await _change(tx, "replace", client_id, company_id, values)


async def update(
    tx: Tx,
    *,
    client_id: str,
    company_id: str,
    name: str | None,
    description: str | None,
    tags: Mapping[str, str] | None,
) -> Company:
    """Set what is given; None leaves it as it is."""
    given = None if tags is None else Jsonb(dict(tags))
    values = {"name": name, "description": description, "tags": given}
    return await _change(tx, "update", client_id, company_id, values)


async def delete(tx: Tx, *, client_id: str, company_id: str, now: datetime) -> Company:
    """Remove it with its connections and all that was read; the event tells what it was."""
    company = await _change(tx, "delete", client_id, company_id, {})
    await _tell(tx, company, "company.deleted", now=now)
    return company


async def touch_sync(tx: Tx, company_id: str, connection_id: str, at: datetime) -> None:
    """Remember when data was last read."""
    row = {"id": company_id, "connection_id": connection_id, "at": at}
    await tx.execute(_SQL["touch_company"], row)
    await tx.execute(_SQL["touch_connection"], row)


async def _change(
    tx: Tx, statement: str, client_id: str, company_id: str, values: Mapping[str, Any]
) -> Company:
    key = canonical(company_id)
    parameters = {"id": key, "client_id": client_id, **values}
    found = key and await one(tx, _SQL[statement], parameters)
    return _made(found or None, company_id)


async def _tell(tx: Tx, company: Company, event_type: str, *, now: datetime) -> None:
    await outbox.emit(
        tx,
        client_id=company.client_id,
        company_id=company.id,
        company_tags=company.tags,
        event_type=event_type,
        payload=_details(company, await addresses.public_url(tx)),
        now=now,
    )


def _made(row: DictRow | None, company_id: str) -> Company:
    if row is None:
        raise NotFound(f"No company was found with ID {company_id}")
    return of_row(row)


def of_row(row: DictRow) -> Company:
    """A company of a row with all of the table's columns that the world may see."""
    return Company(**{**row, "id": str(row["id"]), "client_id": str(row["client_id"])})


# --- what the world sees ---


def reference(company: Company) -> dict[str, Any]:
    """How events point at a company."""
    described = {} if company.description is None else {"description": company.description}
    return {"id": company.id, "name": company.name, **described, "tags": dict(company.tags)}


def _details(company: Company, public_url: str) -> dict[str, Any]:
    synced = company.last_sync_at
    return {
        **reference(company),
        "redirect": f"{public_url}/company/{company.id}",
        **({} if synced is None else {"lastSync": moments.text(synced)}),
        "created": moments.text(company.created_at),
        "createdByUserName": company.created_by,
        "products": [],
    }


def wire(
    company: Company, connections: Sequence[Mapping[str, Any]], public_url: str
) -> dict[str, Any]:
    """A company of the API; `connections` as the API shows them."""
    return {
        **_details(company, public_url),
        "ownerUserIds": [],
        "referenceSubsidiaryCompanies": [],
        "dataConnections": list(connections),
    }
