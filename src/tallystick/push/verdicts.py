"""What a platform's error means for a write: never, not now, or nobody knows."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from tallystick.errors import (
    Missing,
    NotPermitted,
    PlatformError,
    Problem,
    RateLimited,
    Refused,
    Unauthorized,
    Unreachable,
)
from tallystick.push.outcomes import Refusal

_FIRST_WAIT = timedelta(seconds=1)
_LAST_WAIT = timedelta(minutes=15)
_DOUBLINGS_MAX = 16  # keeps the power small; the longest wait is reached long before


class Meaning(enum.Enum):
    """What happened at the platform."""

    NEVER = "nothing happened, and it will not"
    NOT_NOW = "nothing happened, but it may"
    UNKNOWN = "it may have happened"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`refusal` is there for NEVER, `until` for a moment the platform named."""

    meaning: Meaning
    refusal: Refusal | None = None
    until: datetime | None = None


def of_sending(error: Exception, *, name: str) -> Verdict:
    """After the call that changes something. What nobody foresaw leaves the outcome unknown."""
    match error:
        case RateLimited():
            return Verdict(Meaning.NOT_NOW, until=error.until)
        case Unreachable(sent=False):
            return Verdict(Meaning.NOT_NOW)
        case Refused() | Unauthorized() | NotPermitted() | Missing():
            return Verdict(Meaning.NEVER, _refusal(error, name))
        case _:
            return Verdict(Meaning.UNKNOWN)


def of_preparing(error: Exception, *, name: str) -> Verdict:
    """Before anything was sent: a call that only read cannot have changed anything."""
    match error:
        case RateLimited():
            return Verdict(Meaning.NOT_NOW, until=error.until)
        case Unreachable():
            return Verdict(Meaning.NOT_NOW)
        case PlatformError():
            return Verdict(Meaning.NEVER, _refusal(error, name))
        case _:
            text = f"Push failed for {name}: an unexpected error occurred. Nothing was sent."
            return Verdict(Meaning.NEVER, Refusal(text, status_code=500))


def wait(times: int) -> timedelta:
    """How long to wait after that many attempts: doubling, up to a quarter of an hour."""
    factor: int = 2 ** min(max(times, 0), _DOUBLINGS_MAX)
    return min(_FIRST_WAIT * factor, _LAST_WAIT)


def _refusal(error: PlatformError, name: str) -> Refusal:
    match error:
        case Unauthorized():
            text = (
                f"Push failed for {name}: the platform no longer gives us access. Nothing was "
                "sent. Send the customer to the connection's linkUrl, then push again."
            )
            return Refusal(text, status_code=401)
        case NotPermitted():
            return Refusal(f"Push failed for {name}: {error.message}", status_code=403)
        case Refused(problems=problems) if problems:
            return invalid(name, problems)
        case _:
            return Refusal(f"Push failed for {name}: {error.message}")


def invalid(name: str, problems: tuple[Problem, ...]) -> Refusal:
    """A refusal whose problems say all."""
    return Refusal(f"Push failed for {name}: see validation for more information", problems)
