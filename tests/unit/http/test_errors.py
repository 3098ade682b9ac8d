"""What went wrong becomes an answer that tells the caller whether to come back."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg_pool import PoolTimeout
from structlog.testing import capture_logs

from tallystick import errors as our
from tallystick.http.errors import rendered
from tallystick.lib import json

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
ID = "0a40c2f31fc8f992fb88b0853e4166f3"


@pytest.mark.parametrize(
    ("error", "status", "can_be_retried", "retry_after"),
    [
        (our.BadRequest("no"), 400, "False", None),
        (our.NotAuthenticated("who"), 401, "False", None),
        (our.PaymentRequired("pay"), 402, "False", None),
        (our.Forbidden("no"), 403, "False", None),
        (our.NotFound("what"), 404, "False", None),
        (our.DataNotRequested(), 409, "True", None),
        (our.TooLarge("big"), 413, "False", None),
        (our.Unprocessable("other"), 422, "False", None),
        (our.QuotaExceeded("enough", retry_after_s=60), 429, "True", "60"),
        (our.Unavailable("later"), 503, "True", "1"),
        (
            our.RateLimited("slow", until=NOW + timedelta(seconds=9.2), limit="day"),
            503,
            "True",
            "10",
        ),
        (our.RateLimited("slow", until=NOW - timedelta(hours=1), limit="day"), 503, "True", "1"),
        (our.Unreachable("gone", sent=True), 503, "True", "5"),
        (our.Unauthorized("relink"), 400, "False", None),
        (our.NotPermitted("no"), 403, "False", None),
        (our.Missing("no"), 404, "False", None),
        (our.Refused("no"), 400, "False", None),
        (psycopg.OperationalError("secret dsn"), 503, "True", "1"),
        (PoolTimeout("busy"), 503, "True", "1"),
        (psycopg.DataError("secret value"), 400, "False", None),
        (RuntimeError("secret"), 500, "Unknown", None),
        (psycopg.IntegrityError("secret row"), 500, "Unknown", None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_each_error_has_its_answer(
    error: Exception, status: int, can_be_retried: str, retry_after: str | None
) -> None:
    answer = rendered(error, correlation_id=ID, now=NOW)

    body = json.loads(bytes(answer.body))
    assert (answer.status_code, body["statusCode"]) == (status, status)
    assert body["canBeRetried"] == can_be_retried
    assert body["service"] == "PublicApi"
    assert (body["correlationId"], body["detailedErrorCode"]) == (ID, 0)
    assert answer.headers.get("retry-after") == retry_after
    assert answer.headers["content-type"] == "application/json"
    assert b"secret" not in bytes(answer.body)


def test_problems_are_listed_as_validation() -> None:
    problem = our.Problem("Lines[0].Amount", "must be a number", "Bill")

    answer = rendered(our.Refused("no", problems=[problem]), correlation_id=ID, now=NOW)

    assert json.loads(bytes(answer.body))["validation"] == {
        "errors": [
            {
                "itemId": "Lines[0].Amount",
                "message": "must be a number",
                "validatorName": "Bill",
            }
        ],
        "warnings": [],
    }


def test_a_fault_is_logged_without_what_it_says() -> None:
    with capture_logs() as told:
        rendered(RuntimeError("a customer's number"), correlation_id=ID, now=NOW)

    [line] = told
    assert (line["correlation_id"], line["problem"]) == (ID, "RuntimeError")
    assert "customer's number" not in repr(line)
