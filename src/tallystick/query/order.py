"""The order of a list: `orderBy=property` ascending, `orderBy=-property` descending."""

from dataclasses import dataclass

from tallystick.errors import QueryError
from tallystick.query import sql
from tallystick.query.comparison import resolve
from tallystick.query.fields import Each, Field, Fields


@dataclass(frozen=True, slots=True)
class Order:
    """One property and a way; `text` is what follows ORDER BY, made total by the list's tie."""

    field: Field
    descending: bool
    text: str


def parse(text: str | None, fields: Fields, *, default: str = "modifiedDate") -> Order:
    """The order asked for, or the default.

    Raises:
        QueryError: there is no such property, or a list has many values of it.
    """
    wanted = (text or "").strip() or default
    descending = wanted.startswith("-")
    found = resolve(wanted.removeprefix("-").strip(), fields)
    if isinstance(found.place, Each):
        raise QueryError(f"{found.path} has several values and gives no order")
    return Order(found, descending, sql.ordering(found, descending=descending, tie=fields.tie))
