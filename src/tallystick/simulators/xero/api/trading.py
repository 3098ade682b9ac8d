"""What a contact's documents say about it: supplier or customer, and what is outstanding."""

from dataclasses import dataclass, field
from typing import Any

from tallystick.simulators.xero.books.books import Books
from tallystick.simulators.xero.books.ledger import KINDS
from tallystick.simulators.xero.wire import from_cents

Raw = Any

_SIDES = {"AR": "AccountsReceivable", "AP": "AccountsPayable"}


@dataclass(frozen=True, kw_only=True)
class Trading:
    """Who trades on which side, and open and overdue cents in base currency by (contact, side)."""

    sides: frozenset[tuple[str, str]]
    open_cents: dict[tuple[str, str], int] = field(default_factory=dict)
    overdue_cents: dict[tuple[str, str], int] = field(default_factory=dict)

    def roles(self, contact: str) -> dict[str, Raw]:
        return {
            "IsSupplier": (contact, "AP") in self.sides,
            "IsCustomer": (contact, "AR") in self.sides,
        }

    def balances(self, contact: str) -> dict[str, Raw]:
        """Xero's Balances, which a contact without a balance does not have."""
        if not any((contact, side) in self.open_cents for side in _SIDES):
            return {}
        return {
            "Balances": {
                name: {
                    "Outstanding": from_cents(self.open_cents.get((contact, side), 0)),
                    "Overdue": from_cents(self.overdue_cents.get((contact, side), 0)),
                }
                for side, name in _SIDES.items()
            }
        }


def trading(books: Books, contact: str | None = None) -> Trading:
    """The facts of one contact, or of all at once for a list."""
    ours: dict[str, Raw] = {"organisation": books.organisation_id, "contact": contact}
    traded = books.tx.all("trading", **ours)
    facts = Trading(sides=frozenset((row["contact"], _side(row["kind"])) for row in traded))
    for row in books.tx.all("outstanding", today=books.today.isoformat(), **ours):
        key = (row["contact"], _side(row["kind"]))
        sign = 1 if row["kind"] in ("ACCPAY", "ACCREC") else -1
        facts.open_cents[key] = facts.open_cents.get(key, 0) + sign * row["open_cents"]
        facts.overdue_cents[key] = facts.overdue_cents.get(key, 0) + sign * row["overdue_cents"]
    return facts


def _side(kind: str) -> str:
    """The side of a type of document; published records may hold types we do not keep."""
    return KINDS[kind].side if kind in KINDS else ""
