"""Refusals in Xero's shapes.

Refusal                an answer of its own: status, body
    Unauthorised       401 and 403, problem document
    NotFound           404, plain text
    BadQuery           400, QueryParseException (16)
    BadBody            400, PostDataInvalidException (17)
Invalid                one element breaks a rule of the books; becomes a ValidationException (10)
"""

from collections.abc import Mapping
from typing import Any

from tallystick.simulators.xero.wire import NO_ID, day_json, day_of, encode

Raw = Any

ID_KEYS = {
    "Invoices": "InvoiceID",
    "CreditNotes": "CreditNoteID",
    "Payments": "PaymentID",
    "BatchPayments": "BatchPaymentID",
    "Prepayments": "PrepaymentID",
    "Overpayments": "OverpaymentID",
    "Contacts": "ContactID",
    "Accounts": "AccountID",
    "Items": "ItemID",
    "Allocations": "AllocationID",
    "TrackingCategories": "TrackingCategoryID",
    "TaxRates": "TaxType",
    "Currencies": "Code",
    "Organisation": "OrganisationID",
}
# The flag beside ValidationErrors differs by model (Xero OpenAPI, components of the same names).
_FLAGS = {
    "Invoices": "HasErrors",
    "CreditNotes": "HasErrors",
    "Payments": "HasValidationErrors",
    "Contacts": "HasValidationErrors",
}
_WITHOUT_STATUS = {"BatchPayments", "Accounts"}


class Refusal(Exception):
    def __init__(
        self,
        status: int,
        body: bytes,
        *,
        media_type: str = "application/json; charset=utf-8",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body
        self.media_type = media_type
        self.headers = dict(headers or {})


def problem(status: int, title: str, detail: str) -> Refusal:
    document: dict[str, Raw] = {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": NO_ID,
        "Extensions": {},
    }
    return Refusal(status, encode(document))


def unauthorised(detail: str) -> Refusal:
    return problem(401, "Unauthorized", detail)


def not_found() -> Refusal:
    text = b"The resource you're looking for cannot be found"
    return Refusal(404, text, media_type="text/plain; charset=utf-8")


def bad_query(message: str) -> Refusal:
    return _exception(16, "QueryParseException", message)


def bad_body(message: str) -> Refusal:
    return _exception(17, "PostDataInvalidException", message)


def _exception(number: int, kind: str, message: str) -> Refusal:
    return Refusal(400, encode({"ErrorNumber": number, "Type": kind, "Message": message}))


class Invalid(Exception):
    """An element the books cannot take, with every reason we saw."""

    def __init__(self, *messages: str) -> None:
        super().__init__(*messages)
        self.messages = messages


def validation_exception(elements: list[Raw]) -> Refusal:
    document = {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": elements,
    }
    return Refusal(400, encode(document))


def echo(collection: str, element: Raw, messages: tuple[str, ...]) -> dict[str, Raw]:
    """The sent element with the reasons why it was refused."""
    sent = _xero_dates(element) if isinstance(element, dict) else {}
    said: dict[str, Raw] = {ID_KEYS[collection]: NO_ID, **sent}
    if collection not in _WITHOUT_STATUS:
        said["StatusAttributeString"] = "ERROR"
    if flag := _FLAGS.get(collection):
        said[flag] = True
    said["ValidationErrors"] = [{"Message": message} for message in messages]
    return said


def approved(collection: str, view: dict[str, Raw]) -> dict[str, Raw]:
    """What summarizeErrors=false adds to an element that was taken."""
    if collection in _WITHOUT_STATUS:
        return view
    return {**view, "StatusAttributeString": "OK"}


def _xero_dates(element: dict[str, Raw]) -> dict[str, Raw]:
    """Xero echoes days in its own form, whatever form they were sent in."""
    days = {name: day for name in ("Date", "DueDate") if (day := day_of(element.get(name)))}
    return {**element, **{name: day_json(day) for name, day in days.items()}}
