"""Credits laid against invoices: no money moves, two open amounts do."""

from datetime import date
from decimal import Decimal
from typing import Any

from tallystick.simulators.xero.books import ledger
from tallystick.simulators.xero.books.books import TARGETS, Books, Held
from tallystick.simulators.xero.books.ledger import KINDS
from tallystick.simulators.xero.errors import Invalid
from tallystick.simulators.xero.wire import day_json, day_of, is_number, money, number

Raw = Any


def add_allocation(books: Books, credit: Held, sent: dict[str, Raw]) -> str:
    """Lay a credit against an invoice; answers the allocation's id."""
    credit = _again(books, credit)
    invoice = _invoice(books, credit, sent.get("Invoice"))
    amount = _amount(sent, credit=credit, invoice=invoice)
    day = day_of(sent.get("Date"))
    if day is None:
        raise Invalid("The Date of the allocation must be specified")
    ledger.check_unlocked(books, day, what="allocation")
    id_ = books.new_id()
    _move(books, credit=credit, invoice=invoice, amount=amount, day=day, source=id_)
    name = _name_of(credit)
    books.save(
        "Allocations",
        {
            "AllocationID": id_,
            "Amount": amount,
            "Date": day_json(day),
            "Invoice": {"InvoiceID": invoice.id},
            name: {f"{name}ID": credit.id},
        },
    )
    return id_


def remove_allocation(books: Books, allocation: Held) -> None:
    """Undo an allocation: both open amounts stand again, and it is gone from its parents."""
    invoice = books.get("Invoices", allocation.body["Invoice"]["InvoiceID"])
    credit = credit_of(books, allocation)
    if invoice is None or credit is None:
        raise Invalid("This allocation was not made in these books and cannot be removed")
    day = day_of(allocation.body["Date"]) or books.today
    ledger.check_unlocked(books, day, what="allocation")
    amount = -money(allocation.body["Amount"])
    _move(books, credit=credit, invoice=invoice, amount=amount, day=day, source=allocation.id)
    books.save("Allocations", {**allocation.body, "IsDeleted": True, "Status": "DELETED"})


def credit_of(books: Books, allocation: Held) -> Held | None:
    for name, collection in TARGETS.items():
        if name != "Invoice" and name in allocation.body:
            return books.get(collection, allocation.body[name][f"{name}ID"])
    return None


def _move(
    books: Books, *, credit: Held, invoice: Held, amount: Decimal, day: date, source: str
) -> None:
    one, other = dict(invoice.body), dict(credit.body)
    legs = [
        ledger.settle(books, one, amount, on=day, field="AmountCredited"),
        ledger.settle(books, other, amount, on=day, field=""),
    ]
    ledger.settlement(books, source=source, day=day, legs=legs)
    books.save("Invoices", one, native=invoice.native)
    books.save(credit.collection, other, native=credit.native)


def _again(books: Books, credit: Held) -> Held:
    """The credit as it stands now: an earlier element of the same call may have used of it."""
    return books.get(credit.collection, credit.id) or credit


def _invoice(books: Books, credit: Held, ref: Raw) -> Held:
    id_ = ref.get("InvoiceID") if isinstance(ref, dict) else None
    invoice = books.get("Invoices", id_) if id_ else None
    if invoice is None:
        raise Invalid("The Invoice of the allocation could not be found")
    if credit.status != "AUTHORISED" or invoice.status != "AUTHORISED":
        raise Invalid("Credits can only be allocated between Authorised documents")
    if KINDS[invoice.kind].side != KINDS[credit.kind].side:
        raise Invalid("The credit and the invoice are of different types")
    if invoice.contact != credit.contact:
        raise Invalid("The credit and the invoice must belong to the same contact")
    if invoice.body.get("CurrencyCode") != credit.body.get("CurrencyCode"):
        raise Invalid("The credit and the invoice must be in the same currency")
    return invoice


def _amount(sent: dict[str, Raw], *, credit: Held, invoice: Held) -> Decimal:
    if not is_number(sent.get("Amount")) or number(sent["Amount"]) <= 0:
        raise Invalid("The allocation amount must be greater than zero")
    amount = money(sent["Amount"])
    if amount > money(credit.body["RemainingCredit"]):
        raise Invalid("The allocation amount exceeds the remaining credit")
    if amount > money(invoice.body["AmountDue"]):
        raise Invalid("The allocation amount exceeds the amount outstanding on the invoice")
    return amount


def _name_of(credit: Held) -> str:
    return next(name for name, collection in TARGETS.items() if collection == credit.collection)
