"""A platform that bends: one list of goods, a linked connection, and the engine that reads it."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tallystick.access import clients
from tallystick.companies import companies, connections, credentials
from tallystick.companies.reach import Reach
from tallystick.connectors.contract import (
    Access,
    Connector,
    Feed,
    Limits,
    OAuth,
    Organisation,
    Page,
    Raw,
    Read,
    TokenPair,
)
from tallystick.connectors.fields import Fields
from tallystick.connectors.xero import XERO
from tallystick.db.pool import Database, all_rows
from tallystick.jobs import calendar, worker
from tallystick.jobs.queue import unfinished
from tallystick.lib import json
from tallystick.lib.clock import FixedClock
from tallystick.lib.secrets import Vault
from tallystick.model import Item, Record
from tallystick.settings import PlatformApp
from tallystick.sync import datasets
from tallystick.sync.datasets import Dataset
from tallystick.sync.engine import Engine
from tallystick.sync.jobs import SyncJobs
from tallystick.sync.pages import Slice

PAGE = 10


@dataclass
class Shop:
    """A platform: one list of goods, in pages; `asked` remembers every request."""

    goods: dict[str, Raw] = field(default_factory=dict)
    moved_at: dict[str, datetime] = field(default_factory=dict)
    asked: list[tuple[str, datetime | None, str | None]] = field(default_factory=list)
    books: str = "1"
    raises: list[Exception] = field(default_factory=list)
    gaps: str = ""
    before_answer: list[Callable[[], None]] = field(default_factory=list)
    while_mapping: list[Callable[[], None]] = field(default_factory=list)

    def put(self, clock: FixedClock, *ids: str, **members: Raw) -> None:
        for id_ in ids:
            self.goods[id_] = {"id": id_, "name": f"Good {id_}", **members}
            self.moved_at[id_] = clock.now()


@dataclass(frozen=True)
class _Books:
    version: str
    shop: Shop


@dataclass(frozen=True)
class _Client:
    access: Access
    shop: Shop


def _item(fields: Fields, books: _Books) -> Sequence[Record]:
    if books.shop.while_mapping:
        books.shop.while_mapping.pop(0)()
    if fields.has("bug"):
        raise KeyError("ours")
    if fields.has("impossible"):
        raise ValueError("such a thing is not")
    item = {
        "id": fields.text("id"),
        "name": f"{fields.text('name')} of {books.version}",
        "itemStatus": "Active",
        "type": "Unknown",
        "isBillItem": False,
        "isInvoiceItem": False,
    }
    fields.number("price")
    return (Item.model_validate(item),)


async def _pages(
    client: _Client, since: datetime | None, cursor: str | None
) -> AsyncIterator[Page]:
    shop = client.shop
    shown = [id_ for id_ in sorted(shop.goods) if since is None or shop.moved_at[id_] >= since]
    place: str | None = cursor or "0"
    while place is not None:
        shop.asked.append(("items", since, cursor))
        if shop.before_answer:
            shop.before_answer.pop(0)()
        if shop.raises:
            raise shop.raises.pop(0)
        start = int(place)
        ids = shown[start : start + PAGE]
        place = str(start + PAGE) if start + PAGE < len(shown) else None
        raws = tuple(shop.goods[id_] for id_ in ids)
        gaps = "" if place else shop.gaps
        yield Page(raws, place, client.access.clock.now(), total=len(shown), gaps=gaps)


async def _organisations(*_: Any) -> tuple[Organisation, ...]:
    return (Organisation("org", "Shop", "grant"),)


async def _pair(*args: Any) -> TokenPair:
    return TokenPair("access", "refresh", args[-1] + timedelta(days=1))


async def _nothing(*_: Any) -> None:
    return None


def _connector(shop: Shop) -> Connector[Any, Any]:
    async def books(_: _Client) -> _Books:
        return _Books(shop.books, shop)

    return Connector(
        key=XERO.key,
        name="Shop",
        oauth=OAuth(lambda *_: "", _pair, _pair, _organisations, _nothing),
        limits=Limits(),
        client=lambda access: _Client(access, shop),
        books=books,
        reads=(Read(type=Item, feeds=(Feed("goods", _pages, _item),)),),
        writes=(),
    )


@dataclass
class Ground:
    """The engine, a linked connection, and the shop behind it."""

    database: Database
    clock: FixedClock
    shop: Shop
    jobs: SyncJobs
    engine: Engine
    connection: connections.Connection

    async def queue(self, *, deletions_accepted: bool = False) -> Dataset:
        async with self.database.transaction() as tx:
            (queued,) = await datasets.queue(
                tx,
                company=await companies.find(tx, self.connection.company_id),
                connection=self.connection,
                connector=_connector(self.shop),
                data_types=["items"],
                initial=False,
                skip_running=False,
                now=self.clock.now(),
                deletions_accepted=deletions_accepted,
            )
        return queued

    async def drain(self) -> None:
        for _ in range(50):
            await calendar.once(self.jobs.ticks())
            async with self.database.transaction() as tx:
                if await unfinished(tx) == 0:
                    return
            await worker.drain(self.database.url, tasks={datasets.PULL: self.engine.pull})
        raise AssertionError("there is always something due")

    async def read(self, **options: bool) -> dict[str, Any]:
        """Read once, a minute after what was before."""
        self.clock.advance(seconds=60)
        queued = await self.queue(**options)
        await self.drain()
        return await self.row(queued)

    async def whole_read(self, **options: bool) -> dict[str, Any]:
        self.clock.advance(seconds=8 * 24 * 3600)
        return await self.read(**options)

    async def row(self, dataset: Dataset) -> dict[str, Any]:
        async with self.database.transaction() as tx:
            (row,) = await all_rows(tx, "select * from dataset where id = %s", (dataset.id,))
        return row

    async def held(self) -> dict[str, bool]:
        """Which goods are cached, and whether as deleted."""
        async with self.database.transaction() as tx:
            rows = await all_rows(tx, "select id, is_deleted from record")
        return {row["id"]: row["is_deleted"] for row in rows}

    async def names(self) -> dict[str, str]:
        async with self.database.transaction() as tx:
            rows = await all_rows(tx, "select id, body from record")
        return {row["id"]: json.loads(row["body"])["name"] for row in rows}


@asynccontextmanager
async def ground_of(database: Database, clock: FixedClock, vault: Vault) -> AsyncIterator[Ground]:
    """Linked, and nothing read yet."""
    shop = Shop()
    async with httpx.AsyncClient() as http:
        reach = Reach(
            database=database,
            vault=vault,
            clock=clock,
            connectors={XERO.key: _connector(shop)},
            apps={XERO.key: PlatformApp("id", "secret", None, ())},
            http=http,
        )
        now = clock.now()
        async with database.transaction() as tx:
            client = await clients.create(tx, name="Client", now=now)
            company = await companies.create(
                tx,
                client_id=client.id,
                name="Company",
                description=None,
                tags={},
                created_by=None,
                now=now,
            )
            waiting = await connections.create(
                tx, company=company, platform_key=XERO.key, simulated=False, now=now
            )
            linked = await connections.linked(
                tx,
                waiting,
                organisation=Organisation("org", "Shop", "grant"),
                base_url=None,
                simulated=False,
                now=now,
            )
            pair = TokenPair("access", "refresh", datetime(2036, 1, 1, tzinfo=UTC))
            await credentials.store(tx, vault, connection_id=linked.id, pair=pair, now=now)
        parts = {"database": database, "clock": clock, "reach": reach, "public_url": "http://x"}
        engine = Engine(**parts, slice_=Slice(pages=2))  # type: ignore[arg-type]
        ground = Ground(database, clock, shop, SyncJobs(**parts), engine, linked)  # type: ignore[arg-type]
        yield ground
