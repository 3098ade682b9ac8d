"""Whose turn it is."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.push.states import State
from tallystick.push.turns import Waiting, held_until, next_turn

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
DUE, LATER = NOW, NOW + timedelta(seconds=30)


def waiting(key: str, state: State, at: datetime = DUE, *targets: str) -> Waiting:
    return Waiting(key, state, frozenset(targets), at)


def turn(*found: Waiting) -> str | None:
    chosen = next_turn(found, now=NOW)
    return None if chosen is None else chosen.key


def test_the_first_request_comes_first() -> None:
    assert turn(waiting("a", State.Pending), waiting("b", State.Pending)) == "a"


def test_nothing_overtakes_a_paused_request() -> None:
    assert turn(waiting("a", State.Pending, LATER), waiting("b", State.Pending)) is None


def test_a_write_in_doubt_lets_others_pass() -> None:
    assert turn(waiting("a", State.Checking, LATER, "x"), waiting("b", State.Pending)) == "b"


def test_a_write_in_doubt_holds_up_its_own_targets() -> None:
    assert turn(
        waiting("a", State.Checking, LATER, "x"), waiting("b", State.Pending, DUE, "x")
    ) is (None)


def test_who_waits_for_a_target_holds_up_those_who_wait_for_it_too() -> None:
    found = (
        waiting("a", State.Checking, LATER, "x"),
        waiting("b", State.Pending, DUE, "x", "y"),
        waiting("c", State.Pending, DUE, "y"),
        waiting("d", State.Pending, DUE, "z"),
    )
    assert turn(*found) == "d"


def test_what_was_left_behind_is_looked_at_whenever_it_is_due() -> None:
    assert turn(waiting("a", State.Pending, LATER), waiting("b", State.Sending, LATER)) == "b"


def test_what_timed_out_holds_up_nobody() -> None:
    assert turn(
        waiting("a", State.TimedOut, LATER, "x"), waiting("b", State.Pending, DUE, "x")
    ) == ("b")


def test_the_next_moment_is_the_earliest_one_ahead() -> None:
    found = [waiting("a", State.Checking, LATER + timedelta(1)), waiting("b", State.Pending, LATER)]
    assert held_until(found, now=NOW) == LATER
    assert held_until([waiting("a", State.Pending)], now=NOW) is None


_ANY = st.builds(
    Waiting,
    key=st.text("abc", min_size=1),
    state=st.sampled_from([State.Pending, State.Sending, State.Checking, State.TimedOut]),
    targets=st.frozensets(st.sampled_from("xyz")),
    resume_at=st.sampled_from([DUE, LATER]),
)


@settings(deadline=None)
@given(st.lists(_ANY, max_size=8))
def test_a_pending_turn_overlaps_no_earlier_open_write(found: list[Waiting]) -> None:
    chosen = next_turn(found, now=NOW)
    if chosen is None or chosen.state is not State.Pending:
        return
    earlier = found[: [id(one) for one in found].index(id(chosen))]
    for one in earlier:
        if one.state is not State.TimedOut:
            assert not one.targets & chosen.targets


@settings(deadline=None)
@given(st.lists(_ANY, max_size=8))
def test_someone_always_has_a_turn_when_nobody_waits_for_a_moment(found: list[Waiting]) -> None:
    if found and all(one.resume_at <= NOW for one in found):
        assert next_turn(found, now=NOW) is not None
