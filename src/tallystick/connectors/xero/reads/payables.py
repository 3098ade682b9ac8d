"""What Xero's bills, bill credit notes and outgoing payments mean."""

from decimal import Decimal

from tallystick.connectors.contract import Raw
from tallystick.connectors.fields import Fields
from tallystick.connectors.xero.books import XeroBooks
from tallystick.connectors.xero.reads import settlements
from tallystick.connectors.xero.reads.documents import (
    CREDIT_NOTE_WORDS,
    allocations,
    is_deleted,
    lines,
    remaining,
    status,
    withheld,
)
from tallystick.connectors.xero.reads.settlements import Settlement
from tallystick.connectors.xero.values import (
    ZERO,
    amount,
    currency,
    day,
    deleted,
    moment,
    needed_day,
    rate,
    supplier_ref,
)
from tallystick.model.base import SupplierRef
from tallystick.model.payables import (
    Bill,
    BillCreditNote,
    BillCreditNoteLine,
    BillLine,
    BillPayment,
    BillPaymentLine,
    BillPaymentLink,
    BillPaymentLinkType,
    BillStatus,
)

_BILL_WORDS = {
    "Draft": BillStatus.Draft,
    "Void": BillStatus.Void,
    "Open": BillStatus.Open,
    "Part": BillStatus.PartiallyPaid,
    "Paid": BillStatus.Paid,
    "Unknown": BillStatus.Unknown,
}


def bills(fields: Fields, books: XeroBooks) -> tuple[Bill, ...]:
    bill_id, of_type = fields.needed("InvoiceID"), fields.needed("Type")
    if of_type != "ACCPAY":
        return fields.leave()
    of_currency, total = currency(fields, books), amount(fields, "Total")
    due = fields.number("AmountDue")
    return (
        Bill(
            id=bill_id,
            # The supplier's own number of the bill; Reference exists on sales invoices only.
            reference=fields.text("InvoiceNumber"),
            note=fields.text("Reference"),
            supplier_ref=supplier_ref(fields.part("Contact")),
            issue_date=needed_day(fields, "Date", "DueDate", "UpdatedDateUTC"),
            due_date=day(fields, "DueDate"),
            currency=of_currency,
            currency_rate=rate(fields, of_currency, books),
            line_items=lines(fields, BillLine, books),
            withholding_tax=withheld(fields),
            status=status(fields, _BILL_WORDS, left=due, total=total),
            sub_total=amount(fields, "SubTotal"),
            tax_amount=amount(fields, "TotalTax"),
            total_amount=total,
            amount_due=due,
            payment_allocations=allocations(fields, of_currency, books),
            metadata=deleted(when=is_deleted(fields)),
            source_modified_date=moment(fields, "UpdatedDateUTC"),
        ),
    )


def bill_credit_notes(fields: Fields, books: XeroBooks) -> tuple[BillCreditNote, ...]:
    note_id, of_type = fields.needed("CreditNoteID"), fields.needed("Type")
    if of_type != "ACCPAYCREDIT":
        return fields.leave()
    of_currency, total = currency(fields, books), amount(fields, "Total")
    left = remaining(fields, total)
    return (
        BillCreditNote(
            id=note_id,
            bill_credit_note_number=fields.text("CreditNoteNumber"),
            note=fields.text("Reference"),
            supplier_ref=supplier_ref(fields.part("Contact")),
            withholding_tax=withheld(fields),
            total_amount=total,
            total_discount=ZERO,
            sub_total=amount(fields, "SubTotal"),
            total_tax_amount=amount(fields, "TotalTax"),
            discount_percentage=ZERO,
            remaining_credit=left,
            status=status(fields, CREDIT_NOTE_WORDS, left=left, total=total),
            issue_date=day(fields, "Date"),
            allocated_on_date=day(fields, "FullyPaidOnDate"),
            currency=of_currency,
            currency_rate=rate(fields, of_currency, books),
            line_items=lines(fields, BillCreditNoteLine, books),
            payment_allocations=allocations(fields, of_currency, books),
            metadata=deleted(when=is_deleted(fields)),
            source_modified_date=moment(fields, "UpdatedDateUTC"),
        ),
    )


# --- payments ---

_LINK_TYPES = {
    "ACCPAYPAYMENT": ("Invoice", BillPaymentLinkType.Bill),
    # Money back from the supplier for a credit that was not used otherwise.
    "APCREDITPAYMENT": ("CreditNote", BillPaymentLinkType.CreditNote),
    "APPREPAYMENTPAYMENT": ("Prepayment", BillPaymentLinkType.PaymentOnAccount),
    "APOVERPAYMENTPAYMENT": ("Overpayment", BillPaymentLinkType.PaymentOnAccount),
}


def bill_payments(fields: Fields, books: XeroBooks) -> tuple[BillPayment, ...]:
    """A payment of a bill, alone or one of a batch, or the refund of a credit."""
    known = _LINK_TYPES.get(fields.needed("PaymentType"))
    if known is None:
        return fields.leave()
    held, link_type = known
    paid = settlements.payment(fields, held, books)
    supplier = supplier_ref(paid.contact)
    on_account = link_type is BillPaymentLinkType.PaymentOnAccount
    signed = paid.amount if held == "Invoice" else -paid.amount
    link = BillPaymentLink(
        type=link_type,
        id=_supplier_id(supplier) if on_account else paid.target_id,
        amount=-signed,
    )
    return (_bill_payment(paid, supplier, signed, (_line(signed, paid, link),)),)


def credit_allocations(fields: Fields, books: XeroBooks) -> tuple[BillPayment, ...]:
    """Each use of a credit note against a bill: no money moves, so the total is zero."""
    if fields.needed("Type") != "ACCPAYCREDIT":
        return fields.leave()
    supplier = supplier_ref(fields.part("Contact"))
    note_id = fields.text("CreditNoteID")
    return tuple(
        _bill_payment(
            used,
            supplier,
            ZERO,
            (
                _line(
                    ZERO,
                    used,
                    _bill_link(used.target_id, -used.amount),
                    BillPaymentLink(
                        type=BillPaymentLinkType.CreditNote, id=note_id, amount=used.amount
                    ),
                ),
            ),
        )
        for used in settlements.allocations(fields, books)
    )


def payments_on_account(fields: Fields, books: XeroBooks) -> tuple[BillPayment, ...]:
    """A prepayment or overpayment to a supplier: one payment, re-allocated as it is used up."""
    if not fields.needed("Type").startswith(("SPEND-", "AP")):
        return fields.leave()
    whole = settlements.on_account(fields, books)
    supplier = supplier_ref(whole.contact)
    used = settlements.allocations(fields, books)
    rest = whole.amount - sum((part.amount for part in used), ZERO)
    return (
        _bill_payment(
            whole,
            supplier,
            whole.amount,
            (
                *(
                    _line(part.amount, part, _bill_link(part.target_id, -part.amount))
                    for part in used
                ),
                *_rest_on_account(rest, whole, supplier),
            ),
        ),
    )


def parent_credit_note(raw: Raw) -> str:
    """The credit note whose allocations come with it, so that a removed one is noticed."""
    return str(raw.get("CreditNoteID", "")) if isinstance(raw, dict) else ""


def _rest_on_account(
    rest: Decimal, whole: Settlement, supplier: SupplierRef | None
) -> tuple[BillPaymentLine, ...]:
    if not rest:
        return ()
    link = BillPaymentLink(
        type=BillPaymentLinkType.PaymentOnAccount, id=_supplier_id(supplier), amount=-rest
    )
    return (_line(rest, whole, link),)


def _bill_payment(
    settled: Settlement,
    supplier: SupplierRef | None,
    total: Decimal,
    of_lines: tuple[BillPaymentLine, ...],
) -> BillPayment:
    return BillPayment(
        id=settled.id,
        supplier_ref=supplier,
        account_ref=settled.account,
        total_amount=total,
        currency=settled.currency,
        currency_rate=settled.currency_rate,
        date=settled.date,
        reference=settled.reference,
        note=settled.reference,
        lines=of_lines,
        metadata=deleted(when=settled.is_deleted),
        source_modified_date=settled.updated_at,
    )


def _line(money: Decimal, settled: Settlement, *links: BillPaymentLink) -> BillPaymentLine:
    return BillPaymentLine(amount=money, links=links, allocated_on_date=settled.date)


def _bill_link(bill_id: str | None, money: Decimal) -> BillPaymentLink:
    return BillPaymentLink(type=BillPaymentLinkType.Bill, id=bill_id, amount=money)


def _supplier_id(supplier: SupplierRef | None) -> str | None:
    return supplier.id if supplier else None
