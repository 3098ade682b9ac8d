"""What one clause of a query means for a list: its property resolved, its value read."""

import datetime
import re
from dataclasses import dataclass
from decimal import Decimal

from tallystick.errors import QueryError
from tallystick.query.fields import OPERATORS, Field, Fields, Kind
from tallystick.query.language import Clause

Value = Decimal | str | bool | datetime.datetime
"""A number, a folded text or word, a truth value, or an instant in UTC."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII | re.IGNORECASE
)
_TRUTHS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A clause that is known to make sense."""

    field: Field
    op: str
    value: Value


def comparison(clause: Clause, fields: Fields) -> Comparison:
    """The meaning of a clause.

    Raises:
        QueryError: there is no such property, or its kind does not go with operator or value.
    """
    field = resolve(clause.property, fields, position=clause.position)
    if clause.op not in OPERATORS[field.kind]:
        raise QueryError(
            f"{clause.op} cannot be used on {field.path}, which is a {field.kind.value}",
            position=clause.position,
        )
    value = _read(clause.value, field.kind)
    if value is None:
        raise QueryError(
            f"{clause.value!r} is not a {field.kind.value}, as {field.path} needs",
            position=clause.position,
        )
    return Comparison(field, clause.op, value)


def resolve(path: str, fields: Fields, *, position: int | None = None) -> Field:
    """The property of that path.

    Raises:
        QueryError: there is none, or it lies in a list.
    """
    field = fields.get(path)
    if field is None:
        raise QueryError(
            f"Could not resolve property {path} on {fields.owner}",
            position=position,
        )
    return field


def folded(text: str) -> str:
    """Text as it is compared: without regard to case. Stored and asked values are folded alike."""
    return text.casefold()


def instant_text(moment: datetime.datetime) -> str:
    """An instant in UTC as `sortable` text."""
    return sortable(moment.isoformat().removesuffix("+00:00"))


def sortable(text: str) -> str:
    """An instant of the wire as text that sorts in time: what is zero at its end is left off.

    Midnight is the bare date, so a day and the instant it starts with are equal; every text is
    smaller than those it begins.
    """
    text = text.removesuffix("Z").removesuffix("T00:00:00")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _read(text: str, kind: Kind) -> Value | None:
    match kind:
        case Kind.NUMBER:
            return Decimal(text) if _NUMBER.fullmatch(text) else None
        case Kind.TRUTH:
            return _TRUTHS.get(text.lower())
        case Kind.DAY | Kind.MOMENT:
            return _instant(text)
        case Kind.TEXT | Kind.WORD:
            return folded(text)


def _instant(text: str) -> datetime.datetime | None:
    """A bare date is midnight, a time without zone is UTC; None: not a date, or out of range."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        moment = datetime.datetime.fromisoformat(text.upper())
        if moment.tzinfo is None:
            return moment.replace(tzinfo=datetime.UTC)
        return moment.astimezone(datetime.UTC)
    except (ValueError, OverflowError):
        return None
