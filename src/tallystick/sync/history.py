"""The reads of a company as a list: what can be asked about them, and their pages."""

from tallystick.db.pool import Tx, all_rows, one
from tallystick.db.sqlfile import beside
from tallystick.query.fields import Kind, column, table
from tallystick.query.listing import Listing, listing
from tallystick.sync.datasets import Dataset, of_row

_SQL = beside(__file__, "history.sql")

# Not `isCompleted` and `isErrored`: the reference refuses both, `status` says as much.
_FIELDS = table(
    "PullOperation",
    column("id", Kind.WORD),
    column("companyId", Kind.WORD, "company_id"),
    column("connectionId", Kind.WORD, "connection_id"),
    column("dataType", Kind.WORD, "data_type"),
    column("status", Kind.WORD),
    column("statusDescription", Kind.TEXT, "status_description", optional=True),
    column("errorMessage", Kind.TEXT, "error_message", optional=True),
    column("requested", Kind.MOMENT, "requested_at"),
    column("completed", Kind.MOMENT, "completed_at", optional=True),
    column("progress", Kind.NUMBER),
)


def wanted(query: str | None, order_by: str | None) -> Listing:
    """What a caller asks for; newest first unless told otherwise.

    Raises:
        QueryError: with the position.
    """
    return listing(query, order_by, _FIELDS, default="-requested")


async def page(
    tx: Tx, *, company_id: str, wanted: Listing, offset: int, limit: int
) -> tuple[list[Dataset], int]:
    """One page and how many there are in all."""
    place = {"company_id": company_id, "offset": offset, "limit": limit}
    parameters = {**wanted.where.parameters, **place}
    rows = await all_rows(tx, wanted.filled(_SQL["page"]), parameters)
    total = await one(tx, wanted.filled(_SQL["count"]), parameters)
    return [of_row(row) for row in rows], 0 if total is None else int(total["total"])
