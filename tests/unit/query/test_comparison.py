"""Instants as text: it sorts in time, and equal instants are equal texts."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.lib import moments
from tallystick.query.comparison import instant_text, sortable

_INSTANTS = st.datetimes(timezones=st.just(datetime.UTC))


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        ("2024-01-02T00:00:00", "2024-01-02"),
        ("2024-01-02T00:00:00Z", "2024-01-02"),
        ("2024-01-02T00:00:00.500Z", "2024-01-02T00:00:00.5"),
        ("2024-01-02T03:04:00Z", "2024-01-02T03:04:00"),
        ("2024-01-02T03:04:10.120Z", "2024-01-02T03:04:10.12"),
    ],
)
def test_what_is_zero_at_the_end_is_left_off(wire: str, text: str) -> None:
    assert sortable(wire) == text


@given(_INSTANTS, _INSTANTS)
def test_texts_sort_as_their_instants_do(one: datetime.datetime, other: datetime.datetime) -> None:
    assert (instant_text(one) < instant_text(other)) == (one < other)


@given(_INSTANTS)
def test_a_stored_moment_equals_the_same_moment_asked_for(at: datetime.datetime) -> None:
    shown = at.replace(microsecond=at.microsecond // 1000 * 1000)
    assert sortable(moments.text(at)) == instant_text(shown)
