"""A clock that can be moved, shared through a file by every process of one simulated world."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path


def real_now() -> datetime:
    return datetime.now(tz=UTC)


class Clock:
    """The real time plus an offset that is kept in a file and outlives a restart."""

    def __init__(self, path: Path, *, real: Callable[[], datetime] = real_now) -> None:
        self._path = path
        self._real = real

    def now(self) -> datetime:
        return self._real() + self.offset()

    def offset(self) -> timedelta:
        try:
            held = json.loads(self._path.read_text())
        except FileNotFoundError:
            return timedelta()
        return timedelta(seconds=held["offset_s"])

    def advance(self, by: timedelta) -> datetime:
        self._keep(self.offset() + by)
        return self.now()

    def set(self, moment: datetime) -> datetime:
        self._keep(moment - self._real())
        return self.now()

    def _keep(self, offset: timedelta) -> None:
        draft = self._path.with_suffix(f".{os.getpid()}.tmp")
        draft.write_text(json.dumps({"offset_s": offset.total_seconds()}))
        draft.replace(self._path)
