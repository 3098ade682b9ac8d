"""How fast records are taken in, beside COPY of the same rows into the same indexed table."""

import asyncio
import copy
import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
from tests.bench.figure import Figure
from tests.bench.material import NOW, Place, invoices, place
from tests.unit.connectors.xero.golden import books

from tallystick.connectors.contract import Page
from tallystick.connectors.xero import XERO
from tallystick.connectors.xero.books import XeroBooks
from tallystick.db.pool import Database
from tallystick.lib import json
from tallystick.lib.ids import derived_id
from tallystick.model.receivables import Invoice
from tallystick.records import store
from tallystick.records.rows import Incoming, Row, body, lead, row
from tallystick.sync import mapping

_RECORDS = 20_000
_MAPPED = 6_000
_PAGE = 1_000
_ROUNDS = 3
_GOLDEN = Path(__file__).parents[1] / "golden" / "xero"


def measure(url: str) -> list[Figure]:
    """Storing alone, then with the mapping."""
    rows = [row(Incoming(record)) for record in invoices(_RECORDS)]
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("create table record_copy (like record including all)")
    rounds = [_storing(url, rows) for _ in range(_ROUNDS)]
    first, again, copied = (statistics.median(figures) for figures in zip(*rounds, strict=True))
    fresh, known = asyncio.run(_mapping(url))
    return [
        Figure("P3 first load", _per_s(first), f"COPY {_per_s(copied)}", first / copied, 0.6),
        Figure("P3 unchanged", _per_s(again), f"first {_per_s(first)}", again / first, 5),
        Figure("P3 mapped, first", _per_s(fresh), "5,000/s", fresh / 5_000, 1),
        Figure("P3 unchanged raw", _per_s(known), f"first {_per_s(fresh)}", known / fresh, 1),
    ]


def _per_s(rate: float) -> str:
    return f"{rate:,.0f}/s"


def _storing(url: str, rows: Sequence[Row]) -> tuple[float, float, float]:
    """Records a second: first load, the same again, COPY. Each page is a transaction of its own."""
    here = place(url)
    copied = _timed(lambda: _copy(url, here, rows))
    first = _timed(lambda: asyncio.run(_put(url, here, rows, at=0)))
    again = _timed(lambda: asyncio.run(_put(url, here, rows, at=60)))
    return len(rows) / first, len(rows) / again, len(rows) / copied


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _pages(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), _PAGE):
        yield rows[start : start + _PAGE]


async def _put(url: str, here: Place, rows: Sequence[Row], *, at: int) -> None:
    moment = NOW + timedelta(seconds=at)
    async with Database(url, size=1) as database:
        for page in _pages(rows):
            async with database.transaction() as tx:
                await store.put_rows(
                    tx,
                    company_id=here.company_id,
                    connection_id=here.connection_id,
                    data_type="invoices",
                    rows=page,
                    read_at=moment,
                    now=moment,
                )


def _copy(url: str, here: Place, rows: Sequence[Row]) -> None:
    """The ceiling: the finished rows, one COPY a page, one transaction a page."""
    start = lead(Invoice, is_deleted=False, modified_at=NOW)
    columns = (
        "company_id, connection_id, data_type, id, body, fields, hash, is_deleted, modified_at,"
        " read_at, change"
    )
    number = 0
    with psycopg.connect(url) as db:
        for page in _pages(rows):
            with (
                db.transaction(),
                db.cursor() as cursor,
                cursor.copy(f"copy record_copy ({columns}) from stdin") as out,
            ):
                for each in page:
                    number += 1
                    out.write_row(
                        (
                            here.company_id,
                            here.connection_id,
                            "invoices",
                            each.id,
                            body(each.content, start),
                            each.fields,
                            each.hash,
                            each.is_deleted,
                            NOW,
                            NOW,
                            number,
                        )
                    )


async def _mapping(url: str) -> tuple[float, float]:
    """Records a second with hashing and mapping of Xero's JSON: new ones, then unchanged ones."""
    # As a worker sets it.
    gc.set_threshold(20_000, 10, 10)
    here = place(url)
    books, raws = _xero()
    async with Database(url, size=1) as database:
        fresh = await _timed_async(lambda: _pull(database, here, books, raws, at=0))
        known = await _timed_async(lambda: _pull(database, here, books, raws, at=60))
    return len(raws) / fresh, len(raws) / known


async def _timed_async(work: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


async def _pull(
    database: Database, here: Place, books: XeroBooks, raws: Sequence[Any], *, at: int
) -> None:
    """What one slice of a pull does with its pages, without the platform."""
    read = XERO.read_of("bills")
    if read is None:
        raise LookupError("Xero's bills are not read.")
    feed, moment = read.feeds[0], NOW + timedelta(seconds=at)
    where = {
        "company_id": here.company_id,
        "connection_id": here.connection_id,
        "data_type": "bills",
    }
    for page in _pages(raws):
        hashes = mapping.raw_hashes(Page(tuple(page), None, moment), feed, books)
        async with database.transaction() as tx:
            known = await store.known_raws(tx, **where, raw_hashes=hashes)
        fresh = [pair for pair in zip(page, hashes, strict=True) if pair[1] not in known]
        mapped = mapping.mapped(fresh, read, feed, books)
        async with database.transaction() as tx:
            await store.put_page(tx, **where, incoming=mapped.incoming, read_at=moment, now=moment)
            await store.touch(tx, **where, raw_hashes=sorted(known), read_at=moment)


def _xero() -> tuple[XeroBooks, list[Any]]:
    """Xero's own shape of a bill, with other ids and totals."""
    pattern = json.loads((_GOLDEN / "bills" / "approved-read-alone.in.json").read_text())["record"]
    raws = []
    for number in range(_MAPPED):
        raw = copy.deepcopy(pattern)
        raw["InvoiceID"] = derived_id("bench-bill", str(number))
        raw["InvoiceNumber"] = f"B-{number}"
        raws.append(raw)
    return books(), raws
