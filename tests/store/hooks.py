"""Consumers, events and receivers for tests of webhooks."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from tallystick.access import clients
from tallystick.db.pool import Database, all_rows
from tallystick.lib.clock import FixedClock
from tallystick.lib.egress import Policy
from tallystick.lib.ids import new_id
from tallystick.lib.secrets import Vault
from tallystick.webhooks import consumers, outbox
from tallystick.webhooks.consumers import Consumer
from tallystick.webhooks.dispatcher import Dispatcher


@dataclass(slots=True)
class Receivers(httpx.AsyncBaseTransport):
    """Every address there is: each answers 204, what `answers` says, or raises that."""

    answers: dict[str, int | Exception] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)
    # Hosts that let callers wait, until the event is set.
    silent: dict[str, asyncio.Event] = field(default_factory=dict)
    waiting: int = 0
    waiting_most: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        self.requests.append(request)
        if host in self.silent:
            await self._wait(self.silent[host])
        found = self.answers.get(host, 204)
        if isinstance(found, Exception):
            raise found
        return httpx.Response(found, request=request, headers={"location": "https://other.example"})

    async def _wait(self, released: asyncio.Event) -> None:
        self.waiting += 1
        self.waiting_most = max(self.waiting, self.waiting_most)
        try:
            await released.wait()
        finally:
            self.waiting -= 1

    def to(self, host: str) -> list[httpx.Request]:
        return [request for request in self.requests if request.url.host == host]


@dataclass(frozen=True, slots=True)
class Hooks:
    """A client whose events are told."""

    database: Database
    clock: FixedClock
    vault: Vault
    client_id: str
    receivers: Receivers
    dispatcher: Dispatcher

    async def register(
        self,
        host: str,
        *event_types: str,
        company_tags: Sequence[str] = (),
        disabled: bool = False,
    ) -> Consumer:
        async with self.database.transaction() as tx:
            return await consumers.create(
                tx,
                client_id=self.client_id,
                vault=self.vault,
                policy=Policy(),
                url=f"https://{host}/hook",
                event_types=event_types or ("*",),
                company_tags=company_tags,
                disabled=disabled,
                now=self.clock.now(),
            )

    async def tell(
        self,
        event_type: str = "company.created",
        *,
        tags: Mapping[str, str] | None = None,
        has_company: bool = True,
    ) -> str:
        async with self.database.transaction() as tx:
            return await outbox.emit(
                tx,
                client_id=self.client_id,
                company_id=new_id() if has_company else None,
                company_tags=tags or {},
                event_type=event_type,
                payload={"name": "Brú na Mara"},
                now=self.clock.now(),
            )

    async def later(self, **by: float) -> None:
        """That much later everything that is due has been tried."""
        self.clock.advance(seconds=timedelta(**by).total_seconds())
        await self.dispatcher.deliver_due()

    async def rows(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        async with self.database.transaction() as tx:
            return await all_rows(tx, statement, parameters)

    async def deliveries(self) -> list[dict[str, Any]]:
        return await self.rows("select * from delivery order by created_at, id")

    async def consumer(self, consumer_id: str) -> dict[str, Any]:
        (row,) = await self.rows("select * from consumer where id = %(id)s", id=consumer_id)
        return row


@asynccontextmanager
async def hooks_in(
    database: Database, clock: FixedClock, vault: Vault, *, timeout_s: float = 15.0
) -> AsyncIterator[Hooks]:
    receivers = Receivers()
    async with database.transaction() as tx:
        client = await clients.create(tx, name="Buyer", now=clock.now())
    async with httpx.AsyncClient(transport=receivers) as http:
        dispatcher = Dispatcher(
            database=database, http=http, vault=vault, clock=clock, timeout_s=timeout_s
        )
        yield Hooks(database, clock, vault, client.id, receivers, dispatcher)
