"""What can be asked about a list: its properties by wire path, their kinds and where they lie."""

import datetime
import enum
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from tallystick.model.base import Part, Record, Word


class Kind(enum.Enum):
    """What sort of value a property holds; it decides the operators that may be used."""

    NUMBER = "number"
    TEXT = "text"
    WORD = "word"
    DAY = "day"
    MOMENT = "moment"
    TRUTH = "truth"


_EQUALITY = frozenset({"=", "!="})
_RANGE = _EQUALITY | {">", "<", ">=", "<="}
OPERATORS: Mapping[Kind, frozenset[str]] = {
    Kind.NUMBER: _RANGE,
    Kind.TEXT: _EQUALITY | {"~"},
    Kind.WORD: _EQUALITY,
    Kind.DAY: _RANGE,
    Kind.MOMENT: _RANGE,
    Kind.TRUTH: _EQUALITY,
}


@dataclass(frozen=True, slots=True)
class Stored:
    """A member of the record table's `fields` column; one that is required is never missing."""

    path: str
    optional: bool = True


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table that is listed; `optional` ones may be null."""

    name: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Each:
    """A column of the rows of another table that belong to the listed row: any of them counts.

    They belong where `table.key` equals `outer` (`company.id`); `!=` means that none is equal.
    """

    table: str
    key: str
    outer: str
    column: str


Place = Stored | Column | Each


@dataclass(frozen=True, slots=True)
class Field:
    """One property that may be asked about; `path` is its spelling on the wire."""

    path: str
    kind: Kind
    place: Place


@dataclass(frozen=True)
class Fields(Mapping[str, Field]):
    """The properties of one sort of list, found by their path in any case.

    `owner` names the sort in error messages; `tie` is the column that makes every order total.
    """

    owner: str
    by_folded_path: Mapping[str, Field]
    tie: str = "id"

    def __getitem__(self, path: str) -> Field:
        return self.by_folded_path[path.casefold()]

    def __iter__(self) -> Iterator[str]:
        return (field.path for field in self.by_folded_path.values())

    def __len__(self) -> int:
        return len(self.by_folded_path)


def table(owner: str, *fields: Field, tie: str = "id") -> Fields:
    """The properties of a plain table: `table("Company", column("name", Kind.TEXT), ...)`."""
    return Fields(owner, {field.path.casefold(): field for field in fields}, tie)


def column(path: str, kind: Kind, name: str | None = None, *, optional: bool = False) -> Field:
    """A property that is a column, of the same name unless another is given."""
    return Field(path, kind, Column(name or path, optional))


_KNOWN = (
    Field("modifiedDate", Kind.MOMENT, Column("modified_at")),
    Field("metadata.isDeleted", Kind.TRUTH, Column("is_deleted")),
)


@cache
def of(record_type: type[Record]) -> Fields:
    """The properties of a data type, from the annotations of its class.

    Lists inside a record cannot be asked about. What is known about every record lies in columns
    of its own, the rest in the `fields` column.
    """
    stored = [
        Field(path, kind, Stored(path, optional))
        for path, kind, optional in _scalars(record_type)
        if not path.startswith("metadata.")
    ]
    return table(record_type.__name__, *stored, *_KNOWN)


def _scalars(
    part: type[Part], prefix: str = "", *, within_optional: bool = False
) -> Iterator[tuple[str, Kind, bool]]:
    for name, info in part.model_fields.items():
        path = prefix + (info.alias or name)
        annotation = _bare(info.annotation)
        kind, optional = _kind(annotation), within_optional or not info.is_required()
        if kind is not None:
            yield path, kind, optional
        elif isinstance(annotation, type) and issubclass(annotation, Part):
            yield from _scalars(annotation, f"{path}.", within_optional=optional)


def _bare(annotation: Any) -> Any:
    """The annotation without `| None` and without what pydantic is told beside the type."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        members = [member for member in get_args(annotation) if member is not types.NoneType]
        return _bare(members[0]) if len(members) == 1 else annotation
    return annotation


def _kind(annotation: Any) -> Kind | None:
    if not isinstance(annotation, type):
        return None
    # In this order: a Word is text too, a moment is a date too, a truth value is a number too.
    for base, kind in (
        (Word, Kind.WORD),
        (str, Kind.TEXT),
        (bool, Kind.TRUTH),
        (Decimal, Kind.NUMBER),
        (int, Kind.NUMBER),
        (datetime.datetime, Kind.MOMENT),
        (datetime.date, Kind.DAY),
    ):
        if issubclass(annotation, base):
            return kind
    return None
