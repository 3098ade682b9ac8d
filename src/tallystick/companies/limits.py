"""Leave to call a platform: counted per set of books in one row that all processes share.

Whether Xero counts a fixed or a sliding minute is not documented. Counted here is the sliding one:
who stays below the limit in every 60 seconds stays below it in any fixed minute too.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from tallystick.connectors.contract import Limits
from tallystick.db.pool import Database, Tx, one
from tallystick.db.sqlfile import beside
from tallystick.errors import RateLimited
from tallystick.lib.clock import Clock

_SQL = beside(__file__, "platform_quota.sql")

# A minute and what two calls may differ in travelling time: calls sent 61 s apart must not arrive
# 59 s apart. Uses 96 % of what is allowed.
WINDOW = timedelta(seconds=62)
_WAIT_S_MAX = 2.0
_SLOT_WAIT_S_MAX = 10.0
_SLOT_AGAIN = timedelta(seconds=5)
_SLOTS_UNLIMITED = 100


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used lately. `recent` are the moments of the calls of the last window, in order."""

    day: date
    recent: tuple[datetime, ...] = ()
    day_used: int = 0
    blocked_until: datetime | None = None
    blocked_by: str = "minute"


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now. `limit` names what is used up."""

    until: datetime
    limit: str


def admit(usage: Usage, limits: Limits, now: datetime) -> Usage | Wait:
    """The usage with one call more, or until when to wait."""
    usage = _today(usage, now)
    if usage.blocked_until is not None and usage.blocked_until > now:
        return Wait(usage.blocked_until, usage.blocked_by)
    if limits.per_day is not None and usage.day_used >= limits.per_day:
        return Wait(_midnight_after(usage.day), "day")
    if limits.per_minute is not None and len(usage.recent) >= limits.per_minute:
        return Wait(usage.recent[-limits.per_minute] + WINDOW, "minute")
    moved = (*usage.recent, now) if limits.per_minute is not None else ()
    return replace(usage, recent=moved, day_used=usage.day_used + 1)


def _today(usage: Usage, now: datetime) -> Usage:
    """The usage without what no longer counts.

    A moment that lies a little ahead (another machine's clock) counts; one far ahead is from before
    a clock was set back and would block for ever.
    """
    recent = tuple(sorted(at for at in usage.recent if now - WINDOW < at < now + WINDOW))
    if usage.day == now.date():
        return replace(usage, recent=recent)
    return replace(usage, recent=recent, day=now.date(), day_used=0)


def _midnight_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=UTC)


def slots_of(limits: Limits) -> int:
    """The calls that one process may have under way for one set of books.

    Two of those the platform allows are left to the worker, for a pull and a push beside them.
    """
    return _SLOTS_UNLIMITED if limits.concurrent is None else max(1, limits.concurrent - 2)


class BooksPermit:
    """The permit of one set of books, whichever connections lead to it.

    How many run side by side is kept by each process for itself: a pull and a push of a connection
    are one call each at a time, and `slots` holds the others, those that callers make live.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        books_key: str,
        limits: Limits,
        slots: asyncio.Semaphore | None = None,
        slot_wait_s_max: float = _SLOT_WAIT_S_MAX,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._clock = clock
        self._books_key = books_key
        self._limits = limits
        self._slot_wait_s_max = slot_wait_s_max
        self._slots = slots or asyncio.Semaphore(slots_of(limits))
        self._pause = pause

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._slot_wait_s_max):
                await self._slots.acquire()
        except TimeoutError as error:
            until = self._clock.now() + _SLOT_AGAIN
            message = "As many calls as the platform allows are under way."
            raise RateLimited(message, until=until, limit="concurrent") from error
        try:
            yield
        finally:
            self._slots.release()

    async def take(self) -> None:
        waited_s = 0.0
        while (wait := await self._try()) is not None:
            wait_s = max((wait.until - self._clock.now()).total_seconds(), 0.01)
            if waited_s + wait_s > _WAIT_S_MAX:
                message = f"The platform's limit per {wait.limit} is used up."
                raise RateLimited(message, until=wait.until, limit=wait.limit)
            await self._pause(wait_s)
            waited_s += wait_s

    async def refused(self, *, until: datetime, limit: str) -> None:
        async with self._database.transaction() as tx:
            parameters = {
                "books_key": self._books_key,
                "day": self._clock.now().date(),
                "until": until,
                "limit": limit,
            }
            await tx.execute(_SQL["refuse"], parameters)

    async def _try(self) -> Wait | None:
        async with self._database.transaction() as tx:
            usage = await self._held(tx)
            # After the lock: who waited for it must not count an earlier moment.
            outcome = admit(usage, self._limits, self._clock.now())
            if isinstance(outcome, Wait):
                return outcome
            await self._save(tx, outcome)
        return None

    async def _held(self, tx: Tx) -> Usage:
        today = self._clock.now().date()
        await tx.execute(_SQL["begin"], {"books_key": self._books_key, "day": today})
        row = await one(tx, _SQL["hold"], {"books_key": self._books_key})
        if row is None:
            return Usage(day=today)
        return Usage(
            day=row["day"],
            recent=tuple(row["recent"]),
            day_used=row["day_used"],
            blocked_until=row["blocked_until"],
            blocked_by=row["blocked_by"] or "minute",
        )

    async def _save(self, tx: Tx, usage: Usage) -> None:
        recent: Sequence[datetime] = list(usage.recent)
        parameters = {
            "books_key": self._books_key,
            "recent": recent,
            "day": usage.day,
            "day_used": usage.day_used,
        }
        await tx.execute(_SQL["save"], parameters)
