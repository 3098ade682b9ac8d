"""Sending one creation to Xero: numbers as it takes them, and whether it really said yes."""

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tallystick.connectors.contract import Raw
from tallystick.connectors.xero.client import XeroClient, records_of
from tallystick.connectors.xero.refusals import is_error, problems
from tallystick.errors import Refused, Unreachable
from tallystick.lib import json

# Xero's CurrencyRate takes up to six decimal places (OpenAPI, Invoice.CurrencyRate).
_RATE = Decimal("0.000001")
_NO_ID = "00000000-0000-0000-0000-000000000000"

ONE_BY_ONE = {"summarizeErrors": "false"}
"""An element that is refused comes back marked in a 200 answer, with all that is wrong with it."""

WITH_UNITS = {**ONE_BY_ONE, "unitdp": "4"}
"""Without it Xero rounds unit prices to two places."""


def number(value: Decimal) -> Any:
    return json.plain(value)


def day_text(day: date) -> str:
    return day.isoformat()


def their_rate(ours: Decimal) -> Decimal:
    """Foreign units for one base unit, from our base units for one foreign."""
    return (1 / ours).quantize(_RATE, rounding=ROUND_HALF_UP)


def rate_number(ours: Decimal | None) -> Any:
    """Xero's rate as it is sent; None stays."""
    return None if ours is None else number(their_rate(ours))


def filled(**members: Any) -> dict[str, Any]:
    """The members that have a value."""
    return {name: value for name, value in members.items() if value not in (None, "", [])}


async def create(
    client: XeroClient,
    path: str,
    collection: str,
    *,
    key: str,
    body: Raw,
    params: Mapping[str, str] = ONE_BY_ONE,
) -> Raw:
    """Create one record and give it as Xero has it now.

    Raises:
        Refused: Xero said no, be it inside an answer of 200.
        Unreachable: the answer leaves open what was done.
    """
    answer = await client.put(path, params, key=key, body=body)
    records = records_of(answer, collection)
    if len(records) != 1:
        raise Unreachable(f"Xero answered one {collection} with {len(records)}.", sent=True)
    refuse_errors(records[0])
    return records[0]


def refuse_errors(record: Raw) -> None:
    """Raise what Xero says against an element of its answer.

    Raises:
        Refused: it was not taken.
        Unreachable: it says neither yes nor no.
    """
    if not isinstance(record, dict):
        raise Unreachable("Xero's answer holds no record.", sent=True)
    if is_error(record):
        found = problems(record)
        raise Refused(found[0].message if found else "Xero refused the record.", problems=found)


def new_id(record: Raw, id_field: str) -> str:
    """The id Xero gave. An answer without one is looked into, not believed."""
    value = record.get(id_field) if isinstance(record, dict) else None
    if not is_id(value):
        raise Unreachable(f"Xero's answer names no {id_field}.", sent=True)
    return str(value)


def is_id(value: object) -> bool:
    """Whether it names a record; Xero writes zeros where there is none."""
    return isinstance(value, str) and bool(value) and value != _NO_ID
