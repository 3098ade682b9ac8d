"""The pages of a read: each mapped and stored together with the place after it."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from tallystick.connectors.contract import Books, Feed, Page, Read
from tallystick.db.pool import Database
from tallystick.lib import crash
from tallystick.lib.clock import Clock
from tallystick.lib.log import log
from tallystick.records import store
from tallystick.sync import datasets, mapping
from tallystick.sync.datasets import Dataset
from tallystick.sync.mapping import Mapped


@dataclass(frozen=True, slots=True)
class Slice:
    """How much one job may do before it gives others their turn."""

    pages: int = 20
    seconds: float = 20.0


@dataclass(frozen=True, slots=True)
class Run:
    """What stays the same for all pages of a slice."""

    read: Read[Any, Any]
    client: Any
    books: Books
    platform_key: str


class _KnownNoMore(Exception):
    """A write has stored one of the records since we looked: it has to be mapped after all."""


class Pages:
    """Reads and stores pages for all connections."""

    def __init__(self, *, database: Database, clock: Clock, slice_: Slice) -> None:
        self._database = database
        self._clock = clock
        self._slice = slice_
        self._told_fields: dict[tuple[str, str, str], date] = {}

    async def read(self, dataset: Dataset, run: Run) -> Dataset | None:
        """The read with all its pages stored; None where the slice is used up before."""
        until = time.monotonic() + self._slice.seconds
        left = self._slice.pages
        while dataset.feed < len(run.read.feeds):
            feed_before = dataset.feed
            async with aclosing(self._pages(dataset, run)) as pages:
                async for page in pages:
                    crash.point("sync.after_fetch")
                    left -= 1
                    more = page.cursor is not None or dataset.feed + 1 < len(run.read.feeds)
                    over = more and (left <= 0 or time.monotonic() >= until)
                    dataset = await self._store(dataset, run, page, over=over)
                    crash.point("sync.after_store")
                    if over:
                        return None
                    if page.cursor is None:
                        break
            if dataset.feed == feed_before:
                dataset = await self._next_feed(dataset)
        async with self._database.transaction() as tx:
            return await datasets.read_through(tx, dataset)

    def _pages(self, dataset: Dataset, run: Run) -> AsyncGenerator[Page, None]:
        """The pages of the feed the read stands at, from the place where it stands."""
        crash.point("sync.before_request")
        feed = run.read.feeds[dataset.feed]
        since = dataset.since if feed.incremental else None
        pages = feed.pages(run.client, since, dataset.cursor)
        return cast("AsyncGenerator[Page, None]", pages)

    async def _next_feed(self, dataset: Dataset) -> Dataset:
        """The feed stopped without a last page."""
        async with self._database.transaction() as tx:
            return await datasets.advance(
                tx,
                dataset,
                feed=dataset.feed + 1,
                cursor=None,
                progress=dataset.progress,
                read=0,
            )

    async def _store(self, dataset: Dataset, run: Run, page: Page, *, over: bool) -> Dataset:
        """The page and the place after it, both or neither; a slice that is over asks for more."""
        feed = run.read.feeds[dataset.feed]
        hashes = mapping.raw_hashes(page, feed, run.books)
        while True:
            async with self._database.transaction() as tx:
                known = await store.known_raws(tx, **dataset.place, raw_hashes=hashes)
            fresh = [
                (raw, digest)
                for raw, digest in zip(page.raws, hashes, strict=True)
                if digest not in known
            ]
            mapped = mapping.mapped(fresh, run.read, feed, run.books, gaps=page.gaps)
            self._tell_fields(run, feed, mapped.unknown)
            try:
                return await self._put(dataset, run, page, known, mapped, over=over)
            except _KnownNoMore:
                log.info("page_mapped_again", dataset=dataset.id)

    async def _put(
        self,
        dataset: Dataset,
        run: Run,
        page: Page,
        known: set[bytes],
        mapped: Mapped,
        *,
        over: bool,
    ) -> Dataset:
        where = dataset.place
        # A clock that was set back must make nothing look older than the read it belongs to.
        read_at = max(page.requested_at, dataset.read_began_at or page.requested_at)
        async with self._database.transaction() as tx:
            await datasets.hold_company(tx, company_id=dataset.company_id)
            # Then the read's own row: it is refused here if anything has gone, and nothing of the
            # connection can be removed until the page is stored.
            moved = await datasets.advance(
                tx,
                dataset,
                feed=dataset.feed if page.cursor is not None else dataset.feed + 1,
                cursor=page.cursor,
                progress=_progress(dataset, run.read, page),
                read=len(known) + len(mapped.incoming),
            )
            if dataset.full_read and known:
                if await store.known_raws(tx, **where, raw_hashes=list(known)) != known:
                    raise _KnownNoMore
                await store.touch(tx, **where, raw_hashes=list(known), read_at=read_at)
            stored = await store.put_page(
                tx,
                **where,
                incoming=mapped.incoming,
                read_at=read_at,
                now=max(self._clock.now(), dataset.requested_at),
                parents=mapped.parents,
            )
            await datasets.count(
                tx, dataset, changed=stored.created + stored.changed, deleted=stored.deleted
            )
            await datasets.note(tx, dataset_id=dataset.id, issues=mapped.issues)
            crash.point("sync.in_transaction")
            if over:
                await datasets.defer_pull(tx, dataset.id, dataset.connection_id)
        return moved

    def _tell_fields(self, run: Run, feed: Feed[Any, Any], unknown: frozenset[str]) -> None:
        """Say once a day that the platform sends a field nobody has thought of."""
        today = self._clock.now().date()
        for path in sorted(unknown):
            key = (run.platform_key, feed.name, path)
            if self._told_fields.get(key) != today:
                self._told_fields[key] = today
                log.warning("unknown_field", platform=run.platform_key, feed=feed.name, path=path)


def _progress(dataset: Dataset, read: Read[Any, Any], page: Page) -> int:
    """Of 95: the rest is for the end. Where the platform gives no total, a feed counts half."""
    feeds, done = len(read.feeds), dataset.feed + 1.0
    if page.cursor is not None:
        seen = dataset.records_read + len(page.raws)
        done = dataset.feed + (min(seen / page.total, 1.0) if page.total else 0.5)
    return int(95 * done / feeds)
