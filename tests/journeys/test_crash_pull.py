"""A worker is killed at every step of a read; whoever takes over ends it, and nothing is wrong."""

from typing import Any

import pytest
from tests.journeys.truth import collections, differences
from tests.journeys.world import World

POINTS = (
    "sync.before_request",
    "sync.before_request:9",
    "sync.after_fetch:2",
    "sync.after_fetch:12",
    "sync.in_transaction:7",
    "sync.after_store:2",
    "sync.after_store:12",
    "sync.before_finish",
    "sync.before_finish:11",
    "sync.after_finish:3",
)
RENEWAL = ("credentials.after_renew", "credentials.after_store")
# Old enough that everything is read again, and the access token has ended.
_LATER_S = 8 * 24 * 3600.0


@pytest.mark.parametrize("point", POINTS)
async def test_a_first_read_survives_a_kill(world: World, point: str) -> None:
    with world.worker(TALLYSTICK_CRASH_AT=point) as doomed:
        await world.killed(doomed)
    with world.worker():
        await world.quiet()

    assert await differences(world) == {}
    await _all_complete(world, reads=14)
    assert len(await world.events("read.completed.initial")) == 1


@pytest.mark.parametrize("point", POINTS + RENEWAL)
async def test_a_whole_read_after_edits_survives_a_kill(world: World, point: str) -> None:
    await world.drain()
    world.advance(_LATER_S)
    await edited(world)
    await world.queue_all()

    with world.worker(TALLYSTICK_CRASH_AT=point) as doomed:
        await world.killed(doomed)
    with world.worker():
        await world.quiet()

    assert await differences(world) == {}
    await _all_complete(world, reads=28)


@pytest.mark.parametrize("point", ["sync.in_transaction:7", "sync.after_fetch:7"])
async def test_a_worker_that_freezes_and_wakes_changes_nothing(world: World, point: str) -> None:
    """It is taken for dead, another one ends its work, and it comes back."""
    with world.worker(TALLYSTICK_FREEZE_AT=point) as frozen:
        await world.frozen(frozen)
        with world.worker():
            await world.quiet()
            before = await world.rows("select id, change, hash from record order by id, data_type")
            world.thawed(frozen)
            await world.queue_all()
            await world.quiet()
    after = await world.rows("select id, change, hash from record order by id, data_type")
    assert after == before
    assert await differences(world) == {}


async def edited(world: World, *, items: bool = True) -> None:
    """What people do in Xero while we do not look: void, rename, delete for good, take back.

    An item that is deleted changes the books that all records are mapped with.
    """
    raw = await collections(world, "Invoices", "Items", "Payments", "CreditNotes", "Contacts")
    edit, organisation = world.simulator.edit, world.organisation_id
    bill = _first(raw["Invoices"], Type="ACCPAY", Status="AUTHORISED", AmountPaid=0)
    edit(organisation, "void_invoice", id=bill["InvoiceID"])
    edit(organisation, "rename_contact", id=bill["Contact"]["ContactID"], name="Renamed & Sons")
    if items:
        edit(organisation, "delete_item", id=raw["Items"][-1]["ItemID"])
    payment = _first(raw["Payments"], PaymentType="ACCPAYPAYMENT", Status="AUTHORISED")
    edit(organisation, "delete_payment", id=payment["PaymentID"])
    allocation = next(a for note in raw["CreditNotes"] for a in note.get("Allocations", []))
    edit(organisation, "remove_credit_allocation", id=allocation["AllocationID"])


def _first(raws: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    found = (r for r in raws if all(r.get(k) == v for k, v in wanted.items()))
    return next(r for r in found if "BatchPayment" not in r and not r.get("IsReconciled"))


async def _all_complete(world: World, *, reads: int) -> None:
    rows = await world.rows("select data_type, status, error_message from dataset")
    assert [r for r in rows if r["status"] != "Complete"] == []
    assert len(rows) == reads
    assert len(await world.events("read.completed")) == reads // 14
