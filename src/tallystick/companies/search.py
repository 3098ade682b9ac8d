"""Lists of companies: what may be asked about them, and about their tags."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tallystick.companies.companies import Company, of_row
from tallystick.db.pool import Tx, all_rows, one
from tallystick.db.sqlfile import beside
from tallystick.errors import QueryError
from tallystick.query.fields import Each, Field, Kind, column, table
from tallystick.query.language import And, Clause, Node, Or
from tallystick.query.order import Order
from tallystick.query.sql import Where, where

_SQL = beside(__file__, "company.sql")

FIELDS = table(
    "Company",
    column("id", Kind.WORD),
    column("name", Kind.TEXT),
    column("description", Kind.TEXT, optional=True),
    column("created", Kind.MOMENT, "created_at"),
    column("lastSync", Kind.MOMENT, "last_sync_at", optional=True),
    column("createdByUserName", Kind.TEXT, "created_by", optional=True),
    # The one list that may be asked about: any connection counts, != means that none is.
    Field(
        "dataConnections.status",
        Kind.WORD,
        Each(table="connection", key="company_id", outer="company.id", column="status"),
    ),
)
"""What a query of companies may name."""

_TAG_CONDITIONS = {"=": "tag_equals", "!=": "tag_differs", "~": "tag_contains"}


@dataclass(frozen=True, slots=True)
class Found:
    """One page of companies, and how many there are in all."""

    companies: tuple[Company, ...]
    total: int


async def page(
    tx: Tx,
    *,
    client_id: str,
    query: Node | None,
    tags: Node | None,
    order: Order,
    limit: int,
    offset: int,
) -> Found:
    """Some of a client's companies."""
    asked, tagged = where(query, FIELDS), _tagged(tags)
    parameters = {**asked.parameters, **tagged.parameters, "client_id": client_id}
    counted = await one(tx, _filled("count", asked, tagged), parameters)
    statement = _filled("page", asked, tagged).replace("{order}", order.text)
    rows = await all_rows(tx, statement, {**parameters, "limit": limit, "offset": offset})
    total = 0 if counted is None else int(counted["number"])
    return Found(tuple(of_row(row) for row in rows), total)


def _filled(name: str, asked: Where, tagged: Where) -> str:
    return _SQL[name].replace("{where}", asked.text).replace("{tagged}", tagged.text)


def _tagged(node: Node | None) -> Where:
    if node is None:
        return Where()
    parameters: dict[str, Any] = {}
    return Where(_condition(node, parameters), parameters)


def _condition(node: Node, parameters: dict[str, Any]) -> str:
    match node:
        case Clause():
            return _tag(node, parameters)
        case And(parts):
            joint = " and "
        case Or(parts):
            joint = " or "
    return f"({joint.join(_condition(part, parameters) for part in parts)})"


def _tag(clause: Clause, parameters: dict[str, Any]) -> str:
    name = _TAG_CONDITIONS.get(clause.op)
    if name is None:
        raise QueryError(f"{clause.op} cannot be used on tags", position=clause.position)
    mark = f"t{len(parameters)}"
    asked: Mapping[str, str] = {f"{mark}name": clause.property, f"{mark}value": clause.value}
    parameters.update(asked)
    return _SQL[name].replace("{n}", mark)
