"""Checks of bodies: jsonschema with the keywords of Xero's OpenAPI files, open or closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from jsonschema import Draft4Validator, ValidationError, validators
from tests.oracles.openapi_paths import SpecViolation
from tests.oracles.openapi_values import formats, is_day, is_moment, is_ms_date
from tests.oracles.yaml_files import Raw

_SHOWN: Final = 8


def _sent_day(_: Raw, on: Raw, value: Raw, __: Raw) -> Iterator[ValidationError]:
    """Xero reads plain days, and takes its own form back."""
    if on and isinstance(value, str) and not (is_day(value) or is_moment(value)):
        yield from _answered_day(_, on, value, __)


def _answered_day(_: Raw, on: Raw, value: Raw, __: Raw) -> Iterator[ValidationError]:
    if on and isinstance(value, str) and not is_ms_date(value):
        yield ValidationError(f"{value!r} is not written as /Date(milliseconds+0000)/")


def _money(_: Raw, on: Raw, value: Raw, __: Raw) -> Iterator[ValidationError]:
    if on and isinstance(value, float | Decimal) and not Decimal(value).is_finite():
        yield ValidationError(f"{value!r} is no amount")


def _read_only(_: Raw, on: Raw, value: Raw, __: Raw) -> Iterator[ValidationError]:
    if on:
        yield ValidationError(f"read-only, yet sent: {value!r}")


_extend: Final[Callable[[Raw, Raw], Raw]] = validators.extend
_Sent: Final = _extend(
    Draft4Validator,
    {
        "x-is-msdate": _sent_day,
        "x-is-msdate-time": _sent_day,
        "x-is-money": _money,
        "readOnly": _read_only,
    },
)
_Answered: Final = _extend(
    Draft4Validator,
    {"x-is-msdate": _answered_day, "x-is-msdate-time": _answered_day, "x-is-money": _money},
)


def closed(node: Raw) -> Raw:
    """The schema with unknown properties refused, all the way down."""
    if isinstance(node, list):
        return [closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    shut = {key: closed(one) for key, one in node.items()}
    if isinstance(node.get("properties"), dict) and "additionalProperties" not in node:
        shut["additionalProperties"] = False
    return shut


def check_sent(*, what: str, schema: Raw, schemas: Raw, body: Raw) -> None:
    _check(_Sent, what=what, schema=schema, schemas=schemas, body=body)


def check_answered(*, what: str, schema: Raw, schemas: Raw, body: Raw) -> None:
    _check(_Answered, what=what, schema=schema, schemas=schemas, body=body)


def _check(kind: Raw, *, what: str, schema: Raw, schemas: Raw, body: Raw) -> None:
    # The schema stands under allOf, as Draft 4 ignores whatever stands beside a $ref.
    root = {"components": {"schemas": schemas}, "allOf": [schema]}
    found = sorted(kind(root, format_checker=formats).iter_errors(body), key=_place)
    if found:
        lines = [f"{_place(one) or '(the body)'}: {one.message[:300]}" for one in found[:_SHOWN]]
        raise SpecViolation(f"{what}: " + "; ".join(lines))


def _place(error: ValidationError) -> str:
    return "/".join(str(step) for step in error.absolute_path)
