"""Reading what is stored: one record, or one page of a list, as finished texts of the wire."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg.rows import tuple_row

from tallystick.db.pool import Tx, one
from tallystick.db.sqlfile import beside
from tallystick.model.base import Record
from tallystick.query.order import Order
from tallystick.query.sql import Where

_SQL = beside(__file__, "record.sql")

_NEAR = 1_000
"""Up to that many skipped records are cheaper to read than a look-up for each that is shown."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list, as texts of the wire, and how many there are in all."""

    bodies: list[str]
    total: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records, in which order, and which page of them."""

    record_type: type[Record]
    where: Where
    order: Order
    page: int
    page_size: int

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            **self.where.parameters,
            "data_type": self.record_type.key,
            "limit": self.page_size,
            "offset": (self.page - 1) * self.page_size,
        }

    @property
    def page_statement(self) -> str:
        """The name of the statement that is cheaper for a page so far from the beginning."""
        return "page" if (self.page - 1) * self.page_size <= _NEAR else "page_deep"

    def statement(self, name: str, connection: LiteralString) -> LiteralString:
        # Condition and order come from query/sql.py, which writes values as parameters alone.
        return (
            _SQL[name]
            .replace("{where}", self.where.text)
            .replace("{order}", self.order.text)
            .replace("{connection}", connection)
        )


async def get(
    tx: Tx,
    *,
    company_id: str,
    connection_id: str,
    data_type: str,
    id: str,  # noqa: A002 - the field's own word
) -> str | None:
    """The text of one record, deleted or not."""
    if "\0" in id:
        return None  # no text in the database can hold it, not even one to look for
    parameters = {
        "company_id": company_id,
        "connection_id": connection_id,
        "data_type": data_type,
        "id": id,
    }
    found = await one(tx, _SQL["get"], parameters)
    return None if found is None else str(found["body"])


async def page(
    tx: Tx,
    *,
    company_id: str,
    connection_id: str,
    record_type: type[Record],
    where: Where,
    order: Order,
    page: int,
    page_size: int,
) -> Listed:
    """One page of the records that answer a query; pages count from 1."""
    wanted = Wanted(record_type, where, order, page, page_size)
    return await page_of(tx, wanted, company_id=company_id, connection_id=connection_id)


async def page_of(tx: Tx, wanted: Wanted, *, company_id: str, connection_id: str) -> Listed:
    """As `page`, of what is wanted in one piece."""
    parameters = {
        **wanted.parameters,
        "company_id": company_id,
        "connection_id": connection_id,
    }
    listed = await _fetch(
        tx, wanted.statement(wanted.page_statement, "%(connection_id)s"), parameters
    )
    if listed is not None or wanted.page == 1:
        return listed or Listed([], 0)
    counted = await one(tx, wanted.statement("count", "%(connection_id)s"), parameters)
    return Listed([], 0 if counted is None else int(counted["total"]))


async def page_at_home(
    tx: Tx, wanted: Wanted, *, client_id: str, company_id: str, connection_id: str | None
) -> Listed | None:
    """As `page_of`, for a client whose right to it is checked in the same breath.

    `connection_id` None takes the company's newest connection that holds the type. None comes back
    where there is nothing to show: the page is empty, or something in the path is not the client's.
    """
    parameters = {
        **wanted.parameters,
        "client_id": client_id,
        "company_id": company_id,
        "asked_id": connection_id,
    }
    statement = wanted.statement(wanted.page_statement, _SQL["from_home"])
    return await _fetch(tx, f"{_SQL['home']}\n{statement}", parameters)


async def _fetch(tx: Tx, statement: LiteralString, parameters: Mapping[str, Any]) -> Listed | None:
    async with tx.cursor(row_factory=tuple_row) as cursor:
        rows = await (await cursor.execute(statement, parameters)).fetchall()
    return Listed([body for body, _ in rows], int(rows[0][1])) if rows else None
