"""The figures of the ledger, reckoned from the journal alone."""

from typing import Any

from tallystick.simulators.xero.books.books import Books
from tallystick.simulators.xero.wire import from_cents

Raw = Any

_SIGN = {"AP": -1, "AR": 1}
_SIDES = {"AP": "accountsPayable", "AR": "accountsReceivable"}


def figures(books: Books) -> dict[str, Raw]:
    """Trial balance, receivables and payables with their contacts, and what each bank holds."""
    rows = books.tx.all("trial_balance", organisation=books.organisation_id)
    accounts = {held.id: held.body for held in books.all_of("Accounts")}
    trial = [
        {
            "accountId": row["account"],
            "code": accounts.get(row["account"], {}).get("Code", ""),
            "name": accounts.get(row["account"], {}).get("Name", ""),
            "balance": from_cents(row["base_cents"]),
        }
        for row in rows
    ]
    return {
        "baseCurrency": books.base,
        "trialBalance": trial,
        "trialBalanceTotal": from_cents(sum(row["base_cents"] for row in rows)),
        "bankBalances": _banks(books, {row["account"]: row for row in rows}),
        **_control(books),
    }


def _banks(books: Books, balances: dict[str, Raw]) -> list[dict[str, Raw]]:
    shown = []
    for held in books.all_of("Accounts"):
        if held.body.get("Type") != "BANK":
            continue
        row = balances.get(held.id)
        shown.append(
            {
                "accountId": held.id,
                "name": held.body.get("Name", ""),
                "currency": held.body.get("CurrencyCode") or books.base,
                "balance": from_cents(row["account_cents"] if row else 0),
                "baseBalance": from_cents(row["base_cents"] if row else 0),
            }
        )
    return shown


def _control(books: Books) -> dict[str, Raw]:
    rows = books.tx.all("control_balances", organisation=books.organisation_id)
    shown: dict[str, Raw] = {}
    for side, name in _SIDES.items():
        ours = [row for row in rows if row["control"] == side]
        shown[name] = from_cents(_SIGN[side] * sum(row["base_cents"] for row in ours))
        shown[f"{name}ByContact"] = {
            row["contact"]: from_cents(_SIGN[side] * row["base_cents"]) for row in ours
        }
    return shown
