"""JSON with exact money: a number with a point is read as Decimal, a Decimal written plainly.

msgspec writes Decimals as strings by default and keeps exponents; the encoder here writes
numbers, and `plain` takes exponent and trailing zeros away before a number is hashed or served.
"""

from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number")
_sorted_encoder = msgspec.json.Encoder(decimal_format="number", order="sorted")
_EXPONENT_MAX = 100


def _exact(text: str) -> Decimal:
    """A number; one like 1e999999999 is refused, because written plainly it fills the memory."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = None
    if number is None or abs(number.adjusted()) > _EXPONENT_MAX:
        raise ValueError("a number is too large or too small")
    return number


_decoder = msgspec.json.Decoder(float_hook=_exact)


class MalformedJson(ValueError):
    """The text is not JSON; the message says where it breaks."""


def loads(text: str | bytes) -> Any:
    """Read JSON; whole numbers become int, all others Decimal.

    Raises:
        MalformedJson: with the parser's own words, which name the byte.
    """
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedJson(str(error)) from error
    except RecursionError as error:
        raise MalformedJson("it is nested too deeply") from error


def dumps(value: Any) -> bytes:
    """Write JSON as UTF-8 in the given order of keys."""
    return _encoder.encode(value)


def canonical(value: Any) -> bytes:
    """Write JSON with sorted keys: equal values give equal bytes, fit for a digest."""
    return _sorted_encoder.encode(value)


def plain(number: Decimal) -> msgspec.Raw:
    """A number as JSON text without exponent and without zeros that say nothing (1.50 -> 1.5).

    Not `Decimal.normalize`: it rounds to the context, and str() brings exponents back.
    """
    if not number.is_finite():
        raise ValueError(f"{number} is not a finite number")
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return msgspec.Raw(b"0" if text == "-0" else text.encode())
