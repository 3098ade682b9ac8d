"""The engine on a small platform of its own, whose every list can be bent."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

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

    def put(self, clock: FixedClock, *ids: str, **members: Raw) -> None:
        for id_ in ids:
            self.goods[id_] = {"id": id_, "name": f"Good {id_}", **members}
            self.moved_at[id_] = clock.now()


@dataclass(frozen=True)
class _Books:
    version: str


@dataclass(frozen=True)
class _Client:
    access: Access
    shop: Shop


def _item(fields: Fields, books: _Books) -> Sequence[Record]:
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
        if shop.raises:
            raise shop.raises.pop(0)
        start = int(place)
        ids = shown[start : start + PAGE]
        place = str(start + PAGE) if start + PAGE < len(shown) else None
        raws = tuple(shop.goods[id_] for id_ in ids)
        yield Page(raws, place, client.access.clock.now(), total=len(shown))


async def _organisations(*_: Any) -> tuple[Organisation, ...]:
    return (Organisation("org", "Shop", "grant"),)


async def _pair(*args: Any) -> TokenPair:
    return TokenPair("access", "refresh", args[-1] + timedelta(days=1))


async def _nothing(*_: Any) -> None:
    return None


def _connector(shop: Shop) -> Connector[Any, Any]:
    async def books(_: _Client) -> _Books:
        return _Books(shop.books)

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


@pytest.fixture
async def ground(database: Database, clock: FixedClock, vault: Vault) -> AsyncIterator[Ground]:
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


def _ids(count: int) -> Iterator[str]:
    return (f"g{number:03}" for number in range(count))


async def test_a_long_list_is_read_in_slices_each_a_job_of_its_own(ground: Ground) -> None:
    ground.shop.put(ground.clock, *_ids(95))
    await ground.drain()

    assert len(await ground.held()) == 95
    (row,) = [await ground.row(await _latest(ground))]
    assert (row["status"], row["attempt"], row["records_read"]) == ("Complete", 5, 95)


async def _latest(ground: Ground) -> Dataset:
    async with ground.database.transaction() as tx:
        rows = await all_rows(tx, "select * from dataset order by requested_at desc limit 1")
    return datasets.of_row(rows[0])


async def test_only_what_changed_is_asked_for_and_an_overlap(ground: Ground) -> None:
    ground.shop.put(ground.clock, *_ids(5))
    await ground.drain()
    row = await ground.read()
    assert row["since"] == row["read_began_at"] - timedelta(seconds=60) - timedelta(minutes=5)


async def test_what_a_whole_read_does_not_see_is_marked_as_deleted(ground: Ground) -> None:
    ground.shop.put(ground.clock, *_ids(30))
    await ground.drain()
    del ground.shop.goods["g003"]
    assert (await ground.read())["records_deleted"] == 0
    assert (await ground.whole_read())["records_deleted"] == 1
    held = await ground.held()
    assert [id_ for id_, gone in held.items() if gone] == ["g003"]


async def test_what_comes_back_unchanged_is_there_again(ground: Ground) -> None:
    ground.shop.put(ground.clock, *_ids(30))
    await ground.drain()
    away = ground.shop.goods.pop("g003")
    await ground.whole_read()
    ground.shop.goods["g003"] = away
    await ground.whole_read()
    assert not (await ground.held())["g003"]


async def test_a_read_that_would_take_most_away_stops_and_keeps_all(ground: Ground) -> None:
    ground.shop.put(ground.clock, *_ids(30))
    await ground.drain()
    for id_ in list(ground.shop.goods)[:16]:
        del ground.shop.goods[id_]
    row = await ground.whole_read()
    assert row["status"] == "ValidationError"
    assert "16 of 30" in row["error_message"]
    assert not any((await ground.held()).values())


async def test_a_person_may_accept_that_most_is_gone(ground: Ground) -> None:
    ground.shop.put(ground.clock, *_ids(30))
    await ground.drain()
    for id_ in list(ground.shop.goods)[:16]:
        del ground.shop.goods[id_]
    await ground.whole_read()
    row = await ground.read(deletions_accepted=True)
    assert (row["status"], row["records_deleted"]) == ("Complete", 16)


async def test_small_lists_may_lose_everything(ground: Ground) -> None:
    ground.shop.put(ground.clock, *_ids(19))
    await ground.drain()
    ground.shop.goods.clear()
    row = await ground.whole_read()
    assert (row["status"], row["records_deleted"]) == ("Complete", 19)


async def test_a_record_that_cannot_be_mapped_hides_no_other_and_deletes_none(
    ground: Ground,
) -> None:
    ground.shop.put(ground.clock, *_ids(5))
    await ground.drain()
    ground.clock.advance(seconds=60)
    ground.shop.put(ground.clock, "g001", impossible=1)
    ground.shop.put(ground.clock, "g002", price="dear")
    del ground.shop.goods["g004"]
    row = await ground.whole_read()

    assert row["status"] == "Complete"
    assert not any((await ground.held()).values())
    async with ground.database.transaction() as tx:
        found = await datasets.issues_of(tx, dataset_id=str(row["id"]))
    assert {issue.rule_id for issue in found} == {
        "accounting-items-unmappable",
        "accounting-items-odd",
        "accounting-deletions-not-looked-for",
    }


async def test_a_mistake_of_ours_ends_the_read_and_keeps_the_data(ground: Ground) -> None:
    ground.shop.put(ground.clock, *_ids(5))
    await ground.drain()
    ground.clock.advance(seconds=60)
    ground.shop.put(ground.clock, "g001", bug=1)
    row = await ground.read()
    assert row["status"] == "MapError"
    assert len(await ground.held()) == 5


async def test_an_error_nobody_thought_of_ends_the_read_and_tells_nothing_inside(
    ground: Ground,
) -> None:
    ground.shop.put(ground.clock, *_ids(5))
    ground.shop.raises.append(ZeroDivisionError("/srv/secret.py"))
    await ground.drain()
    row = await ground.row(await _latest(ground))
    assert row["status"] == "InternalError"
    assert "secret" not in row["error_message"]


async def test_changed_books_map_the_unchanged_anew(ground: Ground) -> None:
    ground.shop.put(ground.clock, *_ids(5))
    await ground.drain()
    ground.shop.books = "2"
    ground.clock.advance(seconds=700)
    await ground.read()
    assert set((await ground.names()).values()) == {f"Good {id_} of 2" for id_ in _ids(5)}


async def test_an_empty_list_completes(ground: Ground) -> None:
    await ground.drain()
    row = await ground.row(await _latest(ground))
    assert (row["status"], row["progress"], row["records_read"]) == ("Complete", 100, 0)


async def test_a_connection_deleted_while_it_is_read_leaves_nothing_behind(ground: Ground) -> None:
    ground.shop.put(ground.clock, *_ids(95))
    queued = await ground.queue()
    await ground.engine.pull(queued.id)
    assert len(await ground.held()) == 20
    async with ground.database.transaction() as tx:
        await connections.delete(tx, ground.connection, now=ground.clock.now())
    await ground.engine.pull(queued.id)
    await ground.drain()
    assert await ground.held() == {}


async def test_a_read_that_never_gets_further_is_given_up(ground: Ground) -> None:
    queued = await ground.queue()
    for _ in range(10):
        async with ground.database.transaction() as tx:
            assert await datasets.begin(tx, dataset_id=queued.id, now=ground.clock.now())
    await ground.drain()
    row = await ground.row(queued)
    assert row["status"] == "InternalError"
    assert "10 times" in row["error_message"]


async def test_tokens_of_another_address_are_not_used(ground: Ground) -> None:
    ground.shop.put(ground.clock, *_ids(5))
    ground.connection = replace(ground.connection)
    async with ground.database.transaction() as tx:
        await tx.execute("update connection set base_url = 'http://elsewhere.example'")
    await ground.drain()
    row = await ground.row(await _latest(ground))
    assert row["status"] == "AuthError"
    assert "elsewhere.example" in row["error_message"]
    assert ground.shop.asked == []
