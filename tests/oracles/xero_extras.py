"""What live Xero answers hold beyond Xero's OpenAPI file: the allow-list of a closed check."""

from __future__ import annotations

from typing import Final

from tests.oracles.yaml_files import Raw

_STRING: Final[Raw] = {"type": "string"}
_BOOLEAN: Final[Raw] = {"type": "boolean"}
_LIST: Final[Raw] = {"type": "array"}
_ID: Final[Raw] = {"type": "string", "format": "uuid"}
_DAY: Final[Raw] = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$"}
_ERRORS: Final[Raw] = {
    "type": "array",
    "items": {"$ref": "#/components/schemas/ValidationError"},
}
# May stand at any level of what a refusal echoes.
ERRORS: Final[Raw] = {"HasValidationErrors": _BOOLEAN, "ValidationErrors": _ERRORS}

# Around every collection in a live answer.
ENVELOPE: Final[Raw] = {
    "Id": _ID,
    "Status": {"type": "string", "enum": ["OK"]},
    "ProviderName": _STRING,
    "DateTimeUTC": {"type": "string", "x-is-msdate-time": True},
}

# Xero sends these beside the field without "String", where a model has that field.
STRING_TWINS: Final = ("Date", "DueDate", "DeliveryDate", "ExpectedArrivalDate")
TWIN: Final = _DAY

# Seen in recorded traffic of a demo company (April 2026), in answers kept by fylein/fyle-xero-api
# (MIT, tests/test_xero/fixtures.py) or in the examples of the OpenAPI file itself.
EXTRAS: Final[dict[str, Raw]] = {
    "Invoice": {"InvoicePaymentServices": _LIST, "SentToEmailAddress": _STRING},
    "CreditNote": {"ID": _ID, "Attachments": _LIST, "SentToEmailAddress": _STRING},
    "Overpayment": {"ID": _ID},
    "Prepayment": {"ID": _ID},
    "Receipt": {"ID": _ID},
    "BankTransaction": {"Attachments": _LIST, "BatchPayment": {"type": "object"}},
    "BankTransfer": {"Attachments": _LIST, "CreatedDateUTCString": _STRING},
    "PurchaseOrder": {
        "HasErrors": _BOOLEAN,
        "IsDiscounted": _BOOLEAN,
        "SentToEmailAddress": _STRING,
        "Type": _STRING,
    },
    "Contact": {"SkypeUserName": _STRING},
    "ContactGroup": {"HasValidationErrors": _BOOLEAN},
    "LineItem": {
        "DiscountEnteredAsPercent": _BOOLEAN,
        "ItemID": _ID,
        "ValidationErrors": _ERRORS,
    },
    "LineItemTracking": {"Options": _LIST},
    "TrackingOption": {
        "HasValidationErrors": _BOOLEAN,
        "IsActive": _BOOLEAN,
        "IsArchived": _BOOLEAN,
        "IsDeleted": _BOOLEAN,
    },
    "HistoryRecord": {"DateUTCString": _STRING, "ValidationErrors": _ERRORS},
    "Organisation": {"TaxNumberName": _STRING},
}

# The example of DELETE .../Allocations/{AllocationID} names the allocation and its invoices only,
# while its schema asks for amount, date and invoice.
DELETED_ALLOCATION: Final[Raw] = {
    "type": "object",
    "required": ["IsDeleted"],
    "properties": {
        **ENVELOPE,
        "AllocationId": _ID,
        "AllocationID": _ID,
        "Amount": {"type": "number"},
        "Date": {"type": "string", "x-is-msdate": True},
        "Invoice": {"type": ["object", "array"]},
        "IsDeleted": _BOOLEAN,
        "StatusAttributeString": _STRING,
        "ValidationErrors": _ERRORS,
    },
    "additionalProperties": False,
}
