"""What is shared, in words of somebody who keeps books and not of somebody who keeps databases."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """One line of the consent: what, and what is in it."""

    title: str
    detail: str
    data_types: frozenset[str]


_READ = (
    Share(
        "Your company",
        "name, addresses, tax number and currency",
        frozenset({"company"}),
    ),
    Share(
        "Suppliers and bills",
        "who you buy from, what you owe, and what you have paid",
        frozenset({"suppliers", "bills", "billCreditNotes", "billPayments"}),
    ),
    Share(
        "Customers and invoices",
        "who you sell to, what they owe you, and what they have paid",
        frozenset({"customers", "invoices", "creditNotes", "payments"}),
    ),
    Share(
        "Accounts and bank accounts",
        "their names, codes and balances",
        frozenset({"chartOfAccounts", "bankAccounts"}),
    ),
    Share(
        "Lists you keep",
        "products and services, tax rates and tracking categories",
        frozenset({"items", "taxRates", "trackingCategories"}),
    ),
)

_WRITTEN = (
    Share("suppliers", "", frozenset({"suppliers"})),
    Share("customers", "", frozenset({"customers"})),
    Share("bills", "", frozenset({"bills"})),
    Share("credit notes", "", frozenset({"billCreditNotes", "creditNotes"})),
    Share("invoices", "", frozenset({"invoices"})),
    Share("payments", "", frozenset({"billPayments", "payments"})),
    Share("bank accounts", "", frozenset({"bankAccounts"})),
    Share("accounts", "", frozenset({"chartOfAccounts"})),
)


def shared(reads: AbstractSet[str]) -> tuple[Share, ...]:
    """The lines for what is read."""
    return tuple(share for share in _READ if share.data_types & reads)


def added(writes: AbstractSet[str]) -> str:
    """What may be added, as a list in a sentence; empty where nothing is written."""
    titles = [share.title for share in _WRITTEN if share.data_types & writes]
    if len(titles) < 2:
        return "".join(titles)
    return f"{', '.join(titles[:-1])} and {titles[-1]}"
