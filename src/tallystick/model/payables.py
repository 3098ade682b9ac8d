"""Money owed to suppliers: suppliers, bills, bill credit notes and the payments of them."""

from typing import Any, ClassVar

from tallystick.model.base import (
    AccountRef,
    ActiveStatus,
    Address,
    Day,
    DocumentLine,
    Number,
    Part,
    PaymentAllocation,
    Phone,
    Record,
    RecordRef,
    SupplierRef,
    WithholdingTax,
    Word,
)

_NO_TOTALS = {"subTotal": 0, "taxAmount": 0, "totalAmount": 0}


class Supplier(Record):
    """Someone we buy from."""

    key: ClassVar[str] = "suppliers"
    computed: ClassVar[dict[str, Any]] = {"status": "Active"}

    supplier_name: str | None = None
    contact_name: str | None = None
    email_address: str | None = None
    phone: str | None = None
    addresses: tuple[Address, ...] = ()
    registration_number: str | None = None
    tax_number: str | None = None
    status: ActiveStatus
    default_currency: str | None = None


class BillStatus(Word):
    """Draft is not posted; Open owes all, PartiallyPaid some, Paid nothing; Void is cancelled."""

    Unknown = "Unknown"
    Open = "Open"
    PartiallyPaid = "PartiallyPaid"
    Paid = "Paid"
    Void = "Void"
    Draft = "Draft"


class BillLine(DocumentLine):
    """One line of a bill."""

    line_number: str | None = None
    unit_of_measurement: str | None = None
    is_direct_cost: bool | None = None


class PurchaseOrderRef(Part):
    id: str
    purchase_order_number: str | None = None


class Bill(Record):
    """What a supplier asks us to pay: `total_amount = sub_total + tax_amount`."""

    key: ClassVar[str] = "bills"
    computed: ClassVar[dict[str, Any]] = _NO_TOTALS

    reference: str | None = None
    supplier_ref: SupplierRef | None = None
    purchase_order_refs: tuple[PurchaseOrderRef, ...] = ()
    issue_date: Day
    due_date: Day | None = None
    currency: str | None = None
    currency_rate: Number | None = None
    line_items: tuple[BillLine, ...] = ()
    withholding_tax: tuple[WithholdingTax, ...] = ()
    status: BillStatus
    sub_total: Number
    tax_amount: Number
    total_amount: Number
    amount_due: Number | None = None
    note: str | None = None
    payment_allocations: tuple[PaymentAllocation, ...] = ()


class CreditNoteStatus(Word):
    """Submitted is unused, PartiallyPaid partly used, Paid used up; Void is cancelled."""

    Unknown = "Unknown"
    Draft = "Draft"
    Submitted = "Submitted"
    Paid = "Paid"
    Void = "Void"
    PartiallyPaid = "PartiallyPaid"


class BillCreditNoteLine(DocumentLine):
    """One line of a bill credit note."""


class BillCreditNote(Record):
    """What a supplier owes us back; `remaining_credit` is the part not used yet."""

    key: ClassVar[str] = "billCreditNotes"
    computed: ClassVar[dict[str, Any]] = {
        "totalAmount": 0,
        "totalDiscount": 0,
        "subTotal": 0,
        "totalTaxAmount": 0,
        "discountPercentage": 0,
        "remainingCredit": 0,
    }

    bill_credit_note_number: str | None = None
    supplier_ref: SupplierRef | None = None
    withholding_tax: tuple[WithholdingTax, ...] = ()
    total_amount: Number
    total_discount: Number
    sub_total: Number
    total_tax_amount: Number
    discount_percentage: Number
    remaining_credit: Number
    status: CreditNoteStatus
    issue_date: Day | None = None
    allocated_on_date: Day | None = None
    currency: str | None = None
    currency_rate: Number | None = None
    line_items: tuple[BillCreditNoteLine, ...] = ()
    payment_allocations: tuple[PaymentAllocation, ...] = ()
    created_from_refs: tuple[RecordRef, ...] = ()
    note: str | None = None


class BillPaymentLinkType(Word):
    """What a link of a bill payment points at."""

    Unknown = "Unknown"
    Unlinked = "Unlinked"
    Bill = "Bill"
    Other = "Other"
    CreditNote = "CreditNote"
    BillPayment = "BillPayment"
    PaymentOnAccount = "PaymentOnAccount"
    Refund = "Refund"
    ManualJournal = "ManualJournal"
    Discount = "Discount"


class BillPaymentLink(Part):
    """Part of a line: a negative amount lowers what is owed, a positive one raises it."""

    type: BillPaymentLinkType
    id: str | None = None
    amount: Number | None = None
    currency_rate: Number | None = None


class BillPaymentLine(Part):
    """A share of the payment and where it went: `amount + sum(links.amount * rate) == 0`."""

    amount: Number
    links: tuple[BillPaymentLink, ...] = ()
    allocated_on_date: Day | None = None


class PaymentMethodRef(Part):
    id: str
    name: str | None = None


class BillPayment(Record):
    """Money paid out to a supplier, and the bills it settles: `total_amount == sum(lines.amount)`.

    Positive is paid, zero moves credit only, negative is a refund.
    """

    key: ClassVar[str] = "billPayments"

    supplier_ref: SupplierRef | None = None
    account_ref: AccountRef | None = None
    payment_method_ref: PaymentMethodRef | None = None
    total_amount: Number
    currency: str | None = None
    currency_rate: Number | None = None
    date: Day
    note: str | None = None
    lines: tuple[BillPaymentLine, ...] = ()
    reference: str | None = None


__all__ = [
    "Bill",
    "BillCreditNote",
    "BillCreditNoteLine",
    "BillLine",
    "BillPayment",
    "BillPaymentLine",
    "BillPaymentLink",
    "BillPaymentLinkType",
    "BillStatus",
    "CreditNoteStatus",
    "Phone",
    "Supplier",
]
