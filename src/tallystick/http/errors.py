"""The one place where what went wrong becomes an answer."""

from collections.abc import Sequence
from datetime import datetime
from math import ceil
from typing import Any

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests
from starlette.responses import Response

from tallystick.errors import (
    BadRequest,
    Forbidden,
    Missing,
    NotFound,
    NotPermitted,
    PlatformError,
    Problem,
    QuotaExceeded,
    RateLimited,
    Refused,
    TallystickError,
    Unavailable,
    Unreachable,
)
from tallystick.http.endpoint import answer
from tallystick.lib.log import log, where


def rendered(error: Exception, *, correlation_id: str, now: datetime) -> Response:
    """The answer to what a handler raised."""
    known = ours(error, now=now)
    if known is None:
        _report(error, correlation_id)
        return _answer(500, "An unexpected error occurred.", "Unknown", (), correlation_id, {})
    headers: dict[str, str] = {}
    if isinstance(known, QuotaExceeded | Unavailable):
        headers["Retry-After"] = str(known.retry_after_s)
    if known.status == 401:
        headers["WWW-Authenticate"] = "Basic"
    return _answer(
        known.status, known.message, known.can_be_retried, known.problems, correlation_id, headers
    )


def ours(error: Exception, *, now: datetime) -> TallystickError | None:
    """Our own refusal that an error amounts to; None where nobody foresaw it."""
    if isinstance(error, TallystickError):
        return error
    if isinstance(error, PlatformError):
        return _of_platform(error, now)
    if isinstance(error, psycopg.DataError | UnicodeError):
        # A character or number that PostgreSQL cannot hold: the same request fails for ever.
        return BadRequest("A value in the request holds a character or number that is not allowed.")
    if isinstance(error, psycopg.errors.ForeignKeyViolation):
        # What a handler had found was deleted before it wrote: as if it had come a little later.
        return NotFound("What the request is about was deleted meanwhile.")
    if isinstance(error, psycopg.OperationalError | PoolTimeout | TooManyRequests | PoolClosed):
        log.warning("database_unavailable", problem=type(error).__name__)
        return Unavailable("The service is busy. Try again in a moment.")
    return None


def _of_platform(error: PlatformError, now: datetime) -> TallystickError:
    match error:
        case RateLimited():
            wait_s = max(1, ceil((error.until - now).total_seconds()))
            return Unavailable(error.message, retry_after_s=wait_s)
        case Unreachable():
            return Unavailable(error.message, retry_after_s=5)
        case Missing():
            return NotFound(error.message)
        case NotPermitted():
            return Forbidden(error.message)
        case Refused():
            return BadRequest(error.message, problems=error.problems)
        case _:
            return BadRequest(error.message)


def _answer(
    status: int,
    text: str,
    can_be_retried: str,
    problems: Sequence[Problem],
    correlation_id: str,
    headers: dict[str, str],
) -> Response:
    body = {
        "statusCode": status,
        "service": "PublicApi",
        "error": text,
        "correlationId": correlation_id,
        "validation": _validation(problems),
        "canBeRetried": can_be_retried,
        "detailedErrorCode": 0,
    }
    return answer(body, status=status, headers=headers)


def _validation(problems: Sequence[Problem]) -> dict[str, Any] | None:
    if not problems:
        return None
    errors = [
        {"itemId": one.item_id, "message": one.message, "validatorName": one.validator}
        for one in problems
    ]
    return {"errors": errors, "warnings": []}


def _report(error: Exception, correlation_id: str) -> None:
    log.error(
        "request_failed",
        correlation_id=correlation_id,
        problem=type(error).__name__,
        sqlstate=getattr(error, "sqlstate", None),
        where=where(error),
    )
