"""The life of a write: six states inside, four words outside, and the moves between them.

    Pending ──claim──> Sending ──succeed──> Success
       ^                 │ │
       └───postpone──────┘ ├──fail────────> Failed
                           └──doubt──> Checking ──succeed / fail──> Success / Failed
                                          └──send_again──> Sending

Whatever is open when its deadline passes is timed out; that is a fence: nothing is sent after it.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class State(enum.StrEnum):
    """Where a write stands."""

    Pending = "Pending"
    Sending = "Sending"
    Checking = "Checking"
    Success = "Success"
    Failed = "Failed"
    TimedOut = "TimedOut"


OPEN = frozenset({State.Pending, State.Sending, State.Checking})


@dataclass(frozen=True, slots=True)
class Move:
    """One statement of `operation.sql`: the states it may start from and the one it ends in."""

    starts: frozenset[State]
    ends: State


MOVES: Mapping[str, Move] = {
    "claim": Move(frozenset({State.Pending}), State.Sending),
    # Nothing was sent, or it is certain that nothing happened.
    "postpone": Move(frozenset({State.Pending, State.Sending}), State.Pending),
    # Nobody knows whether it arrived; or it did, and only the reading back is left.
    "doubt": Move(frozenset({State.Sending, State.Checking}), State.Checking),
    "send_again": Move(frozenset({State.Checking}), State.Sending),
    "succeed": Move(frozenset({State.Sending, State.Checking}), State.Success),
    "fail": Move(OPEN, State.Failed),
    "time_out": Move(OPEN, State.TimedOut),
}

_WORDS: Mapping[State, str] = {
    State.Pending: "Pending",
    State.Sending: "Pending",
    State.Checking: "Pending",
    State.Success: "Success",
    State.Failed: "Failed",
    State.TimedOut: "TimedOut",
}

STATUS_CODES: Mapping[str, int] = {"Pending": 202, "Success": 200, "Failed": 400, "TimedOut": 408}
"""By public word; a failure that is nobody's refusal carries its own."""


def public(state: State) -> str:
    """The word that callers see."""
    return _WORDS[state]
