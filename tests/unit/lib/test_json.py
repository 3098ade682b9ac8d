"""JSON from outside: exact numbers, and nothing in it can hurt."""

from decimal import Decimal

import pytest

from tallystick.lib import json


def test_numbers_with_a_point_are_exact_and_whole_ones_whole() -> None:
    assert json.loads("[0.1, 1, 1.50]") == [Decimal("0.1"), 1, Decimal("1.50")]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1.50", b"1.5"),
        ("100.00", b"100"),
        ("1E+3", b"1000"),
        ("-0.00", b"0"),
        ("1E-7", b"0.0000001"),
    ],
)
def test_numbers_are_written_plainly(number: str, text: bytes) -> None:
    assert json.dumps(json.plain(Decimal(number))) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1,]",
        "NaN",
        '"\\ud800"',
        "1e999999999",
        "1e-999999999",
        "9" * 5000,
        "[" * 100_000,
        b"\xff",
    ],
    ids=lambda text: str(text)[:12],
)
def test_what_is_no_json_or_would_fill_the_memory_is_refused(text: str | bytes) -> None:
    with pytest.raises(json.MalformedJson):
        json.loads(text)
