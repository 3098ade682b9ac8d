"""The life of a read: what its words mean for a caller, and that it never goes back."""

from tallystick.sync.states import MOVES, Status

ORDER = list(Status)


def test_a_read_only_moves_forward() -> None:
    for move in MOVES.values():
        if move.to is not None:
            assert all(ORDER.index(start) <= ORDER.index(move.to) for start in move.come_from)


def test_what_is_over_is_never_left() -> None:
    assert not any(status.is_over for move in MOVES.values() for status in move.come_from)


def test_only_complete_is_a_success() -> None:
    over = {status for status in Status if status.is_over and not status.is_errored}
    assert over == {Status.Complete, Status.NotSupported, Status.Cancelled}
