"""The worker's entrances to webhooks: deliver beside the jobs, forget what is old."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx

from tallystick.db.pool import Database
from tallystick.jobs.calendar import Tick
from tallystick.lib.clock import Clock
from tallystick.lib.secrets import Vault
from tallystick.webhooks import deliveries
from tallystick.webhooks.dispatcher import Dispatcher

HISTORY = timedelta(days=90)


class WebhookJobs:
    """What the worker needs to deliver."""

    def __init__(
        self, *, database: Database, http: httpx.AsyncClient, vault: Vault, clock: Clock
    ) -> None:
        self._database = database
        self._clock = clock
        self._dispatcher = Dispatcher(database=database, http=http, vault=vault, clock=clock)

    def ticks(self) -> tuple[Tick, ...]:
        """What the calendar does for webhooks."""
        return (Tick("webhooks.forget_old", 3600.0, self.forget_old),)

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[None]:
        """Deliver until the block ends, in every worker, apart from its jobs.

        Receivers decide how long an attempt takes: it must not keep a payment waiting.
        """
        stop = asyncio.Event()
        running = asyncio.create_task(self._dispatcher.run(stop))
        try:
            yield
        finally:
            stop.set()
            await running

    async def deliver_due(self) -> None:
        """Make every attempt that is due now, and return when they have ended."""
        await self._dispatcher.deliver_due()

    async def forget_old(self) -> None:
        """Drop events past the history that is kept, some at a time."""
        more = True
        while more:
            async with self._database.transaction() as tx:
                before = self._clock.now() - HISTORY
                more = await deliveries.forget_events(tx, before=before)
