"""Writes in a journey: what there is to write about, asking for it, counting what came of it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.journeys.truth import collections
from tests.journeys.world import World, until

from tallystick.lib import json
from tallystick.lib.ids import new_id
from tallystick.model import BY_KEY
from tallystick.push import operations
from tallystick.push.operations import Operation, Request
from tallystick.push.proof import targets

Raw = Any
ENDED = {"Success", "Failed", "TimedOut"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the simulated books hold."""

    bank: str
    cost: str
    supplier: str
    bills: tuple[Raw, ...]
    note: Raw
    bill_of_note: Raw


async def facts(world: World) -> Facts:
    raw = await collections(world, "Accounts", "Invoices", "CreditNotes")
    payable = [
        bill
        for bill in raw["Invoices"]
        if (bill["Type"], bill["Status"], bill["CurrencyCode"]) == ("ACCPAY", "AUTHORISED", "GBP")
        and Decimal(bill["AmountDue"]) > 20
    ]
    note = next(
        one
        for one in raw["CreditNotes"]
        if (one["Type"], one["Status"]) == ("ACCPAYCREDIT", "AUTHORISED")
        and Decimal(one["RemainingCredit"]) > 5
    )
    of_note = next(one for one in payable if one["Contact"] == note["Contact"])
    others = tuple(one for one in payable if one is not of_note)
    accounts = raw["Accounts"]
    return Facts(
        bank=next(
            one["AccountID"]
            for one in accounts
            if one["Type"] == "BANK"
            and one.get("BankAccountType") == "BANK"
            and one.get("CurrencyCode") == "GBP"
        ),
        cost=next(
            one["AccountID"]
            for one in accounts
            if one["Class"] == "EXPENSE" and one.get("Code") and one["Status"] == "ACTIVE"
        ),
        supplier=others[0]["Contact"]["ContactID"],
        bills=others,
        note=note,
        bill_of_note=of_note,
    )


def pays(known: Facts, *shares: tuple[Raw, str], **more: Any) -> dict[str, Any]:
    """A body that pays bills, one line each."""
    return {
        "accountRef": {"id": known.bank},
        "date": "2026-11-18",
        "totalAmount": sum((Decimal(amount) for _, amount in shares), Decimal(0)),
        "currency": "GBP",
        "reference": "Run 7",
        "lines": [
            {
                "amount": Decimal(amount),
                "links": [{"type": "Bill", "id": bill["InvoiceID"], "amount": -Decimal(amount)}],
            }
            for bill, amount in shares
        ],
        **more,
    }


def bodies(known: Facts) -> dict[str, tuple[str, dict[str, Any]]]:
    """One body of each sort that can be written, by name, with its data type."""
    line = {
        "description": "Brass screws",
        "quantity": 3,
        "unitAmount": Decimal("4.20"),
        "taxAmount": Decimal("2.52"),
        "taxRateRef": {"id": "INPUT2"},
        "accountRef": {"id": known.cost},
    }
    links = [
        {"type": "CreditNote", "id": known.note["CreditNoteID"], "amount": Decimal("3.75")},
        {"type": "Bill", "id": known.bill_of_note["InvoiceID"], "amount": Decimal("-3.75")},
    ]
    document = {
        "supplierRef": {"id": known.supplier},
        "issueDate": "2026-11-18",
        "currency": "GBP",
        "lineItems": [line],
    }
    return {
        "payment": ("billPayments", pays(known, (known.bills[0], "1.25"))),
        "batch": (
            "billPayments",
            pays(known, (known.bills[0], "1.25"), (known.bills[1], "2.50")),
        ),
        "allocation": (
            "billPayments",
            {
                "date": "2026-11-18",
                "totalAmount": 0,
                "currency": "GBP",
                "lines": [{"amount": 0, "links": links}],
            },
        ),
        "bill": (
            "bills",
            {**document, "reference": "NEW-1", "dueDate": "2026-12-18", "status": "Open"},
        ),
        "credit note": (
            "billCreditNotes",
            {**document, "billCreditNoteNumber": "CR-NEW", "status": "Submitted"},
        ),
        "supplier": ("suppliers", {"supplierName": "Zoë O’Néill & Söhne", "status": "Active"}),
    }


async def ask(world: World, data_type: str, body: dict[str, Any], **more: Any) -> Operation:
    """A write as the API takes it in."""
    request = Request(
        company_id=world.company.id,
        client_id=world.client_id,
        connection_id=world.connection.id,
        organisation_id=world.connection.organisation_id,
        data_type=data_type,
        body=json.canonical(body).decode(),
        targets=targets(BY_KEY[data_type].from_wire(body)),
        **more,
    )
    async with world.database.transaction() as tx:
        return await operations.accept(tx, request, now=world.now())


async def see(world: World, operation: Operation) -> Operation:
    async with world.database.transaction() as tx:
        return await operations.get(tx, company_id=operation.company_id, key=operation.key)


async def ended(world: World, *asked: Operation, within_s: float = 40) -> list[Operation]:
    """Wait until workers have ended these writes."""

    async def over() -> bool:
        return all([(await see(world, one)).state in ENDED for one in asked])

    await until(over, within_s=within_s)
    return [await see(world, one) for one in asked]


async def without_reads(world: World) -> None:
    """As if the first read had been made: it would use up the platform's limit."""
    await world.rows(
        "insert into read_batch (id, company_id, connection_id, initial, created_at)"
        " values (%(id)s, %(company)s, %(connection)s, true, %(now)s) returning id",
        id=new_id(),
        now=world.now(),
    )


async def documents(world: World) -> dict[str, set[str]]:
    """The ids of everything at Xero that a write could have made."""
    raw = await collections(world, "Invoices", "CreditNotes", "Payments", "Contacts")
    return {
        "bills": {one["InvoiceID"] for one in raw["Invoices"]},
        "billCreditNotes": {one["CreditNoteID"] for one in raw["CreditNotes"]},
        "suppliers": {one["ContactID"] for one in raw["Contacts"]},
        "billPayments": {one["PaymentID"] for one in raw["Payments"]}
        | {
            one["AllocationID"]
            for note in raw["CreditNotes"]
            for one in note.get("Allocations", ())
        },
    }


def added(before: dict[str, set[str]], after: dict[str, set[str]]) -> dict[str, set[str]]:
    """What is new, by data type."""
    found = {data_type: after[data_type] - before[data_type] for data_type in after}
    return {data_type: ids for data_type, ids in found.items() if ids}
