"""What callers are told about their quota. Self-hosted there is none: the number is just large."""

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache

DAILY_QUOTA = 1_000_000_000


def headers(now: datetime) -> tuple[tuple[bytes, bytes], ...]:
    """The rate limit headers of every answer; the quota is reset at midnight UTC."""
    return _of_day(now.toordinal())


@lru_cache(maxsize=2)
def _of_day(ordinal: int) -> tuple[tuple[bytes, bytes], ...]:
    day = datetime.fromordinal(ordinal) + timedelta(days=1)
    reset = datetime.combine(day, time(), tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    number = str(DAILY_QUOTA).encode()
    return (
        (b"x-rate-limit-limit", number),
        (b"x-rate-limit-remaining", number),
        (b"x-rate-limit-reset", reset.encode()),
    )
