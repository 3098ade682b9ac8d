"""A raw record that remembers what was read of it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tallystick.connectors.fields import Fields
from tallystick.model.base import ActiveStatus

WORDS = {"ACTIVE": ActiveStatus.Active}


def test_odd_values_become_none_and_are_noted() -> None:
    fields = Fields(
        {"a": [], "b": "x", "c": True, "d": "yes", "e": "never", "f": 3, "g": {}, "h": "NaN"}
    )
    assert fields.text("a") is None
    assert fields.number("b") is None
    assert fields.number("c") is None
    assert fields.number("h") is None
    assert fields.truth("d") is None
    assert fields.iso_day("e") is None
    assert fields.part("f").raw == {}
    assert list(fields.each("g")) == []
    assert fields.word("b", WORDS, ActiveStatus.Unknown) is ActiveStatus.Unknown
    assert len(fields.odd) == 9


def test_a_number_no_books_hold_is_odd() -> None:
    fields = Fields({"big": Decimal("1E+16"), "small": "1E-13", "zero": Decimal("0E+99")})
    assert fields.number("big") is None
    assert fields.number("small") is None
    assert str(fields.number("zero")) == "0"
    assert len(fields.odd) == 2


def test_absent_and_empty_values_are_nothing_odd() -> None:
    fields = Fields({"empty": "", "null": None})
    for key in ("empty", "null", "absent"):
        assert fields.text(key) is None
        assert fields.number(key) is None
        assert fields.iso_day(key) is None
        assert not fields.has(key)
        assert list(fields.each("absent")) == []
    assert fields.odd == []


def test_values_are_read_exactly() -> None:
    fields = Fields({"n": Decimal("0.10"), "t": " x ", "d": "2026-02-28T23:59:59", "i": 7})
    assert fields.number("n") == Decimal("0.10")
    assert fields.number("i") == 7
    assert fields.text("t") == "x"
    assert fields.text("i") == "7"
    assert fields.iso_day("d") == date(2026, 2, 28)


def test_a_field_neither_read_nor_ignored_is_named_with_its_path() -> None:
    fields = Fields({"a": 1, "b": {"c": 2, "d": 3}, "e": [{"f": 4}, {"g": 5}], "h": {"i": 6}})
    fields.text("a")
    fields.part("b").text("c")
    for element in fields.each("e"):
        element.text("f")
    assert fields.unread(frozenset()) == {"b.d", "e.g", "h"}
    assert fields.unread(frozenset({"b.d", "e", "h"})) == set()


def test_a_record_left_to_another_read_leaves_nothing_to_account_for() -> None:
    fields = Fields({"a": 1, "b": {"c": 2}})
    assert fields.leave() == ()
    assert fields.unread(frozenset()) == set()


def test_what_is_no_object_is_an_empty_one() -> None:
    assert Fields(None).text("a") is None
    assert Fields([1]).text("a") is None
    assert Fields("text").unread(frozenset()) == set()
