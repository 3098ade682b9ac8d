"""Published records are served as they were published, and can still be paid."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.oracles import oracles, requires_oracles
from tests.unit.simulators.xero_session import Session, session

from tallystick.simulators.xero.native import published

Raw = Any

ODD = """{"Invoices": [{"Type": "ACCPAY", "InvoiceID": "9AAF4D8A-0000-4000-8000-0000000000AA",
  "Total": 40.00, "AmountDue": 40.00, "Status": "AUTHORISED", "CurrencyCode": "NZD",
  "Contact": {"ContactID": "00000000-1111-4222-8333-444444444444", "Name": "Nobody"},
  "Date": "/Date(1539993600000+0000)/", "Odd": "2018-10-20 00:00:00", "LineItems": []}]}"""


@asynccontextmanager
async def loaded(tmp_path: Path, books: Path) -> AsyncIterator[Session]:
    async with session(tmp_path / "state", books=books, size="none", grant=False) as xero:
        await xero.grant((await xero.organisations())[0]["id"])
        yield xero


async def test_a_record_keeps_its_digits_its_order_and_its_oddities(tmp_path: Path) -> None:
    books = tmp_path / "books.json"
    books.write_text(ODD)
    async with loaded(tmp_path, books) as xero:
        assert (await xero.organisations())[0]["name"] == "Published records"
        answer = await xero.call("GET", "/Invoices", page=1, checked=False)
        assert '"Total":40.00' in answer.text
        sent = json.loads(ODD, parse_float=Decimal)["Invoices"][0]
        shown = json.loads(answer.text, parse_float=Decimal)["Invoices"][0]
        assert list(shown) == list(sent)
        assert shown == sent


async def test_a_published_bill_can_be_paid_and_unpaid(tmp_path: Path) -> None:
    books = tmp_path / "books.json"
    books.write_text(ODD)
    async with loaded(tmp_path, books) as xero:
        await pay_and_take_back(xero, "9AAF4D8A-0000-4000-8000-0000000000AA")


async def pay_and_take_back(xero: Session, id_: str) -> None:
    accounts = (await xero.ok("GET", "/Accounts", checked=False))["Accounts"]
    bank = next(each["AccountID"] for each in accounts if each["Type"] == "BANK")
    before = await xero.ledger()
    bill = await read(xero, id_)
    sent = {"Invoice": {"InvoiceID": id_}, "Account": {"AccountID": bank}, "Amount": 1.5}
    made = await xero.ok("PUT", "/Payments", {"Payments": [sent]}, checked=False)
    paid = await read(xero, id_)
    assert paid["AmountDue"] == bill["AmountDue"] - Decimal("1.5")
    side = {"ACCPAY": "accountsPayable", "ACCREC": "accountsReceivable"}[bill["Type"]]
    assert (await xero.ledger())[side] == before[side] - Decimal("1.5")
    undo = {"Payments": [{"Status": "DELETED"}]}
    path = f"/Payments/{made['Payments'][0]['PaymentID']}"
    await xero.ok("POST", path, undo, checked=False)
    assert (await read(xero, id_))["AmountDue"] == bill["AmountDue"]
    assert (await xero.ledger())["trialBalanceTotal"] == 0


async def read(xero: Session, id_: str) -> Raw:
    return (await xero.ok("GET", f"/Invoices/{id_}", checked=False))["Invoices"][0]


@requires_oracles
async def test_every_published_example_is_served_as_published(tmp_path: Path) -> None:
    books = oracles() / "xero" / "openapi" / "xero_accounting.yaml"
    records = published(books)
    async with loaded(tmp_path, books) as xero:
        for collection in ("Invoices", "Contacts", "Payments", "CreditNotes", "BatchPayments"):
            listed = await xero.ok("GET", f"/{collection}", checked=False, includeArchived="true")
            assert len(listed[collection]) == len(records[collection])
            for sent in records[collection]:
                assert sent in listed[collection]
        payable = [
            each
            for each in records["Invoices"]
            if each.get("Status") == "AUTHORISED" and each.get("AmountDue", 0) > 0
        ]
        assert payable
        for bill in payable:
            await pay_and_take_back(xero, bill["InvoiceID"])
