"""A raw record that remembers which of its fields were read and what was odd in them."""

import datetime
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from tallystick.model.base import Word

W = TypeVar("W", bound=Word)
T = TypeVar("T")

_ZERO = Decimal(0)


class Fields:
    """Tolerant access to one raw object: an odd value becomes None and is noted, never an error.

    Paths in `read` and `odd` are dotted and without list positions: `LineItems.Tracking.Name`.
    """

    __slots__ = ("_at", "_objects", "odd", "raw", "read")

    def __init__(self, raw: Any, *, at: str = "", shared: "Fields | None" = None) -> None:
        self.raw: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
        self._at = at
        self.read: set[str] = set() if shared is None else shared.read
        self.odd: list[str] = [] if shared is None else shared.odd
        # The paths in them are only put together when somebody asks: mapping stays fast.
        self._objects: list[tuple[str, Mapping[str, Any]]] = (
            [] if shared is None else shared._objects  # noqa: SLF001 - of the same class
        )
        self._objects.append((at, self.raw))

    @property
    def present(self) -> set[str]:
        """The paths of all fields in the objects that were looked into."""
        return {at + key for at, raw in self._objects for key in raw}

    def _take(self, key: str) -> Any:
        self.read.add(self._at + key)
        return self.raw.get(key)

    def _note(self, key: str, value: Any, wanted: str) -> None:
        self.odd.append(f"{self._at}{key}: {wanted} expected, got {str(value)[:60]!r}")

    def note(self, key: str, wanted: str) -> None:
        """Report a field that is odd for a reason only the mapping can see."""
        self._note(key, self._take(key), wanted)

    def has(self, key: str) -> bool:
        """Whether the field is there with a value."""
        return self._take(key) not in (None, "")

    def text(self, key: str) -> str | None:
        """Text without surrounding blanks; empty means absent."""
        value = self._take(key)
        if value is None or isinstance(value, str):
            return (value or "").strip() or None
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return str(value)
        self._note(key, value, "text")
        return None

    def needed(self, key: str) -> str:
        """Text without which nobody knows which record this is.

        Raises:
            ValueError: there is none. Dropped in silence, the record would be taken for deleted.
        """
        found = self.text(key)
        if found is None:
            raise ValueError(f"{self._at}{key}: nothing there")
        return found

    def number(self, key: str) -> Decimal | None:
        value = self._take(key)
        if value is None or value == "":
            return None
        try:
            number = Decimal(value) if isinstance(value, str | int | Decimal) else None
        except InvalidOperation:
            number = None
        if number is None or isinstance(value, bool) or not _is_sane(number):
            self._note(key, value, "a number")
            return None
        return number or _ZERO

    def truth(self, key: str) -> bool | None:
        value = self._take(key)
        if value is None or isinstance(value, bool):
            return value
        self._note(key, value, "true or false")
        return None

    def word(self, key: str, table: Mapping[str, W], unknown: W) -> W:
        """Our word for theirs; one that the table lacks is noted and becomes `unknown`."""
        value = self._take(key)
        if isinstance(value, str) and value in table:
            return table[value]
        self._note(key, value, f"one of {', '.join(table)}")
        return unknown

    def value(self, key: str, parse: Callable[[str], T], wanted: str) -> T | None:
        """What `parse` makes of the field's text; its ValueError or OverflowError is noted."""
        value = self._take(key)
        if value is None or value == "":
            return None
        try:
            return parse(str(value))
        except (ValueError, OverflowError):
            self._note(key, value, wanted)
            return None

    def iso_day(self, key: str) -> datetime.date | None:
        """The day of an ISO text (`2024-01-15`, `2024-01-15T00:00:00`)."""
        return self.value(key, lambda text: datetime.date.fromisoformat(text[:10]), "a date")

    def part(self, key: str) -> "Fields":
        """The object below that key; an empty one where there is none."""
        value = self._take(key)
        if value is not None and not isinstance(value, dict):
            self._note(key, value, "an object")
        return Fields(value, at=f"{self._at}{key}.", shared=self)

    def each(self, key: str) -> Iterator["Fields"]:
        """The objects of the list below that key."""
        value = self._take(key)
        if value is None:
            return
        if not isinstance(value, list):
            self._note(key, value, "a list")
            return
        for element in value:
            yield Fields(element, at=f"{self._at}{key}.", shared=self)

    def leave(self) -> tuple[()]:
        """Account for the whole record as one of another read: here it gives nothing."""
        self.read |= self.present
        return ()

    def unread(self, ignores: frozenset[str]) -> set[str]:
        """Fields that are there but were neither read nor ignored by name (with all below them)."""
        left = self.present - self.read - ignores
        return {path for path in left if not _below(path, ignores)}


def _is_sane(number: Decimal) -> bool:
    """Neither infinite nor of a size that no books hold, and that arithmetic would stumble over."""
    return number.is_finite() and (not number or -13 < number.adjusted() < 16)


def _below(path: str, ignores: frozenset[str]) -> bool:
    parts = path.split(".")
    return any(".".join(parts[:end]) in ignores for end in range(1, len(parts)))
