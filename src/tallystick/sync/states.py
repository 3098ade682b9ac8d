"""The life of a read as a table: the words of the wire and the moves between them."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class Status(enum.StrEnum):
    """Where a read is, in the words of the wire."""

    Initial = "Initial"
    Queued = "Queued"
    Fetching = "Fetching"
    MapQueued = "MapQueued"
    Mapping = "Mapping"
    ValidationQueued = "ValidationQueued"
    Validating = "Validating"
    ProcessingQueued = "ProcessingQueued"
    Processing = "Processing"
    Complete = "Complete"
    NotSupported = "NotSupported"
    Cancelled = "Cancelled"
    FetchError = "FetchError"
    MapError = "MapError"
    ValidationError = "ValidationError"
    ProcessingError = "ProcessingError"
    InternalError = "InternalError"
    AuthError = "AuthError"
    PermissionsError = "PermissionsError"
    RateLimitError = "RateLimitError"
    PrerequisiteNotMet = "PrerequisiteNotMet"

    @property
    def is_errored(self) -> bool:
        return self in _ERRORED

    @property
    def is_over(self) -> bool:
        return self.is_errored or self in {
            Status.Complete,
            Status.NotSupported,
            Status.Cancelled,
        }


_ERRORED = frozenset(
    {
        Status.FetchError,
        Status.MapError,
        Status.ValidationError,
        Status.ProcessingError,
        Status.InternalError,
        Status.AuthError,
        Status.PermissionsError,
        Status.RateLimitError,
        Status.PrerequisiteNotMet,
    }
)

_RUNNING = frozenset({Status.Queued, Status.Fetching, Status.Processing})


@dataclass(frozen=True, slots=True)
class Move:
    """From where the statement of that name may move a read; `to` None: to the one it is given."""

    come_from: frozenset[Status]
    to: Status | None


# A page is mapped, checked and stored in one go as it comes, so a read never waits in the words
# between Fetching and Processing. It only ever moves forward.
MOVES: Mapping[str, Move] = {
    "begin": Move(frozenset({Status.Queued, Status.Fetching}), Status.Fetching),
    "begin_last_stage": Move(frozenset({Status.Processing}), Status.Processing),
    "advance": Move(frozenset({Status.Fetching}), Status.Fetching),
    "read_through": Move(frozenset({Status.Fetching}), Status.Processing),
    "pause": Move(_RUNNING, None),
    "complete": Move(frozenset({Status.Processing}), Status.Complete),
    "end": Move(_RUNNING, None),
}
