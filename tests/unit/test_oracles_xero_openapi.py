from __future__ import annotations

import datetime
from decimal import Decimal

import pytest
from tests.oracles import requires_oracles
from tests.oracles.openapi_paths import SpecViolation
from tests.oracles.xero_openapi import validate_request
from tests.oracles.yaml_files import Raw

pytestmark = requires_oracles

ID = "3f1c7f4e-0d67-4d5e-9a51-7f2f6f1f0a11"
OTHER_ID = "9a7c2c0e-52c5-4a60-8a6a-2f7f6a1c0b22"
HEADERS = {
    "Authorization": "Bearer token",
    "xero-tenant-id": ID,
    "Accept": "application/json",
    "Content-Type": "application/json",
}
WRITE = {"unitdp": "4", "summarizeErrors": "false"}
KEYED = {**HEADERS, "Idempotency-Key": "one-key"}

LINE: Raw = {
    "Description": "oak boards",
    "Quantity": 1,
    "UnitAmount": Decimal("100.0"),
    "AccountCode": "429",
    "TaxType": "INPUT2",
    "TaxAmount": Decimal("20.0"),
    "Tracking": [{"TrackingCategoryID": ID, "TrackingOptionID": OTHER_ID}],
}
BILL: Raw = {
    "Type": "ACCPAY",
    "Status": "AUTHORISED",
    "Contact": {"ContactID": ID},
    "InvoiceNumber": "SUP-1",
    "Date": "2026-04-01",
    "DueDate": "2026-05-01",
    "LineAmountTypes": "Exclusive",
    "CurrencyCode": "GBP",
    "LineItems": [LINE],
}
PAYMENT: Raw = {
    "Invoice": {"InvoiceID": ID},
    "Account": {"AccountID": OTHER_ID},
    "Date": "2026-04-02",
    "Amount": Decimal("120.0"),
    "Reference": "r",
}
BATCH: Raw = {
    "Account": {"AccountID": ID},
    "Date": "2026-04-02",
    "Reference": "r",
    "Payments": [
        {"Invoice": {"InvoiceID": ID}, "Amount": 50},
        {"Invoice": {"InvoiceID": OTHER_ID}, "Amount": 70},
    ],
}
CREDIT_NOTE: Raw = {
    "Type": "ACCPAYCREDIT",
    "Status": "AUTHORISED",
    "Contact": {"ContactID": ID},
    "CreditNoteNumber": "CR-1",
    "Date": "2026-04-01",
    "LineItems": [{"Description": "x", "Quantity": 1, "UnitAmount": 10, "AccountCode": "429"}],
}
ALLOCATION: Raw = {"Invoice": {"InvoiceID": ID}, "Amount": 100, "Date": "2026-04-02"}
SUPPLIER: Raw = {
    "Name": "Café Núñez",
    "EmailAddress": "a@example.com",
    "TaxNumber": "GB1",
    "DefaultCurrency": "GBP",
    "Addresses": [{"AddressType": "POBOX", "City": "York"}],
    "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "1"}],
}
BANK_ACCOUNT: Raw = {
    "Code": "091",
    "Name": "Savings",
    "Type": "BANK",
    "BankAccountNumber": "20000012345678",
    "CurrencyCode": "GBP",
}


def bill(**changes: Raw) -> Raw:
    return {"Invoices": [{**BILL, **changes}]}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/Invoices", bill()),
        ("PUT", "/Invoices", bill(Type="ACCREC", Reference="PO 7")),
        ("POST", f"/Invoices/{ID}", {"Invoices": [{"InvoiceID": ID, "Status": "VOIDED"}]}),
        ("PUT", "/Payments", {"Payments": [PAYMENT]}),
        ("PUT", "/Payments", {"Payments": [{**PAYMENT, "CurrencyRate": Decimal("1.17")}]}),
        ("POST", f"/Payments/{ID}", {"Status": "DELETED"}),
        ("POST", f"/Payments/{ID}", {"Payments": [{"Status": "DELETED"}]}),
        ("PUT", "/BatchPayments", {"BatchPayments": [BATCH]}),
        ("POST", "/BatchPayments", {"BatchPaymentID": ID, "Status": "DELETED"}),
        ("PUT", "/CreditNotes", {"CreditNotes": [CREDIT_NOTE]}),
        ("PUT", f"/CreditNotes/{ID}/Allocations", {"Allocations": [ALLOCATION]}),
        ("PUT", "/Contacts", {"Contacts": [SUPPLIER]}),
        ("POST", f"/Contacts/{ID}", {"Contacts": [{"ContactStatus": "ARCHIVED"}]}),
        ("PUT", "/Accounts", BANK_ACCOUNT),
    ],
)
def test_a_minimal_write_is_accepted(method: str, path: str, body: Raw) -> None:
    validate_request(method, path, {}, KEYED, body)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (bill(Colour="red"), "'Colour' was unexpected"),
        (bill(Status="OPEN"), "'OPEN' is not one of"),
        (bill(Contact={"ContactID": "7"}), "is not a 'uuid'"),
        (bill(Date="01/04/2026"), "'01/04/2026' is not written as"),
        (bill(DueDate="2026-02-30"), "'2026-02-30' is not written as"),
        (bill(LineItems=[{**LINE, "UnitAmount": "100.00"}]), "is not of type 'number'"),
        (bill(LineItems=[{**LINE, "Unit": 1}]), "LineItems/0: .*'Unit' was unexpected"),
        (bill(InvoiceNumber="x" * 256), "is too long"),
        (bill(AmountDue=1), "read-only"),
        ({"Invoices": []}, "Invoices holds nothing"),
        (BILL, "Invoices holds nothing"),
        (None, "body is missing"),
        (b"{}", "takes JSON"),
    ],
)
def test_a_wrong_bill_is_refused_with_its_place(body: Raw, told: str) -> None:
    with pytest.raises(SpecViolation, match=told):
        validate_request("PUT", "/Invoices", WRITE, KEYED, body)


def test_a_bare_record_is_refused_where_a_list_is_documented_and_the_other_way_round() -> None:
    with pytest.raises(SpecViolation, match="Payments holds nothing"):
        validate_request("PUT", "/Payments", {}, KEYED, PAYMENT)
    with pytest.raises(SpecViolation, match="'Accounts' was unexpected"):
        validate_request("PUT", "/Accounts", {}, KEYED, {"Accounts": [BANK_ACCOUNT]})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/Accounts"),
        ("GET", "/Bills"),
        ("DELETE", f"/Payments/{ID}"),
        ("GET", "/Invoices/"),
        ("GET", "/invoices"),
        ("PUT", "/CreditNotes/7/Allocations"),
    ],
)
def test_an_unknown_operation_is_refused(method: str, path: str) -> None:
    with pytest.raises(SpecViolation, match="no such operation"):
        validate_request(method, path, {}, HEADERS, None)


@pytest.mark.parametrize(
    ("path", "template"),
    [
        (f"/Contacts/{ID}", "/Contacts/{ContactID}"),
        ("/Contacts/S-1", "/Contacts/{ContactNumber}"),
        ("/Journals/7", "/Journals/{JournalNumber}"),
        ("/Reports/BalanceSheet", "/Reports/BalanceSheet"),
        (f"/Invoices/{ID}/Attachments", "/Invoices/{InvoiceID}/Attachments"),
    ],
)
def test_a_path_finds_the_nearest_operation(path: str, template: str) -> None:
    assert validate_request("GET", path, {}, HEADERS, None).template == template


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"colour": "red"}, "unknown query parameter 'colour'"),
        ({"page": "first"}, "not an integer"),
        ({"summaryOnly": "yes"}, "not a boolean"),
        ({"IDs": f"{ID},7"}, "'7' is not a uuid"),
        ([("page", "1"), ("page", "2")], "given twice"),
    ],
)
def test_a_wrong_query_is_refused(query: Raw, told: str) -> None:
    with pytest.raises(SpecViolation, match=told):
        validate_request("GET", "/Invoices", query, HEADERS, None)


def test_the_documented_list_query_is_accepted() -> None:
    query = {
        "page": "1",
        "pageSize": "100",
        "where": 'Type=="ACCPAY"',
        "order": "UpdatedDateUTC ASC",
        "IDs": f"{ID},{OTHER_ID}",
        "unitdp": "4",
        "includeArchived": "true",
    }
    since = datetime.datetime(2026, 4, 1, 9, 30, tzinfo=datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S")
    validate_request("GET", "/Invoices", query, {**HEADERS, "If-Modified-Since": since}, None)


def test_a_required_query_parameter_is_missed() -> None:
    with pytest.raises(SpecViolation, match="'contactId' is missing"):
        validate_request("GET", "/Reports/AgedPayablesByContact", {}, HEADERS, None)


@pytest.mark.parametrize(
    ("path", "headers", "told"),
    [
        ("/Invoices", {"xero-tenant-id": ""}, "'xero-tenant-id' is missing"),
        ("/Invoices", {"Authorization": ""}, "no bearer token"),
        ("/Invoices", {"Accept": "*/*"}, "does not ask for JSON"),
        ("/Invoices", {"If-Modified-Since": "yesterday"}, "is not ISO 8601"),
        ("/Invoices", {"Idempotency-Key": "k"}, "means nothing here"),
        ("/TaxRates", {"If-Modified-Since": "2026-04-01T00:00:00"}, "means nothing here"),
        (f"/Invoices/{ID}/Attachments/{OTHER_ID}", {}, "'contentType' is missing"),
    ],
)
def test_a_wrong_header_of_a_read_is_refused(path: str, headers: dict[str, str], told: str) -> None:
    with pytest.raises(SpecViolation, match=told):
        validate_request("GET", path, {}, {**HEADERS, **headers}, None)


def test_an_idempotency_key_over_its_length_is_refused() -> None:
    with pytest.raises(SpecViolation, match="over 128 characters"):
        validate_request("PUT", "/Invoices", {}, {**HEADERS, "Idempotency-Key": "k" * 129}, bill())


def test_an_attachment_travels_as_bytes() -> None:
    path = f"/Invoices/{ID}/Attachments/d%C3%A9vis%201.pdf"
    headers = {**KEYED, "Content-Type": "application/pdf"}
    validate_request("PUT", path, {"IncludeOnline": "true"}, headers, b"%PDF-")
    with pytest.raises(SpecViolation, match="takes bytes"):
        validate_request("PUT", path, {}, headers, {"name": "x"})
