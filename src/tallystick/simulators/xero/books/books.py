"""One organisation's records and journal, as they stand inside the open transaction."""

import copy
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tallystick.simulators.store import Tx
from tallystick.simulators.xero.books.rates import base_cents, rate_on
from tallystick.simulators.xero.errors import ID_KEYS
from tallystick.simulators.xero.wire import (
    day_of,
    decode,
    encode,
    moment_json,
    moment_of,
    ms,
    number,
)

Raw = Any

# What a payment or an allocation may settle, and the collection it lies in.
TARGETS = {
    "Invoice": "Invoices",
    "CreditNote": "CreditNotes",
    "Prepayment": "Prepayments",
    "Overpayment": "Overpayments",
}
_OPEN = {"Invoices": "AmountDue"} | dict.fromkeys(
    ("CreditNotes", "Prepayments", "Overpayments"), "RemainingCredit"
)


@dataclass(frozen=True, kw_only=True)
class Held:
    """A record as the books hold it; a native one is served as it was published."""

    number: int
    collection: str
    id: str
    kind: str
    status: str
    contact: str
    native: bool
    body: dict[str, Raw]


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One line of a journal; debits are positive. Bank accounts also count in their currency."""

    account: str
    base_cents: int
    control: str = ""
    contact: str = ""
    account_cents: int | None = None


class Unbalanced(AssertionError):
    """A journal whose debits are not its credits: a mistake of the simulator."""


class Books:
    def __init__(
        self, tx: Tx, organisation_id: str, *, now: datetime, new_id: Callable[[], str]
    ) -> None:
        self.tx = tx
        self.organisation_id = organisation_id
        self.now = now
        self.new_id = new_id
        self._cache: dict[str, list[Held]] = {}

    def at(self, now: datetime) -> "Books":
        """The same books, as someone working at another moment holds them."""
        moved = copy.copy(self)
        moved.now = now
        return moved

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def organisation(self) -> dict[str, Raw]:
        row = self.tx.one("organisation", id=self.organisation_id)
        body: dict[str, Raw] = decode(row["body"]) if row else {}
        return body

    @property
    def base(self) -> str:
        return str(self.organisation["BaseCurrency"])

    def keep_organisation(self, body: dict[str, Raw]) -> None:
        self.tx.run("keep_organisation", id=self.organisation_id, body=encode(body))

    def get(self, collection: str, id_: Raw) -> Held | None:
        row = self.tx.one(
            "record", organisation=self.organisation_id, collection=collection, id=str(id_).lower()
        )
        return held(row) if row else None

    def rows(self, statement: str, **values: Raw) -> list[Held]:
        found = self.tx.all(statement, organisation=self.organisation_id, **values)
        return [held(row) for row in found]

    def all_of(self, collection: str) -> list[Held]:
        """A whole collection, kept at hand: for the few short ones that everything refers to."""
        if collection not in self._cache:
            self._cache[collection] = self.rows("all_of", collection=collection)
        return self._cache[collection]

    def save(
        self, collection: str, body: dict[str, Raw], *, moved: bool = True, native: bool = False
    ) -> None:
        """Keep a record; `moved` says whether its UpdatedDateUTC follows."""
        if moved:
            body["UpdatedDateUTC"] = moment_json(self.now)
        columns = _columns(collection, body)
        self.tx.run(
            "keep_record",
            organisation=self.organisation_id,
            collection=collection,
            native=int(native),
            body=encode(body),
            **columns,
        )
        self._cache.pop(collection, None)

    def drop(self, collection: str, id_: str) -> None:
        self.tx.run("drop_record", organisation=self.organisation_id, collection=collection, id=id_)
        self._cache.pop(collection, None)

    def account(self, ref: Raw) -> dict[str, Raw] | None:
        """The account that {AccountID} or {Code} points to."""
        if not isinstance(ref, dict):
            return None
        for candidate in self.all_of("Accounts"):
            body = candidate.body
            if ref.get("AccountID") and candidate.id == str(ref["AccountID"]).lower():
                return body
            if not ref.get("AccountID") and ref.get("Code") and body.get("Code") == ref["Code"]:
                return body
        return None

    def system_account(self, name: str) -> str:
        """The id of the account Xero itself posts to, such as CREDITORS."""
        for candidate in self.all_of("Accounts"):
            if candidate.body.get("SystemAccount") == name:
                return candidate.id
        raise LookupError(f"these books have no system account {name}")

    def rate(self, currency: str, day: date) -> Decimal:
        return rate_on(day, currency=currency, base=self.base)

    def post(self, *, source: str, day: date, legs: Iterable[Leg]) -> None:
        entries = [leg for leg in legs if leg.base_cents or leg.account_cents]
        if sum(leg.base_cents for leg in entries) != 0:
            raise Unbalanced(source, entries)
        for leg in entries:
            own = leg.base_cents if leg.account_cents is None else leg.account_cents
            self.tx.run(
                "post_line",
                organisation=self.organisation_id,
                source=source,
                posted_on=day.isoformat(),
                account=leg.account,
                control=leg.control,
                contact=leg.contact,
                base_cents=leg.base_cents,
                account_cents=own,
            )

    def posted(self, source: str) -> list[Leg]:
        """What a document has left in the journal so far, summed by account."""
        rows = self.tx.all("lines_of", organisation=self.organisation_id, source=source)
        return [
            Leg(
                account=row["account"],
                base_cents=row["base_cents"],
                control=row["control"],
                contact=row["contact"],
                account_cents=row["account_cents"],
            )
            for row in rows
        ]


def held(row: sqlite3.Row) -> Held:
    return Held(
        number=row["number"],
        collection=row["collection"],
        id=row["id"],
        kind=row["kind"],
        status=row["status"],
        contact=row["contact"],
        native=bool(row["native"]),
        body=decode(row["body"]),
    )


def reversed_legs(legs: Iterable[Leg]) -> list[Leg]:
    return [
        Leg(
            account=leg.account,
            base_cents=-leg.base_cents,
            control=leg.control,
            contact=leg.contact,
            account_cents=-(leg.account_cents or 0),
        )
        for leg in legs
    ]


def _columns(collection: str, body: dict[str, Raw]) -> dict[str, Raw]:
    """What the file can search by, read from the record itself."""
    updated = moment_of(body.get("UpdatedDateUTC"))
    due_on = day_of(body.get("DueDate"))
    target, owner = _links(collection, body)
    return {
        "id": str(body[ID_KEYS[collection]]).lower(),
        "kind": str(body.get("PaymentType") or body.get("Type") or ""),
        "status": str(body.get("Status") or body.get("ContactStatus") or ""),
        "label": str(body.get("Name") or "").casefold(),
        "code": _code(body),
        "contact": _id_in(body.get("Contact"), "ContactID"),
        "target": target,
        "owner": owner,
        "updated_ms": ms(updated) if updated else 0,
        "open_cents": open_cents(collection, body),
        "due_on": due_on.isoformat() if due_on else "",
    }


def open_cents(collection: str, body: dict[str, Raw]) -> int:
    """What is still open of a document, in base currency at the document's own rate."""
    field = _OPEN.get(collection)
    if field is None or body.get("Status") != "AUTHORISED":
        return 0
    return base_cents(number(body.get(field)), number(body.get("CurrencyRate")))


def _code(body: dict[str, Raw]) -> str:
    for name in ("InvoiceNumber", "CreditNoteNumber", "Code"):
        if body.get(name):
            return str(body[name])
    return ""


def _links(collection: str, body: dict[str, Raw]) -> tuple[str, str]:
    if collection == "Payments":
        return _first_target(body, TARGETS), str(body.get("BatchPaymentID") or "")
    if collection == "Allocations":
        others = [name for name in TARGETS if name != "Invoice"]
        return _id_in(body.get("Invoice"), "InvoiceID"), _first_target(body, others)
    return "", ""


def _first_target(body: dict[str, Raw], names: Iterable[str]) -> str:
    for name in names:
        if found := _id_in(body.get(name), f"{name}ID"):
            return found
    return ""


def _id_in(ref: Raw, key: str) -> str:
    return str(ref.get(key) or "").lower() if isinstance(ref, dict) else ""
