"""Reads on bad days: clocks that jump, lists with holes, writes in between, settings in the way."""

from collections.abc import AsyncIterator
from datetime import timedelta

import psycopg
import pytest
from tests.journeys.sync_shop import Ground, ground_of

from tallystick.db.pool import Database
from tallystick.lib.clock import FixedClock
from tallystick.lib.ids import new_id
from tallystick.lib.secrets import Vault
from tallystick.model import WIRE_DATA_TYPES
from tallystick.sync import settings
from tallystick.sync.settings import Setting


@pytest.fixture
async def ground(database: Database, clock: FixedClock, vault: Vault) -> AsyncIterator[Ground]:
    async with ground_of(database, clock, vault) as ground:
        ground.shop.put(clock, *(f"g{number:03}" for number in range(30)))
        await ground.drain()
        yield ground


def _back(ground: Ground, seconds: float) -> None:
    ground.clock.advance(seconds=-seconds)


async def test_a_list_with_a_gap_deletes_nothing(ground: Ground) -> None:
    del ground.shop.goods["g003"]
    ground.shop.gaps = "It counts 30 records and showed 29."
    row = await ground.whole_read()
    assert (row["status"], row["records_deleted"]) == ("Complete", 0)
    assert not any((await ground.held()).values())
    ground.shop.gaps = ""
    assert (await ground.whole_read())["records_deleted"] == 1


async def test_a_gap_is_known_however_much_else_is_odd(ground: Ground) -> None:
    """More oddities than are kept must not crowd out what forbids deletions."""
    del ground.shop.goods["g003"]
    await _fill_with_warnings(ground)
    ground.shop.put(ground.clock, "g001", impossible=1)
    row = await ground.whole_read()
    assert row["records_deleted"] == 0
    assert not any((await ground.held()).values())


async def _fill_with_warnings(ground: Ground) -> None:
    """As soon as the next read begins, it has a thousand warnings."""

    def fill() -> None:
        with psycopg.connect(ground.database.url) as db:
            db.execute(
                "insert into dataset_issue select id, 'warning', 'r', n::text, 'm', 'v'"
                " from dataset, generate_series(1, 1000) n where completed_at is null"
            )

    ground.shop.before_answer.append(fill)


async def test_a_clock_set_back_while_reading_deletes_nothing(ground: Ground) -> None:
    ground.shop.before_answer.append(lambda: _back(ground, 30))
    row = await ground.whole_read()
    assert (row["status"], row["records_deleted"]) == ("Complete", 0)
    assert not any((await ground.held()).values())


async def test_after_a_clock_was_set_back_nothing_is_missed(ground: Ground) -> None:
    """The last read believes to have begun in what is now the future."""
    _back(ground, 3600)
    ground.shop.put(ground.clock, "g001", name="changed meanwhile")
    row = await ground.read()
    assert row["full_read"]
    assert (await ground.names())["g001"].startswith("changed meanwhile")


async def test_a_schedule_does_not_wait_for_a_clock_that_was_set_back(ground: Ground) -> None:
    await _schedule(ground, "items")
    _back(ground, 365 * 24 * 3600)
    for _ in range(3):
        await ground.drain()
    async with ground.database.transaction() as tx:
        found = await (await tx.execute("select count(*) as n from dataset")).fetchone()
    assert found == {"n": 2}


async def test_a_write_stored_while_a_page_is_mapped_is_no_deletion(ground: Ground) -> None:
    """It was read before the page, and so looks older than the read that finds it known."""
    ground.shop.put(ground.clock, "g000", name="has to be mapped")
    early = ground.clock.now()

    def store_a_write() -> None:
        with psycopg.connect(ground.database.url) as db:
            db.execute(
                "update record set raw_hash = null, read_at = %s where id = 'g001'", (early,)
            )

    ground.shop.while_mapping.append(store_a_write)
    row = await ground.whole_read()
    assert (row["status"], row["records_deleted"]) == ("Complete", 0)
    assert not (await ground.held())["g001"]


async def test_what_was_seen_is_forgotten_even_where_nothing_may_be_deleted(
    ground: Ground,
) -> None:
    ground.shop.put(ground.clock, "g001", impossible=1)
    for _ in range(5):
        await ground.whole_read()
    async with ground.database.transaction() as tx:
        found = await (await tx.execute("select count(*) as n from record_seen")).fetchone()
    assert found is not None
    assert found["n"] <= 2 * 3


async def test_a_wider_window_reads_everything_again(ground: Ground) -> None:
    async def window(setting: Setting) -> None:
        await _save(ground, setting)

    await window(Setting("items", sync_from_utc=ground.clock.now() - timedelta(days=1)))
    assert (await ground.whole_read())["full_read"]
    await window(Setting("items", sync_from_utc=ground.clock.now() - timedelta(days=300)))
    assert (await ground.read())["full_read"]
    await window(Setting("items"))
    assert (await ground.read())["full_read"]
    assert not (await ground.read())["full_read"]


async def test_schedules_of_what_nobody_can_read_stand_in_nobodys_way(ground: Ground) -> None:
    async with ground.database.transaction() as tx:
        for _ in range(15):
            await tx.execute(
                "insert into connection (company_id, id, client_id, platform_key, status,"
                " created_at, linked_at) values (%s, %s, %s, 'gbol', 'Linked', %s, null)",
                (
                    ground.connection.company_id,
                    new_id(),
                    ground.connection.client_id,
                    ground.clock.now(),
                ),
            )
        # Linked long ago, and read at the time.
        await tx.execute("update connection set linked_at = created_at")
        await tx.execute(
            "insert into read_batch (id, company_id, connection_id, initial, created_at)"
            " select gen_random_uuid(), company_id, id, true, created_at from connection"
        )
    await _schedule(ground, *WIRE_DATA_TYPES)
    ground.clock.advance(seconds=7200)
    for _ in range(3):
        await ground.jobs.queue_scheduled()
    async with ground.database.transaction() as tx:
        rows = await tx.execute("select distinct connection_id from dataset")
        assert len(await rows.fetchall()) == 16


async def _schedule(ground: Ground, *data_types: str) -> None:
    await _save(ground, *(Setting(data_type, sync_schedule=1) for data_type in data_types))


async def _save(ground: Ground, *wanted: Setting) -> None:
    async with ground.database.transaction() as tx:
        await settings.save(
            tx,
            client_id=ground.connection.client_id,
            company_id=None,
            settings={setting.data_type: setting for setting in wanted},
            now=ground.clock.now(),
        )
