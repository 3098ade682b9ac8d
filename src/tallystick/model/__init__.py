"""What accounting data is: one class for each data type, and the list of them."""

from tallystick.model.banking import BankAccount
from tallystick.model.base import Record
from tallystick.model.company import CompanyInfo
from tallystick.model.items import Item
from tallystick.model.ledger import Account, TaxRate, TrackingCategory
from tallystick.model.payables import Bill, BillCreditNote, BillPayment, Supplier
from tallystick.model.receivables import CreditNote, Customer, Invoice, Payment

DATA_TYPES: tuple[type[Record], ...] = (
    # In the order in which they are read: what others point at comes first.
    CompanyInfo,
    Account,
    BankAccount,
    TaxRate,
    TrackingCategory,
    Item,
    Supplier,
    Customer,
    Bill,
    BillCreditNote,
    BillPayment,
    Invoice,
    CreditNote,
    Payment,
)
"""Every data type that Tallystick holds; all others of the wire are refused by name."""

BY_KEY: dict[str, type[Record]] = {record.key: record for record in DATA_TYPES}

WIRE_DATA_TYPES: tuple[str, ...] = (
    "accountTransactions",
    "balanceSheet",
    "bankAccounts",
    "bankTransactions",
    "billCreditNotes",
    "billPayments",
    "bills",
    "cashFlowStatement",
    "chartOfAccounts",
    "company",
    "creditNotes",
    "customers",
    "directCosts",
    "directIncomes",
    "invoices",
    "itemReceipts",
    "items",
    "journalEntries",
    "journals",
    "paymentMethods",
    "payments",
    "profitAndLoss",
    "purchaseOrders",
    "salesOrders",
    "suppliers",
    "taxRates",
    "trackingCategories",
    "transfers",
    "banking-accountBalances",
    "banking-accounts",
    "banking-transactionCategories",
    "banking-transactions",
    "commerce-companyInfo",
    "commerce-customers",
    "commerce-disputes",
    "commerce-locations",
    "commerce-orders",
    "commerce-paymentMethods",
    "commerce-payments",
    "commerce-productCategories",
    "commerce-products",
    "commerce-taxComponents",
    "commerce-transactions",
)
"""The closed list of data type names of the wire (OpenAPI of the reference, `DataType`)."""

_ALIASES = {"accounts": "chartOfAccounts", "info": "company", "companyinfo": "company"}


def canonical_key(name: str) -> str | None:
    """The wire's own spelling of a data type, from any accepted one; None: no such type."""
    folded = name.casefold()
    if folded in _ALIASES:
        return _ALIASES[folded]
    return next((key for key in WIRE_DATA_TYPES if key.casefold() == folded), None)


__all__ = [
    "BY_KEY",
    "DATA_TYPES",
    "WIRE_DATA_TYPES",
    "Account",
    "BankAccount",
    "Bill",
    "BillCreditNote",
    "BillPayment",
    "CompanyInfo",
    "CreditNote",
    "Customer",
    "Invoice",
    "Item",
    "Payment",
    "Record",
    "Supplier",
    "TaxRate",
    "TrackingCategory",
    "canonical_key",
]
