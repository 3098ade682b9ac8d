"""Delivers what is due: many messages at a time, few of one consumer, beside a worker's jobs.

A message waits in its own row, with the moment of its next attempt, so no job has to wait for it.
"""

import asyncio
from collections import Counter

import httpx
import psycopg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from tallystick.db.pool import Database
from tallystick.lib import crash
from tallystick.lib.clock import Clock
from tallystick.lib.log import log
from tallystick.lib.secrets import Vault, WrongKey
from tallystick.webhooks import deliveries, posting
from tallystick.webhooks.consumers import context
from tallystick.webhooks.posting import TIMEOUT_S, Message, Outcome

AT_ONCE = 32
"""Attempts one worker makes at a time, and so the messages it holds in memory."""
AT_ONCE_EACH = 4
"""Those of them that go to one consumer."""
_LOOK_EVERY_S = 0.25
_GRACE_S = 5.0
_LOST = (psycopg.OperationalError, PoolTimeout, PoolClosed, TooManyRequests)


class Dispatcher:
    """Takes due messages, makes attempts, writes down what came of them."""

    def __init__(
        self,
        *,
        database: Database,
        http: httpx.AsyncClient,
        vault: Vault,
        clock: Clock,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._database = database
        self._http = http
        self._vault = vault
        self._clock = clock
        self._timeout_s = timeout_s
        self._under_way: dict[asyncio.Task[None], str] = {}
        self._freed = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        """Deliver until told to stop; attempts under way then get a moment to end."""
        stopping = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                await self._look()
                await self._pause(stopping)
        finally:
            stopping.cancel()
            await self._end()

    async def deliver_due(self) -> None:
        """Make every attempt that is due now, and return when they have ended."""
        while await self.begin_due() or self._under_way:
            await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)

    async def begin_due(self) -> int:
        """Begin attempts as far as there are places; how many were begun."""
        free = AT_ONCE - len(self._under_way)
        if free <= 0:
            return 0
        async with self._database.transaction() as tx:
            taken = await deliveries.take(
                tx,
                under_way=Counter(self._under_way.values()),
                each=AT_ONCE_EACH,
                most=free,
                now=self._clock.now(),
            )
        for message in taken:
            attempt = asyncio.create_task(self._attempt(message))
            self._under_way[attempt] = message.consumer_id
            attempt.add_done_callback(self._ended)
        return len(taken)

    async def _look(self) -> None:
        self._freed.clear()
        try:
            await self.begin_due()
        except _LOST as error:
            log.warning("webhooks_lost_database", problem=type(error).__name__)
        except Exception:  # noqa: BLE001 - whatever it is, the next look may go well
            log.exception("webhooks_look_failed")

    async def _pause(self, stopping: asyncio.Task[bool]) -> None:
        """Until an attempt has ended, so that its place is filled at once; else a short while."""
        freed = asyncio.create_task(self._freed.wait())
        try:
            await asyncio.wait(
                {freed, stopping}, timeout=_LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            freed.cancel()

    async def _attempt(self, message: Message) -> None:
        outcome = await self._outcome(message)
        crash.point("webhooks.after_post")
        async with self._database.transaction() as tx:
            await deliveries.record(tx, message, outcome, now=self._clock.now())
        log.info(
            "webhook_attempted",
            delivery=message.delivery_id,
            attempt=message.number,
            status=outcome.status,
            error=outcome.error,
        )

    async def _outcome(self, message: Message) -> Outcome:
        sealed = message.sealed_secret
        try:
            secret = self._vault.open(sealed, context=context(message.consumer_id)).decode()
        except WrongKey:
            return Outcome(error="The consumer's secret does not open with this encryption key.")
        return await posting.post(
            message,
            self._http,
            secret=secret,
            now=self._clock.now(),
            timeout_s=self._timeout_s,
        )

    def _ended(self, attempt: asyncio.Task[None]) -> None:
        """One that could not be written down is made again once its guard has passed."""
        del self._under_way[attempt]
        self._freed.set()
        problem = None if attempt.cancelled() else attempt.exception()
        if problem is not None:
            log.warning("webhook_not_recorded", problem=type(problem).__name__)

    async def _end(self) -> None:
        if not self._under_way:
            return
        _, late = await asyncio.wait(self._under_way, timeout=_GRACE_S)
        for attempt in late:
            attempt.cancel()
        await asyncio.gather(*late, return_exceptions=True)
