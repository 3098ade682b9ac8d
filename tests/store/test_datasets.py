"""Reads in the database: the moves are what the table of moves says, and batches are told once."""

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.store.shelves import AT, Owner, make_owner

from tallystick.companies import companies, connections
from tallystick.connectors.xero import XERO
from tallystick.db.pool import Tx, all_rows, one
from tallystick.errors import DatasetInProgress, NotFound
from tallystick.lib.ids import new_id
from tallystick.sync import batches, datasets
from tallystick.sync.datasets import Dataset, Issue, Overtaken
from tallystick.sync.states import MOVES, Status

LATER = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
PUBLIC = "http://127.0.0.1:8400"
BOOKS = {"organisation_id": None}


async def _queued(tx: Tx, owner: Owner, *data_types: str, **options: Any) -> list[Dataset]:
    return await datasets.queue(
        tx,
        company=await companies.find(tx, owner.company_id),
        connection=await connections.find(tx, owner.connection_id),
        connector=XERO,
        data_types=data_types,
        initial=options.get("initial", False),
        skip_running=options.get("skip_running", False),
        now=options.get("now", AT),
    )


async def _set(tx: Tx, dataset: Dataset, status: Status) -> Dataset:
    over = AT if status.is_over else None
    await tx.execute(
        "update dataset set status = %s, completed_at = %s, attempt = 1 where id = %s",
        (status.value, over, dataset.id),
    )
    return await datasets.get(tx, company_id=dataset.company_id, dataset_id=dataset.id)


async def _moved(tx: Tx, name: str, dataset: Dataset) -> Dataset | None:
    match name:
        case "begin" | "begin_last_stage":
            row = await one(tx, datasets._SQL[name], {"id": dataset.id, "now": LATER})
            return None if row is None else datasets.of_row(row)
        case "advance":
            moved = datasets.advance(tx, dataset, feed=1, cursor=None, progress=50, read=3)
        case "read_through":
            moved = datasets.read_through(tx, dataset)
        case "pause":
            moved = datasets.pause(tx, dataset, description="", resume_at=LATER, tries=1)
        case "complete":
            moved = datasets.complete(tx, dataset, now=LATER)
        case _:
            moved = datasets.end(tx, dataset, status=Status.FetchError, error_message="", now=LATER)
    try:
        return await moved
    except Overtaken:
        return None


@pytest.mark.parametrize("name", MOVES)
@pytest.mark.parametrize("status", Status)
async def test_each_statement_moves_from_where_the_table_says(
    tx: Tx, name: str, status: Status
) -> None:
    (queued,) = await _queued(tx, await make_owner(tx), "bills")
    moved = await _moved(tx, name, await _set(tx, queued, status))

    assert (moved is not None) == (status in MOVES[name].come_from)
    wanted = MOVES[name].to
    if moved is not None and wanted is not None:
        assert moved.status is wanted


async def test_only_one_read_of_a_type_runs_at_a_time(tx: Tx) -> None:
    owner = await make_owner(tx)
    (running,) = await _queued(tx, owner, "bills")
    with pytest.raises(DatasetInProgress, match=running.id):
        await _queued(tx, owner, "bills")
    (beside,) = await _queued(tx, owner, "bills", "items", skip_running=True)
    assert beside.data_type == "items"


async def test_types_the_platform_lacks_are_left_out(tx: Tx) -> None:
    assert await _queued(tx, await make_owner(tx), "journals") == []


async def test_a_slice_that_was_overtaken_stores_nothing_more(tx: Tx) -> None:
    (queued,) = await _queued(tx, await make_owner(tx), "bills")
    first = await datasets.begin(tx, dataset_id=queued.id, now=AT)
    second = await datasets.begin(tx, dataset_id=queued.id, now=AT)
    assert first is not None
    assert second is not None
    with pytest.raises(Overtaken):
        await datasets.advance(tx, first, feed=0, cursor="2", progress=10, read=1)
    assert (
        await datasets.advance(tx, second, feed=0, cursor="2", progress=10, read=1)
    ).cursor == "2"


async def test_no_page_is_stored_for_a_connection_that_was_unlinked(tx: Tx) -> None:
    owner = await make_owner(tx)
    (queued,) = await _queued(tx, owner, "bills")
    begun = await datasets.begin(tx, dataset_id=queued.id, now=AT)
    assert begun is not None
    await tx.execute(
        "update connection set status = 'Unlinked' where id = %s", (owner.connection_id,)
    )
    with pytest.raises(Overtaken):
        await datasets.advance(tx, begun, feed=0, cursor="2", progress=10, read=1)


async def test_a_paused_read_is_left_alone_until_its_moment(tx: Tx) -> None:
    (queued,) = await _queued(tx, await make_owner(tx), "bills")
    begun = await datasets.begin(tx, dataset_id=queued.id, now=AT)
    assert begun is not None
    await datasets.pause(tx, begun, description="Paused", resume_at=LATER, tries=1)
    assert await datasets.begin(tx, dataset_id=queued.id, now=AT) is None
    await tx.execute("delete from procrastinate_jobs")
    assert await datasets.defer_due(tx, now=AT, most=10) == 0
    assert await datasets.defer_due(tx, now=LATER, most=10) == 1
    assert await datasets.defer_due(tx, now=LATER, most=10) == 0
    assert await datasets.begin(tx, dataset_id=queued.id, now=LATER) is not None


async def _ended(tx: Tx, dataset: Dataset, status: Status) -> None:
    begun = await datasets.begin(tx, dataset_id=dataset.id, now=AT)
    assert begun is not None
    if status is Status.Complete:
        through = await datasets.read_through(tx, begun)
        await datasets.complete(tx, through, now=LATER)
    else:
        await datasets.end(tx, begun, status=status, error_message="It failed.", now=LATER)
    await batches.announce_if_over(tx, batch_id=dataset.batch_id, public_url=PUBLIC, now=LATER)


async def _events(tx: Tx) -> list[str]:
    return [row["event_type"] for row in await all_rows(tx, "select event_type from event")]


async def test_the_last_read_of_a_batch_tells_of_all(tx: Tx) -> None:
    first, second = await _queued(tx, await make_owner(tx), "bills", "items", initial=True)
    await _ended(tx, first, Status.Complete)
    assert await _events(tx) == []
    await _ended(tx, second, Status.FetchError)
    assert sorted(await _events(tx)) == ["read.completed", "read.completed.initial"]
    await batches.announce_if_over(tx, batch_id=first.batch_id, public_url=PUBLIC, now=LATER)
    assert len(await _events(tx)) == 2


async def test_a_first_batch_without_a_success_is_no_initial_read(tx: Tx) -> None:
    (only,) = await _queued(tx, await make_owner(tx), "bills", initial=True)
    await _ended(tx, only, Status.AuthError)
    assert await _events(tx) == ["read.completed"]


async def test_issues_are_counted_and_bounded(tx: Tx) -> None:
    (queued,) = await _queued(tx, await make_owner(tx), "bills")
    issue = Issue("warning", "rule", "a", "odd", "BillValidator")
    await datasets.note(tx, dataset_id=queued.id, issues=[issue, issue])
    assert [found.count for found in await datasets.issues_of(tx, dataset_id=queued.id)] == [2]
    many = [Issue("warning", "rule", str(n), "odd", "BillValidator") for n in range(1100)]
    await datasets.note(tx, dataset_id=queued.id, issues=many)
    assert len(await datasets.issues_of(tx, dataset_id=queued.id)) == 1000


async def test_another_companys_read_is_not_found(tx: Tx) -> None:
    (queued,) = await _queued(tx, await make_owner(tx), "bills")
    with pytest.raises(NotFound):
        await datasets.get(tx, company_id=new_id(), dataset_id=queued.id)


async def test_the_history_forgets_the_old_but_not_the_last_success(tx: Tx) -> None:
    owner = await make_owner(tx)
    for _ in range(3):
        (queued,) = await _queued(tx, owner, "bills")
        await _ended(tx, queued, Status.Complete)
    await datasets.forget_old(tx, before=datetime(2027, 6, 1, tzinfo=UTC))
    assert len(await all_rows(tx, "select id from dataset")) == 1
