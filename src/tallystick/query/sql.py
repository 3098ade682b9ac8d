"""A query as SQL: text with placeholders, and every value of the caller as a parameter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tallystick.query.comparison import Comparison, comparison, instant_text
from tallystick.query.fields import Column, Each, Field, Fields, Kind, Place, Stored
from tallystick.query.language import And, Clause, Node, Or

_TYPES = {
    Kind.NUMBER: "numeric",
    Kind.TEXT: "text",
    Kind.WORD: "text",
    Kind.DAY: "timestamptz",
    Kind.MOMENT: "timestamptz",
    Kind.TRUTH: "boolean",
}


@dataclass(frozen=True, slots=True)
class Where:
    """A condition and its parameters, whose names start with `q`."""

    text: str = "true"
    parameters: Mapping[str, Any] = field(default_factory=dict)


def where(node: Node | None, fields: Fields) -> Where:
    """The condition of a query; None asks for everything.

    Raises:
        QueryError: a property, an operator or a value that the list does not know.
    """
    if node is None:
        return Where()
    parameters: dict[str, Any] = {}
    return Where(_condition(node, fields, parameters), parameters)


def _condition(node: Node, fields: Fields, parameters: dict[str, Any]) -> str:
    match node:
        case Clause():
            return _test(comparison(node, fields), parameters)
        case And(parts):
            joint = " and "
        case Or(parts):
            joint = " or "
    return f"({joint.join(_condition(part, fields, parameters) for part in parts)})"


def _test(asked: Comparison, parameters: dict[str, Any]) -> str:
    name = f"q{len(parameters)}"
    place, kind = asked.field.place, asked.field.kind
    stored_instant = isinstance(place, Stored) and kind in {Kind.DAY, Kind.MOMENT}
    parameters[name] = instant_text(asked.value) if stored_instant else asked.value  # type: ignore[arg-type] # its kind says that the value is an instant
    value = f"%({name})s::{'text' if stored_instant else _TYPES[kind]}"
    if isinstance(place, Each):
        return _of_any(place, asked.op, _compare(folded_column(place.column, kind), "=", value))
    return _compare(expression(asked.field), asked.op, value)


def _compare(column: str, op: str, value: str) -> str:
    match op:
        case "~":
            return f"strpos({column}, {value}) > 0"
        case "!=":
            # Null, where the property is missing, differs from every value.
            return f"{column} is distinct from {value}"
        case _:
            return f"{column} {op} {value}"


def _of_any(place: Each, op: str, test: str) -> str:
    rows = (
        f"exists (select from {place.table} "
        f"where {place.table}.{place.key} = {place.outer} and {test})"
    )
    return f"not {rows}" if op == "!=" else rows


def expression(asked: Field) -> str:
    """Where the property's value lies, as it is compared and ordered by."""
    match asked.place:
        case Stored(path):
            return _stored(path, asked.kind)
        case Column(name):
            return folded_column(name, asked.kind)
        case Each(column=name):
            return folded_column(name, asked.kind)


_DAYS = frozenset({"issueDate", "date"})
"""No type has both: the table has one column of its own for them."""


def _stored(path: str, kind: Kind) -> str:
    """A member of `fields`; texts were folded when they were stored, instants are sortable text."""
    if path in _DAYS:
        return "day"
    match kind:
        case Kind.NUMBER:
            return f"(fields->'{path}')::numeric"
        case Kind.TRUTH:
            return f"(fields->'{path}')::boolean"
        case _:
            return f"""(fields->>'{path}' collate "C")"""


def folded_column(name: str, kind: Kind) -> str:
    return f"lower({name}::text)" if kind in {Kind.TEXT, Kind.WORD} else name


def ordering(asked: Field, *, descending: bool, tie: str) -> str:
    """The terms of an ORDER BY; missing values come last, whichever way."""
    way = " desc" if descending else ""
    last = " nulls last" if _may_be_null(asked.place) else ""
    column = expression(asked)
    return f"{column}{way}{last}" if column == tie else f"{column}{way}{last}, {tie}{way}"


def _may_be_null(place: Place) -> bool:
    return isinstance(place, Each) or place.optional
