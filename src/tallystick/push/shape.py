"""The members a record class has on the wire, by name, with their kinds."""

import datetime
import enum
import types
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from tallystick.model.base import Part, Word


class Kind(enum.StrEnum):
    """A word of the wire for what a member holds."""

    Array = "Array"
    Object = "Object"
    String = "String"
    Number = "Number"
    Boolean = "Boolean"
    DateTime = "DateTime"


_KINDS: Mapping[type, Kind] = {
    Decimal: Kind.Number,
    int: Kind.Number,
    bool: Kind.Boolean,
    datetime.date: Kind.DateTime,
    datetime.datetime: Kind.DateTime,
}


@dataclass(frozen=True, slots=True)
class Member:
    """One member: `part` is the class below it, of each element where it is an array."""

    name: str
    kind: Kind
    part: type[Part] | None = None
    words: tuple[str, ...] = ()


@cache
def members(part: type[Part]) -> Mapping[str, Member]:
    """The members of a class by wire name."""
    return {
        alias: _member(alias, field.annotation)
        for alias, field in ((f.alias or name, f) for name, f in part.model_fields.items())
    }


def _member(name: str, annotation: Any) -> Member:
    plain = _without_none(annotation)
    if get_origin(plain) is tuple:
        inner = _without_none(get_args(plain)[0])
        return Member(name, Kind.Array, inner if _is(inner, Part) else None)
    if _is(plain, Part):
        return Member(name, Kind.Object, plain)
    if _is(plain, Word):
        return Member(name, Kind.String, words=tuple(w for w in plain if w != "Unknown"))
    return Member(name, _KINDS.get(plain, Kind.String))


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) is Annotated:
        return _without_none(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        left = [kind for kind in get_args(annotation) if kind is not type(None)]
        return _without_none(left[0])
    return annotation


def _is(annotation: Any, parent: type) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, parent)
