"""What push operations and options look like, for the documentation."""

from typing import Any

_ITEMS: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "itemId": {"type": "string"},
            "message": {"type": "string"},
            "validatorName": {"type": "string"},
        },
    },
}
_REF: dict[str, Any] = {
    "type": "object",
    "properties": {"id": {"type": "string"}, "dataType": {"type": "string"}},
}
_MOMENT: dict[str, Any] = {"type": "string", "format": "date-time"}
OPERATION: dict[str, Any] = {
    "type": "object",
    "required": [
        "companyId",
        "pushOperationKey",
        "dataConnectionKey",
        "requestedOnUtc",
        "status",
        "statusCode",
    ],
    "properties": {
        "changes": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "type": {
                        "enum": ["Unknown", "Created", "Modified", "Deleted", "AttachmentUploaded"]
                    },
                    "recordRef": _REF,
                    "attachmentId": {"type": "string"},
                },
            },
        },
        "dataType": {"type": "string"},
        "companyId": {"type": "string", "format": "uuid"},
        "pushOperationKey": {"type": "string", "format": "uuid"},
        "dataConnectionKey": {"type": "string", "format": "uuid"},
        "requestedOnUtc": _MOMENT,
        "completedOnUtc": _MOMENT,
        "timeoutInMinutes": {"type": "integer"},
        "status": {"enum": ["Pending", "Failed", "Success", "TimedOut"]},
        "errorMessage": {"type": "string"},
        "validation": {
            "type": "object",
            "properties": {"errors": _ITEMS, "warnings": _ITEMS},
        },
        "statusCode": {"type": "integer"},
        "settlement": {
            "type": "array",
            "description": "Ours: what each bill owed before a payment, should owe, and owes; of a "
            "credit note, the credit that remains.",
            "items": {
                "type": "object",
                "required": ["recordRef", "settled"],
                "properties": {
                    "recordRef": _REF,
                    "amountDueBefore": {"type": "number"},
                    "amountDueExpected": {"type": "number"},
                    "amountDueAfter": {"type": "number"},
                    "settled": {"type": "boolean"},
                    "reason": {"type": "string", "description": "Why it does not count."},
                },
            },
        },
        "resolution": {
            "type": "object",
            "description": "Ours: what became of a write that timed out after it was sent.",
            "required": ["outcome", "resolvedOnUtc"],
            "properties": {
                "outcome": {"enum": ["Written", "NotWritten", "Unknown"]},
                "recordRef": _REF,
                "resolvedOnUtc": _MOMENT,
            },
        },
    },
}
OPERATIONS: dict[str, Any] = {
    "type": "object",
    "required": ["results", "pageNumber", "pageSize", "totalResults", "_links"],
    "properties": {
        "results": {"type": "array", "items": OPERATION},
        "pageNumber": {"type": "integer"},
        "pageSize": {"type": "integer"},
        "totalResults": {"type": "integer"},
        "_links": {"type": "object"},
    },
}
OPTION: dict[str, Any] = {
    "type": "object",
    "required": ["type", "displayName", "required"],
    "properties": {
        "type": {"enum": ["Array", "Object", "String", "Number", "Boolean", "DateTime"]},
        "displayName": {"type": "string"},
        "description": {"type": "string"},
        "required": {"type": "boolean"},
        "properties": {"type": "object"},
        "options": {"type": "array", "items": {"type": "object"}},
        "validation": {"type": "object"},
    },
}
