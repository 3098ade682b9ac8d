"""The worker's entrances to webhooks: deliver one message, wake those that are due."""

from datetime import timedelta

import httpx

from tallystick.db.pool import Database, all_rows
from tallystick.db.sqlfile import beside
from tallystick.jobs.calendar import Tick
from tallystick.jobs.queue import defer, live
from tallystick.lib.clock import Clock
from tallystick.lib.secrets import Vault
from tallystick.webhooks import dispatcher
from tallystick.webhooks.outbox import DELIVER

_SQL = beside(__file__, "delivery.sql")
_AT_ONCE_MAX = 500
_TRUSTED = timedelta(seconds=2)
HISTORY = timedelta(days=90)


class WebhookJobs:
    """What the worker needs to deliver."""

    def __init__(
        self, *, database: Database, http: httpx.AsyncClient, vault: Vault, clock: Clock
    ) -> None:
        self._database = database
        self._http = http
        self._vault = vault
        self._clock = clock

    def ticks(self) -> tuple[Tick, ...]:
        """What the calendar does for webhooks."""
        return (
            Tick("webhooks.wake_due", 1.0, self.wake_due),
            Tick("webhooks.forget_old", 3600.0, self.forget_old),
        )

    async def deliver(self, delivery_id: str) -> None:
        """One attempt at one message."""
        await dispatcher.deliver(
            delivery_id,
            database=self._database,
            http=self._http,
            vault=self._vault,
            clock=self._clock,
        )

    async def wake_due(self) -> None:
        """Queue every message whose time has come and for which no job waits."""
        # A fresh one has a job of its own since its birth; give that a moment.
        now = self._clock.now() - _TRUSTED
        async with self._database.transaction() as tx:
            rows = await all_rows(tx, _SQL["due"], {"now": now, "most": _AT_ONCE_MAX})
            due = [str(row["id"]) for row in rows]
            waiting = await live(tx, DELIVER, "delivery_id") if due else set()
            for delivery_id in due:
                if delivery_id not in waiting:
                    await defer(tx, DELIVER, delivery_id=delivery_id)

    async def forget_old(self) -> None:
        """Drop events past the history that is kept."""
        async with self._database.transaction() as tx:
            await tx.execute(_SQL["forget_events"], {"before": self._clock.now() - HISTORY})
