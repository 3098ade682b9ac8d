"""Judges requests to Xero and its answers by the OpenAPI files Xero publishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tests.oracles.openapi_bodies import check_answered, check_sent, closed
from tests.oracles.openapi_paths import Operation, SpecViolation, find, follow
from tests.oracles.openapi_values import is_moment, objection
from tests.oracles.xero_extras import DELETED_ALLOCATION, ERRORS
from tests.oracles.xero_specification import (
    Specification,
    accounting,
    collection,
    enveloped,
    identity,
    json_media,
)
from tests.oracles.yaml_files import Raw

Query = Mapping[str, str] | Sequence[tuple[str, str]]

KEY_LENGTH_MAX: Final = 128
# Headers that mean something to Xero: sent only where the operation declares them.
_XERO_HEADERS: Final = ("idempotency-key", "if-modified-since", "contenttype")
# Answers the file does not describe, and which any operation may give.
_UNDESCRIBED: Final = (401, 403, 404, 409, 412, 429, 500, 501, 502, 503, 504)


def validate_request(
    method: str, path: str, query: Query, headers: Mapping[str, str], body: Raw
) -> Operation:
    """Refuses a request the accounting file does not allow.

    Args:
        path: as sent, after /api.xro/2.0.
        body: parsed JSON, bytes for a file, None for nothing.
    """
    return _request(accounting(), method=method, path=path, query=query, headers=headers, body=body)


def validate_response(
    method: str, path: str, status: int, body: Raw, *, open_mode: bool = False
) -> None:
    """Refuses an answer the accounting file does not allow.

    Args:
        body: parsed JSON, or bytes for a file.
        open_mode: lets unknown properties pass; closed, only those live answers are known to hold.
    """
    _response(accounting(), method=method, path=path, status=status, body=body, open_mode=open_mode)


def validate_identity_request(
    method: str, path: str, query: Query, headers: Mapping[str, str], body: Raw
) -> Operation:
    """The same for the identity file; its /Connections answers to /connections."""
    return _request(
        identity(), method=method, path=_cased(path), query=query, headers=headers, body=body
    )


def validate_identity_response(method: str, path: str, status: int, body: Raw) -> None:
    _response(
        identity(), method=method, path=_cased(path), status=status, body=body, open_mode=False
    )


def _cased(path: str) -> str:
    return path.replace("/connections", "/Connections", 1)


def _request(
    specification: Specification,
    *,
    method: str,
    path: str,
    query: Query,
    headers: Mapping[str, str],
    body: Raw,
) -> Operation:
    operation = find(specification.operations, method=method, path=path)
    pairs = list(query.items()) if isinstance(query, Mapping) else list(query)
    _check_query(operation, pairs)
    _check_headers(operation, {name.lower(): value for name, value in headers.items()})
    _check_body(specification, operation, body)
    return operation


def _check_query(operation: Operation, pairs: list[tuple[str, str]]) -> None:
    declared = operation.named("query")
    names = [name for name, _ in pairs]
    for name, text in pairs:
        if name not in declared:
            raise SpecViolation(f"{operation}: unknown query parameter {name!r}")
        if names.count(name) > 1:
            raise SpecViolation(f"{operation}: query parameter {name!r} given twice")
        why = objection(declared[name].schema, text)
        if why:
            raise SpecViolation(f"{operation}: query parameter {name!r}: {why}")
    for one in declared.values():
        if one.required and one.name not in names:
            raise SpecViolation(f"{operation}: query parameter {one.name!r} is missing")


def _check_headers(operation: Operation, headers: Mapping[str, str]) -> None:
    declared = {name.lower(): one for name, one in operation.named("header").items()}
    for name, one in declared.items():
        if one.required and not headers.get(name):
            raise SpecViolation(f"{operation}: header {one.name!r} is missing")
    for name in _XERO_HEADERS:
        if name in headers and name not in declared:
            raise SpecViolation(f"{operation}: header {name!r} means nothing here")
    if not headers.get("authorization", "").startswith("Bearer "):
        raise SpecViolation(f"{operation}: no bearer token")
    # Without it Xero answers in XML.
    if json_media(operation.answers.get("200")) and "json" not in headers.get("accept", ""):
        raise SpecViolation(f"{operation}: header 'accept' does not ask for JSON")
    if len(headers.get("idempotency-key", "")) > KEY_LENGTH_MAX:
        raise SpecViolation(f"{operation}: idempotency key over {KEY_LENGTH_MAX} characters")
    since = headers.get("if-modified-since")
    if since is not None and not is_moment(since):
        raise SpecViolation(f"{operation}: If-Modified-Since {since!r} is not ISO 8601")
    _check_content_type(operation, headers.get("content-type"))


def _check_content_type(operation: Operation, content_type: str | None) -> None:
    if operation.request is None:
        return
    if content_type is None:
        raise SpecViolation(f"{operation}: a body without a content type")
    if json_media(operation.request) and not content_type.startswith("application/json"):
        raise SpecViolation(f"{operation}: takes application/json, sent {content_type!r}")


def _check_body(specification: Specification, operation: Operation, body: Raw) -> None:
    if operation.request is None:
        if body not in (None, b""):
            raise SpecViolation(f"{operation}: takes no body")
        return
    if body is None:
        raise SpecViolation(f"{operation}: its body is missing")
    media = json_media(operation.request)
    if bool(media) == isinstance(body, bytes):
        raise SpecViolation(f"{operation}: takes {'JSON' if media else 'bytes'}")
    if media:
        _check_form(specification, operation, media, body)


def _check_form(specification: Specification, operation: Operation, media: Raw, body: Raw) -> None:
    wrapped = collection(specification, media["schema"])
    if wrapped and isinstance(body, dict) and body.get(wrapped[0]) in (None, []):
        raise SpecViolation(f"{operation}: {wrapped[0]} holds nothing")
    schema = media["schema"]
    other = _exemplified_form(specification, media)
    if other and isinstance(body, dict) and set(body) == set(other["properties"]):
        schema = other
    check_sent(what=str(operation), schema=schema, schemas=specification.sent, body=body)


def _exemplified_form(specification: Specification, media: Raw) -> Raw | None:
    """The list form of a bare record that only the example shows, as POST /Payments/{PaymentID}."""
    declared = follow(specification.document, media["schema"]).get("properties", {})
    example = media.get("example")
    if collection(specification, media["schema"]) or not isinstance(example, dict):
        return None
    names = list(example)
    if len(names) != 1 or names[0] in declared or not isinstance(example[names[0]], list):
        return None
    listed = {"type": "array", "minItems": 1, "items": media["schema"]}
    return closed({"type": "object", "properties": {names[0]: listed}})


def _response(
    specification: Specification,
    *,
    method: str,
    path: str,
    status: int,
    body: Raw,
    open_mode: bool,
) -> None:
    operation = find(specification.operations, method=method, path=path)
    answer = operation.answers.get(str(status))
    what = f"{operation} answered {status}"
    if answer is None:
        if status not in _UNDESCRIBED and status != 400:
            raise SpecViolation(f"{what}: not an answer of this operation")
        return
    media = json_media(answer)
    if bool(media) == isinstance(body, bytes) and answer.get("content"):
        raise SpecViolation(f"{what}: gives {'JSON' if media else 'bytes'}")
    if not media:
        return
    schema, schemas = media["schema"], specification.answered
    if not open_mode:
        schemas = _closed_schemas(specification, operation, status)
        schema = enveloped(specification, schema) if status == 200 else schema
    if status == 200 and operation.template.endswith("/{AllocationID}"):
        schema = DELETED_ALLOCATION
    check_answered(what=what, schema=schema, schemas=schemas, body=body)


def _closed_schemas(specification: Specification, operation: Operation, status: int) -> Raw:
    """A refusal's elements echo what was sent, errors wherever they arose."""
    if status != 400:
        return specification.answered_closed
    schemas = {key: _with_errors(one) for key, one in specification.answered_closed.items()}
    media = json_media(operation.answers.get("200"))
    if not media:
        return schemas
    wrapped = collection(specification, media["schema"])
    echoed = follow(
        {"components": {"schemas": schemas}}, wrapped[1] if wrapped else media["schema"]
    )
    own = schemas["Element"]
    together = {**echoed.get("properties", {}), **own["properties"]}
    return {**schemas, "Element": {**own, "properties": together}}


def _with_errors(schema: Raw) -> Raw:
    if "properties" not in schema:
        return schema
    return {**schema, "properties": {**ERRORS, **schema["properties"]}}
