"""Everything that can go wrong, as two families.

TallystickError                 ours; carries the HTTP status it is answered with
├── BadRequest            400   malformed, or not possible here; the message names the field
│   ├── QueryError        400   the query language, with the position
│   └── NotLinked         400   reads and writes need a Linked connection
├── NotAuthenticated      401   no key, or a wrong one
├── PaymentRequired       402   a plan's limit
├── Forbidden             403   the key may not do this
├── NotFound              404   unknown here, or another client's
├── NotAllowed            405   the path exists, the method does not
├── Conflict              409   the state forbids it now
│   ├── DatasetInProgress 409
│   └── DataNotRequested  409   nothing was read yet
├── TooLarge              413   body over the limit
├── Unprocessable         422   an idempotency key used for another body
├── QuotaExceeded         429
└── Unavailable           503   still working; come again
PlatformError                   theirs; carries when to try again
├── Unreachable                 soon; `sent` says whether the request may have arrived
├── RateLimited                 at the moment they named; it was not done
├── Unauthorized                after the customer returns
├── NotPermitted                never with these rights
├── Missing                     the record is not there
└── Refused                     never: its problems are for the customer
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with what was sent.

    `item_id` is the PascalCase path of the property (`LineItems[0].AccountRef.Id`), `validator`
    the name of what was checked (`Bill`).
    """

    item_id: str
    message: str
    validator: str


class TallystickError(Exception):
    """Our own refusal; the message is a sentence for the person who will read it."""

    status: ClassVar[int] = 500
    can_be_retried: ClassVar[str] = "Unknown"

    def __init__(self, message: str, *, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.problems = tuple(problems)


class BadRequest(TallystickError):
    status = 400
    can_be_retried = "False"


class QueryError(BadRequest):
    """`position` counts characters of the decoded query from 0."""

    def __init__(self, message: str, *, position: int | None = None) -> None:
        where = "" if position is None else f" (at character {position})"
        super().__init__(f"Error parsing query - {message}{where}")
        self.position = position


class NotLinked(BadRequest):
    def __init__(self, connection_id: str, status: str) -> None:
        super().__init__(
            f"Data connection {connection_id} is not linked (its status is {status}). "
            "Send the customer to the connection's linkUrl first."
        )


class NotAuthenticated(TallystickError):
    status = 401
    can_be_retried = "False"


class PaymentRequired(TallystickError):
    status = 402
    can_be_retried = "False"


class Forbidden(TallystickError):
    status = 403
    can_be_retried = "False"


class NotFound(TallystickError):
    status = 404
    can_be_retried = "False"


class NotAllowed(TallystickError):
    status = 405
    can_be_retried = "False"


class Conflict(TallystickError):
    status = 409
    can_be_retried = "True"


class DatasetInProgress(Conflict):
    def __init__(self, data_type: str, company_id: str, dataset_id: str) -> None:
        super().__init__(
            f"DatasetAlreadyInProgressException: Cannot queue {data_type} sync for {company_id} "
            f"as previous sync {dataset_id} is still in progress"
        )


class DataNotRequested(Conflict):
    def __init__(self) -> None:
        super().__init__("The data set has not been requested.")


class TooLarge(TallystickError):
    status = 413
    can_be_retried = "False"


class Unprocessable(TallystickError):
    status = 422
    can_be_retried = "False"


class QuotaExceeded(TallystickError):
    """`retry_after_s` is answered as `Retry-After`."""

    status = 429
    can_be_retried = "True"

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unavailable(TallystickError):
    """`retry_after_s` is answered as `Retry-After`."""

    status = 503
    can_be_retried = "True"

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class PlatformError(Exception):
    """What an accounting platform's answer (or silence) means; the message holds no secret."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unreachable(PlatformError):
    """No answer, a broken one, or a fault of theirs.

    `sent` is False only where it is certain that the request never left us: then nothing happened.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class RateLimited(PlatformError):
    """A limit is used up; what was asked was not done. `limit` names it (`minute`, `day`, ...)."""

    def __init__(self, message: str, *, until: datetime, limit: str) -> None:
        super().__init__(message)
        self.until = until
        self.limit = limit


class Unauthorized(PlatformError):
    """The customer's permission is gone or was never enough to renew a token."""


class NotPermitted(PlatformError):
    """The permission holds, but not for this."""


class Missing(PlatformError):
    """The platform has no such record."""


class Refused(PlatformError):
    """The platform said no to the content, for good."""

    def __init__(self, message: str, *, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)
