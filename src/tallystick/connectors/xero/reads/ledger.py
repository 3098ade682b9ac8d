"""What Xero's accounts, bank accounts, tax rates and tracking categories mean."""

import re

from tallystick.connectors.fields import Fields
from tallystick.connectors.xero.books import XeroBooks
from tallystick.connectors.xero.values import deleted, moment
from tallystick.model.banking import BankAccount, BankAccountType
from tallystick.model.base import AccountStatus, ActiveStatus, ValidDataTypeLink
from tallystick.model.ledger import (
    Account,
    AccountType,
    TaxRate,
    TaxRateComponent,
    TrackingCategory,
)

ACCOUNT_IGNORES = frozenset(
    {
        # Defaults and marks of Xero's own screens and reports.
        "TaxType",
        "SystemAccount",
        "ShowInExpenseClaims",
        "AddToWatchlist",
        "ReportingCode",
        "ReportingCodeName",
        "HasAttachments",
        "ValidationErrors",
        # Taken where bank accounts are read.
        "BankAccountNumber",
        "BankAccountType",
        # An account is reported in the base currency, as its balance would be.
        "CurrencyCode",
    }
)
BANK_ACCOUNT_IGNORES = ACCOUNT_IGNORES - {
    "BankAccountNumber",
    "BankAccountType",
    "CurrencyCode",
} | {
    # Bank accounts all take payments, all are of one class, and describe themselves by name.
    "Class",
    "Description",
    "EnablePaymentsToAccount",
}
TAX_RATE_IGNORES = frozenset(
    {
        # The line of the tax return it goes to.
        "ReportTaxType",
        "TaxComponents.IsNonRecoverable",
    }
)
TRACKING_IGNORES = frozenset(
    {
        "Option",
        "TrackingOptionID",
        "Options.TrackingCategoryID",
        "Options.IsActive",
        "Options.IsArchived",
        "Options.IsDeleted",
        "Options.HasValidationErrors",
        "Options.ValidationErrors",
    }
)

_CLASSES = {
    "ASSET": AccountType.Asset,
    "EQUITY": AccountType.Equity,
    "EXPENSE": AccountType.Expense,
    "LIABILITY": AccountType.Liability,
    "REVENUE": AccountType.Income,
}

# Organisations with payroll have further types; those show their class alone.
_CATEGORIES = {
    "BANK": "Asset.Bank",
    "CURRENT": "Asset.Current",
    "FIXED": "Asset.Fixed",
    "INVENTORY": "Asset.Inventory",
    "NONCURRENT": "Asset.NonCurrent",
    "PREPAYMENT": "Asset.Prepayment",
    "DIRECTCOSTS": "Expense.DirectCosts",
    "EXPENSE": "Expense.Expense",
    "OVERHEADS": "Expense.Overhead",
    "SUPERANNUATIONEXPENSE": "Expense.Superannuation",
    "WAGESEXPENSE": "Expense.Wages",
    "SALES": "Income.Sales",
    "REVENUE": "Income.Revenue",
    "OTHERINCOME": "Income.Other",
    "CURRLIAB": "Liability.Current",
    "LIABILITY": "Liability.Liability",
    "TERMLIAB": "Liability.NonCurrent",
    "PAYG": "Liability.PayAsYouGo",
    "PAYGLIABILITY": "Liability.PayAsYouGo",
    "SUPERANNUATIONLIABILITY": "Liability.Superannuation",
    "WAGESPAYABLELIABILITY": "Liability.WagesPayable",
    "EQUITY": "Equity.Equity",
}

_STATUSES = {
    "ACTIVE": AccountStatus.Active,
    "ARCHIVED": AccountStatus.Archived,
    "DELETED": AccountStatus.Archived,
}


def accounts(fields: Fields, books: XeroBooks) -> tuple[Account, ...]:
    account_id = fields.needed("AccountID")
    of_type = fields.word("Class", _CLASSES, AccountType.Unknown)
    category, name = _category(fields, of_type), fields.text("Name")
    return (
        Account(
            id=account_id,
            nominal_code=fields.text("Code"),
            name=name,
            description=fields.text("Description"),
            fully_qualified_category=category,
            fully_qualified_name=f"{category}.{name}" if category and name else None,
            currency=books.base_currency or None,
            type=of_type,
            status=_status(fields),
            is_bank_account=_is_bank(fields),
            valid_datatype_links=_account_links(fields),
            metadata=deleted(when=fields.text("Status") == "DELETED"),
            source_modified_date=moment(fields, "UpdatedDateUTC"),
        ),
    )


def _category(fields: Fields, of_type: AccountType) -> str | None:
    theirs = fields.text("Type") or ""
    if theirs == "DEPRECIATN":
        # Xero has depreciation among expenses, and as a liability in some charts.
        return f"{of_type}.Depreciation" if of_type is not AccountType.Unknown else None
    if theirs in _CATEGORIES:
        return _CATEGORIES[theirs]
    fields.note("Type", "a known account type")
    return None if of_type is AccountType.Unknown else str(of_type)


def _is_bank(fields: Fields) -> bool:
    return fields.text("Type") == "BANK"


def _status(fields: Fields) -> AccountStatus:
    return fields.word("Status", _STATUSES, AccountStatus.Unknown)


_PAYMENT_LINKS = ("Payment.AccountRef.Id", "BillPayment.AccountRef.Id")
_LINE_LINKS = (
    "Bill.LineItems.AccountRef.Id",
    "BillCreditNote.LineItems.AccountRef.Id",
    "Invoice.LineItems.AccountRef.Id",
    "CreditNote.LineItems.AccountRef.Id",
)


def _account_links(fields: Fields) -> tuple[ValidDataTypeLink, ...]:
    """Money moves through bank accounts and those opened for payments; lines go to all others."""
    takes_payments = fields.truth("EnablePaymentsToAccount") or False
    links: tuple[str, ...] = ()
    if _is_bank(fields) or takes_payments:
        links += _PAYMENT_LINKS
    if not _is_bank(fields):
        links += _LINE_LINKS
    return (ValidDataTypeLink(property="Id", links=links),)


_BANK_TYPES = {
    "BANK": BankAccountType.Debit,
    "PAYPAL": BankAccountType.Debit,
    "CREDITCARD": BankAccountType.Credit,
}


def bank_accounts(fields: Fields, books: XeroBooks) -> tuple[BankAccount, ...]:
    account_id = fields.needed("AccountID")
    if not _is_bank(fields):
        return fields.leave()
    currency = fields.text("CurrencyCode") or books.base_currency or None
    sort_code, number = _number(fields.text("BankAccountNumber"), currency)
    return (
        BankAccount(
            id=account_id,
            account_name=fields.text("Name"),
            account_type=fields.word("BankAccountType", _BANK_TYPES, BankAccountType.Unknown),
            nominal_code=fields.text("Code"),
            sort_code=sort_code,
            account_number=number,
            currency=currency,
            status=_status(fields),
            metadata=deleted(when=fields.text("Status") == "DELETED"),
            source_modified_date=moment(fields, "UpdatedDateUTC"),
        ),
    )


def _number(text: str | None, currency: str | None) -> tuple[str | None, str | None]:
    """Sort code and number: Xero keeps one field, six and eight digits of it in Britain."""
    digits = re.sub(r"[\s-]", "", text or "")
    if currency == "GBP" and len(digits) == 14 and digits.isdigit():
        return digits[:6], digits[6:]
    return None, text


# --- tax rates and tracking ---

_ACTIVE = {
    "ACTIVE": ActiveStatus.Active,
    "ARCHIVED": ActiveStatus.Archived,
    "DELETED": ActiveStatus.Archived,
    "PENDING": ActiveStatus.Archived,
}

_RATE_LINKS = {
    "CanApplyToAssets": "Asset",
    "CanApplyToEquity": "Equity",
    "CanApplyToExpenses": "Expense",
    "CanApplyToLiabilities": "Liability",
    "CanApplyToRevenue": "Income",
}
_PURCHASE_LINKS = ("Bill.LineItems.TaxRateRef.Id", "BillCreditNote.LineItems.TaxRateRef.Id")
_SALE_LINKS = ("Invoice.LineItems.TaxRateRef.Id", "CreditNote.LineItems.TaxRateRef.Id")


def tax_rates(fields: Fields, books: XeroBooks) -> tuple[TaxRate, ...]:
    del books
    tax_type = fields.needed("TaxType")
    return (
        TaxRate(
            id=tax_type,
            name=fields.text("Name"),
            code=tax_type,
            status=fields.word("Status", _ACTIVE, ActiveStatus.Unknown),
            effective_tax_rate=fields.number("EffectiveRate"),
            total_tax_rate=fields.number("DisplayTaxRate"),
            components=tuple(
                TaxRateComponent(
                    name=component.text("Name"),
                    rate=component.number("Rate"),
                    is_compound=component.truth("IsCompound") or False,
                )
                for component in fields.each("TaxComponents")
            ),
            valid_datatype_links=_rate_links(fields),
            metadata=deleted(when=fields.text("Status") == "DELETED"),
        ),
    )


def _rate_links(fields: Fields) -> tuple[ValidDataTypeLink, ...]:
    """Which lines may carry the rate, from the kinds of account it applies to."""
    applies = {kind for key, kind in _RATE_LINKS.items() if fields.truth(key)}
    links: tuple[str, ...] = ()
    if applies & {"Asset", "Expense"}:
        links += _PURCHASE_LINKS
    if "Income" in applies:
        links += _SALE_LINKS
    return (ValidDataTypeLink(property="Id", links=links),) if links else ()


def tracking_categories(fields: Fields, books: XeroBooks) -> tuple[TrackingCategory, ...]:
    """The category, then its options; only the options can be put on a line."""
    del books
    category_id = fields.needed("TrackingCategoryID")
    options = tuple(
        TrackingCategory(
            id=option_id,
            name=option.text("Name"),
            status=option.word("Status", _ACTIVE, ActiveStatus.Unknown),
            parent_id=category_id,
            has_children=False,
        )
        for option in fields.each("Options")
        if (option_id := option.text("TrackingOptionID"))
    )
    category = TrackingCategory(
        id=category_id,
        name=fields.text("Name"),
        status=fields.word("Status", _ACTIVE, ActiveStatus.Unknown),
        has_children=True,
    )
    return (category, *options)
