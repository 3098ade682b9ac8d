"""The records that Xero itself publishes, linked and pulled through the whole house."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.journeys import simulator
from tests.journeys.truth import collections
from tests.journeys.world import World, world_of
from tests.oracles import oracles, requires_oracles

from tallystick.db.pool import Database
from tallystick.lib.secrets import Vault
from tallystick.model import DATA_TYPES
from tallystick.sync import datasets

pytestmark = requires_oracles

Raw = Any

_HELD: dict[str, tuple[str, str, str | None]] = {
    "chartOfAccounts": ("Accounts", "AccountID", None),
    "items": ("Items", "ItemID", None),
    "taxRates": ("TaxRates", "TaxType", None),
    "suppliers": ("Contacts", "ContactID", None),
    "customers": ("Contacts", "ContactID", None),
    "bills": ("Invoices", "InvoiceID", "ACCPAY"),
    "invoices": ("Invoices", "InvoiceID", "ACCREC"),
    "billCreditNotes": ("CreditNotes", "CreditNoteID", "ACCPAYCREDIT"),
    "creditNotes": ("CreditNotes", "CreditNoteID", "ACCRECCREDIT"),
}
"""By data type: Xero's collection, its id, and the Type that is meant where it holds several."""

_SIDES = {"billPayments": ("ACCPAY", "AP", "SPEND"), "payments": ("ACCREC", "AR", "RECEIVE")}


@pytest.fixture
async def published(database: Database, vault: Vault, tmp_path: Path) -> AsyncIterator[World]:
    books = oracles() / "xero" / "openapi" / "xero_accounting.yaml"
    with simulator.running(tmp_path / "xero", size="none", books=books) as xero:
        async with world_of(database, vault, tmp_path, xero) as world:
            yield world


async def _theirs(world: World) -> dict[str, set[str]]:
    """The ids of all that Xero shows, by our data type."""
    names = {collection for collection, _, _ in _HELD.values()}
    raw = await collections(world, *sorted(names), "Payments", "Prepayments", "Overpayments")
    ids = {
        data_type: {
            each[key] for each in raw[collection] if of_type is None or each["Type"] == of_type
        }
        for data_type, (collection, key, of_type) in _HELD.items()
    }
    return ids | {data_type: _settled(raw, *side) for data_type, side in _SIDES.items()}


def _settled(raw: dict[str, list[Raw]], side: str, letters: str, money: str) -> set[str]:
    """Payments, uses of credit notes, and money on account."""
    own = (f"{side}PAY", letters)
    payments = {one["PaymentID"] for one in raw["Payments"] if one["PaymentType"].startswith(own)}
    uses = {
        use.get("AllocationID") or f"{note['CreditNoteID']}-{use['Invoice']['InvoiceID']}"
        for note in raw["CreditNotes"]
        if note["Type"] == f"{side}CREDIT"
        for use in note.get("Allocations") or ()
    }
    on_account = {
        one[key]
        for name, key in (("Prepayments", "PrepaymentID"), ("Overpayments", "OverpaymentID"))
        for one in raw[name]
        if one["Type"].startswith((f"{money}-", letters))
    }
    return payments | uses | on_account


async def test_every_published_record_arrives_and_no_field_is_unknown(published: World) -> None:
    with capture_logs() as told:
        await published.drain()

    assert [entry for entry in told if entry["event"] == "unknown_field"] == []
    rows = await published.rows("select data_type, status, error_message from dataset")
    assert {row["data_type"]: row["status"] for row in rows} == {
        record.key: "Complete" for record in DATA_TYPES
    }
    theirs = await _theirs(published)
    assert sum(map(len, theirs.values())) > 50
    for data_type, ids in theirs.items():
        assert (await published.bodies(data_type)).keys() == ids, data_type
    for data_type in ("invoices", "suppliers", "billPayments", "payments"):
        assert theirs[data_type], data_type


async def test_what_is_odd_in_published_records_is_counted_and_told(published: World) -> None:
    """Its examples leave out what real books always have; nothing of that goes unnoticed."""
    await published.drain()
    rows = await published.rows("select id, data_type, records_read from dataset")
    issues = []
    for row in rows:
        async with published.database.transaction() as tx:
            issues += await datasets.issues_of(tx, dataset_id=str(row["id"]))
    assert issues
    assert {issue.severity for issue in issues} == {"warning"}
    assert all(issue.count >= 1 and issue.message and issue.rule_id for issue in issues)
    [event] = await published.events("read.completed.initial")
    told = {
        each["dataType"]: sum(
            int(issue["message"].split()[0])
            for issue in each.get("issues", [])
            if issue["type"] == "warning.validation"
        )
        for each in event["payload"]["dataTypes"]
    }
    assert sum(told.values()) == sum(issue.count for issue in issues)


async def test_published_records_read_again_change_nothing(published: World) -> None:
    await published.drain()
    published.advance(8 * 24 * 3600)
    await published.queue_all()
    await published.drain()
    again = await published.rows(
        "select data_type, full_read, records_changed, records_deleted from dataset"
        " where requested_at > %(after)s",
        after=published.now().replace(hour=0, minute=0, second=0),
    )
    assert {row["data_type"] for row in again} == {record.key for record in DATA_TYPES}
    assert all(row["full_read"] for row in again)
    assert [row for row in again if row["records_changed"] or row["records_deleted"]] == []


async def test_what_published_bills_owe_is_what_xero_says(published: World) -> None:
    await published.drain()
    raw = (await collections(published, "Invoices"))["Invoices"]
    ours = {**await published.bodies("bills"), **await published.bodies("invoices")}
    stated = [each for each in raw if "AmountDue" in each]
    assert stated
    for each in stated:
        assert Decimal(each["AmountDue"]) == ours[each["InvoiceID"]]["amountDue"]
