"""Pulls one data type: page by page, each stored together with the place to go on from.

Killed anywhere, the next run goes on from the last stored place; a page stored twice changes
nothing. No transaction is open while the platform is asked.
"""

from datetime import datetime, timedelta
from typing import Any

import psycopg

from tallystick.companies import companies, connections
from tallystick.companies.connections import Connection
from tallystick.companies.connections import Status as Link
from tallystick.companies.reach import Reach
from tallystick.connectors.contract import Read
from tallystick.db.pool import Database, Tx
from tallystick.errors import NotFound, NotLinked
from tallystick.lib import crash
from tallystick.lib.clock import Clock
from tallystick.lib.log import log
from tallystick.records import store
from tallystick.sync import batches, datasets, settings
from tallystick.sync.datasets import Dataset, Issue, LastSuccess, Overtaken
from tallystick.sync.pages import Pages, Run, Slice
from tallystick.sync.plan import blows_fuse, plan
from tallystick.sync.states import Status
from tallystick.sync.verdicts import TRIES_MAX, Ending, FuseBlown, Pause, verdict

_SEEN_KEPT_FOR = timedelta(days=1)

_SKIPPED = Issue(
    "warning",
    "accounting-deletions-not-looked-for",
    "",
    "Not all records could be read, so what is no longer listed was not taken for deleted.",
    "Deletions",
)


class Engine:
    """Pulls for all connections; knows no platform."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        reach: Reach,
        public_url: str,
        slice_: Slice | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._reach = reach
        self._public_url = public_url
        self._pages = Pages(database=database, clock=clock, slice_=slice_ or Slice())

    async def pull(self, dataset_id: str) -> None:
        """One slice of a read, and its end if that is reached."""
        begun = await self._begin(dataset_id)
        if begun is None:
            return
        dataset, connection = begun
        try:
            await self._pull(dataset, connection)
        except Overtaken:
            log.info("pull_overtaken", dataset=dataset_id)
        except psycopg.OperationalError:
            # Our own database: nothing can be written down; the calendar asks again.
            raise
        except Exception as error:  # noqa: BLE001 - the verdict knows all that may happen
            await self._settle(dataset, connection, error)

    async def _begin(self, dataset_id: str) -> tuple[Dataset, Connection] | None:
        async with self._database.transaction() as tx:
            dataset = await datasets.begin(tx, dataset_id=dataset_id, now=self._clock.now())
            if dataset is None:
                return None
            try:
                return dataset, await connections.find(tx, dataset.connection_id)
            except NotFound:
                return None

    async def _pull(self, dataset: Dataset, connection: Connection) -> None:
        if dataset.tries > TRIES_MAX:
            message = f"The read stopped {TRIES_MAX} times without getting any further."
            await self._end(dataset, connection, Ending(Status.InternalError, message))
            return
        if connection.status is not Link.Linked:
            raise NotLinked(connection.id, connection.status)
        read = self._reach.connector(connection.platform_key).read_of(dataset.data_type)
        if read is None:
            message = f"{connection.platform.name} does not offer {dataset.data_type}."
            await self._end(dataset, connection, Ending(Status.NotSupported, message))
            return
        await self._pull_read(dataset, connection, read)

    async def _pull_read(
        self, dataset: Dataset, connection: Connection, read: Read[Any, Any]
    ) -> None:
        if dataset.status is not Status.Processing:
            client = self._reach.client(connection)
            books = await self._reach.books(connection, client, not_before=dataset.requested_at)
            planned = await self._planned(dataset, connection, read)
            run = Run(read, client, books, connection.platform_key)
            through = await self._pages.read(planned, run)
            if through is None:
                return
            dataset = through
        await self._finish(dataset, connection)

    # --- what to ask for ---

    async def _planned(
        self, dataset: Dataset, connection: Connection, read: Read[Any, Any]
    ) -> Dataset:
        """The read as it was planned; planned anew where it is to bring other books than before."""
        same = dataset.organisation_id == connection.organisation_id
        if dataset.read_began_at is not None and same:
            return dataset
        now = self._clock.now()
        async with self._database.transaction() as tx:
            last = await datasets.last_success(tx, dataset)
            floor = await settings.floor(
                tx,
                client_id=connection.client_id,
                company_id=connection.company_id,
                data_type=dataset.data_type,
                now=now,
            )
            chosen = plan(read, last, connection, floor=floor, now=now)
            if chosen.whole:
                # No request lives so long: no page is still to come that these would be held
                # against.
                await store.forget_seen(tx, **dataset.place, before=now - _SEEN_KEPT_FOR)
            return await datasets.plan(
                tx,
                dataset,
                full_read=chosen.whole,
                since=chosen.since,
                organisation_id=connection.organisation_id,
                now=now,
            )

    # --- the end ---

    async def _finish(self, dataset: Dataset, connection: Connection) -> None:
        crash.point("sync.before_finish")
        now = max(self._clock.now(), dataset.requested_at)
        async with self._database.transaction() as tx:
            # Company, connection, read: the order in which all who hold several take them.
            await datasets.hold_company(tx, company_id=dataset.company_id)
            await companies.touch_sync(tx, dataset.company_id, dataset.connection_id, now)
            last = await datasets.last_success(tx, dataset)
            done = await datasets.complete(tx, dataset, now=now)
            deleted = await self._mark_missing(tx, dataset, last, now)
            await datasets.count(tx, dataset, changed=0, deleted=deleted)
            await self._announce(tx, dataset, now)
        crash.point("sync.after_finish")
        if last is not None and done.records_changed + deleted and not dataset.since:
            # Accounts or tax rates may have moved, and what points at them with them.
            self._reach.forget_books(connection.id)

    async def _mark_missing(
        self, tx: Tx, dataset: Dataset, last: LastSuccess | None, now: datetime
    ) -> int:
        if not dataset.full_read or dataset.read_began_at is None:
            return 0
        if await datasets.has_gaps(tx, dataset_id=dataset.id):
            await datasets.note(tx, dataset_id=dataset.id, issues=[_SKIPPED])
            return 0
        where, before = dataset.place, dataset.read_began_at
        missing, held = await store.count_missing(tx, **where, before=before)
        if blows_fuse(dataset, last, missing=missing, held=held):
            raise FuseBlown(deleted=missing, rows=held)
        return await store.mark_missing(tx, **where, before=before, now=now)

    async def _settle(self, dataset: Dataset, connection: Connection, error: Exception) -> None:
        """Something went wrong: the read waits, or it is over."""
        found = verdict(error, tries=dataset.tries, now=self._clock.now())
        tell = log.bind(dataset=dataset.id, data_type=dataset.data_type, connection=connection.id)
        if isinstance(found, Pause):
            tell.info("pull_paused", reason=type(error).__name__, until=found.until.isoformat())
            await self._pause(dataset, found)
            return
        if found.status in {Status.InternalError, Status.MapError}:
            tell.error("pull_failed", status=found.status.value, exc_info=error)
        else:
            tell.warning("pull_failed", status=found.status.value, reason=type(error).__name__)
        await self._end(dataset, connection, found)

    async def _pause(self, dataset: Dataset, pause: Pause) -> None:
        try:
            async with self._database.transaction() as tx:
                await datasets.pause(
                    tx,
                    dataset,
                    description=pause.description,
                    resume_at=pause.until,
                    tries=pause.tries,
                )
        except Overtaken:
            log.info("pull_overtaken", dataset=dataset.id)

    async def _end(self, dataset: Dataset, connection: Connection, ending: Ending) -> None:
        now = self._clock.now()
        try:
            async with self._database.transaction() as tx:
                if ending.relink:
                    await self._deauthorise(tx, connection, ending.message, now)
                await datasets.end(
                    tx, dataset, status=ending.status, error_message=ending.message, now=now
                )
                await self._announce(tx, dataset, now)
        except Overtaken:
            log.info("pull_overtaken", dataset=dataset.id)

    async def _deauthorise(
        self, tx: Tx, connection: Connection, reason: str, now: datetime
    ) -> None:
        """Unless the customer has linked again since this slice began."""
        current = await connections.find(tx, connection.id)
        if current.linked_at == connection.linked_at:
            await connections.deauthorised(tx, current, reason=reason, now=now)

    async def _announce(self, tx: Tx, dataset: Dataset, now: datetime) -> None:
        await batches.announce_if_over(
            tx, batch_id=dataset.batch_id, public_url=self._public_url, now=now
        )
