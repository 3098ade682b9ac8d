"""Xero's four limits, counted over rolling windows of the simulated clock.

60 calls a minute, 5,000 a day and 5 at once for each organisation; 10,000 a minute for the app
(Xero developer documentation, OAuth 2.0 API limits). The counts are not kept over a restart.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

_DAY_S = 86_400.0
_MINUTE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """None means that nobody counts."""

    per_minute: int | None = 60
    per_day: int | None = 5_000
    concurrent: int | None = 5
    app_per_minute: int | None = 10_000


UNLIMITED = Limits(per_minute=None, per_day=None, concurrent=None, app_per_minute=None)


class LimitReached(Exception):
    def __init__(self, problem: str, retry_after_s: int) -> None:
        super().__init__(problem, retry_after_s)
        self.problem = problem
        self.retry_after_s = retry_after_s


class Counters:
    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._calls: dict[str, deque[float]] = {}
        self._app: deque[float] = deque()
        self._running: dict[str, int] = {}

    def count(self, tenant: str, now: datetime) -> None:
        """Count one call, or refuse it; refused calls are not counted."""
        moment = now.timestamp()
        calls = self._calls.setdefault(tenant, deque())
        _forget(calls, before=moment - _DAY_S)
        _forget(self._app, before=moment - _MINUTE_S)
        lim = self.limits
        if lim.per_day is not None and len(calls) >= lim.per_day:
            raise LimitReached("day", _wait_s(calls[-lim.per_day] + _DAY_S, moment))
        if lim.per_minute is not None and len(calls) >= lim.per_minute:
            first = calls[-lim.per_minute]
            if first > moment - _MINUTE_S:
                raise LimitReached("minute", _wait_s(first + _MINUTE_S, moment))
        if lim.app_per_minute is not None and len(self._app) >= lim.app_per_minute:
            raise LimitReached("appminute", _wait_s(self._app[0] + _MINUTE_S, moment))
        calls.append(moment)
        self._app.append(moment)

    @contextmanager
    def running(self, tenant: str) -> Iterator[None]:
        """Hold one of the places an organisation has for calls at the same time."""
        busy = self._running.get(tenant, 0)
        if self.limits.concurrent is not None and busy >= self.limits.concurrent:
            raise LimitReached("concurrent", 1)
        self._running[tenant] = busy + 1
        try:
            yield
        finally:
            self._running[tenant] -= 1

    def headers(self, tenant: str, now: datetime) -> dict[str, str]:
        moment = now.timestamp()
        calls = self._calls.get(tenant, deque())
        since = moment - _MINUTE_S
        in_minute = sum(1 for _ in takewhile(lambda each: each > since, reversed(calls)))
        lim = self.limits
        return {
            "X-DayLimit-Remaining": _rest(lim.per_day, len(calls), otherwise=5_000),
            "X-MinLimit-Remaining": _rest(lim.per_minute, in_minute, otherwise=60),
            "X-AppMinLimit-Remaining": _rest(lim.app_per_minute, len(self._app), otherwise=10_000),
        }


def _forget(calls: deque[float], *, before: float) -> None:
    while calls and calls[0] <= before:
        calls.popleft()


def _wait_s(until: float, moment: float) -> int:
    return max(1, int(until - moment) + 1)


def _rest(limit: int | None, used: int, *, otherwise: int) -> str:
    return str(otherwise if limit is None else max(0, limit - used))
