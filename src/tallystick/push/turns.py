"""Whose turn it is on a connection: requests in order, one after another, past what is stuck."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from tallystick.push.states import State

_STUCK_AFTER = 5
_STUCK_MOST = 3
"""So many requests may be passed by; where more do not go it is the platform, and all wait."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What deciding needs to know of an operation that is open or timed out unheard."""

    key: str
    state: State
    targets: frozenset[str]
    resume_at: datetime
    attempt: int = 0
    looks: int = 0

    @property
    def is_stuck(self) -> bool:
        """Tried in vain so often that it may be this one request that does not go."""
        return self.looks >= _STUCK_AFTER


def next_turn(waiting: Iterable[Waiting], *, now: datetime) -> Waiting | None:
    """The first in the order of requests that may go on now.

    A Pending one waits for every Pending one before it, so that nothing overtakes what a limit
    holds up; but one whose outcome is being looked for, or that was tried in vain again and again,
    holds up only what has a target with it.
    """
    held: set[str] = set()
    paused, stuck = False, 0
    for operation in waiting:
        if operation.state is State.Pending:
            waits = paused or bool(operation.targets & held)
            if not waits and operation.resume_at <= now:
                return operation
            if not waits:
                stuck += 1
                paused = not operation.is_stuck or stuck == _STUCK_MOST
        elif operation.state is State.Sending or operation.resume_at <= now:
            # Whoever asks holds the connection's lock, so what is Sending was left behind.
            return operation
        if operation.state is not State.TimedOut:
            held |= operation.targets
    return None


def held_until(waiting: Iterable[Waiting], *, now: datetime) -> datetime | None:
    """The first moment at which a turn can come while nobody has one now."""
    later = [operation.resume_at for operation in waiting if operation.resume_at > now]
    return min(later, default=None)
