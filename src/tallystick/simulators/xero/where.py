"""The part of Xero's `where` and `order` that list calls use.

expression  := conjunction ( ("OR" | "||") conjunction )*
conjunction := term ( ("AND" | "&&") term )*
term        := "(" expression ")" | path operator value
operator    := "==" | "=" | "!=" | ">=" | "<=" | ">" | "<"
value       := string | number | true | false | null | Guid("...") | DateTime(y, m, d[, h, m, s])
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from tallystick.simulators.xero.errors import bad_query
from tallystick.simulators.xero.wire import is_number, moment_of, number

Raw = Any
Test = Callable[[dict[str, Raw]], bool]

_TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<call>(?:Guid|DateTime)\s*\([^)]*\))'
    r"|(?P<op>==|!=|>=|<=|&&|\|\||[()<>=])|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][\w.]*))",
    re.IGNORECASE,
)
_COMPARE: dict[str, Callable[[Raw, Raw], bool]] = {
    "==": lambda a, b: bool(a == b),
    "=": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    ">": lambda a, b: bool(a > b),
    "<": lambda a, b: bool(a < b),
    ">=": lambda a, b: bool(a >= b),
    "<=": lambda a, b: bool(a <= b),
}


@dataclass(frozen=True, kw_only=True)
class Filter:
    """A `where`: the equalities a search by column can answer, and the test for all the rest."""

    columns: dict[str, str]
    test: Test | None


@dataclass(frozen=True, kw_only=True)
class _Part:
    test: Test
    column: tuple[str, str] | None = None


_COLUMNS = {
    "Type": "kind",
    "PaymentType": "kind",
    "Status": "status",
    "Contact.ContactID": "contact",
}


def parse_where(text: str | None) -> Filter:
    if not text or not text.strip():
        return Filter(columns={}, test=None)
    reader = _Reader(text)
    parts, alternatives = reader.expression()
    reader.end()
    columns: dict[str, str] = {}
    rest: list[Test] = []
    for part in parts:
        if part.column and part.column[0] not in columns and not alternatives:
            columns[part.column[0]] = part.column[1]
        else:
            rest.append(part.test)
    if alternatives:
        return Filter(columns={}, test=_any([_all([p.test for p in parts]), *alternatives]))
    return Filter(columns=columns, test=_all(rest) if rest else None)


def _all(tests: list[Test]) -> Test:
    return lambda body: all(test(body) for test in tests)


def _any(tests: list[Test]) -> Test:
    return lambda body: any(test(body) for test in tests)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            if not found:
                raise bad_query(f"Cannot read the where clause at position {at}: {text}")
            self._tokens.append((found.lastgroup or "", found.group(found.lastgroup or 0)))
            at = found.end()

    def expression(self) -> tuple[list[_Part], list[Test]]:
        parts = self._conjunction()
        alternatives: list[Test] = []
        while self._takes("||", "OR"):
            alternatives.append(_all([part.test for part in self._conjunction()]))
        return parts, alternatives

    def end(self) -> None:
        if self._tokens:
            raise bad_query(f"Unexpected '{self._tokens[0][1]}' in the where clause: {self._text}")

    def _conjunction(self) -> list[_Part]:
        parts = self._term()
        while self._takes("&&", "AND"):
            parts += self._term()
        return parts

    def _term(self) -> list[_Part]:
        if self._takes("("):
            parts, alternatives = self.expression()
            if not self._takes(")"):
                raise bad_query(f"A bracket is not closed in the where clause: {self._text}")
            if not alternatives:
                return parts
            return [_Part(test=_any([_all([part.test for part in parts]), *alternatives]))]
        kind, path = self._next()
        _, op = self._next()
        if kind != "word" or op not in _COMPARE:
            raise bad_query(f"No viable comparison in the where clause: {self._text}")
        value = self._value()
        column = _COLUMNS.get(path)
        pushed = (column, str(value)) if column and op in ("==", "=") and value else None
        return [_Part(test=_comparison(path, op, value), column=pushed)]

    def _value(self) -> Raw:
        kind, text = self._next()
        if kind == "string":
            return text[1:-1].replace('\\"', '"')
        if kind == "number":
            return Decimal(text)
        if kind == "call":
            return _called(text)
        words: dict[str, Raw] = {"true": True, "false": False, "null": None}
        if text.lower() in words:
            return words[text.lower()]
        raise bad_query(f"'{text}' is no value in the where clause: {self._text}")

    def _takes(self, *texts: str) -> bool:
        if self._tokens and self._tokens[0][1].upper() in texts:
            self._tokens.pop(0)
            return True
        return False

    def _next(self) -> tuple[str, str]:
        if not self._tokens:
            raise bad_query(f"The where clause ends too early: {self._text}")
        return self._tokens.pop(0)


def _called(text: str) -> Raw:
    inner = text[text.index("(") + 1 : -1].strip()
    if text.lower().startswith("guid"):
        return inner.strip("\"' ").lower()
    try:
        return datetime(*[int(piece) for piece in inner.split(",")], tzinfo=UTC)  # type: ignore[misc,arg-type]
    except (ValueError, TypeError) as wrong:
        raise bad_query(f"{text} is no moment") from wrong


def value_at(body: Raw, path: str) -> Raw:
    for name in path.split("."):
        if not isinstance(body, dict):
            return None
        body = body.get(name)
    return body


def _comparison(path: str, op: str, value: Raw) -> Test:
    compare = _COMPARE[op]

    def test(body: dict[str, Raw]) -> bool:
        found = value_at(body, path)
        if isinstance(value, datetime):
            found = moment_of(found)
        elif isinstance(value, Decimal):
            found = number(found) if is_number(found) else None
        elif isinstance(found, str) and isinstance(value, str) and path.endswith("ID"):
            found = found.lower()
        if found is None or value is None:
            return compare(found, value) if op in ("==", "=", "!=") else False
        return compare(found, value)

    return test


def parse_order(text: str | None) -> list[tuple[str, bool]]:
    """Fields to order by, each with whether it runs downwards."""
    fields: list[tuple[str, bool]] = []
    for piece in (text or "").split(","):
        words = piece.split()
        if not words:
            continue
        if len(words) > 2 or (len(words) == 2 and words[1].upper() not in ("ASC", "DESC")):
            raise bad_query(f"Cannot read the order clause: {text}")
        fields.append((words[0], len(words) == 2 and words[1].upper() == "DESC"))
    return fields


def order_key(body: dict[str, Raw], path: str) -> tuple[int, Raw]:
    """A key that sorts anything: nothing first, then moments and numbers, then words."""
    found = value_at(body, path)
    if found is None:
        return (0, 0)
    if moment := moment_of(found):
        return (1, moment.timestamp())
    if is_number(found):
        return (1, float(number(found)))
    return (2, str(found).casefold())
