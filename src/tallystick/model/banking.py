"""Where money lies: bank accounts."""

from typing import Any, ClassVar

from tallystick.model.base import AccountStatus, Number, Record, Word


class BankAccountType(Word):
    """Credit: a positive balance is a debt. Debit: a positive balance is money we have."""

    Unknown = "Unknown"
    Credit = "Credit"
    Debit = "Debit"


class BankAccount(Record):
    """An account at a bank, or a credit card, as the books keep it."""

    key: ClassVar[str] = "bankAccounts"
    computed: ClassVar[dict[str, Any]] = {"status": "Active"}

    account_name: str | None = None
    account_type: BankAccountType = BankAccountType.Unknown
    nominal_code: str | None = None
    sort_code: str | None = None
    account_number: str | None = None
    i_ban: str | None = None
    currency: str | None = None
    balance: Number | None = None
    institution: str | None = None
    available_balance: Number | None = None
    overdraft_limit: Number | None = None
    status: AccountStatus
