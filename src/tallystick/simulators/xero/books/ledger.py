"""The double entry behind every document, payment and allocation.

The control accounts always hold exactly what is open of the documents, each at its own rate and
rounded once: a settlement clears the difference between two rounded balances, never a rounded part.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from tallystick.simulators.xero.books.books import Books, Leg, reversed_legs
from tallystick.simulators.xero.books.lines import net
from tallystick.simulators.xero.books.rates import base_cents
from tallystick.simulators.xero.errors import Invalid
from tallystick.simulators.xero.wire import ZERO, cents, day_json, day_of, money, number

Raw = Any


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A type of document: where it lies, whose side it is on, which way it moves the control."""

    name: str
    collection: str
    side: str
    sign: int

    @property
    def open_field(self) -> str:
        return "AmountDue" if self.collection == "Invoices" else "RemainingCredit"

    @property
    def is_credit(self) -> bool:
        return self.collection != "Invoices"


def _kind(name: str, collection: str, side: str, sign: int) -> Kind:
    return Kind(name=name, collection=collection, side=side, sign=sign)


KINDS = {
    kind.name: kind
    for kind in (
        _kind("ACCPAY", "Invoices", "AP", -1),
        _kind("ACCREC", "Invoices", "AR", 1),
        _kind("ACCPAYCREDIT", "CreditNotes", "AP", 1),
        _kind("ACCRECCREDIT", "CreditNotes", "AR", -1),
        _kind("SPEND-PREPAYMENT", "Prepayments", "AP", 1),
        _kind("RECEIVE-PREPAYMENT", "Prepayments", "AR", -1),
        _kind("SPEND-OVERPAYMENT", "Overpayments", "AP", 1),
        _kind("RECEIVE-OVERPAYMENT", "Overpayments", "AR", -1),
    )
}
_CONTROL = {"AP": "CREDITORS", "AR": "DEBTORS"}


def kind_of(body: dict[str, Raw]) -> Kind:
    return KINDS[body["Type"]]


def check_unlocked(books: Books, day: date, *, what: str) -> None:
    organisation = books.organisation
    for name, words in (
        ("EndOfYearLockDate", "end of year lock date"),
        ("PeriodLockDate", "period lock date"),
    ):
        locked = day_of(organisation.get(name))
        if locked and day <= locked:
            raise Invalid(f"The {what} date cannot be before the {words}")


def raise_document(books: Books, *, source: str, body: dict[str, Raw]) -> None:
    """Post an approved invoice or credit note."""
    kind, rate = kind_of(body), number(body.get("CurrencyRate"))
    legs = [_control_leg(books, body, before=ZERO, after=money(body["Total"]))]
    for item in body["LineItems"]:
        if account := item.get("AccountID"):
            moved = base_cents(net(item, mode=body["LineAmountTypes"]), rate)
            legs.append(Leg(account=account, base_cents=-kind.sign * moved))
    tax = base_cents(money(body.get("TotalTax")), rate)
    legs.append(Leg(account=books.system_account("GST"), base_cents=-kind.sign * tax))
    books.post(source=source, day=_day(body), legs=_balanced(books, legs, into="ROUNDING"))


def raise_on_account(
    books: Books, *, source: str, body: dict[str, Raw], bank: dict[str, Raw]
) -> None:
    """Post a prepayment or an overpayment: money moved, and a credit stands open for it."""
    kind, total = kind_of(body), money(body["Total"])
    legs = [
        _control_leg(books, body, before=ZERO, after=total),
        bank_leg(
            books, bank, body=body, amount=total, rate=number(body["CurrencyRate"]), sign=-kind.sign
        ),
    ]
    books.post(source=source, day=_day(body), legs=_balanced(books, legs, into="ROUNDING"))


def raise_opening(books: Books, *, source: str, body: dict[str, Raw]) -> None:
    """Take over an open balance from books kept elsewhere."""
    kind = kind_of(body)
    opening = _control_leg(books, body, before=ZERO, after=money(body[kind.open_field]))
    day = day_of(body.get("Date")) or books.today
    books.post(source=source, day=day, legs=_balanced(books, [opening], into="HISTORICAL"))


def withdraw(books: Books, *, source: str, day: date) -> None:
    """Post the opposite of whatever the document has posted so far."""
    books.post(source=source, day=day, legs=reversed_legs(books.posted(source)))


def settle(books: Books, body: dict[str, Raw], amount: Decimal, *, on: date, field: str) -> Leg:
    """Take an amount off what is open of a document; the leg is the control account's share.

    A negative amount opens the document again. `field` is AmountPaid or AmountCredited, and
    counts for invoices only.
    """
    kind = kind_of(body)
    before = money(body[kind.open_field])
    after = before - amount
    body[kind.open_field] = after
    if not kind.is_credit:
        body[field] = money(body.get(field)) + amount
    body["Status"] = "PAID" if after == 0 else "AUTHORISED"
    if after == 0:
        body["FullyPaidOnDate"] = day_json(on)
    else:
        body.pop("FullyPaidOnDate", None)
    return _control_leg(books, body, before=before, after=after)


def bank_leg(
    books: Books,
    account: dict[str, Raw],
    *,
    body: dict[str, Raw],
    amount: Decimal,
    rate: Decimal,
    sign: int,
) -> Leg:
    """The bank's share of a payment, counted in base and in the account's own currency."""
    moved = base_cents(amount, rate)
    in_foreign = account.get("CurrencyCode", books.base) not in ("", books.base)
    own = cents(amount) if in_foreign and account["CurrencyCode"] == _currency(body) else moved
    return Leg(
        account=account["AccountID"].lower(), base_cents=sign * moved, account_cents=sign * own
    )


def settlement(books: Books, *, source: str, day: date, legs: Iterable[Leg]) -> None:
    """Post a settlement; what the two rates leave between its legs is a realised currency gain."""
    balanced = _balanced(books, list(legs), into="REALISEDCURRENCYGAIN")
    books.post(source=source, day=day, legs=balanced)


def without_control(legs: Iterable[Leg]) -> list[Leg]:
    return [leg for leg in legs if not leg.control]


def _control_leg(books: Books, body: dict[str, Raw], *, before: Decimal, after: Decimal) -> Leg:
    kind, rate = kind_of(body), number(body.get("CurrencyRate"))
    return Leg(
        account=books.system_account(_CONTROL[kind.side]),
        base_cents=kind.sign * (base_cents(after, rate) - base_cents(before, rate)),
        control=kind.side,
        contact=str((body.get("Contact") or {}).get("ContactID") or "").lower(),
    )


def _balanced(books: Books, legs: list[Leg], *, into: str) -> list[Leg]:
    rest = sum(leg.base_cents for leg in legs)
    return [*legs, Leg(account=books.system_account(into), base_cents=-rest)] if rest else legs


def _day(body: dict[str, Raw]) -> date:
    day = day_of(body["Date"])
    if day is None:
        raise Invalid("Date is not a day")
    return day


def _currency(body: dict[str, Raw]) -> str:
    return str(body.get("CurrencyCode") or "")
