"""Pages of records are stored once, in their newest state, and none is lost or falsely deleted."""

from collections.abc import Sequence

import pytest
from tests.store.shelves import Owner, bill, later, make_owner

from tallystick.db.pool import Tx
from tallystick.lib import json
from tallystick.model import CompanyInfo
from tallystick.model.base import Metadata, Record
from tallystick.records import store
from tallystick.records.rows import Incoming


@pytest.fixture
async def owner(tx: Tx) -> Owner:
    return await make_owner(tx)


async def _put(
    tx: Tx, owner: Owner, *incoming: Record | Incoming, at: float = 0, parents: Sequence[str] = ()
) -> store.Stored:
    return await store.put_page(
        tx,
        **owner.place(),
        incoming=[each if isinstance(each, Incoming) else Incoming(each) for each in incoming],
        read_at=later(at),
        now=later(at),
        parents=parents,
    )


async def _body(tx: Tx, owner: Owner, id: str) -> dict[str, object]:  # noqa: A002 - the field's own word
    text = await store.get(tx, **owner.place(), id=id)
    assert text is not None
    body: dict[str, object] = json.loads(text)
    return body


async def _changes(tx: Tx, owner: Owner) -> dict[str, int]:
    rows = await (
        await tx.execute("select id, change from record where company_id = %s", (owner.company_id,))
    ).fetchall()
    return {row["id"]: row["change"] for row in rows}


async def _counter(tx: Tx, owner: Owner) -> int:
    row = await (
        await tx.execute("select changes from company where id = %s", (owner.company_id,))
    ).fetchone()
    assert row is not None
    return int(row["changes"])


async def test_a_page_says_what_came_of_it(tx: Tx, owner: Owner) -> None:
    assert await _put(tx, owner, bill("a"), bill("b")) == store.Stored(read=2, created=2)
    again = await _put(tx, owner, bill("a"), bill("b", reference="X"), bill("c"), at=1)
    assert again == store.Stored(read=3, created=1, changed=1, unchanged=1)
    assert await _put(tx, owner) == store.Stored()


async def test_a_page_put_twice_changes_nothing(tx: Tx, owner: Owner) -> None:
    await _put(tx, owner, bill("a"))
    before = await store.get(tx, **owner.place(), id="a"), await _changes(tx, owner)
    assert (await _put(tx, owner, bill("a"), at=5)).unchanged == 1
    assert (await store.get(tx, **owner.place(), id="a"), await _changes(tx, owner)) == before


async def test_a_change_moves_the_modified_date(tx: Tx, owner: Owner) -> None:
    await _put(tx, owner, bill("a"))
    await _put(tx, owner, bill("a", reference="X"), at=2)
    body = await _body(tx, owner, "a")
    assert (body["reference"], body["modifiedDate"]) == ("X", "2026-11-20T09:00:02.000Z")


async def test_what_was_read_earlier_never_overwrites(tx: Tx, owner: Owner) -> None:
    await _put(tx, owner, bill("a", reference="new"), at=10)
    assert await _put(tx, owner, bill("a", reference="old"), at=5) == store.Stored(
        read=1, unchanged=1
    )
    assert (await _body(tx, owner, "a"))["reference"] == "new"


async def test_a_later_look_that_found_nothing_new_counts_too(tx: Tx, owner: Owner) -> None:
    await _put(tx, owner, bill("a", reference="new"), at=0)
    await _put(tx, owner, bill("a", reference="new"), at=10)
    await _put(tx, owner, bill("a", reference="old"), at=5)
    assert (await _body(tx, owner, "a"))["reference"] == "new"


async def test_of_a_record_twice_in_a_page_the_later_one_counts(tx: Tx, owner: Owner) -> None:
    stored = await _put(tx, owner, bill("a", reference="1"), bill("a", reference="2"))
    assert (stored.read, stored.created) == (2, 1)
    assert (await _body(tx, owner, "a"))["reference"] == "2"


async def test_changes_of_one_page_get_consecutive_numbers(tx: Tx, owner: Owner) -> None:
    await _put(tx, owner, bill("a"), bill("b"), bill("c"))
    await _put(tx, owner, bill("a"), bill("b", reference="X"), bill("d"), at=1)
    assert await _changes(tx, owner) == {"a": 1, "c": 3, "b": 4, "d": 5}
    assert await _counter(tx, owner) == 5


# --- what is not there any more ---


async def _mark(tx: Tx, owner: Owner, *, before: float) -> int:
    return await store.mark_missing(
        tx, **owner.place(), before=later(before), now=later(before + 1)
    )


async def test_what_a_whole_read_did_not_bring_is_deleted(tx: Tx, owner: Owner) -> None:
    await _put(tx, owner, bill("same"), bill("gone"), bill("other"))
    await _put(tx, owner, bill("same"), bill("other", reference="X"), bill("new"), at=10)
    before = later(10)
    assert await store.count_missing(tx, **owner.place(), before=before) == (1, 4)
    assert await _mark(tx, owner, before=10) == 1
    body = await _body(tx, owner, "gone")
    assert body["metadata"] == {"isDeleted": True}
    assert body["modifiedDate"] == "2026-11-20T09:00:11.000Z"
    assert body["reference"] == "R"
    assert (await _body(tx, owner, "same"))["metadata"] == {"isDeleted": False}
    assert (await _changes(tx, owner))["gone"] == await _counter(tx, owner) == 6
    assert await _mark(tx, owner, before=10) == 0


async def test_what_was_written_during_a_whole_read_is_not_deleted(tx: Tx, owner: Owner) -> None:
    await _put(tx, owner, bill("pushed"), at=11)
    assert await _mark(tx, owner, before=10) == 0


async def test_a_record_that_comes_back_is_not_deleted_any_more(tx: Tx, owner: Owner) -> None:
    await _put(tx, owner, bill("a"))
    await _mark(tx, owner, before=10)
    assert (await _put(tx, owner, bill("a"), at=20)).changed == 1
    assert (await _body(tx, owner, "a"))["metadata"] == {"isDeleted": False}


async def test_a_stale_page_does_not_bring_a_deleted_record_back(tx: Tx, owner: Owner) -> None:
    await _put(tx, owner, bill("a"))
    await _mark(tx, owner, before=10)
    await _put(tx, owner, bill("a"), at=5)
    assert (await _body(tx, owner, "a"))["metadata"] == {"isDeleted": True}


async def test_deleted_at_the_platform_keeps_its_content(tx: Tx, owner: Owner) -> None:
    await _put(tx, owner, bill("a"))
    gone = bill("a").model_copy(update={"metadata": Metadata(is_deleted=True)})
    assert (await _put(tx, owner, gone, at=1)).changed == 1
    body = await _body(tx, owner, "a")
    assert (body["metadata"], body["reference"]) == ({"isDeleted": True}, "R")


async def test_what_vanished_inside_its_parent_is_deleted(tx: Tx, owner: Owner) -> None:
    first = [Incoming(bill(name), parent="p") for name in ("p1", "p2")]
    await _put(tx, owner, *first, Incoming(bill("q1"), parent="q"))
    stored = await _put(tx, owner, Incoming(bill("p1"), parent="p"), at=1, parents=["p"])
    assert stored == store.Stored(read=1, unchanged=1, deleted=1)
    deleted = {name: (await _body(tx, owner, name))["metadata"] for name in ("p1", "p2", "q1")}
    assert deleted == {
        "p1": {"isDeleted": False},
        "p2": {"isDeleted": True},
        "q1": {"isDeleted": False},
    }
    assert (await _changes(tx, owner))["p2"] == await _counter(tx, owner) == 4


async def test_a_stale_parent_deletes_nothing(tx: Tx, owner: Owner) -> None:
    await _put(tx, owner, Incoming(bill("p1"), parent="p"), at=10)
    assert (await _put(tx, owner, at=5, parents=["p"])).deleted == 0
    await _put(tx, owner, Incoming(bill("p1"), parent="p"), at=20)
    assert (await _put(tx, owner, at=15, parents=["p"])).deleted == 0
    assert (await _put(tx, owner, at=25, parents=["p"])).deleted == 1


# --- raw records that need no mapping ---


async def _known(tx: Tx, owner: Owner, *hashes: bytes) -> set[bytes]:
    return await store.known_raws(tx, **owner.place(), raw_hashes=hashes)


async def test_an_unchanged_raw_record_is_known(tx: Tx, owner: Owner) -> None:
    await _put(tx, owner, Incoming(bill("a"), raw_hash=b"1"))
    assert await _known(tx, owner, b"1", b"2") == {b"1"}


async def test_a_known_raw_record_that_is_seen_is_not_missing(tx: Tx, owner: Owner) -> None:
    await _put(tx, owner, Incoming(bill("a"), raw_hash=b"1"), Incoming(bill("b"), raw_hash=b"2"))
    await store.touch(tx, **owner.place(), raw_hashes=[b"1"], read_at=later(10))
    await store.touch(tx, **owner.place(), raw_hashes=[], read_at=later(10))
    await store.touch(tx, **owner.place(), raw_hashes=[b"9"], read_at=later(10))
    assert await _mark(tx, owner, before=10) == 1
    assert await _known(tx, owner, b"1", b"2") == {b"1"}


async def test_another_raw_record_of_the_same_content_is_remembered(tx: Tx, owner: Owner) -> None:
    await _put(tx, owner, Incoming(bill("a"), raw_hash=b"1"))
    before = await _body(tx, owner, "a"), await _changes(tx, owner)
    assert (await _put(tx, owner, Incoming(bill("a"), raw_hash=b"2"), at=1)).unchanged == 1
    assert await _known(tx, owner, b"1", b"2") == {b"2"}
    assert (await _body(tx, owner, "a"), await _changes(tx, owner)) == before


async def test_a_record_stored_from_elsewhere_makes_its_raw_record_unknown(
    tx: Tx, owner: Owner
) -> None:
    both = [Incoming(bill(name), raw_hash=b"1", parent="p") for name in ("a", "b")]
    await _put(tx, owner, *both)
    assert await _known(tx, owner, b"1") == {b"1"}
    await _put(tx, owner, bill("a", reference="X"), at=1)
    assert await _known(tx, owner, b"1") == set()


async def test_the_same_content_stored_from_elsewhere_leaves_it_known(tx: Tx, owner: Owner) -> None:
    await _put(tx, owner, Incoming(bill("a"), raw_hash=b"1"))
    await _put(tx, owner, bill("a"), at=1)
    assert await _known(tx, owner, b"1") == {b"1"}


# --- reading ---


async def test_an_id_that_no_text_can_hold_is_not_found(tx: Tx, owner: Owner) -> None:
    assert await store.get(tx, **owner.place(), id="a\0") is None
    assert await store.get(tx, **owner.place(), id="b") is None


async def test_one_connection_never_sees_another(tx: Tx, owner: Owner) -> None:
    other = await make_owner(tx)
    await _put(tx, owner, bill("a"))
    assert await store.get(tx, **other.place(), id="a") is None
    assert await _mark(tx, other, before=10) == 0


async def test_company_information_is_stored_as_an_object(tx: Tx, owner: Owner) -> None:
    place = owner.place("company")
    incoming = [Incoming(CompanyInfo(id="org", company_name="Acme"))]
    await store.put_page(tx, **place, incoming=incoming, read_at=later(0), now=later(0))
    assert await store.mark_missing(tx, **place, before=later(1), now=later(1)) == 1
    text = await store.get(tx, **place, id="org")
    assert text is not None
    assert json.loads(text)["companyName"] == "Acme"
