"""What must hold for a bill or a bill credit note before Xero is asked."""

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal

from tallystick.connectors.xero.books import XeroBooks
from tallystick.connectors.xero.writes.checks import (
    UNIT_PLACES,
    Say,
    currency_problems,
    id_problems,
    saying,
    too_fine,
    tracking_problems,
)
from tallystick.errors import Problem
from tallystick.model.payables import (
    Bill,
    BillCreditNote,
    BillCreditNoteLine,
    BillLine,
)

Document = Bill | BillCreditNote
DocumentLine = BillLine | BillCreditNoteLine

_CENT = Decimal("0.01")

TOLERANCE = Decimal("0.10")
"""Xero books what rounding leaves over to its rounding account; more than that is a mistake."""


def check_bill(bill: Bill, books: XeroBooks) -> Sequence[Problem]:
    return tuple(_problems(saying("Bill"), bill, books))


def check_credit_note(note: BillCreditNote, books: XeroBooks) -> Sequence[Problem]:
    say = saying("BillCreditNote")
    found = list(_problems(say, note, books))
    if note.total_amount < 0 or lines_total(note, books) <= 0:
        found.append(say("TotalAmount", "Total Amount must be greater than zero."))
    return tuple(found)


def _problems(say: Say, document: Document, books: XeroBooks) -> Iterator[Problem]:
    if document.supplier_ref:
        yield from id_problems(say, "SupplierRef.Id", document.supplier_ref.id)
    yield from currency_problems(say, document.currency, document.currency_rate)
    if not document.line_items:
        yield say("LineItems", "Line Items must be provided.")
    lines: Sequence[DocumentLine] = document.line_items
    for position, line in enumerate(lines):
        yield from _line_problems(say, f"LineItems[{position}]", line, books)
    yield from too_fine(say, "TotalAmount", document.total_amount)
    # Zero is also what a total is that was left out.
    off = abs(lines_total(document, books) - document.total_amount)
    if document.total_amount and off > TOLERANCE:
        yield say("TotalAmount", "The lines summed must equal Total Amount.")


def _line_problems(say: Say, at: str, line: DocumentLine, books: XeroBooks) -> Iterator[Problem]:
    yield from too_fine(say, f"{at}.Quantity", line.quantity, UNIT_PLACES)
    yield from too_fine(say, f"{at}.UnitAmount", line.unit_amount, UNIT_PLACES)
    yield from too_fine(say, f"{at}.TaxAmount", line.tax_amount)
    if line.sub_total is not None and abs(line.sub_total - _net(line)) > TOLERANCE:
        yield say(f"{at}.SubTotal", "Sub Total must equal Quantity times Unit Amount.")
    total = _net(line) + tax(line, books)
    if line.total_amount is not None and abs(line.total_amount - total) > TOLERANCE:
        yield say(f"{at}.TotalAmount", "Total Amount must equal Sub Total and Tax Amount.")
    if line.discount_amount or line.discount_percentage:
        yield say(f"{at}.DiscountAmount", "Xero takes no discount on a line of a purchase.")
    yield from _account_problems(say, at, line, books)
    if line.item_ref and not item_code(line, books):
        yield say(f"{at}.ItemRef.Id", "Item Ref was not found in Xero.")
    yield from _tax_problems(say, at, line, books)
    options = [ref.id for ref in line.tracking_category_refs]
    yield from tracking_problems(say, f"{at}.TrackingCategoryRefs", options, books)


def _account_problems(say: Say, at: str, line: DocumentLine, books: XeroBooks) -> Iterator[Problem]:
    account_id = line.account_ref.id if line.account_ref else None
    if not account_id:
        if not line.item_ref:
            yield say(f"{at}.AccountRef", "Account Ref must be provided where there is no item.")
        return
    account = books.account(account_id, None)
    if account is None:
        yield say(f"{at}.AccountRef.Id", "Account Ref was not found in Xero.")
    elif not account.code:
        yield say(
            f"{at}.AccountRef.Id",
            f"Account {account.name} has no code in Xero, so no line can name it.",
        )


def _tax_problems(say: Say, at: str, line: DocumentLine, books: XeroBooks) -> Iterator[Problem]:
    tax_type = line.tax_rate_ref.id if line.tax_rate_ref else None
    if line.tax_amount and not tax_type:
        yield say(f"{at}.TaxRateRef.Id", "Tax Rate Ref must be provided with a Tax Amount.")
    if tax_type and tax_type not in books.tax_rates:
        yield say(f"{at}.TaxRateRef.Id", "Tax Rate Ref was not found in Xero.")


def _net(line: DocumentLine) -> Decimal:
    """What Xero makes of a line: rounded once, half up."""
    return (line.unit_amount * line.quantity).quantize(_CENT, rounding=ROUND_HALF_UP)


def tax(line: DocumentLine, books: XeroBooks) -> Decimal:
    """The tax stated, else what the rate makes of the line; without a rate a line has none."""
    if line.tax_amount is not None:
        return line.tax_amount
    rate = books.tax_rates.get(line.tax_rate_ref.id or "") if line.tax_rate_ref else None
    percent = rate.effective if rate and rate.effective else Decimal(0)
    return (_net(line) * percent / 100).quantize(_CENT, rounding=ROUND_HALF_UP)


def lines_total(document: Document, books: XeroBooks) -> Decimal:
    lines: Sequence[DocumentLine] = document.line_items
    return sum((_net(line) + tax(line, books) for line in lines), Decimal(0))


def item_code(line: DocumentLine, books: XeroBooks) -> str | None:
    item = books.item(line.item_ref.id, None) if line.item_ref else None
    return item.code if item else None
