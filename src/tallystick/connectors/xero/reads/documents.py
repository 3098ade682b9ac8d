"""What bills, invoices and credit notes have in common: lines, statuses, what was paid on them."""

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar

from tallystick.connectors.fields import Fields
from tallystick.connectors.xero.books import XeroBooks
from tallystick.connectors.xero.values import ZERO, account_ref, amount, day, rate
from tallystick.model.base import (
    AllocatedPayment,
    Allocation,
    ItemRef,
    PaymentAllocation,
    TaxRateRef,
    TrackingCategoryRef,
    WithholdingTax,
    Word,
)
from tallystick.model.payables import BillCreditNoteLine, BillLine, CreditNoteStatus
from tallystick.model.receivables import InvoiceLine

Line = TypeVar("Line", BillLine, BillCreditNoteLine, InvoiceLine)
S = TypeVar("S", bound=Word)

_CENT = Decimal("0.01")
_UNIT = Decimal("0.000000001")

LINE_IGNORES = frozenset(
    {
        # The row's own id and the American sales tax engine's inputs: the model has no place.
        "LineItems.LineItemID",
        "LineItems.RepeatingInvoiceID",
        "LineItems.Taxability",
        "LineItems.SalesTaxCodeId",
        "LineItems.TaxBreakdown",
        "LineItems.ValidationErrors",
        # How the discount was typed in; the rate and the amount themselves are taken.
        "LineItems.DiscountEnteredAsPercent",
        # The category's name and all its choices stand in trackingCategories.
        "LineItems.Tracking.Name",
        "LineItems.Tracking.Options",
        "LineItems.Item.Name",
        "LineItems.AccountName",
    }
)

DOCUMENT_IGNORES = LINE_IGNORES | frozenset(
    {
        # How Xero shows, sends or plans the document.
        "BrandingThemeID",
        "SentToContact",
        "SentToEmailAddress",
        "ExpectedPaymentDate",
        "ExpectedPaymentDateString",
        "PlannedPaymentDate",
        "PlannedPaymentDateString",
        "InvoicePaymentServices",
        "InvoiceAddresses",
        "RepeatingInvoiceID",
        "Url",
        # Files are read live from their own address.
        "HasAttachments",
        "Attachments",
        # Sums of what the lists of payments say one by one.
        "AmountPaid",
        "AmountCredited",
        "IsDiscounted",
        # The rate of the deduction; its amount is taken.
        "CISRate",
        # Twins of fields that are taken.
        "ID",
        "UpdatedDateUTCString",
        # About a request, not about the record.
        "HasErrors",
        "HasValidationErrors",
        "ValidationErrors",
        "Warnings",
        "StatusAttributeString",
        # Records of their own, echoed here: what a document says of them is taken, their other
        # fields are accounted for where they are read.
        "Contact",
        "Payments",
        "CreditNotes",
        "Prepayments",
        "Overpayments",
    }
)


def lines(document: Fields, of: type[Line], books: XeroBooks) -> tuple[Line, ...]:
    """The lines, their amounts without tax whichever way the document states them."""
    with_tax = document.text("LineAmountTypes") == "Inclusive"
    return tuple(
        _line(fields, of, books, with_tax=with_tax) for fields in document.each("LineItems")
    )


def _line(fields: Fields, of: type[Line], books: XeroBooks, *, with_tax: bool) -> Line:
    stated, tax = fields.number("LineAmount"), fields.number("TaxAmount")
    net, gross = _net_and_gross(stated, tax, with_tax=with_tax)
    quantity, unit_amount = amount(fields, "Quantity"), amount(fields, "UnitAmount")
    discount_rate = fields.number("DiscountRate")
    discount = _discount(fields, quantity * unit_amount, stated, discount_rate)
    if with_tax and stated and net is not None:
        # Xero states price and discount as it states the line, tax included: both in proportion.
        share = net / stated
        unit_amount = (unit_amount * share).quantize(_UNIT, rounding=ROUND_HALF_UP)
        discount = None if discount is None else _cents(quantity * unit_amount) - net
    return of(
        description=fields.text("Description"),
        unit_amount=unit_amount,
        quantity=quantity,
        discount_amount=discount,
        discount_percentage=discount_rate,
        sub_total=net,
        tax_amount=tax,
        total_amount=gross,
        account_ref=account_ref(fields.text("AccountID"), fields.text("AccountCode"), books),
        tax_rate_ref=_tax_rate_ref(fields, books),
        item_ref=_item_ref(fields, books),
        tracking_category_refs=tuple(_tracking(fields, books)),
    )


def _net_and_gross(
    stated: Decimal | None, tax: Decimal | None, *, with_tax: bool
) -> tuple[Decimal | None, Decimal | None]:
    if stated is None:
        return None, None
    if with_tax:
        return stated - (tax or ZERO), stated
    return stated, stated + (tax or ZERO)


def _discount(
    fields: Fields, full: Decimal, stated: Decimal | None, percent: Decimal | None
) -> Decimal | None:
    """The discount as an amount, which Xero leaves out where it was entered as a percentage."""
    given = fields.number("DiscountAmount")
    if given or not percent or stated is None:
        return given
    return _cents(full) - stated


def _cents(number: Decimal) -> Decimal:
    return number.quantize(_CENT, rounding=ROUND_HALF_UP)


def _tax_rate_ref(fields: Fields, books: XeroBooks) -> TaxRateRef | None:
    tax_type = fields.text("TaxType")
    if tax_type is None:
        return None
    known = books.tax_rates.get(tax_type)
    if known is None:
        return TaxRateRef(id=tax_type)
    return TaxRateRef(id=tax_type, name=known.name, effective_tax_rate=known.effective)


def _item_ref(fields: Fields, books: XeroBooks) -> ItemRef | None:
    """Lists name the item by its code alone."""
    item = fields.part("Item")
    item_id = item.text("ItemID") or fields.text("ItemID")
    code, its_code = fields.text("ItemCode"), item.text("Code")
    known = books.item(item_id, code or its_code)
    if known:
        return ItemRef(id=known.id, name=known.name or None)
    return ItemRef(id=item_id) if item_id else None


def _tracking(fields: Fields, books: XeroBooks) -> Iterator[TrackingCategoryRef]:
    """Lines in lists name the option without its id, lines read alone with it."""
    for tracking in fields.each("Tracking"):
        option_id, name = tracking.text("TrackingOptionID"), tracking.text("Option")
        known = books.option(option_id, tracking.text("TrackingCategoryID"), name)
        if known:
            yield TrackingCategoryRef(id=known.id, name=known.name)
        elif option_id:
            yield TrackingCategoryRef(id=option_id, name=name)
        elif name:
            tracking.note("Option", "an option of a known tracking category")


def withheld(document: Fields) -> tuple[WithholdingTax, ...]:
    """The deduction of the British construction industry scheme, the only one Xero states."""
    deduction = document.number("CISDeduction")
    return (WithholdingTax(name="CIS deduction", amount=deduction),) if deduction else ()


# --- status ---

_DRAFTS = {"DRAFT", "SUBMITTED"}
_GONE = {"VOIDED", "DELETED"}


def is_deleted(document: Fields) -> bool:
    """Only drafts are deleted; what was approved is voided and stays in the books."""
    return document.text("Status") == "DELETED"


def status(document: Fields, words: Mapping[str, S], *, left: Decimal | None, total: Decimal) -> S:
    """Our status; `words` maps Draft, Void, Open, Part, Paid and Unknown to the type's own."""
    theirs = document.text("Status")
    if theirs in _DRAFTS:
        return words["Draft"]
    if theirs in _GONE:
        return words["Void"]
    if theirs == "PAID":
        return words["Paid"]
    if theirs != "AUTHORISED":
        document.note("Status", "a known status")
        return words["Unknown"]
    if left is None or left >= total:
        return words["Open"]
    return words["Part"] if left > 0 else words["Paid"]


def remaining(note: Fields, total: Decimal) -> Decimal:
    """What is left of a credit note; an answer to its creation may leave that out."""
    left = note.number("RemainingCredit")
    if left is None:
        return ZERO if note.text("Status") in {"PAID", *_GONE} else total
    return left


CREDIT_NOTE_WORDS = {
    "Draft": CreditNoteStatus.Draft,
    "Void": CreditNoteStatus.Void,
    "Open": CreditNoteStatus.Submitted,
    "Part": CreditNoteStatus.PartiallyPaid,
    "Paid": CreditNoteStatus.Paid,
    "Unknown": CreditNoteStatus.Unknown,
}


# --- what was paid ---


def allocations(
    document: Fields, of_currency: str | None, books: XeroBooks
) -> tuple[PaymentAllocation, ...]:
    """Payments, then what credit notes, prepayments and overpayments settled."""
    paid = [
        _allocation(
            fields,
            fields.text("PaymentID"),
            fields.number("Amount"),
            fields.number("Amount"),
            of_currency,
            books,
        )
        for fields in document.each("Payments")
    ]
    credited = [
        _allocation(
            fields,
            fields.text(f"{held}ID"),
            fields.number("Total"),
            fields.number("AppliedAmount"),
            of_currency,
            books,
        )
        for held in ("CreditNote", "Prepayment", "Overpayment")
        for fields in document.each(f"{held}s")
    ]
    return tuple(allocation for allocation in paid + credited if allocation is not None)


def _allocation(
    fields: Fields,
    payment_id: str | None,
    total: Decimal | None,
    applied: Decimal | None,
    of_currency: str | None,
    books: XeroBooks,
) -> PaymentAllocation | None:
    on_date, of_rate = day(fields, "Date"), rate(fields, of_currency, books)
    reference = fields.text("Reference")
    if payment_id is None:
        fields.note("Date", "something with an id")
        return None
    return PaymentAllocation(
        payment=AllocatedPayment(
            id=payment_id,
            reference=reference,
            currency=of_currency,
            currency_rate=of_rate,
            paid_on_date=on_date,
            total_amount=total,
        ),
        allocation=Allocation(
            currency=of_currency,
            currency_rate=of_rate,
            allocated_on_date=on_date,
            total_amount=applied,
        ),
    )
