"""Money owed to us: customers, invoices, credit notes, and the payments that settle them."""

from typing import ClassVar

from tallystick.model.base import (
    AccountRef,
    ActiveStatus,
    Address,
    CustomerRef,
    Day,
    DocumentLine,
    Number,
    Part,
    PaymentAllocation,
    Phone,
    Record,
    RecordRef,
    WithholdingTax,
    Word,
)
from tallystick.model.payables import CreditNoteStatus, PaymentMethodRef


class Contact(Part):
    """A person at a customer."""

    name: str | None = None
    email: str | None = None
    phone: tuple[Phone, ...] = ()
    address: Address | None = None
    status: ActiveStatus


class Customer(Record):
    """Someone we sell to."""

    key: ClassVar[str] = "customers"

    customer_name: str | None = None
    contact_name: str | None = None
    email_address: str | None = None
    default_currency: str | None = None
    phone: str | None = None
    addresses: tuple[Address, ...] = ()
    contacts: tuple[Contact, ...] = ()
    registration_number: str | None = None
    tax_number: str | None = None
    status: ActiveStatus


class InvoiceStatus(Word):
    """Draft is not issued; Submitted owes all, PartiallyPaid some, Paid nothing; Void is gone."""

    Unknown = "Unknown"
    Draft = "Draft"
    Submitted = "Submitted"
    PartiallyPaid = "PartiallyPaid"
    Paid = "Paid"
    Void = "Void"


class InvoiceLine(DocumentLine):
    """One line of an invoice or of a credit note."""

    is_direct_income: bool | None = None


class Invoice(Record):
    """What we ask a customer to pay: `total_amount = sub_total + total_tax_amount`."""

    key: ClassVar[str] = "invoices"

    invoice_number: str | None = None
    customer_ref: CustomerRef | None = None
    sales_order_refs: tuple[RecordRef, ...] = ()
    issue_date: Day
    due_date: Day | None = None
    paid_on_date: Day | None = None
    currency: str | None = None
    currency_rate: Number | None = None
    line_items: tuple[InvoiceLine, ...] = ()
    payment_allocations: tuple[PaymentAllocation, ...] = ()
    withholding_tax: tuple[WithholdingTax, ...] = ()
    total_discount: Number | None = None
    sub_total: Number | None = None
    additional_tax_amount: Number | None = None
    additional_tax_percentage: Number | None = None
    total_tax_amount: Number
    total_amount: Number
    amount_due: Number
    discount_percentage: Number | None = None
    status: InvoiceStatus
    note: str | None = None


class CreditNote(Record):
    """What we owe a customer back; `remaining_credit` is the part not used yet."""

    key: ClassVar[str] = "creditNotes"

    credit_note_number: str | None = None
    customer_ref: CustomerRef | None = None
    withholding_tax: tuple[WithholdingTax, ...] = ()
    total_amount: Number
    total_discount: Number
    sub_total: Number
    additional_tax_amount: Number | None = None
    additional_tax_percentage: Number | None = None
    total_tax_amount: Number
    discount_percentage: Number
    remaining_credit: Number
    status: CreditNoteStatus
    issue_date: Day | None = None
    allocated_on_date: Day | None = None
    currency: str | None = None
    currency_rate: Number | None = None
    line_items: tuple[InvoiceLine, ...] = ()
    payment_allocations: tuple[PaymentAllocation, ...] = ()
    created_from_refs: tuple[RecordRef, ...] = ()
    note: str | None = None


class PaymentLinkType(Word):
    """What a link of a customer payment points at."""

    Unknown = "Unknown"
    Unlinked = "Unlinked"
    Invoice = "Invoice"
    CreditNote = "CreditNote"
    Other = "Other"
    Refund = "Refund"
    Payment = "Payment"
    PaymentOnAccount = "PaymentOnAccount"
    ManualJournal = "ManualJournal"
    Discount = "Discount"


class PaymentLink(Part):
    """Part of a line: a negative amount lowers what is owed to us, a positive one raises it."""

    type: PaymentLinkType
    id: str | None = None
    amount: Number | None = None
    currency_rate: Number | None = None


class PaymentLine(Part):
    """A share of the payment and where it went: `amount + sum(links.amount * rate) == 0`."""

    amount: Number
    links: tuple[PaymentLink, ...] = ()
    allocated_on_date: Day | None = None


class Payment(Record):
    """Money received from a customer, and the invoices it settles."""

    key: ClassVar[str] = "payments"

    customer_ref: CustomerRef | None = None
    account_ref: AccountRef | None = None
    payment_method_ref: PaymentMethodRef | None = None
    total_amount: Number
    currency: str | None = None
    currency_rate: Number | None = None
    date: Day
    note: str | None = None
    lines: tuple[PaymentLine, ...] = ()
    reference: str | None = None
