"""A push operation as the API and its events show it."""

from collections.abc import Mapping
from typing import Any

from tallystick.companies import companies
from tallystick.companies.companies import Company
from tallystick.lib import moments
from tallystick.push.columns import problem_items
from tallystick.push.operations import UPLOAD, Operation
from tallystick.push.states import State, public


def operation(shown: Operation) -> dict[str, Any]:
    """The operation of the API; what is absent is left out.

    `settlement` and `resolution` are members of ours beside the reference's.
    """
    status = public(shown.state)
    body: dict[str, Any] = {
        "changes": _changes(shown),
        "dataType": shown.data_type,
        "companyId": shown.company_id,
        "pushOperationKey": shown.key,
        "dataConnectionKey": shown.connection_id,
        "requestedOnUtc": moments.text(shown.requested_at),
    }
    if shown.completed_at is not None:
        body["completedOnUtc"] = moments.text(shown.completed_at)
    if shown.timeout_minutes is not None:
        body["timeoutInMinutes"] = shown.timeout_minutes
    body["status"] = status
    if shown.error_message is not None:
        body["errorMessage"] = shown.error_message
    if shown.errors or shown.warnings:
        body["validation"] = {
            "errors": problem_items(shown.errors),
            "warnings": problem_items(shown.warnings),
        }
    body["statusCode"] = shown.status_code
    extra = {"settlement": shown.settlement, "resolution": shown.resolution}
    return body | {name: value for name, value in extra.items() if value is not None}


def _changes(shown: Operation) -> list[Mapping[str, Any]]:
    if shown.state is not State.Success:
        # What is known before the end is not told before the end.
        return []
    attached = {} if shown.attachment_id is None else {"attachmentId": shown.attachment_id}
    return [
        {"type": c.type, "recordRef": {"id": c.id, "dataType": c.data_type}, **attached}
        for c in shown.changes
    ]


def event(shown: Operation, company: Company) -> dict[str, Any]:
    """The payload of the events that tell of a write."""
    payload: dict[str, Any] = {
        "id": shown.key,
        "type": shown.kind,
        "referenceCompany": companies.reference(company),
        "connectionId": shown.connection_id,
        "requestedOnDate": moments.text(shown.requested_at),
        "completedOnDate": moments.text(shown.completed_at or shown.requested_at),
        "status": public(shown.state),
    }
    if shown.record_id is not None and (shown.state is State.Success or shown.kind == UPLOAD):
        payload["record"] = {"id": shown.record_id}
    if shown.attachment_id is not None and shown.state is State.Success:
        payload["attachmentId"] = shown.attachment_id
    if shown.resolution is not None:
        payload["resolution"] = shown.resolution
    return payload
