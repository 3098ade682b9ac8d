"""What a platform's error means for a write."""

from datetime import UTC, datetime, timedelta

import pytest

from tallystick.errors import (
    Missing,
    NotPermitted,
    Problem,
    RateLimited,
    Refused,
    Unauthorized,
    Unreachable,
)
from tallystick.push import verdicts
from tallystick.push.verdicts import Meaning

UNTIL = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "sending", "preparing"),
    [
        (Unreachable("x", sent=True), Meaning.UNKNOWN, Meaning.NOT_NOW),
        (Unreachable("x", sent=False), Meaning.NOT_NOW, Meaning.NOT_NOW),
        (RateLimited("x", until=UNTIL, limit="day"), Meaning.NOT_NOW, Meaning.NOT_NOW),
        (Refused("x"), Meaning.NEVER, Meaning.NEVER),
        (Unauthorized("x"), Meaning.NEVER, Meaning.NEVER),
        (NotPermitted("x"), Meaning.NEVER, Meaning.NEVER),
        (Missing("x"), Meaning.NEVER, Meaning.NEVER),
        (KeyError("x"), Meaning.UNKNOWN, Meaning.NEVER),
    ],
)
def test_only_silence_leaves_a_write_in_doubt(
    error: Exception, sending: Meaning, preparing: Meaning
) -> None:
    assert verdicts.of_sending(error, name="Bill").meaning is sending
    assert verdicts.of_preparing(error, name="Bill").meaning is preparing


def test_a_refusal_keeps_its_problems() -> None:
    problem = Problem("Date", "Locked.", "Bill")
    refusal = verdicts.of_sending(Refused("x", problems=[problem]), name="Bill").refusal
    assert refusal is not None
    assert refusal.problems == (problem,)
    assert refusal.message == "Push failed for Bill: see validation for more information"


def test_waits_double_up_to_a_quarter_of_an_hour() -> None:
    waits = [verdicts.wait(times) for times in range(100)]
    assert waits[:3] == [timedelta(seconds=1), timedelta(seconds=2), timedelta(seconds=4)]
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(minutes=15)
