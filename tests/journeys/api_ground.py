"""The API on a real database, asked as a client would."""

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette

from tallystick.access import clients, keys
from tallystick.companies import addresses, connections
from tallystick.companies.connections import Connection
from tallystick.companies.reach import Reach
from tallystick.connectors.contract import Organisation
from tallystick.connectors.registry import CONNECTORS
from tallystick.db.pool import Database, all_rows
from tallystick.http.app import create_app
from tallystick.http.house import House
from tallystick.lib import json
from tallystick.lib.clock import FixedClock
from tallystick.lib.egress import Policy
from tallystick.lib.secrets import Vault
from tallystick.settings import PlatformApp, Settings

PUBLIC = "https://books.example"
XERO_APP = PlatformApp(
    client_id="app", client_secret="hush", base_url="http://127.0.0.1:9", scopes=()
)


def basic(key: str) -> str:
    return f"Basic {base64.b64encode(key.encode()).decode()}"


@dataclass(frozen=True, slots=True)
class ApiGround:
    """One client of the API, and what lies behind it."""

    app: Starlette
    house: House
    clock: FixedClock
    client_id: str
    key: str
    http: httpx.AsyncClient

    async def json(self, method: str, path: str, **request: Any) -> Any:
        """The body of a successful answer."""
        answer = await self.http.request(method, path, **request)
        assert answer.is_success, answer.text
        return json.loads(answer.content)

    async def company(self, name: str = "Acme", **members: Any) -> dict[str, Any]:
        body: dict[str, Any] = await self.json("POST", "/companies", json={"name": name, **members})
        return body

    async def connection(self, company_id: str) -> dict[str, Any]:
        path = f"/companies/{company_id}/connections"
        body: dict[str, Any] = await self.json("POST", path, json={"platformKey": "gbol"})
        return body

    async def linked(self, company_id: str) -> Connection:
        """A connection whose customer has consented."""
        made = await self.connection(company_id)
        async with self.house.database.transaction() as tx:
            return await connections.linked(
                tx,
                await connections.find(tx, made["id"]),
                organisation=Organisation(id="org-1", name="Acme Books", grant_id="grant-1"),
                base_url=XERO_APP.base_url,
                simulated=False,
                now=self.clock.now(),
            )

    async def rows(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        async with self.house.database.transaction() as tx:
            return await all_rows(tx, statement, parameters)

    async def events(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Names and payloads, oldest first."""
        rows = await self.rows(
            "select event_type, body from event where client_id = %(client)s order by ctid",
            client=self.client_id,
        )
        return [(row["event_type"], json.loads(row["body"])["payload"]) for row in rows]

    @asynccontextmanager
    async def stranger(self) -> AsyncIterator[httpx.AsyncClient]:
        """Another client of the same installation."""
        _, key = await new_client(self.house.database, self.clock, "Stranger")
        async with asker(self.app, key) as http:
            yield http


async def new_client(database: Database, clock: FixedClock, name: str) -> tuple[str, str]:
    async with database.transaction() as tx:
        client = await clients.create(tx, name=name, now=clock.now())
        _, key = await keys.issue(tx, client_id=client.id, name="first", now=clock.now())
    return client.id, key


def asker(app: Starlette, key: str | None) -> httpx.AsyncClient:
    """A caller; without a key it sends none."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=True),
        base_url=PUBLIC,
        headers={} if key is None else {"Authorization": basic(key)},
    )


@asynccontextmanager
async def ground(database_url: str, vault: Vault, clock: FixedClock) -> AsyncIterator[ApiGround]:
    """A client in a database that others use too; nothing of it stays behind."""
    async with Database(database_url, size=5) as database:
        try:
            async with _served(database, vault, clock) as served:
                yield served
        finally:
            async with database.transaction() as tx:
                await tx.execute("delete from client")
                await tx.execute("delete from public_address")
                await tx.execute("delete from procrastinate_jobs")


@asynccontextmanager
async def _served(database: Database, vault: Vault, clock: FixedClock) -> AsyncIterator[ApiGround]:
    settings = Settings(public_url=PUBLIC, platforms={"gbol": XERO_APP})
    async with httpx.AsyncClient() as outward:
        reach = Reach(
            database=database,
            vault=vault,
            clock=clock,
            connectors=CONNECTORS,
            apps=settings.platforms,
            http=outward,
        )
        house = House(
            database=database,
            clock=clock,
            vault=vault,
            settings=settings,
            connectors=CONNECTORS,
            reach=reach,
            egress=Policy(),
        )
        client_id, key = await new_client(database, clock, "Buyer")
        async with database.transaction() as tx:
            await addresses.announce(tx, PUBLIC)
        app = create_app(house)
        async with asker(app, key) as http:
            yield ApiGround(app, house, clock, client_id, key, http)
