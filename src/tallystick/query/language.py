"""The query language of lists: text in, a tree of clauses out.

    query    := or END
    or       := and ( "||" and )*
    and      := unit ( "&&" unit )*            "&&" binds tighter than "||"
    unit     := "{" or "}" | clause
    clause   := property op value
    property := ident ( "." ident )*
    op       := "=" | "!=" | ">=" | "<=" | ">" | "<" | "~"
    value    := a quoted text, or everything up to "&&", "||", "{", "}" or the end, trimmed

Blanks around tokens mean nothing. A value in single or double quotes may hold what would end it;
the quote that closes it is the first one after which a clause can end. What a property is, and
whether a value fits it, is not known here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote

from tallystick.errors import QueryError

LENGTH_MAX = 2047
"""A query is shorter than 2,048 characters, counted after decoding."""

DEPTH_MAX = 50
"""Braces within braces; more than a person writes, and few enough for any stack."""

_SPACE = re.compile(r"\s*")
_PROPERTY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_OP = re.compile(r"!=|>=|<=|=|>|<|~")
_BARE = re.compile(r"(?:(?!&&|\|\||[{}]).)*", re.DOTALL)
_QUOTED = re.compile(r"([\"'])(.*?)\1(?=\s*(?:&&|\|\||[{}]|\Z))", re.DOTALL)
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison; `position` is where its property stands in the decoded query."""

    property: str
    op: str
    value: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class And:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    parts: tuple["Node", ...]


Node = Clause | And | Or


def parse(text: str) -> Node:
    """The tree of a query that was URL-decoded once.

    Raises:
        QueryError: with the position of the first character that does not fit.
    """
    if not _OP.search(text) and _ESCAPE.search(text):
        # Some callers encode twice: no query is without an operator, so a second look is safe.
        text = unquote(text)
    if len(text) > LENGTH_MAX:
        raise QueryError(f"Malformed query. It has {len(text)} characters; 2047 are allowed")
    if found := _UNSTORABLE.search(text):
        raise QueryError("Malformed query. This character is not text", position=found.start())
    return _Parser(text).query()


class _Parser:
    """One method for each rule of the grammar; `_at` is the next character to look at."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def query(self) -> Node:
        tree = self._or()
        if self._at < len(self._text):
            raise self._malformed('"&&", "||" or the end is expected')
        return tree

    def _or(self) -> Node:
        parts = self._chain("||", self._and)
        return parts[0] if len(parts) == 1 else Or(parts)

    def _and(self) -> Node:
        parts = self._chain("&&", self._unit)
        return parts[0] if len(parts) == 1 else And(parts)

    def _chain(self, joint: str, rule: Callable[[], Node]) -> tuple[Node, ...]:
        parts = [rule()]
        while self._take(joint):
            parts.append(rule())
        return tuple(parts)

    def _unit(self) -> Node:
        if not self._take("{"):
            return self._clause()
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise self._malformed("The braces are nested too deeply")
        inner = self._or()
        if not self._take("}"):
            raise self._malformed('A closing "}" is expected')
        self._depth -= 1
        return inner

    def _clause(self) -> Clause:
        self._skip_space()
        start = self._at
        name = self._match(_PROPERTY, "A property is expected")
        self._skip_space()
        op = self._match(_OP, "An operator is expected")
        self._skip_space()
        return Clause(name, op, self._value(), start)

    def _value(self) -> str:
        if quoted := _QUOTED.match(self._text, self._at):
            self._at = quoted.end()
            self._skip_space()
            return quoted[2]
        value = self._match(_BARE, "A value is expected").rstrip()
        if not value:
            raise self._malformed("A value is expected")
        return value

    def _match(self, pattern: re.Pattern[str], wanted: str) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise self._malformed(wanted)
        self._at = found.end()
        return found[0]

    def _take(self, token: str) -> bool:
        self._skip_space()
        if not self._text.startswith(token, self._at):
            return False
        self._at += len(token)
        self._skip_space()
        return True

    def _skip_space(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _malformed(self, wanted: str) -> QueryError:
        return QueryError(f"Malformed query. {wanted}", position=self._at)
