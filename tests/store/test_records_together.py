"""Several jobs store for one company at once: nobody waits for ever, nobody misses a change."""

import asyncio
from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.shelves import Owner, bill, later, make_owner

from tallystick.db.pool import Database, Tx
from tallystick.lib import json
from tallystick.records import store
from tallystick.records.rows import Incoming


async def _owner(database: Database) -> Owner:
    async with database.transaction() as tx:
        return await make_owner(tx)


async def _put(tx: Tx, owner: Owner, ids: Sequence[str], *, data_type: str, at: int) -> None:
    await store.put_page(
        tx,
        **owner.place(data_type),
        incoming=[Incoming(bill(name, reference=f"{at}")) for name in ids],
        read_at=later(at),
        now=later(at),
    )


async def _until_somebody_waits(database: Database) -> None:
    async with asyncio.timeout(5), database.session() as tx:
        while True:
            waiting = await (
                await tx.execute(
                    "select from pg_stat_activity"
                    " where datname = current_database() and wait_event_type = 'Lock'"
                )
            ).fetchone()
            if waiting is not None:
                return
            await asyncio.sleep(0.01)


async def test_changes_become_visible_in_the_order_of_their_numbers(database: Database) -> None:
    owner = await _owner(database)

    async def second() -> None:
        async with database.transaction() as tx:
            await _put(tx, owner, ["b"], data_type="suppliers", at=1)

    async with database.transaction() as tx:
        await _put(tx, owner, ["a"], data_type="bills", at=1)
        task = asyncio.create_task(second())
        await _until_somebody_waits(database)
        assert not task.done()
    await task
    async with database.transaction() as tx:
        rows = await (await tx.execute("select id, change from record order by change")).fetchall()
    assert [(row["id"], row["change"]) for row in rows] == [("a", 1), ("b", 2)]


async def test_two_jobs_in_opposite_orders_do_not_lock_each_other_out(database: Database) -> None:
    owner = await _owner(database)
    first_in, go = asyncio.Event(), asyncio.Event()

    async def job(types: Sequence[str], at: int, *, leads: bool) -> None:
        async with database.transaction() as tx:
            await _put(tx, owner, ["a", "b"], data_type=types[0], at=at)
            if leads:
                first_in.set()
                await go.wait()
            await _put(tx, owner, ["b", "a"], data_type=types[1], at=at)

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(job(("bills", "suppliers"), 1, leads=True))
        await first_in.wait()
        tasks.create_task(job(("suppliers", "bills"), 2, leads=False))
        await _until_somebody_waits(database)
        go.set()
    async with database.transaction() as tx:
        rows = await (await tx.execute("select body from record")).fetchall()
    assert {json.loads(row["body"])["reference"] for row in rows} == {"2"}


async def test_a_record_stored_meanwhile_is_looked_at_again(database: Database) -> None:
    owner = await _owner(database)

    async def stale() -> None:
        async with database.transaction() as tx:
            await _put(tx, owner, ["a"], data_type="bills", at=1)

    async with database.transaction() as tx:
        await _put(tx, owner, ["a"], data_type="bills", at=2)
        task = asyncio.create_task(stale())
        await _until_somebody_waits(database)
    await task
    async with database.transaction() as tx:
        text = await store.get(tx, **owner.place(), id="a")
    assert json.loads(text or "{}")["reference"] == "2"


_IDS = ["a", "b", "c"]
_Step = tuple[str, int, dict[str, str]]
_puts: st.SearchStrategy[_Step] = st.tuples(
    st.just("put"),
    st.integers(0, 9),
    st.dictionaries(st.sampled_from(_IDS), st.sampled_from("xyz")),
)
_marks: st.SearchStrategy[_Step] = st.tuples(st.just("mark"), st.integers(0, 9), st.just({}))


class _Ledger:
    """What must be held: for each id its content, when it was last seen, and whether it is gone."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[str, int, bool]] = {}

    def put(self, at: int, page: dict[str, str]) -> None:
        for key, content in page.items():
            known = self.held.get(key)
            same = known is not None and known[0] == content and not known[2]
            if known is None or at >= known[1] or same:
                self.held[key] = (content, max(at, known[1]) if known and same else at, False)

    def mark(self, before: int) -> None:
        for key, (content, seen, gone) in self.held.items():
            if not gone and seen < before:
                self.held[key] = (content, before, True)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(_puts | _marks, max_size=8))
async def test_pages_in_any_order_leave_the_newest_state(tx: Tx, steps: list[_Step]) -> None:
    ledger = _Ledger()
    async with tx.transaction(force_rollback=True):
        owner = await make_owner(tx)
        for now, (step, at, page) in enumerate(steps):
            if step == "put":
                ledger.put(at, page)
                await store.put_page(
                    tx,
                    **owner.place(),
                    incoming=[Incoming(bill(key, reference=text)) for key, text in page.items()],
                    read_at=later(at),
                    now=later(now),
                )
            else:
                ledger.mark(at)
                await store.mark_missing(tx, **owner.place(), before=later(at), now=later(now))
        rows = await (await tx.execute("select body, change from record")).fetchall()
        bodies = [json.loads(row["body"]) for row in rows]
    assert {body["id"]: (body["reference"], body["metadata"]["isDeleted"]) for body in bodies} == {
        key: (content, gone) for key, (content, _, gone) in ledger.held.items()
    }
    assert len({row["change"] for row in rows}) == len(rows)
