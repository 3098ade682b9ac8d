"""Xero's OpenAPI files, prepared for checking: operations, and their schemas open and closed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from tests.oracles import oracles
from tests.oracles.openapi_bodies import closed
from tests.oracles.openapi_paths import Operation, follow, operations
from tests.oracles.xero_extras import ENVELOPE, EXTRAS, STRING_TWINS, TWIN
from tests.oracles.yaml_files import Raw, load

_JSON: Final = "application/json"
_BESIDE_THE_LIST: Final = ("pagination", "Warnings")


@dataclass(frozen=True, slots=True)
class Specification:
    """One file: what it allows to ask, and the schemas to judge bodies by."""

    document: Raw
    operations: tuple[Operation, ...]
    sent: dict[str, Raw]
    answered: dict[str, Raw]
    answered_closed: dict[str, Raw]


@cache
def accounting() -> Specification:
    return _specification("xero_accounting.yaml")


@cache
def identity() -> Specification:
    return _specification("xero-identity.yaml")


def _specification(name: str) -> Specification:
    document = load(oracles() / "xero" / "openapi" / name)
    schemas = document["components"]["schemas"]
    return Specification(
        document=document,
        operations=tuple(operations(document)),
        sent=closed(schemas),
        answered=schemas,
        answered_closed=closed({key: _with_extras(key, one) for key, one in schemas.items()}),
    )


def _with_extras(name: str, schema: Raw) -> Raw:
    declared = schema.get("properties")
    if declared is None:
        return schema
    twins = {f"{day}String": TWIN for day in STRING_TWINS if day in declared}
    return {**schema, "properties": {**twins, **EXTRAS.get(name, {}), **declared}}


def enveloped(specification: Specification, schema: Raw) -> Raw:
    """The schema of a whole answer, with the envelope live answers carry."""
    whole = follow(specification.document, schema)
    if "properties" not in whole:
        return schema
    return closed({**whole, "properties": {**ENVELOPE, **whole["properties"]}})


def collection(specification: Specification, schema: Raw) -> tuple[str, Raw] | None:
    """The list a wrapper wraps, as (its name, the schema of one record); None for bare records."""
    declared = follow(specification.document, schema).get("properties", {})
    held = [name for name in declared if name not in _BESIDE_THE_LIST]
    if len(held) != 1:
        return None
    followed = follow(specification.document, declared[held[0]])
    return (held[0], followed["items"]) if followed.get("type") == "array" else None


def json_media(content: Raw) -> Raw:
    """What a request body or an answer says of application/json; empty where it is bytes."""
    return (content or {}).get("content", {}).get(_JSON, {})
