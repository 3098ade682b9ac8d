"""Pages far from the beginning are found another way, and must show the same."""

import json

import pytest
from tests.store.shelves import bill, later, make_owner

from tallystick.db.pool import Tx
from tallystick.model import Bill
from tallystick.query import fields, order
from tallystick.query.sql import Where
from tallystick.records import pages, store
from tallystick.records.rows import Incoming

_COUNT = 1_130
_KNOWN = fields.of(Bill)


@pytest.mark.parametrize("asked", [None, "-totalAmount", "reference"])
async def test_near_and_deep_pages_join_without_a_seam(tx: Tx, asked: str | None) -> None:
    owner = await make_owner(tx)
    place = {"company_id": owner.company_id, "connection_id": owner.connection_id}
    incoming = [Incoming(bill(f"bill-{number:05}")) for number in range(_COUNT)]
    await store.put_page(
        tx, **place, data_type="bills", incoming=incoming, read_at=later(0), now=later(0)
    )

    seen = []
    for number in range(1, _COUNT // 50 + 2):
        listed = await pages.page(
            tx,
            **place,
            record_type=Bill,
            where=Where(),
            order=order.parse(asked, _KNOWN),
            page=number,
            page_size=50,
        )
        assert listed.total == _COUNT
        seen += [json.loads(body)["id"] for body in listed.bodies]

    ids = [f"bill-{number:05}" for number in range(_COUNT)]
    assert sorted(seen) == ids
    # All tie but for their ids.
    assert seen == (ids[::-1] if asked == "-totalAmount" else ids)
