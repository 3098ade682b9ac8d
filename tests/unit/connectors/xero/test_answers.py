"""Answers to a write that say neither yes nor no: nothing is concluded from them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest
from tests.unit.connectors.xero.test_client import client

from tallystick.connectors.contract import Picture
from tallystick.connectors.xero.books import books_of
from tallystick.connectors.xero.writes.bill_payment_looking import batch_written, find
from tallystick.connectors.xero.writes.bill_payment_plan import PayBatch, Share
from tallystick.connectors.xero.writes.sending import create
from tallystick.errors import Refused, Unreachable
from tallystick.model import BillPayment

A, B, NOTE = (f"{letter * 8}-0000-4000-8000-000000000000" for letter in "abc")
BANK = "dddddddd-0000-4000-8000-000000000000"
NO_ID = "00000000-0000-0000-0000-000000000000"
BOOKS = books_of(organisation={"BaseCurrency": "GBP"})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>502 from a proxy</html>",
        b'{"Invoices":[{"InvoiceID":"aaaa',
        b"null",
        b"[]",
        b"{}",
        b'{"Invoices":null}',
        b'{"Invoices":[]}',
        b'{"Invoices":[null]}',
        b'{"Invoices":["OK"]}',
        b'{"Invoices":[[]]}',
        b'{"Invoices":[{"InvoiceID":"1"},{"InvoiceID":"2"}]}',
    ],
)
async def test_garbage_behind_a_200_is_neither_written_nor_refused(content: bytes) -> None:
    with pytest.raises(Unreachable) as caught:
        await create(
            client(lambda _: httpx.Response(200, content=content)),
            "/Invoices",
            "Invoices",
            key="k",
            body={},
        )
    assert caught.value.sent


async def test_an_element_marked_as_refused_is_refused() -> None:
    refused = {"StatusAttributeString": "ERROR", "InvoiceID": NO_ID}
    with pytest.raises(Refused):
        await create(
            client(lambda _: httpx.Response(200, json={"Invoices": [refused]})),
            "/Invoices",
            "Invoices",
            key="k",
            body={},
        )


def _paid(bill_id: str, payment_id: str, amount: str) -> dict[str, Any]:
    return {"Invoice": {"InvoiceID": bill_id}, "PaymentID": payment_id, "Amount": amount}


def test_a_batch_of_which_one_payment_has_no_id_is_not_taken_for_written() -> None:
    batch = PayBatch((Share(A, Decimal(1)), Share(B, Decimal(2))))
    answered = {"BatchPaymentID": "b", "Payments": [_paid(A, "p1", "1"), _paid(B, NO_ID, "2")]}
    assert batch_written(answered, batch) is None


def _batch_payment() -> BillPayment:
    lines = [
        {"amount": amount, "links": [{"type": "Bill", "id": bill, "amount": -amount}]}
        for bill, amount in ((A, Decimal(1)), (B, Decimal(2)))
    ]
    body = {"date": "2026-11-20", "totalAmount": 3, "accountRef": {"id": BANK}, "lines": lines}
    return BillPayment.from_wire(body)


def _answers(**by_step: Any) -> Any:
    def answering(request: httpx.Request) -> httpx.Response:
        *_, collection, _ = request.url.path.split("/")
        return httpx.Response(200, json={collection: [by_step[collection]]})

    return answering


async def test_a_part_of_a_batch_is_not_sent_again_over_it() -> None:
    part = {
        "BatchPaymentID": "b",
        "Account": {"AccountID": BANK},
        "Date": "2026-11-20",
        "Payments": [_paid(A, "p1", "1")],
    }
    there = _answers(
        Invoices={"InvoiceID": A, "Payments": [{"PaymentID": "p1"}]},
        Payments={"PaymentID": "p1", "BatchPaymentID": "b"},
        BatchPayments=part,
    )
    picture = Picture(seen={f"bills/{A}/payments": ()})
    with pytest.raises(Unreachable):
        await find(client(there), "k", _batch_payment(), BOOKS, picture)


def _allocation() -> BillPayment:
    links = [
        {"type": "Bill", "id": A, "amount": -5},
        {"type": "CreditNote", "id": NOTE, "amount": 5},
    ]
    lines = [{"amount": 0, "links": links}]
    return BillPayment.from_wire({"date": "2026-11-20", "totalAmount": 0, "lines": lines})


async def test_allocations_without_ids_are_not_mistaken_for_each_other() -> None:
    use = {"Invoice": {"InvoiceID": A}, "Amount": 5, "Date": "2026-11-20", "AllocationID": NO_ID}
    there = client(_answers(CreditNotes={"CreditNoteID": NOTE, "Allocations": [use]}))
    held = f"billCreditNotes/{NOTE}/allocations"

    [ours] = await find(there, "k", _allocation(), BOOKS, Picture(seen={held: ()}))
    assert ours.changes[0].id == f"{NOTE}-{A}"
    with pytest.raises(Unreachable):
        await find(there, "k", _allocation(), BOOKS, Picture(seen={held: ("",)}))
