"""A query asked of values in memory: the same answers as the database gives."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from tallystick.query.comparison import comparison, folded
from tallystick.query.fields import Field, Fields, Kind, column, table
from tallystick.query.language import And, Clause, Node, Or

Plain = Decimal | int | str | bool | datetime.date | datetime.datetime | None
"""A property's value; None: missing."""

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": eq,
    "!=": ne,
    ">": gt,
    "<": lt,
    ">=": ge,
    "<=": le,
    "~": lambda held, part: part in held,
}


def matches(node: Node, values: Mapping[str, Plain], fields: Fields | None = None) -> bool:
    """Whether the values, by wire path, answer the query.

    Without `fields` the kinds are taken from the values, and a missing value counts as text.

    Raises:
        QueryError: as for a list in the database.
    """
    known = fields or table("Item", *(_field(path, value) for path, value in values.items()))
    match node:
        case Clause():
            asked = comparison(node, known)
            held = _comparable(values.get(asked.field.path))
            return asked.op == "!=" if held is None else _COMPARE[asked.op](held, asked.value)
        case And(parts):
            return all(_each(parts, values, known))
        case Or(parts):
            return any(_each(parts, values, known))


def _each(parts: Sequence[Node], values: Mapping[str, Plain], fields: Fields) -> list[bool]:
    # All of them, not only until the answer is known: each may hold a mistake to report.
    return [matches(part, values, fields) for part in parts]


def _field(path: str, value: Plain) -> Field:
    match value:
        case bool():
            return column(path, Kind.TRUTH)
        case int() | Decimal():
            return column(path, Kind.NUMBER)
        case datetime.datetime():
            return column(path, Kind.MOMENT)
        case datetime.date():
            return column(path, Kind.DAY)
        case _:
            return column(path, Kind.TEXT)


def _comparable(value: Plain) -> Any:
    match value:
        case datetime.datetime():
            return value
        case datetime.date():
            return datetime.datetime.combine(value, datetime.time(), tzinfo=datetime.UTC)
        case str():
            return folded(value)
        case _:
            return value
