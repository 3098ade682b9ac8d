"""Checks of single values: ids, days, moments, query parameters."""

from __future__ import annotations

import datetime
import re
from typing import Final

from jsonschema import FormatChecker
from tests.oracles.openapi_paths import is_uuid
from tests.oracles.yaml_files import Raw

_MS_DATE: Final = re.compile(r"/Date\(-?\d{1,15}([+-]\d{4})?\)/")
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?(Z|[+-]\d\d:\d\d)?")

formats: Final = FormatChecker(formats=())


def is_day(text: str) -> bool:
    try:
        return datetime.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def is_moment(text: str) -> bool:
    """ISO 8601; the zone may be missing, as in Xero's connections and If-Modified-Since."""
    return _MOMENT.fullmatch(text) is not None and is_day(text[:10])


def is_ms_date(text: str) -> bool:
    return _MS_DATE.fullmatch(text) is not None


@formats.checks("uuid")
def _uuid_format(value: object) -> bool:
    return not isinstance(value, str) or is_uuid(value)


@formats.checks("date")
def _date_format(value: object) -> bool:
    return not isinstance(value, str) or is_day(value)


@formats.checks("date-time")
def _moment_format(value: object) -> bool:
    return not isinstance(value, str) or is_moment(value)


def objection(schema: Raw, text: str) -> str | None:
    """Why a query parameter's text does not fit its schema, or None."""
    if schema["type"] == "array":
        # All lists of this specification are written with commas (explode: false).
        each = (objection(schema["items"], one) for one in text.split(","))
        return next((one for one in each if one), None)
    if "enum" in schema and text not in schema["enum"]:
        return f"{text!r} is not one of {schema['enum']}"
    if schema["type"] == "integer" and not re.fullmatch(r"-?\d+", text):
        return f"{text!r} is not an integer"
    if schema["type"] == "boolean" and text.lower() not in {"true", "false"}:
        return f"{text!r} is not a boolean"
    if "format" in schema and not formats.conforms(text, schema["format"]):
        return f"{text!r} is not a {schema['format']}"
    return None
