"""What becomes of a read when something went wrong: it waits, or it ends and says why."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from tallystick.companies.reach import LinkedElsewhere
from tallystick.errors import (
    NotLinked,
    NotPermitted,
    PlatformError,
    RateLimited,
    TallystickError,
    Unauthorized,
    Unreachable,
)
from tallystick.lib import moments
from tallystick.sync.mapping import MappingFault
from tallystick.sync.states import Status

# After so many slices without a stored page somebody has to look.
TRIES_MAX = 10
_PAUSES_S = (5, 15, 45, 120, 300, 300)


class FuseBlown(Exception):
    """A whole read would take away more than is believable."""

    def __init__(self, *, deleted: int, rows: int) -> None:
        self.message = (
            f"The platform no longer lists {deleted} of {rows} records. Nothing was deleted: if "
            "this is right, queue the data type again with acceptDeletions=true."
        )
        super().__init__(self.message)


@dataclass(frozen=True, slots=True)
class Pause:
    """Go on at that moment; `tries` counts the slices in vain."""

    until: datetime
    tries: int

    @property
    def description(self) -> str:
        return f"Paused until {moments.text(self.until)}"


@dataclass(frozen=True, slots=True)
class Ending:
    """The read is over. `relink`: the customer's permission is gone."""

    status: Status
    message: str
    relink: bool = False


# Looked through in this order; PlatformError stands for those that are not named.
_ENDINGS: tuple[tuple[type[Exception], Status], ...] = (
    (Unauthorized, Status.AuthError),
    (NotLinked, Status.AuthError),
    (LinkedElsewhere, Status.AuthError),
    (NotPermitted, Status.PermissionsError),
    (PlatformError, Status.FetchError),
    (MappingFault, Status.MapError),
    (FuseBlown, Status.ValidationError),
    (TallystickError, Status.InternalError),
)


def verdict(error: Exception, *, tries: int, now: datetime) -> Pause | Ending:
    """`tries` are the slices begun since a page was stored, this one included."""
    if isinstance(error, RateLimited):
        # A limit is no failure: waiting for it may take as often as it takes.
        return Pause(error.until, max(tries - 1, 0))
    if isinstance(error, Unreachable) and tries <= len(_PAUSES_S):
        return Pause(now + timedelta(seconds=_PAUSES_S[tries - 1]), tries)
    for kind, status in _ENDINGS:
        if isinstance(error, kind):
            return Ending(status, str(error), relink=kind is Unauthorized)
    return Ending(Status.InternalError, "Tallystick failed; the log says why.")
