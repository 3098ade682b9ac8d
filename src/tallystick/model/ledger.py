"""The ledger's own lists: accounts, tax rates, tracking categories."""

from typing import ClassVar

from tallystick.model.base import (
    AccountStatus,
    ActiveStatus,
    Number,
    Part,
    Record,
    ValidDataTypeLink,
    Word,
)


class AccountType(Word):
    Unknown = "Unknown"
    Asset = "Asset"
    Expense = "Expense"
    Income = "Income"
    Liability = "Liability"
    Equity = "Equity"


class Account(Record):
    """One account of the chart of accounts; its category starts with its type."""

    key: ClassVar[str] = "chartOfAccounts"

    nominal_code: str | None = None
    name: str | None = None
    description: str | None = None
    fully_qualified_category: str | None = None
    fully_qualified_name: str | None = None
    currency: str | None = None
    current_balance: Number | None = None
    type: AccountType
    status: AccountStatus
    is_bank_account: bool
    valid_datatype_links: tuple[ValidDataTypeLink, ...] = ()


class TaxRateComponent(Part):
    name: str | None = None
    rate: Number | None = None
    is_compound: bool


class TaxRate(Record):
    """A named rate; total is the sum of its components, effective counts compounding."""

    key: ClassVar[str] = "taxRates"

    name: str | None = None
    code: str | None = None
    status: ActiveStatus
    effective_tax_rate: Number | None = None
    total_tax_rate: Number | None = None
    components: tuple[TaxRateComponent, ...] = ()
    valid_datatype_links: tuple[ValidDataTypeLink, ...] = ()


class TrackingCategory(Record):
    """A dimension (no parent) or one of its choices (with a parent)."""

    key: ClassVar[str] = "trackingCategories"

    name: str | None = None
    status: ActiveStatus
    parent_id: str | None = None
    has_children: bool
