"""Many customers on the simulated books, each with bills and a credit note of its own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from tests.journeys.push_ground import without_reads
from tests.journeys.truth import collections
from tests.journeys.world import World, linked

from tallystick.companies import companies, connections

Raw = Any
Body = tuple[str, dict[str, Any]]
"""A data type, and what is to be written of it."""

OWED = Decimal("9000.00")
_DAY = "2026-11-18"
_SHARE = Decimal("1.25")


@dataclass(frozen=True, slots=True)
class Firm:
    """One connection, and what its writes are about."""

    name: str
    world: World
    currency: str
    bank: str
    cost: str
    supplier: str
    bills: tuple[str, str]
    note: str

    def bill(self, number: int) -> Body:
        line = {
            "description": "Brass screws",
            "quantity": 3,
            "unitAmount": Decimal("4.20"),
            "taxAmount": Decimal("2.52"),
            "taxRateRef": {"id": "INPUT2"},
            "accountRef": {"id": self.cost},
        }
        return "bills", {
            "supplierRef": {"id": self.supplier},
            "issueDate": _DAY,
            "dueDate": "2026-12-18",
            "currency": self.currency,
            "reference": f"{self.name} {number}",
            "status": "Open",
            "lineItems": [line],
        }

    def new_supplier(self, number: int) -> Body:
        return "suppliers", {"supplierName": f"{self.name} Søn {number}", "status": "Active"}

    def payment(self) -> Body:
        """Always the same amount on the same bill: only what was there before tells them apart."""
        return self._paying(self.bills[:1])

    def batch(self) -> Body:
        return self._paying(self.bills)

    def _paying(self, bill_ids: tuple[str, ...]) -> Body:
        return "billPayments", {
            "accountRef": {"id": self.bank},
            "date": _DAY,
            "currency": self.currency,
            "totalAmount": _SHARE * len(bill_ids),
            "lines": [
                {"amount": _SHARE, "links": [{"type": "Bill", "id": bill_id, "amount": -_SHARE}]}
                for bill_id in bill_ids
            ],
        }

    def allocation(self) -> Body:
        links = [
            {"type": "CreditNote", "id": self.note, "amount": _SHARE},
            {"type": "Bill", "id": self.bills[1], "amount": -_SHARE},
        ]
        lines = [{"amount": 0, "links": links}]
        body = {"date": _DAY, "totalAmount": 0, "currency": self.currency, "lines": lines}
        return "billPayments", body


def settled_by(body: dict[str, Any]) -> Iterator[tuple[str, Decimal]]:
    """(bill, what is owed less) of a payment."""
    for line in body.get("lines", ()):
        for link in line["links"]:
            if link["type"] == "Bill":
                yield link["id"], -link["amount"]


async def firms(world: World, count: int) -> list[Firm]:
    """That many companies, each with a connection to every organisation."""
    found: list[Firm] = []
    for place, organisation in enumerate(world.simulator.organisations()):
        names = [f"Firm {number}-{place}" for number in range(count)]
        found += await _in(world, organisation["id"], names)
    return found


def seen_from(world: World, organisation_id: str) -> World:
    """The world of somebody linked to that organisation."""
    return replace(world, connection=replace(world.connection, organisation_id=organisation_id))


async def _in(world: World, organisation_id: str, names: list[str]) -> list[Firm]:
    papers = {name: _papers(world, organisation_id, name) for name in names}
    raw = await collections(seen_from(world, organisation_id), "Accounts", "Contacts")
    currency = world.simulator.ledger(organisation_id)["baseCurrency"]
    suppliers = {one["Name"]: one["ContactID"] for one in raw["Contacts"]}
    return [
        Firm(
            name=name,
            world=await _linked(world, organisation_id, name),
            currency=currency,
            bank=_account(raw["Accounts"], Type="BANK", BankAccountType="BANK", currency=currency),
            cost=_account(raw["Accounts"], Code="429"),
            supplier=suppliers[_supplier_of(name)],
            bills=(first, second),
            note=note,
        )
        for name, (first, second, note) in papers.items()
    ]


def _account(accounts: list[Raw], *, currency: str | None = None, **members: str) -> str:
    return next(
        str(one["AccountID"])
        for one in accounts
        if members.items() <= one.items()
        and (currency is None or one.get("CurrencyCode") == currency)
    )


def _supplier_of(name: str) -> str:
    return f"{name} Supply"


def _papers(world: World, organisation_id: str, name: str) -> tuple[str, str, str]:
    """Two bills and a credit note, made by a person inside Xero."""
    line = {"Description": "Stock", "Quantity": 1, "UnitAmount": str(OWED), "AccountCode": "310"}
    paper = {
        "Status": "AUTHORISED",
        "Contact": {"Name": _supplier_of(name)},
        "Date": _DAY,
        "LineAmountTypes": "NoTax",
        "LineItems": [line],
    }
    edit = world.simulator.edit
    bill = {**paper, "DueDate": "2026-12-18"}
    return (
        edit(organisation_id, "create_bill", bill=bill),
        edit(organisation_id, "create_bill", bill=bill),
        edit(organisation_id, "create_credit_note", credit_note=paper),
    )


async def _linked(world: World, organisation_id: str, name: str) -> World:
    async with world.database.transaction() as tx:
        company = await companies.create(
            tx,
            client_id=world.client_id,
            name=name,
            description=None,
            tags={},
            created_by=None,
            now=world.now(),
        )
        waiting = await connections.create(
            tx, company=company, platform_key="gbol", simulated=True, now=world.now()
        )
    connection = await linked(world, waiting, organisation_id)
    own = replace(world, company=company, connection=connection)
    await without_reads(own)
    return own
