"""What a caller asks of a list: which rows, in which order; and the statement that says so."""

from dataclasses import dataclass
from typing import LiteralString

from tallystick.query import language, order, sql
from tallystick.query.fields import Fields
from tallystick.query.order import Order
from tallystick.query.sql import Where


@dataclass(frozen=True, slots=True)
class Listing:
    """A condition, its parameters and an order."""

    where: Where
    order: Order

    def filled(self, statement: LiteralString) -> str:
        """A statement with `{where}` and `{order}` in their places.

        Both texts come from query/sql.py, which writes callers' values as parameters alone.
        """
        return statement.replace("{where}", self.where.text).replace("{order}", self.order.text)


def listing(query: str | None, order_by: str | None, fields: Fields, *, default: str) -> Listing:
    """What is asked for, in the default order unless told otherwise.

    Raises:
        QueryError: with the position.
    """
    node = language.parse(query) if query and query.strip() else None
    return Listing(sql.where(node, fields), order.parse(order_by, fields, default=default))
