"""The engine on a small platform of its own, whose every list can be bent."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.journeys.sync_shop import Ground, ground_of

from tallystick.companies import connections
from tallystick.db.pool import Database, all_rows
from tallystick.lib.clock import FixedClock
from tallystick.lib.secrets import Vault
from tallystick.sync import datasets
from tallystick.sync.datasets import Dataset


@pytest.fixture
async def ground(database: Database, clock: FixedClock, vault: Vault) -> AsyncIterator[Ground]:
    async with ground_of(database, clock, vault) as ground:
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
