"""The Xero connector reads a simulated organisation: whole, exact, and through faults."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.unit.connectors.world import BACK, XERO, Linked, consent, linked

from tallystick.connectors.xero.client import paged
from tallystick.connectors.xero.reads.payables import bill_payments, bills
from tallystick.connectors.xero.writes import looking
from tallystick.errors import NotPermitted, RateLimited, Unauthorized, Unreachable
from tallystick.model import Bill, BillPayment
from tallystick.model.payables import BillStatus


@pytest.fixture
async def xero(tmp_path: Path) -> AsyncIterator[Linked]:
    async with linked(tmp_path) as world:
        yield world


@pytest.mark.parametrize("read", XERO.reads, ids=lambda read: read.type.key)
async def test_every_data_type_is_read_with_all_its_fields_accounted_for(
    xero: Linked, read: Any
) -> None:
    records = await xero.read(read.type.key)
    assert records
    assert len({record.id for record in records}) == len(records)


async def test_what_is_owed_agrees_with_the_ledger(xero: Linked) -> None:
    """Open bills less unused credit and money on account, at their rates, are the AP control."""
    owed = Decimal(0)
    for bill in (await xero.by_id("bills")).values():
        if bill.status not in {BillStatus.Draft, BillStatus.Void}:
            owed += bill.amount_due * bill.currency_rate
    for note in (await xero.by_id("billCreditNotes")).values():
        owed -= note.remaining_credit * note.currency_rate
    owed -= await _left_on_account(xero)
    ledger = await xero.ledger()
    # A cent of each foreign document may go to rounding.
    assert abs(owed - ledger["accountsPayable"]) < Decimal("0.10")


async def _left_on_account(xero: Linked) -> Decimal:
    left = Decimal(0)
    for payment in (await xero.by_id("billPayments")).values():
        if payment.metadata.is_deleted:
            continue
        links = [link for line in payment.lines for link in line.links]
        on_account = [link.amount for link in links if link.type == "PaymentOnAccount"]
        left -= sum(on_account, Decimal(0)) * payment.currency_rate
    return left


async def test_payments_explain_what_is_still_due_of_every_bill(xero: Linked) -> None:
    """Each document's open amount is its total and all links that point at it."""
    moved: dict[str, Decimal] = defaultdict(Decimal)
    for payment in (await xero.by_id("billPayments")).values():
        if payment.metadata.is_deleted:
            continue
        for line in payment.lines:
            for link in line.links:
                moved[str(link.id)] += link.amount or Decimal(0)
    for bill in (await xero.by_id("bills")).values():
        if bill.status is not BillStatus.Void:
            assert bill.total_amount + moved[bill.id] == bill.amount_due, bill
    for note in (await xero.by_id("billCreditNotes")).values():
        assert note.total_amount - moved[note.id] == note.remaining_credit, note


async def test_a_bill_read_alone_is_the_bill_of_the_list(xero: Linked) -> None:
    books = await xero.books()
    for record in (await xero.read("bills"))[:20]:
        alone = await _alone(xero, record.id, books)
        assert alone.wire() == record.wire()


async def _alone(xero: Linked, bill_id: str, books: Any) -> Any:
    return looking.mapped(await looking.invoice(xero.client, bill_id), bills, books)[0]


async def test_a_payment_read_alone_is_the_payment_of_the_list(xero: Linked) -> None:
    books = await xero.books()
    for record in await xero.read("billPayments"):
        if not isinstance(record, BillPayment) or record.account_ref is None:
            continue
        raw = await looking.payment(xero.client, record.id)
        assert looking.mapped(raw, bill_payments, books)[0].wire() == record.wire()


async def test_an_edit_between_pages_hides_no_record(xero: Linked) -> None:
    before = await xero.by_id("bills")
    await xero.fault("pages_shift", times=3, match={"path": "/Invoices"})
    pages = paged(
        "/Invoices",
        "Invoices",
        id_field="InvoiceID",
        page_size=10,
        where='Type=="ACCPAY"',
        unitdp="4",
    )
    read = [raw async for page in pages(xero.client, None, None) for raw in page.raws]
    assert {raw["InvoiceID"] for raw in read} == set(before)
    assert len(await xero.calls("GET", "/Invoices")) > 6


async def test_only_what_changed_is_read_again(xero: Linked) -> None:
    since = xero.client.now + timedelta(hours=1)
    await xero.control("POST", "/clock", {"advance_s": 7200})
    bill = next(record for record in await xero.read("bills") if _is_open(record))
    await xero.edit(op="void_invoice", id=bill.id)
    changed = await xero.read("bills", since=since)
    assert [record.id for record in changed] == [bill.id]
    assert isinstance(changed[0], Bill)
    assert changed[0].status is BillStatus.Void


def _is_open(record: Any) -> bool:
    return bool(record.status is BillStatus.Open and record.amount_due == record.total_amount)


async def test_a_token_that_ran_out_is_renewed_once_and_the_read_goes_on(xero: Linked) -> None:
    await xero.fault("expires_tokens", match={"path": "/Payments"})
    assert await xero.read("billPayments")
    assert xero.keyring.renewals == 1


async def test_a_limit_stops_the_read_until_the_moment_xero_named(xero: Linked) -> None:
    await xero.fault("rate_limits", problem="day", retry_after_s=4000, match={"path": "/Payments"})
    with pytest.raises(RateLimited) as caught:
        await xero.read("billPayments")
    assert caught.value.limit == "day"
    wait = caught.value.until - xero.client.now
    assert timedelta(seconds=3900) < wait <= timedelta(seconds=4000)
    assert xero.permit.refusals == [(caught.value.until, "day")]


async def test_a_fault_at_xero_is_no_answer(xero: Linked) -> None:
    await xero.fault("server_errors", status=500, match={"path": "/Organisation"})
    with pytest.raises(Unreachable):
        await XERO.books(xero.client)


async def test_a_customer_who_disconnects_ends_the_permission(xero: Linked) -> None:
    await xero.control("POST", f"/organisations/{xero.tenant}/revoke")
    with pytest.raises(Unauthorized):
        await XERO.books(xero.client)


async def test_disconnecting_ends_the_grant_at_xero(xero: Linked) -> None:
    await XERO.oauth.disconnect(xero.http, xero.app, xero.keyring.pair, xero.grant_id)
    with pytest.raises((Unauthorized, NotPermitted)):
        await XERO.books(xero.client)
    # Ended twice is ended; but the tokens went with the last grant.
    with pytest.raises(Unauthorized):
        await XERO.oauth.disconnect(xero.http, xero.app, xero.keyring.pair, xero.grant_id)


async def test_the_organisation_just_granted_comes_first(xero: Linked) -> None:
    others = (await xero.control("GET", "/organisations"))["organisations"]
    second = others[1]["tenantId"]
    code = await consent(xero.plain, xero.app, second)
    pair = await XERO.oauth.exchange(xero.http, xero.app, code, BACK, datetime.now(UTC))
    found = await XERO.oauth.organisations(xero.http, xero.app, pair.access_token)
    assert found[0].id == second
    assert {one.id for one in found} == {xero.tenant, second}
