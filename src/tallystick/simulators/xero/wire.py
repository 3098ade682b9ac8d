"""Xero's JSON: money as plain numbers, days and moments as /Date(ms+0000)/, the envelope."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import msgspec

Raw = Any

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_MS_DATE = re.compile(r"^/Date\((-?\d+)([+-]\d{4})?\)/$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CENT = Decimal("0.01")
# Cents of anything below this, even at the lowest rate, fit into the 64 bits of SQLite.
_TOO_LARGE = Decimal(10) ** 12
ZERO = Decimal("0.00")
NO_ID = "00000000-0000-0000-0000-000000000000"


def encode(value: Raw) -> bytes:
    return _ENCODER.encode(value)


def decode(body: bytes) -> Raw:
    return _DECODER.decode(body)


def ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def moment_json(moment: datetime) -> str:
    return f"/Date({ms(moment)}+0000)/"


def day_json(day: date) -> str:
    """A day is midnight of the calendar day, written as if it were UTC."""
    return moment_json(datetime(day.year, day.month, day.day, tzinfo=UTC))


def day_string(day: date) -> str:
    return f"{day.isoformat()}T00:00:00"


def moment_of(value: Raw) -> datetime | None:
    """Read either of the two ways in which a moment or a day arrives; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        if found := _MS_DATE.match(value):
            return _EPOCH + timedelta(milliseconds=int(found.group(1)))
        moment = datetime.fromisoformat(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def day_of(value: Raw) -> date | None:
    moment = moment_of(value)
    return moment.date() if moment else None


def money(value: Raw, *, places: int = 2) -> Decimal:
    """A number of Xero's, rounded half up; what is no number counts as nothing."""
    return number(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


def number(value: Raw) -> Decimal:
    try:
        read = Decimal(str(value))
    except InvalidOperation:
        return ZERO
    return read if read.is_finite() and abs(read) < _TOO_LARGE else ZERO


def is_number(value: Raw) -> bool:
    if isinstance(value, bool):
        return False
    try:
        read = Decimal(str(value))
    except InvalidOperation:
        return False
    return read.is_finite() and abs(read) < _TOO_LARGE


def cents(value: Raw) -> int:
    return int(money(value) * 100)


def from_cents(amount: int) -> Decimal:
    return (Decimal(amount) / 100).quantize(_CENT)


def is_id(value: Raw) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True


def envelope(*, id_: str, now: datetime) -> dict[str, Raw]:
    """The four fields around every collection; DateTimeUTC carries no offset."""
    return {
        "Id": id_,
        "Status": "OK",
        "ProviderName": "Simulated Xero",
        "DateTimeUTC": f"/Date({ms(now)})/",
    }
