from __future__ import annotations

from collections import Counter

from tests.oracles import requires_oracles
from tests.oracles.fyle import QUICKBOOKS_SHAPED, records
from tests.oracles.xero_openapi import validate_response

pytestmark = requires_oracles


def test_the_native_records_come_with_their_collections() -> None:
    assert Counter(name for name, _ in records()) == {
        "Accounts": 58,
        "BankTransactions": 1,
        "Connections": 1,
        "Contacts": 63,
        "Invoices": 1,
        "Items": 16,
        "Organisations": 1,
        "TaxRates": 8,
        "TrackingCategories": 1,
    }


def test_no_record_is_quickbooks_shaped() -> None:
    assert QUICKBOOKS_SHAPED == ("bill_payload", "bank_transaction_payload")
    assert not any("VendorRef" in one or "EntityRef" in one for _, one in records())


def test_every_kept_record_is_one_xero_may_answer() -> None:
    paths = {"Organisations": "/Organisation"}
    for name, record in records():
        if name != "Connections":
            validate_response("GET", paths.get(name, f"/{name}"), 200, {name: [record]})
