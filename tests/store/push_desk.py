"""A company whose connection is linked to paper, and what a worker does with its writes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
from tests.store.push_paper import KEY, Paper, connector

from tallystick.access import clients
from tallystick.companies import companies, connections
from tallystick.companies.connections import Connection
from tallystick.companies.reach import Reach
from tallystick.connectors.contract import Organisation
from tallystick.db.pool import Database, all_rows
from tallystick.lib import json
from tallystick.lib.clock import FixedClock
from tallystick.lib.secrets import Vault
from tallystick.model import BillPayment, Supplier
from tallystick.push import operations
from tallystick.push.jobs import PushJobs
from tallystick.push.operations import File, Operation, Request
from tallystick.push.proof import targets
from tallystick.settings import PlatformApp


def payment(bill: str, amount: str, **more: Any) -> dict[str, Any]:
    """A body that pays part of a bill."""
    link = {"type": "Bill", "id": bill, "amount": -Decimal(amount)}
    line = {"amount": Decimal(amount), "links": [link]}
    return {"date": "2026-11-20", "totalAmount": Decimal(amount), "lines": [line], **more}


@dataclass
class Desk:
    """Everything a test of the engine touches."""

    database: Database
    clock: FixedClock
    paper: Paper
    reach: Reach
    jobs: PushJobs
    connection: Connection

    async def ask(self, body: dict[str, Any], *, supplier: bool = False, **more: Any) -> Operation:
        """A write as the API takes it in."""
        record_type = Supplier if supplier else BillPayment
        record = record_type.from_wire(body)
        request = Request(
            company_id=self.connection.company_id,
            client_id=self.connection.client_id,
            connection_id=self.connection.id,
            organisation_id=self.connection.organisation_id,
            data_type=record_type.key,
            body=json.canonical(body).decode(),
            targets=targets(record),
            **more,
        )
        async with self.database.transaction() as tx:
            return await operations.accept(tx, request, now=self.clock.now())

    async def ask_file(self, file: File) -> Operation:
        request = Request(
            company_id=self.connection.company_id,
            client_id=self.connection.client_id,
            connection_id=self.connection.id,
            organisation_id=self.connection.organisation_id,
            data_type="bills",
            body="{}",
            kind=operations.UPLOAD,
            record_id="b1",
            targets=("bills/b1",),
        )
        async with self.database.transaction() as tx:
            return await operations.accept(tx, request, now=self.clock.now(), file=file)

    async def see(self, operation: Operation) -> Operation:
        async with self.database.transaction() as tx:
            return await operations.get(tx, company_id=operation.company_id, key=operation.key)

    async def perform(self, operation: Operation, *, after_s: float = 0) -> Operation:
        """Let time pass, run the operation's job, and look at it."""
        self.clock.advance(seconds=after_s)
        await self.jobs.perform(operation.key)
        return await self.see(operation)

    async def rows(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        async with self.database.transaction() as tx:
            return await all_rows(tx, statement, parameters)

    async def events(self) -> list[tuple[str, dict[str, Any]]]:
        """The events of writes, oldest first."""
        rows = await self.rows(
            "select event_type, body from event where event_type like '%%.write.%%'"
            " order by created_at, id"
        )
        return [(row["event_type"], json.loads(row["body"])["payload"]) for row in rows]

    async def cached(self, data_type: str) -> dict[str, dict[str, Any]]:
        rows = await self.rows(
            "select id, body from record where data_type = %(data_type)s", data_type=data_type
        )
        return {row["id"]: json.loads(row["body"]) for row in rows}


@asynccontextmanager
async def desk_of(database: Database, clock: FixedClock, vault: Vault) -> AsyncIterator[Desk]:
    """A linked connection, with two bills on paper."""
    paper = Paper(dues={"b1": Decimal("100.00"), "b2": Decimal("50.10")})
    async with database.transaction() as tx:
        now = clock.now()
        client = await clients.create(tx, name="Tests", now=now)
        company = await companies.create(
            tx,
            client_id=client.id,
            name="Paper & Co",
            description=None,
            tags={},
            created_by=None,
            now=now,
        )
        waiting = await connections.create(
            tx, company=company, platform_key=KEY, simulated=False, now=now
        )
        connection = await connections.linked(
            tx,
            waiting,
            organisation=Organisation("org-1", "Paper & Co", "grant-1"),
            base_url=None,
            simulated=False,
            now=now,
        )
    async with httpx.AsyncClient() as http:
        reach = Reach(
            database=database,
            vault=vault,
            clock=clock,
            connectors={KEY: connector(paper)},
            apps={KEY: PlatformApp("id", "secret", None, ())},
            http=http,
        )
        jobs = PushJobs(database=database, reach=reach, clock=clock)
        yield Desk(database, clock, paper, reach, jobs, connection)
