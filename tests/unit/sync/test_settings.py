"""What callers may say about which data is read when."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tallystick.errors import BadRequest
from tallystick.model import WIRE_DATA_TYPES
from tallystick.sync.settings import DEFAULTS, Setting, in_order, parsed

NOW = datetime(2026, 3, 31, 9, 0, tzinfo=UTC)


def test_what_is_shown_can_be_sent_back() -> None:
    shown = [setting.wire() for setting in DEFAULTS.values()]
    assert parsed(shown) == DEFAULTS


@pytest.mark.parametrize(
    "setting",
    [
        {"dataType": "nothing"},
        {"dataType": 4},
        {"dataType": "bills", "syncSchedule": -1},
        {"dataType": "bills", "syncSchedule": 1.5},
        {"dataType": "bills", "syncSchedule": True},
        {"dataType": "bills", "fetchOnFirstLink": "yes"},
        {"dataType": "bills", "syncFromUtc": "soon"},
        {"dataType": "bills", "syncFromUtc": 5},
        {"dataType": "bills", "syncFromUtc": "2026-01-01", "syncFromWindow": 3},
        "bills",
    ],
)
def test_what_makes_no_sense_is_refused_by_name(setting: Any) -> None:
    with pytest.raises(BadRequest, match="settings"):
        parsed([setting])


def test_a_type_named_twice_is_refused() -> None:
    with pytest.raises(BadRequest, match="twice"):
        parsed([{"dataType": "bills"}, {"dataType": "BILLS"}])


def test_every_data_type_of_the_wire_is_accepted_also_those_not_read_yet() -> None:
    assert set(parsed([{"dataType": key} for key in WIRE_DATA_TYPES])) == set(WIRE_DATA_TYPES)


def test_a_window_counts_months_back_and_stays_inside_the_month() -> None:
    assert Setting("bills", sync_from_window=1).floor(NOW) == NOW.replace(month=2, day=28)
    assert Setting("bills", sync_from_window=15).floor(NOW) == NOW.replace(year=2024, month=12)
    assert Setting("bills").floor(NOW) is None


def test_the_lower_order_comes_first_and_ties_keep_theirs() -> None:
    chosen = {"bills": Setting("bills", sync_order=2), "items": Setting("items", sync_order=0)}
    assert in_order(chosen, ["bills", "suppliers", "items"]) == ["suppliers", "items", "bills"]
