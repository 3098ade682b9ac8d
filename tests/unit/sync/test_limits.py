"""Never more calls in any minute than the platform allows, and nearly as many."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tallystick.companies.limits import WINDOW, Usage, Wait, admit
from tallystick.connectors.contract import Limits

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
XERO = Limits(per_minute=60, per_day=5000)
MINUTE = timedelta(seconds=60)


def _sent(gaps_ms: list[int], limits: Limits) -> list[datetime]:
    """When the calls of somebody who always tries again at the named moment would be sent."""
    usage, now, sent = Usage(day=START.date()), START, []
    for gap_ms in gaps_ms:
        now += timedelta(milliseconds=gap_ms)
        outcome = admit(usage, limits, now)
        while isinstance(outcome, Wait):
            now = outcome.until
            outcome = admit(usage, limits, now)
        usage = outcome
        sent.append(now)
    return sent


def _most_in_a_minute(sent: list[datetime]) -> int:
    return max(sum(1 for other in sent if at <= other < at + MINUTE) for at in sent)


@given(gaps_ms=st.lists(st.integers(0, 5000), min_size=1, max_size=250))
def test_no_minute_holds_more_calls_than_allowed(gaps_ms: list[int]) -> None:
    assert _most_in_a_minute(_sent(gaps_ms, XERO)) <= 60


@given(
    gaps_ms=st.lists(st.integers(0, 3000), min_size=1, max_size=150),
    delays_ms=st.lists(st.integers(0, 1999), min_size=150, max_size=150),
)
def test_nor_where_calls_take_up_to_two_seconds_to_arrive(
    gaps_ms: list[int], delays_ms: list[int]
) -> None:
    sent = _sent(gaps_ms, XERO)
    arrived = [
        at + timedelta(milliseconds=late)
        for at, late in zip(sent, delays_ms[: len(sent)], strict=True)
    ]
    assert _most_in_a_minute(sorted(arrived)) <= 60


def test_more_than_nine_tenths_of_the_limit_are_used() -> None:
    sent = _sent([0] * 600, XERO)
    minutes = (sent[-1] - sent[0]) / MINUTE
    assert 600 / (minutes + WINDOW / MINUTE) >= 54


def test_a_day_used_up_waits_for_midnight() -> None:
    usage = Usage(day=START.date(), day_used=5000)
    outcome = admit(usage, XERO, START)
    assert outcome == Wait(datetime(2026, 11, 21, tzinfo=UTC), "day")
    assert isinstance(admit(usage, XERO, datetime(2026, 11, 21, tzinfo=UTC)), Usage)


def test_what_the_platform_said_holds_whatever_we_counted() -> None:
    until = START + timedelta(seconds=30)
    usage = Usage(day=START.date(), blocked_until=until, blocked_by="appminute")
    assert admit(usage, XERO, START) == Wait(until, "appminute")
    assert isinstance(admit(usage, XERO, until), Usage)


def test_a_clock_set_back_does_not_block_for_ever() -> None:
    later = START + timedelta(days=2)
    usage = Usage(day=date(2026, 11, 22), recent=(later,) * 60)
    assert isinstance(admit(usage, XERO, START), Usage)


def test_a_platform_without_limits_is_not_counted() -> None:
    outcome = admit(Usage(day=START.date()), Limits(), START)
    assert isinstance(outcome, Usage)
    assert outcome.recent == ()
