"""Moments as the wire writes them."""

from datetime import UTC, datetime


def text(at: datetime) -> str:
    """ISO 8601 in UTC with `Z`; milliseconds only where there are some."""
    written = at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
    return written.removesuffix(".000") + "Z"
