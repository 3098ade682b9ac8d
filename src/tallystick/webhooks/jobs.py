"""The worker's entrances to webhooks: deliver one message, wake those that are due."""

from datetime import timedelta

import httpx

from tallystick.db.pool import Database, all_rows
from tallystick.db.sqlfile import beside
from tallystick.jobs.queue import defer
from tallystick.lib.clock import Clock
from tallystick.lib.secrets import Vault
from tallystick.webhooks import dispatcher
from tallystick.webhooks.outbox import DELIVER

_SQL = beside(__file__, "delivery.sql")
_AT_ONCE_MAX = 500
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
        """Queue every message whose time has come; one queued twice is sent once."""
        now = self._clock.now()
        async with self._database.transaction() as tx:
            for row in await all_rows(tx, _SQL["due"], {"now": now, "most": _AT_ONCE_MAX}):
                await defer(tx, DELIVER, delivery_id=str(row["id"]))

    async def forget_old(self) -> None:
        """Drop events past the history that is kept."""
        async with self._database.transaction() as tx:
            await tx.execute(_SQL["forget_events"], {"before": self._clock.now() - HISTORY})
