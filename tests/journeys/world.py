"""A whole small world: a simulated Xero, a database, a linked connection, and workers."""

import asyncio
import base64
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from tests.journeys import simulator as simulators
from tests.journeys.simulator import CLIENT_ID, REDIRECT, SECRET, Simulator
from tests.journeys.wiring import PUBLIC_URL, Work, work

from tallystick.access import clients
from tallystick.companies import companies, connections, credentials
from tallystick.companies.companies import Company
from tallystick.companies.connections import Connection
from tallystick.connectors.xero import XERO
from tallystick.db.pool import Database, all_rows
from tallystick.jobs import calendar, worker
from tallystick.jobs.queue import unfinished
from tallystick.lib import json
from tallystick.lib.clock import OffsetClock
from tallystick.lib.secrets import Vault
from tallystick.model import DATA_TYPES
from tallystick.settings import PlatformApp
from tallystick.sync import schedule

ROOT = Path(__file__).parents[2]
# Short, so that the work of a killed worker is taken over while a test waits.
STALLED_S = 1.0
_DRAIN_ROUNDS_MAX = 50
_SOON_S = 40.0


async def until(condition: Callable[[], Awaitable[bool]], *, within_s: float = _SOON_S) -> None:
    """Wait for something to become true."""
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110 - other processes set no event of ours
            await asyncio.sleep(0.02)


def _state(pid: int) -> str:
    """Linux's letter for what a process does; it stands behind the name (proc(5))."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@dataclass(frozen=True, slots=True)
class World:
    """Everything a journey may touch."""

    database: Database
    database_url: str
    clock: OffsetClock
    clock_file: Path
    vault: Vault
    http: httpx.AsyncClient
    simulator: Simulator
    apps: dict[str, PlatformApp]
    work: Work
    client_id: str
    company: Company
    connection: Connection

    def now(self) -> datetime:
        return self.clock.now()

    def advance(self, seconds: float) -> None:
        """Both clocks, ours and Xero's."""
        self.clock.advance(seconds=seconds)
        self.simulator.advance(seconds)

    @property
    def organisation_id(self) -> str:
        assert self.connection.organisation_id is not None
        return self.connection.organisation_id

    async def drain(self) -> None:
        """Do all that is due in this process, until nothing is."""
        for _ in range(_DRAIN_ROUNDS_MAX):
            await calendar.once(self.work.ticks)
            async with self.database.transaction() as tx:
                if await unfinished(tx) == 0:
                    return
            await worker.drain(self.database_url, tasks=self.work.tasks)
        raise AssertionError("there is always something due")

    async def link(self, organisation_id: str | None = None) -> Connection:
        """Go through consent again (for the same organisation unless another is named)."""
        async with self.database.transaction() as tx:
            connection = await connections.find(tx, self.connection.id)
        chosen = organisation_id or self.organisation_id
        return await linked(self, connection, chosen)

    async def queue(self, *data_types: str) -> None:
        """Ask for reads of these types."""
        async with self.database.transaction() as tx:
            await schedule.queue(
                tx,
                self.work.reach,
                await connections.find(tx, self.connection.id),
                list(data_types),
                initial=False,
                now=self.now(),
            )

    async def queue_all(self) -> None:
        """Ask for reads of all types."""
        await self.queue(*(record.key for record in DATA_TYPES))

    async def frozen(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait until the worker has stopped at its point (`TALLYSTICK_FREEZE_AT`)."""

        async def stopped() -> bool:
            return _state(process.pid) == "T"

        await until(stopped)

    def thawed(self, process: "subprocess.Popen[bytes]") -> None:
        os.kill(process.pid, signal.SIGCONT)

    async def current(self) -> Connection:
        async with self.database.transaction() as tx:
            return await connections.find(tx, self.connection.id)

    async def rows(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        """Look into the database; `%(company)s` and `%(connection)s` are known."""
        known = {"company": self.company.id, "connection": self.connection.id}
        async with self.database.transaction() as tx:
            return await all_rows(tx, statement, {**known, **parameters})

    async def bodies(self, data_type: str) -> dict[str, dict[str, Any]]:
        """The cached records of a type by id, deleted ones too."""
        rows = await self.rows(
            "select id, body from record where connection_id = %(connection)s"
            " and data_type = %(data_type)s",
            data_type=data_type,
        )
        return {row["id"]: json.loads(row["body"]) for row in rows}

    async def events(self, *event_types: str) -> list[dict[str, Any]]:
        """The envelopes of events, oldest first; of these types, or all."""
        rows = await self.rows("select event_type, body from event order by created_at, id")
        wanted = [row for row in rows if not event_types or row["event_type"] in event_types]
        return [json.loads(row["body"]) for row in wanted]

    @contextmanager
    def worker(self, **env: str) -> Iterator["subprocess.Popen[bytes]"]:
        """A real worker process; `TALLYSTICK_CRASH_AT=...` kills it at a point."""
        process = self.start_worker(**env)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def start_worker(self, **env: str) -> "subprocess.Popen[bytes]":
        app = self.apps["gbol"]
        settings = {
            "TALLYSTICK_DATABASE_URL": self.database_url,
            "TALLYSTICK_ENCRYPTION_KEY": base64.urlsafe_b64encode(self.vault.key).decode(),
            "TALLYSTICK_CLOCK_FILE": str(self.clock_file),
            "TALLYSTICK_XERO_CLIENT_ID": app.client_id,
            "TALLYSTICK_XERO_CLIENT_SECRET": app.client_secret,
            "TALLYSTICK_XERO_BASE_URL": app.base_url or "",
            "TALLYSTICK_WORKER_STALLED_S": str(STALLED_S),
            "TALLYSTICK_JOB_POLL_S": "0.05",
            "TALLYSTICK_PARENT": str(os.getpid()),
            "PYTHONPATH": str(ROOT),
        }
        with (self.clock_file.parent / "worker.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.journeys.worker_main"],
                cwd=ROOT,
                env={**os.environ, **settings, **env},
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def worker_log(self) -> str:
        return (self.clock_file.parent / "worker.log").read_text()

    async def killed(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait until the worker has died of its crash point."""

        async def dead() -> bool:
            return process.poll() is not None

        await until(dead)
        assert process.returncode == -9, self.worker_log()[-4000:]

    async def quiet(self) -> None:
        """Wait until workers have ended every read."""

        async def over() -> bool:
            rows = await self.rows("select count(*) as n from dataset where completed_at is null")
            batches = await self.rows("select count(*) as n from read_batch")
            return bool(batches[0]["n"]) and not rows[0]["n"]

        await until(over)


async def linked(world: World, connection: Connection, organisation_id: str) -> Connection:
    """Consent, exchange of the code, and the move to Linked with its tokens, as Link does it."""
    app = world.work.reach.app("gbol")
    url = XERO.oauth.authorize_url(app, REDIRECT, "state")
    code = await world.simulator.consent(world.http, url, organisation_id)
    now = world.now()
    pair = await XERO.oauth.exchange(world.http, app, code, REDIRECT, now)
    granted = await XERO.oauth.organisations(world.http, app, pair.access_token)
    organisation = next(each for each in granted if each.id == organisation_id)
    async with world.database.transaction() as tx:
        moved = await connections.linked(
            tx,
            connection,
            organisation=organisation,
            base_url=app.base_url,
            simulated=True,
            now=now,
        )
        await credentials.store(tx, world.vault, connection_id=moved.id, pair=pair, now=now)
    return moved


@asynccontextmanager
async def world_of(
    database: Database, vault: Vault, folder: Path, simulator: Simulator, *, limited: bool = False
) -> AsyncIterator[World]:
    """A client with one company and one connection, linked to the simulator's first books."""
    clock = OffsetClock(folder / "clock")
    app = PlatformApp(CLIENT_ID, SECRET, simulator.base_url, (), simulated=True)
    async with httpx.AsyncClient(timeout=30) as http:
        wired = work(
            database=database,
            clock=clock,
            vault=vault,
            http=http,
            apps={"gbol": app},
            limited=limited,
        )
        async with database.transaction() as tx:
            client = await clients.create(tx, name="Journeys", now=clock.now())
            company = await companies.create(
                tx,
                client_id=client.id,
                name="Harrow & Vale",
                description=None,
                tags={},
                created_by=None,
                now=clock.now(),
            )
            waiting = await connections.create(
                tx, company=company, platform_key="gbol", simulated=True, now=clock.now()
            )
        world = World(
            database=database,
            database_url=database.url,
            clock=clock,
            clock_file=folder / "clock",
            vault=vault,
            http=http,
            simulator=simulator,
            apps={"gbol": app},
            work=wired,
            client_id=client.id,
            company=company,
            connection=waiting,
        )
        first = simulator.organisations()[0]["id"]
        connection = await linked(world, waiting, first)
        yield World(**{**_parts(world), "connection": connection})


def _parts(world: World) -> dict[str, Any]:
    return {name: getattr(world, name) for name in World.__slots__}


__all__ = ["PUBLIC_URL", "STALLED_S", "World", "simulators", "until", "world_of"]
