"""Webhooks as the reference's own document describes them."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator, FormatChecker
from tests.oracles.yaml_files import Raw

from tallystick.lib import json

_FILE: Final = "Codat-Platform.json"
_OURS: Final = {"resolved": "unsuccessful"}
"""Words of ours, and the reference's word for an event of that shape."""

_formats = FormatChecker(formats=())


@_formats.checks("date-time")
def _is_moment(value: object) -> bool:
    return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?", str(value)))


@_formats.checks("uuid")
def _is_uuid(value: object) -> bool:
    return bool(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", str(value)))


def complaints(event: Raw) -> list[str] | None:
    """What is wrong with an event; None where there is no document to compare it with."""
    folder = os.environ.get("TALLYSTICK_ORACLES")
    if not folder:
        return None
    document, named = _document(Path(folder))
    schema = {**document, "$ref": named[_known(event["eventType"])]}
    found = Draft202012Validator(schema, format_checker=_formats).iter_errors(event)
    return [f"{one.json_path}: {one.message}" for one in found]


def _known(event_type: str) -> str:
    _data_type, write, word = event_type.partition(".write.")
    if not write:
        return event_type
    return f"{{dataType}}.write.{_OURS.get(word, word)}"


@cache
def _document(folder: Path) -> tuple[Raw, dict[str, str]]:
    document = json.loads((folder.parents[1] / "api" / "openapi" / _FILE).read_bytes())
    named = {
        name: item["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        for name, item in document["webhooks"].items()
    }
    return {part: _strict(document[part]) for part in ("components", "paths")}, named


def _strict(node: Any) -> Any:
    """The same with `nullable` written as JSON Schema does."""
    if isinstance(node, list):
        return [_strict(element) for element in node]
    if not isinstance(node, dict):
        return node
    strict = {name: _strict(value) for name, value in node.items() if name != "nullable"}
    if node.get("nullable") is not True:
        return strict
    if "type" not in strict:
        return {"anyOf": [strict, {"type": "null"}]}
    words = {"enum": [*strict["enum"], None]} if "enum" in strict else {}
    return {**strict, **words, "type": [strict["type"], "null"]}
