from __future__ import annotations

from decimal import Decimal

import pytest
from tests.oracles import requires_oracles
from tests.oracles.openapi_paths import SpecViolation
from tests.oracles.xero_openapi import validate_identity_response, validate_response
from tests.oracles.yaml_files import Raw

pytestmark = requires_oracles

ID = "3f1c7f4e-0d67-4d5e-9a51-7f2f6f1f0a11"
OTHER_ID = "9a7c2c0e-52c5-4a60-8a6a-2f7f6a1c0b22"


def answer(**changes: Raw) -> Raw:
    kept = {"InvoiceID": ID, "Type": "ACCPAY", "Total": Decimal("120.00"), "Status": "AUTHORISED"}
    day = {"Date": "/Date(1775001600000+0000)/", "DateString": "2026-04-01T00:00:00"}
    return {
        "Id": ID,
        "Status": "OK",
        "ProviderName": "Tallystick",
        "DateTimeUTC": "/Date(1775001600000)/",
        "pagination": {"page": 1, "pageSize": 100, "pageCount": 1, "itemCount": 1},
        "Invoices": [{**kept, **day, **changes}],
    }


def test_a_live_answer_is_accepted_with_its_known_extras() -> None:
    line = {"LineItemID": ID, "DiscountEnteredAsPercent": True, "ValidationErrors": []}
    validate_response("GET", "/Invoices", 200, answer(LineItems=[line], InvoicePaymentServices=[]))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"Colour": "red"}, "'Colour' was unexpected"),
        ({"ID": ID}, "'ID' was unexpected"),
        ({"Status": "OPEN"}, "'OPEN' is not one of"),
        ({"Date": "2026-04-01"}, "is not written as /Date"),
        ({"UpdatedDateUTC": "2026-04-01T00:00:00"}, "is not written as /Date"),
        ({"DateString": "2026-04-01"}, "does not match"),
        ({"Total": "120.00"}, "is not of type 'number'"),
        ({"Total": Decimal("NaN")}, "is no amount"),
        ({"InvoiceID": "7"}, "is not a 'uuid'"),
        ({"Reference": None}, "is not of type 'string'"),
    ],
)
def test_an_answer_xero_would_not_give_is_refused(changes: dict[str, Raw], told: str) -> None:
    with pytest.raises(SpecViolation, match=told):
        validate_response("GET", "/Invoices", 200, answer(**changes))


def test_an_open_check_lets_unknown_properties_pass_and_nothing_else() -> None:
    validate_response("GET", "/Invoices", 200, answer(Colour="red"), open_mode=True)
    with pytest.raises(SpecViolation, match="'OPEN' is not one of"):
        validate_response("GET", "/Invoices", 200, answer(Status="OPEN"), open_mode=True)


def test_a_refusal_echoes_what_was_sent_with_its_errors() -> None:
    sent = {"Type": "ACCPAY", "Status": "AUTHORISED", "Contact": {"ContactID": ID}}
    element = {**sent, "ValidationErrors": [{"Message": "Account code '429' is not valid"}]}
    days = {"Date": "/Date(1775001600000+0000)/", "DueDate": "/Date(1777593600000+0000)/"}
    refusal = {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": [{**element, **days}],
    }
    validate_response("PUT", "/Invoices", 400, refusal)
    with pytest.raises(SpecViolation, match="'Colour' was unexpected"):
        validate_response("PUT", "/Invoices", 400, {**refusal, "Colour": "red"})


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_refusals_the_file_does_not_describe_pass(status: int) -> None:
    validate_response("GET", "/Invoices", status, b"Rate Limit Exceeded")


@pytest.mark.parametrize("status", [201, 204, 302])
def test_a_success_the_operation_does_not_know_is_refused(status: int) -> None:
    with pytest.raises(SpecViolation, match="not an answer of this operation"):
        validate_response("PUT", "/Invoices", status, {})


@pytest.mark.parametrize(
    "body",
    [
        {"AllocationID": ID, "Amount": 1, "Invoice": {"InvoiceID": ID}, "IsDeleted": True},
        {"AllocationId": ID, "Invoice": [{"InvoiceID": ID}], "IsDeleted": True},
    ],
)
def test_a_removed_allocation_is_accepted_as_the_schema_or_the_example_shows_it(body: Raw) -> None:
    validate_response("DELETE", f"/CreditNotes/{ID}/Allocations/{OTHER_ID}", 200, body)


def test_a_file_is_answered_as_bytes() -> None:
    validate_response("GET", f"/Invoices/{ID}/pdf", 200, b"%PDF-")
    with pytest.raises(SpecViolation, match="gives bytes"):
        validate_response("GET", f"/Invoices/{ID}/pdf", 200, {})


def test_connections_are_judged_by_the_identity_file() -> None:
    one = {
        "id": ID,
        "authEventId": OTHER_ID,
        "tenantId": ID,
        "tenantType": "ORGANISATION",
        "tenantName": "Harrow & Vale",
        "createdDateUtc": "2026-04-01T09:30:00.1234567",
    }
    validate_identity_response("GET", "/connections", 200, [one])
    validate_identity_response("DELETE", f"/connections/{ID}", 204, b"")
    with pytest.raises(SpecViolation, match="'tenant' was unexpected"):
        validate_identity_response("GET", "/connections", 200, [{**one, "tenant": 1}])
