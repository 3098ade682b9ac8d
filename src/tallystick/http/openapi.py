"""The OpenAPI document, made of the same table that makes the routes."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema
from starlette.responses import Response

from tallystick.http.endpoint import Call, Endpoint
from tallystick.http.idempotency import KEYED_METHODS
from tallystick.http.schemas import ERROR
from tallystick.lib import json
from tallystick.model import DATA_TYPES

_PIECE = re.compile(r"\{(\w+)\}")
_WHOLE = {
    "page": {"type": "integer", "minimum": 0, "default": 1},
    "pageSize": {"type": "integer", "minimum": 1, "maximum": 5000, "default": 100},
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A repetition with the same key gets the first answer, for 24 hours.",
    "schema": {"type": "string", "format": "uuid"},
}
_MEANT = {
    "name": "Tallystick-Duplicate",
    "in": "header",
    "description": "`allow` says that a repetition of an equal request is meant.",
    "schema": {"type": "string", "enum": ["allow"]},
}


def endpoint(endpoints: Sequence[Endpoint]) -> Endpoint:
    """The route that shows the document of these endpoints."""
    written: list[bytes] = []

    async def show(_: Call) -> Response:
        if not written:
            written.append(json.dumps(document(endpoints)))
        return Response(written[0], media_type="application/json")

    return Endpoint(
        method="GET",
        path="/openapi.json",
        handler=show,
        summary="This document",
        errors=(),
        open=True,
        answer={"type": "object"},
    )


def document(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """OpenAPI 3.1 of a table of endpoints."""
    paths: dict[str, dict[str, Any]] = {}
    shapes = _Shapes()
    for one in endpoints:
        for path in (one.path, *one.aliases):
            operation = _operation(one, path, shapes)
            if path != one.path:
                operation["deprecated"] = True
            paths.setdefault(path, {})[one.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tallystick", "version": version("tallystick")},
        "paths": paths,
        "components": {
            "schemas": {**_records(), **shapes.components, "Error": ERROR},
            "securitySchemes": {
                "apiKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`Basic {base64(apiKey)}`: the key alone, without a colon.",
                },
                "accessToken": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{"apiKey": []}],
    }


def _operation(one: Endpoint, path: str, shapes: "_Shapes") -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(one.method, path),
        "summary": one.summary,
        "parameters": [
            *_path_parameters(path),
            *map(_query_parameter, one.query),
            *([_KEY] if one.method in KEYED_METHODS else []),
            *([_MEANT] if one.writes else []),
        ],
        "responses": _responses(one, shapes),
    }
    if one.body is not None:
        operation["requestBody"] = {"required": True, "content": _content(shapes.placed(one.body))}
    if one.open:
        operation["security"] = []
    elif one.by_token:
        operation["security"] = [{"apiKey": []}, {"accessToken": []}]
    return operation


def _operation_id(method: str, path: str) -> str:
    words = [piece.strip("{}") for piece in path.strip("/").split("/")]
    return "-".join([method.lower(), *words])


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _PIECE.findall(path)
    ]


def _query_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": _WHOLE.get(name, {"type": "string"})}


def _responses(one: Endpoint, shapes: "_Shapes") -> dict[str, Any]:
    done: dict[str, Any] = {"description": HTTPStatus(one.status).phrase}
    if one.answer is not None:
        done["content"] = _content(shapes.placed(one.answer))
    refused = {
        str(status): {
            "description": HTTPStatus(status).phrase,
            "content": _content({"$ref": "#/components/schemas/Error"}),
        }
        for status in sorted({*one.errors, *_always(one)} - {one.status})
    }
    return {str(one.status): done, **refused}


def _always(one: Endpoint) -> set[int]:
    """What any endpoint may answer: bodies and keys can be wrong, tokens be another company's."""
    always = set() if one.open else {401, 403, 503}
    if one.method in {"POST", "PUT", "PATCH"}:
        always |= {400, 409, 413, 422}
    return always | ({404} if "{" in one.path else set())


def _content(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


class _Shapes:
    """Takes the definitions inside schemas out to where the whole document can point at them.

    What a caller sends has other rules than what is served, hence the names of its own.
    """

    def __init__(self) -> None:
        self.components: dict[str, Any] = {}

    def placed(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        inner = schema.get("$defs")
        if inner is None:
            return schema
        for name, part in inner.items():
            self.components.setdefault(f"{name}Request", _pointing(part))
        rest = {key: value for key, value in schema.items() if key != "$defs"}
        name = f"{schema.get('title', 'Unnamed')}Request"
        self.components.setdefault(name, _pointing(rest))
        return {"$ref": f"#/components/schemas/{name}"}


def _pointing(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _pointing(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_pointing(part) for part in value]
    if isinstance(value, str) and value.startswith("#/$defs/"):
        return f"#/components/schemas/{value.removeprefix('#/$defs/')}Request"
    return value


@cache
def _records() -> dict[str, Any]:
    """One schema for each data type and its parts, as its class says and the wire shows it."""
    models: list[tuple[Any, Any]] = [(record, "serialization") for record in DATA_TYPES]
    _, found = models_json_schema(models, ref_template="#/components/schemas/{model}")
    parts = {name: _served(part) for name, part in found["$defs"].items()}
    for record in DATA_TYPES:
        parts[record.__name__]["properties"]["modifiedDate"] = {"type": "string"}
    return parts


def _served(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What pydantic says of a class, less what never shows: nulls, defaults, made-up titles."""
    shown: dict[str, Any] = {
        key: value for key, value in schema.items() if key not in {"title", "default"}
    }
    if "anyOf" in shown:
        [alone] = [choice for choice in shown.pop("anyOf") if choice.get("type") != "null"]
        return {**shown, **_served(alone)}
    if "properties" in shown:
        shown["properties"] = {k: _served(part) for k, part in shown["properties"].items()}
    if "items" in shown:
        shown["items"] = _served(shown["items"])
    # An exact number has a serialiser of its own, of which pydantic knows nothing.
    return shown or {"type": "number"}
