"""What Xero's sales invoices, credit notes and incoming payments mean."""

from decimal import Decimal

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
    customer_ref,
    day,
    deleted,
    moment,
    needed_day,
    rate,
)
from tallystick.model.base import CustomerRef
from tallystick.model.receivables import (
    CreditNote,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    Payment,
    PaymentLine,
    PaymentLink,
    PaymentLinkType,
)

_INVOICE_WORDS = {
    "Draft": InvoiceStatus.Draft,
    "Void": InvoiceStatus.Void,
    "Open": InvoiceStatus.Submitted,
    "Part": InvoiceStatus.PartiallyPaid,
    "Paid": InvoiceStatus.Paid,
    "Unknown": InvoiceStatus.Unknown,
}


def invoices(fields: Fields, books: XeroBooks) -> tuple[Invoice, ...]:
    invoice_id, of_type = fields.needed("InvoiceID"), fields.needed("Type")
    if of_type != "ACCREC":
        return fields.leave()
    of_currency, total = currency(fields, books), amount(fields, "Total")
    due = fields.number("AmountDue")
    return (
        Invoice(
            id=invoice_id,
            invoice_number=fields.text("InvoiceNumber"),
            note=fields.text("Reference"),
            customer_ref=customer_ref(fields.part("Contact")),
            issue_date=needed_day(fields, "Date", "DueDate", "UpdatedDateUTC"),
            due_date=day(fields, "DueDate"),
            paid_on_date=day(fields, "FullyPaidOnDate"),
            currency=of_currency,
            currency_rate=rate(fields, of_currency, books),
            line_items=lines(fields, InvoiceLine, books),
            payment_allocations=allocations(fields, of_currency, books),
            withholding_tax=withheld(fields),
            total_discount=fields.number("TotalDiscount"),
            sub_total=amount(fields, "SubTotal"),
            total_tax_amount=amount(fields, "TotalTax"),
            total_amount=total,
            amount_due=total if due is None else due,
            status=status(fields, _INVOICE_WORDS, left=due, total=total),
            metadata=deleted(when=is_deleted(fields)),
            source_modified_date=moment(fields, "UpdatedDateUTC"),
        ),
    )


def credit_notes(fields: Fields, books: XeroBooks) -> tuple[CreditNote, ...]:
    note_id, of_type = fields.needed("CreditNoteID"), fields.needed("Type")
    if of_type != "ACCRECCREDIT":
        return fields.leave()
    of_currency, total = currency(fields, books), amount(fields, "Total")
    left = remaining(fields, total)
    return (
        CreditNote(
            id=note_id,
            credit_note_number=fields.text("CreditNoteNumber"),
            note=fields.text("Reference"),
            customer_ref=customer_ref(fields.part("Contact")),
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
            line_items=lines(fields, InvoiceLine, books),
            payment_allocations=allocations(fields, of_currency, books),
            metadata=deleted(when=is_deleted(fields)),
            source_modified_date=moment(fields, "UpdatedDateUTC"),
        ),
    )


# --- payments ---

_LINK_TYPES = {
    "ACCRECPAYMENT": ("Invoice", PaymentLinkType.Invoice),
    # Money back to the customer for a credit that was not used otherwise.
    "ARCREDITPAYMENT": ("CreditNote", PaymentLinkType.CreditNote),
    "ARPREPAYMENTPAYMENT": ("Prepayment", PaymentLinkType.PaymentOnAccount),
    "AROVERPAYMENTPAYMENT": ("Overpayment", PaymentLinkType.PaymentOnAccount),
}


def payments(fields: Fields, books: XeroBooks) -> tuple[Payment, ...]:
    """A payment of an invoice, alone or one of a batch, or the refund of a credit."""
    known = _LINK_TYPES.get(fields.needed("PaymentType"))
    if known is None:
        return fields.leave()
    held, link_type = known
    paid = settlements.payment(fields, held, books)
    customer = customer_ref(paid.contact)
    on_account = link_type is PaymentLinkType.PaymentOnAccount
    signed = paid.amount if held == "Invoice" else -paid.amount
    link = PaymentLink(
        type=link_type,
        id=_customer_id(customer) if on_account else paid.target_id,
        amount=-signed,
    )
    return (_payment(paid, customer, signed, (_line(signed, paid, link),)),)


def credit_allocations(fields: Fields, books: XeroBooks) -> tuple[Payment, ...]:
    """Each use of a credit note against an invoice: no money moves, so the total is zero."""
    if fields.needed("Type") != "ACCRECCREDIT":
        return fields.leave()
    customer = customer_ref(fields.part("Contact"))
    note_id = fields.text("CreditNoteID")
    return tuple(
        _payment(
            used,
            customer,
            ZERO,
            (
                _line(
                    ZERO,
                    used,
                    _invoice_link(used.target_id, -used.amount),
                    PaymentLink(type=PaymentLinkType.CreditNote, id=note_id, amount=used.amount),
                ),
            ),
        )
        for used in settlements.allocations(fields, books)
    )


def payments_on_account(fields: Fields, books: XeroBooks) -> tuple[Payment, ...]:
    """A prepayment or overpayment by a customer: one payment, re-allocated as it is used up."""
    if not fields.needed("Type").startswith(("RECEIVE-", "AR")):
        return fields.leave()
    whole = settlements.on_account(fields, books)
    customer = customer_ref(whole.contact)
    used = settlements.allocations(fields, books)
    rest = whole.amount - sum((part.amount for part in used), ZERO)
    return (
        _payment(
            whole,
            customer,
            whole.amount,
            (
                *(
                    _line(part.amount, part, _invoice_link(part.target_id, -part.amount))
                    for part in used
                ),
                *_rest_on_account(rest, whole, customer),
            ),
        ),
    )


def _rest_on_account(
    rest: Decimal, whole: Settlement, customer: CustomerRef | None
) -> tuple[PaymentLine, ...]:
    if not rest:
        return ()
    link = PaymentLink(
        type=PaymentLinkType.PaymentOnAccount, id=_customer_id(customer), amount=-rest
    )
    return (_line(rest, whole, link),)


def _payment(
    settled: Settlement,
    customer: CustomerRef | None,
    total: Decimal,
    of_lines: tuple[PaymentLine, ...],
) -> Payment:
    return Payment(
        id=settled.id,
        customer_ref=customer,
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


def _line(money: Decimal, settled: Settlement, *links: PaymentLink) -> PaymentLine:
    return PaymentLine(amount=money, links=links, allocated_on_date=settled.date)


def _invoice_link(invoice_id: str | None, money: Decimal) -> PaymentLink:
    return PaymentLink(type=PaymentLinkType.Invoice, id=invoice_id, amount=money)


def _customer_id(customer: CustomerRef | None) -> str | None:
    return customer.id if customer else None
