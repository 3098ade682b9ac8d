"""The settings of an invented organisation: accounts, tax rates, tracking, items."""

from decimal import Decimal
from typing import Any

Raw = Any

# The accounts Xero keeps for itself and posts to without being asked.
SYSTEM_ACCOUNTS: tuple[dict[str, Raw], ...] = (
    {"Code": "610", "Name": "Accounts Receivable", "Type": "CURRENT", "SystemAccount": "DEBTORS"},
    {"Code": "800", "Name": "Accounts Payable", "Type": "CURRLIAB", "SystemAccount": "CREDITORS"},
    {"Code": "820", "Name": "VAT", "Type": "CURRLIAB", "SystemAccount": "GST"},
    {
        "Code": "840",
        "Name": "Historical Adjustment",
        "Type": "CURRLIAB",
        "SystemAccount": "HISTORICAL",
    },
    {"Code": "860", "Name": "Rounding", "Type": "CURRLIAB", "SystemAccount": "ROUNDING"},
    {
        "Code": "877",
        "Name": "Tracking Transfers",
        "Type": "CURRLIAB",
        "SystemAccount": "TRACKINGTRANSFERS",
    },
    {
        "Code": "960",
        "Name": "Retained Earnings",
        "Type": "EQUITY",
        "SystemAccount": "RETAINEDEARNINGS",
    },
    {
        "Code": "497",
        "Name": "Bank Revaluations",
        "Type": "EXPENSE",
        "SystemAccount": "BANKCURRENCYGAIN",
    },
    {
        "Code": "498",
        "Name": "Unrealised Currency Gains",
        "Type": "EXPENSE",
        "SystemAccount": "UNREALISEDCURRENCYGAIN",
    },
    {
        "Code": "499",
        "Name": "Realised Currency Gains",
        "Type": "EXPENSE",
        "SystemAccount": "REALISEDCURRENCYGAIN",
    },
)

_EXPENSES = (
    ("310", "Timber and Sheet Materials", "DIRECTCOSTS", "INPUT2"),
    ("315", "Ironmongery and Fixings", "DIRECTCOSTS", "INPUT2"),
    ("320", "Subcontractors", "DIRECTCOSTS", "INPUT2"),
    ("400", "Advertising & Marketing", "OVERHEADS", "INPUT2"),
    ("404", "Bank Fees", "OVERHEADS", "NONE"),
    ("412", "Consulting", "OVERHEADS", "INPUT2"),
    ("416", "Depreciation Expense", "DEPRECIATN", "NONE"),
    ("420", "Entertainment", "OVERHEADS", "NONE"),
    ("425", "Postage, Freight & Courier", "OVERHEADS", "INPUT2"),
    ("429", "General Expenses", "OVERHEADS", "INPUT2"),
    ("433", "Insurance", "OVERHEADS", "EXEMPTINPUT"),
    ("445", "Light, Power, Heating", "OVERHEADS", "RRINPUT"),
    ("449", "Motor Vehicle Expenses", "OVERHEADS", "INPUT2"),
    ("461", "Printing & Stationery", "OVERHEADS", "INPUT2"),
    ("463", "IT Software and Consumables", "OVERHEADS", "INPUT2"),
    ("469", "Rent", "OVERHEADS", "INPUT2"),
    ("473", "Repairs & Maintenance", "OVERHEADS", "INPUT2"),
    ("485", "Subscriptions", "OVERHEADS", "INPUT2"),
    ("489", "Telephone & Internet", "OVERHEADS", "INPUT2"),
    ("493", "Travel - National", "OVERHEADS", "ZERORATEDINPUT"),
)
_OTHERS = (
    ("200", "Sales", "REVENUE", "OUTPUT2"),
    ("215", "Fitting and Installation", "REVENUE", "OUTPUT2"),
    ("260", "Other Revenue", "OTHERINCOME", "OUTPUT2"),
    ("630", "Inventory", "INVENTORY", "NONE"),
    ("720", "Workshop Equipment", "FIXED", "INPUT2"),
    ("721", "Less Accumulated Depreciation on Equipment", "FIXED", "NONE"),
    ("900", "Term Loan", "TERMLIAB", "NONE"),
)
EXPENSE_CODES = tuple(
    code for code, _, kind, _ in _EXPENSES if kind in ("DIRECTCOSTS", "OVERHEADS")
)


def accounts(*, country: str, foreign_bank: str) -> list[dict[str, Raw]]:
    """Everything in the chart but the system accounts; the bank codes are 09x."""
    number = "20415863178204" if country == "GB" else "IE29AIBK93115212345678"
    banks: list[dict[str, Raw]] = [
        {"Code": "090", "Name": "Business Current Account", "BankAccountNumber": number},
        {"Code": "091", "Name": "Savings", "BankAccountNumber": "20415863178212"},
        {
            "Code": "092",
            "Name": f"{foreign_bank} Account",
            "BankAccountNumber": "20415890551177",
            "CurrencyCode": foreign_bank,
        },
        {"Code": "093", "Name": "Company Credit Card", "BankAccountType": "CREDITCARD"},
    ]
    rows = [*_EXPENSES, *_OTHERS]
    plain = [
        {"Code": code, "Name": name, "Type": kind, "TaxType": tax} for code, name, kind, tax in rows
    ]
    drawings = {
        "Code": "880",
        "Name": "Director's Loan",
        "Type": "CURRLIAB",
        "EnablePaymentsToAccount": True,
    }
    return [*({**bank, "Type": "BANK"} for bank in banks), *plain, drawings]


def tax_rates() -> list[dict[str, Raw]]:
    return [
        _rate("20% (VAT on Income)", "OUTPUT2", "OUTPUT", [("VAT", "20", False)]),
        _rate("20% (VAT on Expenses)", "INPUT2", "INPUT", [("VAT", "20", False)]),
        _rate("5% (VAT on Expenses)", "RRINPUT", "INPUT", [("VAT", "5", False)]),
        _rate("Zero Rated Expenses", "ZERORATEDINPUT", "INPUT", [("VAT", "0", False)]),
        _rate("Zero Rated Income", "ZERORATEDOUTPUT", "OUTPUT", [("VAT", "0", False)]),
        _rate("Exempt Expenses", "EXEMPTINPUT", "INPUT", [("VAT", "0", False)]),
        _rate("No VAT", "NONE", "NONE", [("VAT", "0", False)]),
        _rate("Levy on top of VAT", "TAX001", "INPUT", [("VAT", "20", False), ("Levy", "2", True)]),
    ]


def _rate(
    name: str, kind: str, report: str, components: list[tuple[str, str, bool]]
) -> dict[str, Raw]:
    """A compound component is charged on the price with the other components in it."""
    plain = sum((Decimal(rate) for _, rate, compound in components if not compound), Decimal(0))
    effective = plain
    for _, rate, compound in components:
        if compound:
            effective += Decimal(rate) * (100 + plain) / 100
    return {
        "Name": name,
        "TaxType": kind,
        "ReportTaxType": report,
        "CanApplyToAssets": True,
        "CanApplyToEquity": True,
        "CanApplyToExpenses": report != "OUTPUT",
        "CanApplyToLiabilities": True,
        "CanApplyToRevenue": report != "INPUT",
        "DisplayTaxRate": sum((Decimal(rate) for _, rate, _ in components), Decimal(0)),
        "EffectiveRate": effective.normalize() if effective % 1 else effective,
        "Status": "ACTIVE",
        "TaxComponents": [
            {"Name": part, "Rate": Decimal(rate), "IsCompound": compound, "IsNonRecoverable": False}
            for part, rate, compound in components
        ],
    }


TRACKING = {
    "Workshop": ("Harrow", "Vale", "Łódź"),
    "Project": ("Côte House", "St Mary's School", "Riverside", "Unassigned"),
}

ITEMS: tuple[dict[str, Raw], ...] = (
    {"Code": "OAK-27", "Name": "Oak board 27 mm", "buys": "42.50", "sells": "68.00"},
    {"Code": "MDF-18", "Name": "MDF 18 mm sheet", "buys": "23.1250", "sells": "34.00"},
    {"Code": "HINGE-BR", "Name": "Brass butt hinge", "buys": "3.1275", "sells": "5.40"},
    {"Code": "FIT-DAY", "Name": "Fitting, per day", "buys": None, "sells": "310.00"},
)
