"""Every data type we read from Xero, grouped by what its endpoints can do."""

from typing import Any

from tallystick.connectors.contract import Feed, Read
from tallystick.connectors.xero.books import XeroBooks
from tallystick.connectors.xero.client import XeroClient, paged, whole
from tallystick.connectors.xero.reads import (
    company,
    contacts,
    items,
    ledger,
    payables,
    receivables,
    settlements,
)
from tallystick.connectors.xero.reads.documents import DOCUMENT_IGNORES
from tallystick.model.banking import BankAccount
from tallystick.model.company import CompanyInfo
from tallystick.model.items import Item
from tallystick.model.ledger import Account, TaxRate, TrackingCategory
from tallystick.model.payables import Bill, BillCreditNote, BillPayment, Supplier
from tallystick.model.receivables import CreditNote, Customer, Invoice, Payment

XeroFeed = Feed[XeroClient, XeroBooks]


def _invoices(of_type: str, records: Any, *, also: frozenset[str]) -> XeroFeed:
    return Feed(
        name=f"Invoices {of_type}",
        pages=paged(
            "/Invoices",
            "Invoices",
            id_field="InvoiceID",
            where=f'Type=="{of_type}"',
            includeArchived="true",
            unitdp="4",
        ),
        records=records,
        ignores=DOCUMENT_IGNORES | also,
    )


def _credit_notes(of_type: str, name: str, records: Any, **more: Any) -> XeroFeed:
    return Feed(
        name=f"CreditNotes {of_type} {name}".rstrip(),
        pages=paged(
            "/CreditNotes",
            "CreditNotes",
            id_field="CreditNoteID",
            where=f'Type=="{of_type}"',
            unitdp="4",
        ),
        records=records,
        **more,
    )


def _contacts(records: Any) -> XeroFeed:
    return Feed(
        name="Contacts",
        pages=paged("/Contacts", "Contacts", id_field="ContactID", includeArchived="true"),
        records=records,
        ignores=contacts.CONTACT_IGNORES,
    )


def _settled(
    note_type: str, *, payments: Any, allocations: Any, on_account: Any
) -> tuple[XeroFeed, ...]:
    """All the ways money or credit reaches documents of one side of the ledger."""
    return (
        Feed(
            name="Payments",
            pages=paged("/Payments", "Payments", id_field="PaymentID"),
            records=payments,
            ignores=settlements.PAYMENT_IGNORES,
        ),
        _credit_notes(
            note_type,
            "allocations",
            allocations,
            ignores=settlements.CREDIT_NOTE_IGNORES,
            parent=payables.parent_credit_note,
        ),
        Feed(
            name="Prepayments",
            pages=paged("/Prepayments", "Prepayments", id_field="PrepaymentID", unitdp="4"),
            records=on_account,
            ignores=settlements.ON_ACCOUNT_IGNORES,
        ),
        Feed(
            name="Overpayments",
            pages=paged("/Overpayments", "Overpayments", id_field="OverpaymentID", unitdp="4"),
            records=on_account,
            ignores=settlements.ON_ACCOUNT_IGNORES,
        ),
    )


READS: tuple[Read[XeroClient, XeroBooks], ...] = (
    # Given whole, and short: read whole each time, so that what was deleted is missed.
    Read(
        type=CompanyInfo,
        feeds=(
            Feed(
                name="Organisation",
                pages=whole("/Organisation", "Organisations"),
                records=company.company,
                ignores=company.COMPANY_IGNORES,
                incremental=False,
            ),
        ),
    ),
    Read(
        type=Account,
        feeds=(
            Feed(
                name="Accounts",
                pages=whole("/Accounts", "Accounts"),
                records=ledger.accounts,
                ignores=ledger.ACCOUNT_IGNORES,
                incremental=False,
            ),
        ),
    ),
    Read(
        type=BankAccount,
        feeds=(
            Feed(
                name="Accounts BANK",
                pages=whole("/Accounts", "Accounts", where='Type=="BANK"'),
                records=ledger.bank_accounts,
                ignores=ledger.BANK_ACCOUNT_IGNORES,
                incremental=False,
            ),
        ),
    ),
    Read(
        type=TaxRate,
        feeds=(
            Feed(
                name="TaxRates",
                pages=whole("/TaxRates", "TaxRates"),
                records=ledger.tax_rates,
                ignores=ledger.TAX_RATE_IGNORES,
                incremental=False,
            ),
        ),
    ),
    Read(
        type=TrackingCategory,
        feeds=(
            Feed(
                name="TrackingCategories",
                pages=whole("/TrackingCategories", "TrackingCategories", includeArchived="true"),
                records=ledger.tracking_categories,
                ignores=ledger.TRACKING_IGNORES,
                incremental=False,
            ),
        ),
    ),
    Read(
        type=Item,
        feeds=(
            Feed(
                name="Items",
                pages=whole("/Items", "Items", unitdp="4"),
                records=items.items,
                ignores=items.ITEM_IGNORES,
                incremental=False,
            ),
        ),
    ),
    # Give changed records since a moment, in pages; what is deleted stays in the list, marked.
    Read(type=Supplier, feeds=(_contacts(contacts.suppliers),)),
    Read(type=Customer, feeds=(_contacts(contacts.customers),)),
    Read(
        type=Bill,
        feeds=(
            # A bill has no discount and is paid when its payments say so.
            _invoices(
                "ACCPAY",
                payables.bills,
                also=frozenset({"TotalDiscount", "FullyPaidOnDate"}),
            ),
        ),
    ),
    Read(
        type=BillCreditNote,
        feeds=(
            _credit_notes(
                "ACCPAYCREDIT",
                "",
                payables.bill_credit_notes,
                ignores=DOCUMENT_IGNORES | settlements.CREDIT_NOTE_MORE,
            ),
        ),
    ),
    Read(
        type=BillPayment,
        feeds=_settled(
            "ACCPAYCREDIT",
            payments=payables.bill_payments,
            allocations=payables.credit_allocations,
            on_account=payables.payments_on_account,
        ),
    ),
    Read(
        type=Invoice,
        feeds=(_invoices("ACCREC", receivables.invoices, also=frozenset()),),
    ),
    Read(
        type=CreditNote,
        feeds=(
            _credit_notes(
                "ACCRECCREDIT",
                "",
                receivables.credit_notes,
                ignores=DOCUMENT_IGNORES | settlements.CREDIT_NOTE_MORE,
            ),
        ),
    ),
    Read(
        type=Payment,
        feeds=_settled(
            "ACCRECCREDIT",
            payments=receivables.payments,
            allocations=receivables.credit_allocations,
            on_account=receivables.payments_on_account,
        ),
    ),
)
