"""The writes of a company as a list: what can be asked about them, and their pages."""

from dataclasses import dataclass

from tallystick.db.pool import Tx, all_rows, one
from tallystick.db.sqlfile import beside
from tallystick.push.operations import Operation, of_row
from tallystick.query import language, order, sql
from tallystick.query.fields import Kind, column, table
from tallystick.query.order import Order
from tallystick.query.sql import Where

_SQL = beside(__file__, "operation.sql")

_FIELDS = table(
    "PushOperation",
    column("dataType", Kind.WORD, "data_type"),
    column("status", Kind.WORD),
    column("statusCode", Kind.NUMBER, "status_code"),
    column("companyId", Kind.TEXT, "company_id"),
    column("pushOperationKey", Kind.TEXT, "key"),
    column("dataConnectionKey", Kind.TEXT, "connection_id"),
    column("requestedOnUtc", Kind.MOMENT, "requested_at"),
    column("completedOnUtc", Kind.MOMENT, "completed_at", optional=True),
    column("timeoutInMinutes", Kind.NUMBER, "timeout_minutes", optional=True),
    column("errorMessage", Kind.TEXT, "error_message", optional=True),
    tie="key",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which writes, in which order."""

    where: Where
    order: Order


def wanted(query: str | None, order_by: str | None) -> Wanted:
    """What a caller asks for; newest first unless told otherwise.

    Raises:
        QueryError: with the position.
    """
    node = language.parse(query) if query and query.strip() else None
    return Wanted(
        sql.where(node, _FIELDS), order.parse(order_by, _FIELDS, default="-requestedOnUtc")
    )


async def page(
    tx: Tx, *, company_id: str, wanted: Wanted, offset: int, limit: int
) -> tuple[list[Operation], int]:
    """One page and how many there are in all."""
    place = {"company_id": company_id, "offset": offset, "limit": limit}
    parameters = {**wanted.where.parameters, **place}
    # Both texts come from query/sql.py, which writes callers' values as parameters alone.
    listed = _SQL["page"].replace("{where}", wanted.where.text)
    rows = await all_rows(tx, listed.replace("{order}", wanted.order.text), parameters)
    total = await one(tx, _SQL["count"].replace("{where}", wanted.where.text), parameters)
    return [of_row(row) for row in rows], 0 if total is None else int(total["total"])
