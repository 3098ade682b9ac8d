"""Payments, allocations and money on account, as both sides of the ledger know them."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from tallystick.connectors.fields import Fields
from tallystick.connectors.xero.books import XeroBooks
from tallystick.connectors.xero.values import (
    account_ref,
    amount,
    currency,
    moment,
    needed_day,
    rate,
)
from tallystick.model.base import AccountRef


@dataclass(frozen=True, slots=True)
class Settlement:
    """Money, or credit, and the document it went to. `amount` is positive, in its currency."""

    id: str
    amount: Decimal
    date: date
    target_id: str | None
    contact: Fields
    currency: str | None
    currency_rate: Decimal | None
    account: AccountRef | None = None
    reference: str | None = None
    is_deleted: bool = False
    updated_at: datetime | None = None


PAYMENT_IGNORES = frozenset(
    {
        # The batch is one movement at the bank; each of its payments is a payment here.
        "BatchPayment",
        "BatchPaymentID",
        # In the bank account's currency; the document's currency is what is kept.
        "BankAmount",
        "IsReconciled",
        "HasAccount",
        # What is printed on the supplier's bank statement.
        "BankAccountNumber",
        "Particulars",
        "Details",
        "Code",
        # Echoes of the record that was paid, which is read by itself.
        "Invoice",
        "CreditNote",
        "Prepayment",
        "Overpayment",
        "InvoiceNumber",
        "CreditNoteNumber",
        "Account",
        "UpdatedDateUTCString",
        # About a request, not about the record.
        "HasValidationErrors",
        "StatusAttributeString",
        "ValidationErrors",
        "Warnings",
    }
)

ON_ACCOUNT_IGNORES = frozenset(
    {
        # How the bank transaction behind it was coded; its total is what can be allocated.
        "LineAmountTypes",
        "LineItems",
        "SubTotal",
        "TotalTax",
        # Follows from the total, the allocations and the refunds.
        "RemainingCredit",
        "AppliedAmount",
        # Refunds are payments of their own.
        "Payments",
        "InvoiceNumber",
        "BrandingThemeID",
        "HasAttachments",
        "Attachments",
        "ID",
        "UpdatedDateUTCString",
        "Contact",
        # What the allocation went to is a record of its own.
        "Allocations.Invoice",
        "Allocations.StatusAttributeString",
        "Allocations.ValidationErrors",
        "Allocations.Overpayment",
        "Allocations.Prepayment",
        "Allocations.CreditNote",
        "StatusAttributeString",
        "HasErrors",
        "ValidationErrors",
        "Warnings",
    }
)

CREDIT_NOTE_MORE = frozenset(
    {
        # Its uses are bill payments or payments of their own.
        "Allocations",
        "AppliedAmount",
        # A credit note is not due on a day, though the field exists.
        "DueDate",
        "DueDateString",
    }
)

# The credit note itself is read, and accounted for, under its own data type.
CREDIT_NOTE_IGNORES = (ON_ACCOUNT_IGNORES - {"InvoiceNumber"}) | frozenset(
    {
        "CreditNoteNumber",
        "Reference",
        "Status",
        "Total",
        "Date",
        "DateString",
        "DueDate",
        "DueDateString",
        "FullyPaidOnDate",
        "SentToContact",
        "SentToEmailAddress",
        "CISDeduction",
        "CISRate",
        "InvoiceAddresses",
    }
)


def payment(fields: Fields, held: str, books: XeroBooks) -> Settlement:
    """A record of /Payments; `held` names the kind of document it was made on.

    The id is the one at the top: inside `Invoice.Payments` an answer for one payment of a batch
    shows the batch's id as PaymentID (seen 2026-04 in a demo company).
    """
    payment_id = fields.needed("PaymentID")
    target, account = fields.part(held), fields.part("Account")
    of_currency = currency(target, books)
    return Settlement(
        id=payment_id,
        amount=amount(fields, "Amount"),
        date=needed_day(fields, "Date", "UpdatedDateUTC"),
        target_id=target.text(f"{held}ID"),
        contact=target.part("Contact"),
        currency=of_currency,
        currency_rate=rate(fields, of_currency, books),
        account=account_ref(account.text("AccountID"), account.text("Code"), books),
        reference=fields.text("Reference"),
        is_deleted=fields.text("Status") == "DELETED",
        updated_at=moment(fields, "UpdatedDateUTC"),
    )


def allocations(holder: Fields, books: XeroBooks) -> tuple[Settlement, ...]:
    """The uses of a credit note, prepayment or overpayment; of the holder's currency and moment."""
    of_currency = currency(holder, books)
    of_rate, updated_at = rate(holder, of_currency, books), moment(holder, "UpdatedDateUTC")
    found = []
    for fields in holder.each("Allocations"):
        allocation_id, target = fields.text("AllocationID"), fields.part("Invoice")
        target_id = target.text("InvoiceID")
        found.append(
            Settlement(
                # An answer that names no id still says which document it went to.
                id=allocation_id or f"{_holder_id(holder)}-{target_id}",
                amount=amount(fields, "Amount"),
                date=needed_day(fields, "Date"),
                target_id=target_id,
                contact=holder.part("Contact"),
                currency=of_currency,
                currency_rate=of_rate,
                is_deleted=fields.truth("IsDeleted") or False,
                updated_at=updated_at,
            )
        )
    return tuple(found)


def on_account(fields: Fields, books: XeroBooks) -> Settlement:
    """A prepayment or an overpayment as a whole; which bank account it left is not in it."""
    of_currency = currency(fields, books)
    holder_id = _holder_id(fields)
    if holder_id is None:
        raise ValueError("PrepaymentID or OverpaymentID: nothing there")
    return Settlement(
        id=holder_id,
        amount=amount(fields, "Total"),
        date=needed_day(fields, "Date", "UpdatedDateUTC"),
        target_id=None,
        contact=fields.part("Contact"),
        currency=of_currency,
        currency_rate=rate(fields, of_currency, books),
        reference=fields.text("Reference"),
        is_deleted=fields.text("Status") == "VOIDED",
        updated_at=moment(fields, "UpdatedDateUTC"),
    )


def _holder_id(fields: Fields) -> str | None:
    return (
        fields.text("PrepaymentID") or fields.text("OverpaymentID") or fields.text("CreditNoteID")
    )
