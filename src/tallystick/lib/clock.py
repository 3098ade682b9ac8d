"""What time it is: one injected clock, so that a test can move it."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Anything that knows the moment, always aware and in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class OffsetClock:
    """The machine's clock plus seconds read from a file, so that all processes move together."""

    def __init__(self, offset_file: Path) -> None:
        self._offset_file = offset_file

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._offset_s())

    def _offset_s(self) -> float:
        try:
            return float(self._offset_file.read_text() or 0)
        except FileNotFoundError:
            return 0.0

    def advance(self, *, seconds: float) -> None:
        """Move every process that shares the file; written whole, so nobody reads half a number."""
        moved = self._offset_s() + seconds
        beside = self._offset_file.with_suffix(f".{os.getpid()}")
        beside.write_text(str(moved))
        beside.replace(self._offset_file)


class FixedClock:
    """A clock that stands still until told otherwise (tests)."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def advance(self, *, seconds: float) -> None:
        self._at += timedelta(seconds=seconds)
