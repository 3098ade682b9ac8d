"""What a year of trade must contain whatever the dice say, so that every case can be met."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tallystick.simulators.xero.books import payments
from tallystick.simulators.xero.books.allocations import add_allocation
from tallystick.simulators.xero.books.books import Books
from tallystick.simulators.xero.books.contacts import named, save_contact
from tallystick.simulators.xero.books.on_account import add_on_account
from tallystick.simulators.xero.seeds.trade import Trade

Raw = Any

_TIMBER = "O'Brien Timber Merchants"
_FIXINGS = "Kestrel Fixings & Ironmongery"


def tell(trade: Trade, *, home: str, abroad: str) -> None:
    """Plan the cases for the last weeks; `home` and `abroad` are the two currencies."""
    _open_bills(trade, home, abroad)
    _taken_back(trade, home)
    _credits(trade, home)
    _receivable_credits(trade, home)
    _on_account(trade)
    trade.on(trade.today - timedelta(days=20), _archive)


def _amounts(*amounts: str) -> list[dict[str, Raw]]:
    return [
        {"Description": "Goods as delivered", "Quantity": 1, "UnitAmount": Decimal(each)}
        | {"AccountCode": "310", "TaxType": "INPUT2"}
        for each in amounts
    ]


def _open_bills(trade: Trade, home: str, abroad: str) -> None:
    """Seven bills in the home currency nobody has paid, two of one supplier; two foreign ones."""
    open_ones = (
        (_TIMBER, "1250.00"),
        (_TIMBER, "310.45"),
        (_FIXINGS, "86.20"),
        ("Northmoor Energy", "412.08"),
        ("Pritchard's Tool Hire", "199.99"),
        ("D'Arcy & Søn Freight", "73.15"),
        ("Café Núñez", "54.60"),
    )
    for index, (name, amount) in enumerate(open_ones):
        day = trade.today - timedelta(days=16 - 2 * index)
        lines = {"LineItems": _amounts(amount), "LineAmountTypes": "Exclusive"}
        sent = trade.bill((name, home), day, **lines, InvoiceNumber=f"OPEN-{index + 1}")
        trade.on(day, lambda books, sent=sent: _write(trade, books, sent))  # type: ignore[misc]
    for name, currency in (
        ("Sägewerk Grünwald GmbH", abroad),
        ("Blue Ridge Hardwoods Inc.", "USD"),
    ):
        day = trade.today - timedelta(days=9)
        sent = trade.bill((name, currency), day, InvoiceNumber=f"OPEN-{currency}")
        trade.on(day, lambda books, sent=sent: _write(trade, books, sent))  # type: ignore[misc]
    for status in ("DRAFT", "SUBMITTED"):
        day = trade.today - timedelta(days=3)
        sent = trade.bill((_FIXINGS, home), day, Status=status, InvoiceNumber=f"NEW-{status}")
        trade.on(day, lambda books, sent=sent: _write(trade, books, sent))  # type: ignore[misc]


def _write(trade: Trade, books: Books, sent: dict[str, Raw]) -> None:
    trade.document(books, sent)


def _taken_back(trade: Trade, home: str) -> None:
    """A part-paid bill, a voided one, a deleted one, a deleted payment, and a payment run."""
    day = trade.today - timedelta(days=40)

    def done(books: Books) -> None:
        ids = [
            trade.document(books, trade.bill((_FIXINGS, home), day, InvoiceNumber=f"TB-{index}"))
            for index in range(6)
        ]
        trade.pay(ids[0], share=Decimal("0.4"))(books)
        trade.change(books, "Invoices", ids[1], {"Status": "VOIDED"})
        draft = trade.bill((_FIXINGS, home), day, Status="DRAFT", InvoiceNumber="TB-DRAFT")
        trade.change(books, "Invoices", trade.document(books, draft), {"Status": "DELETED"})
        trade.pay(ids[2])(books)
        for payment in books.rows("by_target", collection="Payments", target=ids[2]):
            payments.delete_payment(books, payment)
        trade.pay_together(books, ids[3:5])

    trade.on(day, done)


def _credits(trade: Trade, home: str) -> None:
    """Supplier credits: unused, partly and fully allocated, and one paid back."""
    day = trade.today - timedelta(days=12)

    def note(books: Books, amount: str, number: str) -> str:
        sent = {
            "Type": "ACCPAYCREDIT",
            "Status": "AUTHORISED",
            "Contact": {"Name": _TIMBER},
            "CreditNoteNumber": number,
            "Date": day.isoformat(),
            "CurrencyCode": home,
            "LineItems": _amounts(amount),
        }
        return trade.document(books, sent)

    def done(books: Books) -> None:
        note(books, "250.00", "CR-UNUSED")
        bill = trade.bill(
            (_TIMBER, home), day, LineItems=_amounts("900.00"), InvoiceNumber="CR-BILL"
        )
        target = trade.document(books, {**bill, "LineAmountTypes": "Exclusive"})
        for number, amount, part in (
            ("CR-PART", "120.00", "60.00"),
            ("CR-FULL", "75.00", "90.00"),
        ):
            credit = books.get("CreditNotes", note(books, amount, number))
            if credit:
                sent = {"Invoice": {"InvoiceID": target}, "Amount": Decimal(part)}
                add_allocation(books, credit, {**sent, "Date": books.today.isoformat()})
        refunded = note(books, "40.00", "CR-REFUND")
        payments.add_payment(
            books,
            {
                "CreditNote": {"CreditNoteID": refunded},
                "Account": {"Code": "090"},
                "Amount": Decimal("48.00"),
                "Date": books.today.isoformat(),
            },
        )

    trade.on(day, done)


def _receivable_credits(trade: Trade, home: str) -> None:
    day = trade.today - timedelta(days=11)

    def done(books: Books) -> None:
        customer = ("Bramble Cottage Interiors", home)
        invoice = trade.document(books, trade.invoice(customer, day))
        for amount, part in (("45.00", None), ("60.00", "10.00")):
            lines = [{"Description": "Returned", "Quantity": 1, "UnitAmount": Decimal(amount)}]
            sent = {
                "Type": "ACCRECCREDIT",
                "Status": "AUTHORISED",
                "Contact": {"Name": customer[0]},
                "Reference": "Damaged in transit",
                "Date": day.isoformat(),
                "CurrencyCode": home,
                "LineItems": [{**lines[0], "AccountCode": "200", "TaxType": "OUTPUT2"}],
            }
            credit = books.get("CreditNotes", trade.document(books, sent))
            if credit and part:
                allocation = {"Invoice": {"InvoiceID": invoice}, "Amount": Decimal(part)}
                add_allocation(books, credit, {**allocation, "Date": day.isoformat()})

    trade.on(day, done)


def _on_account(trade: Trade) -> None:
    """Money paid ahead and money paid too much, each laid against a bill in part."""
    day = trade.today - timedelta(days=8)

    def done(books: Books) -> None:
        bill = trade.bill((_FIXINGS, books.base), day, LineItems=_amounts("600.00"))
        target = trade.document(books, {**bill, "LineAmountTypes": "Exclusive"})
        for kind, collection in (
            ("SPEND-PREPAYMENT", "Prepayments"),
            ("SPEND-OVERPAYMENT", "Overpayments"),
        ):
            sent = {
                "Type": kind,
                "Contact": {"Name": _FIXINGS},
                "Account": {"Code": "090"},
                "Date": day.isoformat(),
                "Reference": "Paid ahead",
                "LineItems": [{"Description": "On account", "UnitAmount": Decimal("150.00")}],
            }
            credit = books.get(collection, add_on_account(books, sent))
            if credit:
                allocation = {"Invoice": {"InvoiceID": target}, "Amount": Decimal("100.00")}
                add_allocation(books, credit, {**allocation, "Date": day.isoformat()})

    trade.on(day, done)


def _archive(books: Books) -> None:
    save_contact(books, {"Name": "Gone Away Joinery"}, previous=None)
    found = named(books, "Gone Away Joinery")
    save_contact(books, {"ContactStatus": "ARCHIVED"}, previous=found)
