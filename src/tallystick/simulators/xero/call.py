"""One call as the handlers see it, and the answer they give."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tallystick.simulators.xero.books.books import Books
from tallystick.simulators.xero.errors import bad_body, bad_query
from tallystick.simulators.xero.wire import decode, encode, envelope

Raw = Any


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request to the Accounting API, already let in, with the books it speaks to."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    books: Books
    api_url: str
    now: datetime

    def json(self) -> Raw:
        try:
            return decode(self.body)
        except ValueError as broken:
            raise bad_body(f"The body is no JSON: {broken}") from broken

    def flag(self, name: str, *, otherwise: bool = False) -> bool:
        value = self.query.get(name)
        return otherwise if value is None else value.lower() == "true"

    def places(self) -> int:
        """Decimal places of unit amounts: two, unless unitdp=4 is asked for."""
        return 4 if self.query.get("unitdp") == "4" else 2

    def whole(self, name: str, *, otherwise: int) -> int:
        value = self.query.get(name)
        if value is None:
            return otherwise
        if not value.isdigit() or int(value) < 1:
            raise bad_query(f"{name} must be a whole number above zero")
        return int(value)


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int = 200
    body: bytes = b""
    media_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


def answer(call: Call, **fields: Raw) -> Answer:
    document = {**envelope(id_=call.books.new_id(), now=call.now), **fields}
    return Answer(body=encode(document))
