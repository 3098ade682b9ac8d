from __future__ import annotations

from collections import Counter

from tests.oracles import requires_oracles
from tests.oracles.openapi_paths import SpecViolation
from tests.oracles.xero_examples import Example, bodies, examples
from tests.oracles.xero_oddities import ODDITIES
from tests.oracles.xero_openapi import validate_request, validate_response

pytestmark = requires_oracles

HEADERS = {
    "Authorization": "Bearer token",
    "xero-tenant-id": "t",
    "Accept": "application/json",
    "Content-Type": "application/json",
}


def violation(example: Example) -> str | None:
    method = example.operation.method
    try:
        if example.status is None:
            validate_request(method, example.path, {}, HEADERS, example.body)
        else:
            validate_response(method, example.path, example.status, example.body)
    except SpecViolation as found:
        return str(found)
    return None


def test_every_published_body_is_allowed_or_a_named_oddity() -> None:
    found = {one.name: violation(one) for one in bodies()}
    unnamed = {name: why for name, why in found.items() if why and name not in ODDITIES}
    assert unnamed == {}
    assert {name for name in ODDITIES if found.get(name) is None} == set()


def test_the_bodies_are_many() -> None:
    counts = Counter("request" if one.status is None else one.status for one in bodies())
    assert counts[200] > 150
    assert counts["request"] > 70
    assert counts[400] > 10


def test_each_published_record_comes_once_with_its_collection() -> None:
    counts = Counter(name for name, _ in examples())
    for name in (
        "Accounts",
        "BatchPayments",
        "Contacts",
        "CreditNotes",
        "Invoices",
        "Items",
        "Organisations",
        "Overpayments",
        "Payments",
        "Prepayments",
        "TaxRates",
        "TrackingCategories",
    ):
        assert counts[name] > 0, name
    assert all(isinstance(record, dict) for _, record in examples())


def test_requests_come_apart_from_answers() -> None:
    sent = list(examples("requests"))
    assert {"Accounts", "BatchPayments", "Contacts", "CreditNotes"} <= {name for name, _ in sent}
    assert ("PaymentDelete", {"Status": "DELETED"}) in sent


def test_a_day_stays_the_text_that_was_published() -> None:
    days = [one["DateString"] for name, one in examples() if name == "Invoices" if "Date" in one]
    assert "2018-10-20T00:00:00" in days
