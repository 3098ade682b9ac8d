"""The writes of a company as a list: what can be asked about them, and their pages."""

from tallystick.db.pool import Tx, all_rows, one
from tallystick.db.sqlfile import beside
from tallystick.push.operations import Operation, of_row
from tallystick.query.fields import Kind, column, table
from tallystick.query.listing import Listing, listing

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


def wanted(query: str | None, order_by: str | None) -> Listing:
    """What a caller asks for; newest first unless told otherwise.

    Raises:
        QueryError: with the position.
    """
    return listing(query, order_by, _FIELDS, default="-requestedOnUtc")


async def page(
    tx: Tx, *, company_id: str, wanted: Listing, offset: int, limit: int
) -> tuple[list[Operation], int]:
    """One page and how many there are in all."""
    place = {"company_id": company_id, "offset": offset, "limit": limit}
    parameters = {**wanted.where.parameters, **place}
    rows = await all_rows(tx, wanted.filled(_SQL["page"]), parameters)
    total = await one(tx, wanted.filled(_SQL["count"]), parameters)
    return [of_row(row) for row in rows], 0 if total is None else int(total["total"])
