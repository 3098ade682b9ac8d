"""Accounts that can be added through the API: unique by code and by name."""

from typing import Any

from tallystick.simulators.xero.books.books import Books
from tallystick.simulators.xero.errors import Invalid

Raw = Any

CLASSES = {
    "BANK": "ASSET",
    "CURRENT": "ASSET",
    "FIXED": "ASSET",
    "INVENTORY": "ASSET",
    "NONCURRENT": "ASSET",
    "PREPAYMENT": "ASSET",
    "CURRLIAB": "LIABILITY",
    "LIABILITY": "LIABILITY",
    "TERMLIAB": "LIABILITY",
    "PAYG": "LIABILITY",
    "EQUITY": "EQUITY",
    "DEPRECIATN": "EXPENSE",
    "DIRECTCOSTS": "EXPENSE",
    "EXPENSE": "EXPENSE",
    "OVERHEADS": "EXPENSE",
    "OTHERINCOME": "REVENUE",
    "REVENUE": "REVENUE",
    "SALES": "REVENUE",
}
_REPORTING = {
    "ASSET": "ASS",
    "LIABILITY": "LIA",
    "EQUITY": "EQU",
    "EXPENSE": "EXP",
    "REVENUE": "REV",
}
_PLAIN = ("Description", "SystemAccount", "BankAccountNumber")


def add_account(books: Books, sent: dict[str, Raw]) -> str:
    """Open an account; answers its id."""
    kind, name, code = sent.get("Type"), sent.get("Name"), str(sent.get("Code") or "")
    _check(books, kind=kind, name=name, code=code)
    class_ = CLASSES[str(kind)]
    body: dict[str, Raw] = {
        "AccountID": books.new_id(),
        **({"Code": code} if code else {}),
        "Name": name,
        "Status": "ACTIVE",
        "Type": kind,
        "TaxType": sent.get("TaxType") or "NONE",
        "Class": class_,
        "EnablePaymentsToAccount": bool(sent.get("EnablePaymentsToAccount", False)),
        "ShowInExpenseClaims": bool(sent.get("ShowInExpenseClaims", False)),
        "ReportingCode": _REPORTING[class_],
        "HasAttachments": False,
        "AddToWatchlist": bool(sent.get("AddToWatchlist", False)),
    }
    body |= {key: sent[key] for key in _PLAIN if sent.get(key)}
    if kind == "BANK":
        body |= _bank_fields(books, sent)
    books.save("Accounts", body)
    return str(body["AccountID"])


def _bank_fields(books: Books, sent: dict[str, Raw]) -> dict[str, Raw]:
    currency = sent.get("CurrencyCode") or books.base
    if books.get("Currencies", currency) is None:
        raise Invalid(f"Organisation is not subscribed to currency {currency}")
    own = sent.get("BankAccountType") or "BANK"
    if not sent.get("BankAccountNumber") and own == "BANK":
        raise Invalid("A bank account number is required for a bank account.")
    return {"BankAccountType": own, "CurrencyCode": currency}


def _check(books: Books, *, kind: Raw, name: Raw, code: str) -> None:
    wrong = []
    if kind not in CLASSES:
        wrong.append("The Type of the account is missing or not known")
    if not name:
        wrong.append("Please enter a Name.")
    if len(str(name or "")) > 150:
        wrong.append("The field Name exceeds its maximum length of 150 characters")
    if len(code) > 10:
        wrong.append("The field Code exceeds its maximum length of 10 characters")
    if not code and kind != "BANK":
        wrong.append("Please enter a Code.")
    for other in books.all_of("Accounts"):
        if name and other.body.get("Name", "").casefold() == str(name).casefold():
            wrong.append("Please enter a unique Name.")
        if code and other.body.get("Code") == code:
            wrong.append("Please enter a unique Code.")
    if wrong:
        raise Invalid(*wrong)
