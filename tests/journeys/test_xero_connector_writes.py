"""The Xero connector writes to a simulated organisation: once, whatever happens to the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.unit.connectors.world import XERO, Linked, linked

from tallystick.connectors.contract import Picture, Written
from tallystick.connectors.xero.books import XeroBooks
from tallystick.errors import Refused, Unreachable
from tallystick.lib.ids import new_id
from tallystick.model import BankAccount, Bill, BillCreditNote, BillPayment, Record, Supplier

TODAY = date(2026, 11, 18)


@pytest.fixture
async def xero(tmp_path: Path) -> AsyncIterator[Linked]:
    async with linked(tmp_path) as world:
        yield world


@dataclass(slots=True)
class Writer:
    """Does with a write what the push engine does, step by step."""

    xero: Linked
    record: Any
    books: XeroBooks
    key: str
    picture: Picture | None = None

    @property
    def write(self) -> Any:
        found = XERO.write_of(self.record.key)
        assert found is not None
        return found

    async def look(self) -> Picture:
        assert self.write.check(self.record, self.books) == ()
        self.picture = await self.write.picture(self.xero.client, self.record, self.books)
        return self.picture

    async def send(self) -> Written:
        if self.picture is None:
            await self.look()
        written: Written = await self.write.create(
            self.xero.client, self.key, self.record, self.books
        )
        return written

    async def find(self) -> Sequence[Written]:
        found: Sequence[Written] = await self.write.find(
            self.xero.client, self.key, self.record, self.books, self.picture
        )
        return found

    async def read_back(self, written: Written) -> dict[tuple[str, str], Any]:
        records: Sequence[Record] = await self.write.read_back(
            self.xero.client, self.record, written, self.books
        )
        return {(record.key, record.id): record for record in records}


async def writer(xero: Linked, record: Record) -> Writer:
    return Writer(xero, record, await xero.books(), new_id())


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is in the simulated books to write about."""

    bank: str
    cost: str
    option: str
    bills: tuple[Bill, ...]
    foreign: Bill
    note: BillCreditNote
    bill_of_note: Bill


async def facts(xero: Linked) -> Facts:
    accounts = (await xero.by_id("chartOfAccounts")).values()
    bank = (await xero.by_id("bankAccounts")).values()
    options = (await xero.by_id("trackingCategories")).values()
    bills = sorted((await xero.by_id("bills")).values(), key=lambda bill: bill.id)
    still_open = [bill for bill in bills if bill.status == "Open" and bill.currency == "GBP"]
    notes = (await xero.by_id("billCreditNotes")).values()
    note = next(note for note in notes if note.status == "Submitted")
    return Facts(
        bank=next(one.id for one in bank if one.currency == "GBP" and one.account_type == "Debit"),
        cost=next(one.id for one in accounts if one.type == "Expense" and one.nominal_code),
        option=next(one.id for one in options if one.parent_id),
        bills=tuple(still_open),
        foreign=next(bill for bill in bills if bill.currency != "GBP" and bill.status == "Open"),
        note=note,
        bill_of_note=next(
            bill
            for bill in still_open
            if bill.supplier_ref
            and note.supplier_ref
            and bill.supplier_ref.id == note.supplier_ref.id
            and (bill.amount_due or 0) >= note.remaining_credit
        ),
    )


def payment(known: Facts, *shares: tuple[Bill, Decimal], **more: Any) -> BillPayment:
    """Money for bills, one line each."""
    return BillPayment.from_wire(
        {
            "accountRef": {"id": known.bank},
            "date": TODAY.isoformat(),
            "totalAmount": sum((amount for _, amount in shares), Decimal(0)),
            "currency": "GBP",
            "reference": "Run 7",
            "lines": [
                {
                    "amount": amount,
                    "links": [{"type": "Bill", "id": bill.id, "amount": -amount}],
                }
                for bill, amount in shares
            ],
            **more,
        }
    )


def use_of_credit(known: Facts, amount: Decimal) -> BillPayment:
    return BillPayment.from_wire(
        {
            "date": TODAY.isoformat(),
            "totalAmount": 0,
            "currency": "GBP",
            "lines": [
                {
                    "amount": 0,
                    "links": [
                        {"type": "CreditNote", "id": known.note.id, "amount": amount},
                        {"type": "Bill", "id": known.bill_of_note.id, "amount": -amount},
                    ],
                }
            ],
        }
    )


def refund(known: Facts, amount: Decimal) -> BillPayment:
    return BillPayment.from_wire(
        {
            "accountRef": {"id": known.bank},
            "date": TODAY.isoformat(),
            "totalAmount": -amount,
            "currency": "GBP",
            "lines": [
                {
                    "amount": -amount,
                    "links": [{"type": "CreditNote", "id": known.note.id, "amount": amount}],
                }
            ],
        }
    )


def bill(known: Facts, **more: Any) -> Bill:
    supplier = known.bills[0].supplier_ref
    assert supplier
    return Bill.from_wire(
        {
            "reference": "NEW-1",
            "supplierRef": {"id": supplier.id},
            "issueDate": TODAY.isoformat(),
            "dueDate": "2026-12-18",
            "status": "Open",
            "currency": "GBP",
            "lineItems": [
                {
                    "description": "Brass screws, 4 × 30",
                    "quantity": Decimal("12.5"),
                    "unitAmount": Decimal("0.1234"),
                    "taxAmount": Decimal("0.31"),
                    "taxRateRef": {"id": "INPUT2"},
                    "accountRef": {"id": known.cost},
                    "trackingCategoryRefs": [{"id": known.option}],
                }
            ],
            **more,
        }
    )


def credit_note(known: Facts) -> BillCreditNote:
    supplier = known.bills[0].supplier_ref
    assert supplier
    return BillCreditNote.from_wire(
        {
            "billCreditNoteNumber": "CR-NEW",
            "supplierRef": {"id": supplier.id},
            "issueDate": TODAY.isoformat(),
            "status": "Submitted",
            "totalAmount": 12,
            "lineItems": [
                {
                    "description": "Returned",
                    "quantity": 1,
                    "unitAmount": 10,
                    "taxAmount": 2,
                    "taxRateRef": {"id": "INPUT2"},
                    "accountRef": {"id": known.cost},
                }
            ],
        }
    )


SUPPLIER = Supplier.from_wire(
    {
        "supplierName": "Zoë O’Néill & Söhne",
        "contactName": "Zoë O’Néill",
        "emailAddress": "zoe@oneill.example",
        "phone": "44 01632 960 001",
        "taxNumber": "GB111222333",
        "registrationNumber": "07776665",
        "defaultCurrency": "GBP",
        "status": "Active",
        "addresses": [{"type": "Billing", "line1": "1 Kiln Lane", "city": "Stoke"}],
    }
)
BANK_ACCOUNT = BankAccount.from_wire(
    {
        "accountName": "Reserve account",
        "nominalCode": "0917",
        "sortCode": "203040",
        "accountNumber": "87654321",
        "currency": "GBP",
    }
)


async def records(xero: Linked, name: str) -> Record:
    known = await facts(xero)
    share = (known.bills[0], Decimal("1.25"))
    made: dict[str, Record] = {
        "supplier": SUPPLIER,
        "bank account": BANK_ACCOUNT,
        "bill": bill(known),
        "credit note": credit_note(known),
        "payment": payment(known, share),
        "batch": payment(known, share, (known.bills[1], Decimal("2.50"))),
        "use of credit": use_of_credit(known, Decimal("3.75")),
        "refund": refund(known, Decimal("4.00")),
    }
    return made[name]


EVERYTHING = (
    "supplier",
    "bank account",
    "bill",
    "credit note",
    "payment",
    "batch",
    "use of credit",
    "refund",
)


@pytest.mark.parametrize("name", EVERYTHING)
async def test_what_is_written_can_be_read_back_and_is_in_the_lists(
    xero: Linked, name: str
) -> None:
    one = await writer(xero, await records(xero, name))
    written = await one.send()
    back = await one.read_back(written)
    for change in written.changes:
        if change.data_type != "accountTransactions":
            assert (change.data_type, change.id) in back
    for data_type in {key for key, _ in back}:
        listed = await xero.by_id(data_type)
        for key, record_id in back:
            if key == data_type:
                assert listed[record_id].wire() == back[key, record_id].wire()


@pytest.mark.parametrize("name", EVERYTHING)
async def test_a_write_whose_answer_was_lost_is_found_and_not_sent_twice(
    xero: Linked, name: str
) -> None:
    one = await writer(xero, await records(xero, name))
    await one.look()
    assert await one.find() == []
    await xero.fault("loses_answers", match={"method": "PUT"})
    with pytest.raises(Unreachable) as caught:
        await one.send()
    assert caught.value.sent
    found = await one.find()
    assert len(found) == 1
    # Sent again all the same, Xero knows the key and answers what it answered before.
    again = await one.send()
    assert again.changes == found[0].changes
    assert len(await one.find()) == 1


@pytest.mark.parametrize("name", EVERYTHING)
async def test_a_write_that_never_arrived_is_not_found(xero: Linked, name: str) -> None:
    one = await writer(xero, await records(xero, name))
    await one.look()
    await xero.fault("server_errors", status=503, match={"method": "PUT"})
    with pytest.raises(Unreachable):
        await one.send()
    assert await one.find() == []
    assert (await one.send()).changes


async def test_the_same_payment_made_by_hand_meanwhile_leaves_two_candidates(
    xero: Linked,
) -> None:
    known = await facts(xero)
    one = await writer(xero, payment(known, (known.bills[0], Decimal("1.25"))))
    await one.look()
    await xero.fault("loses_answers", match={"method": "PUT"})
    with pytest.raises(Unreachable):
        await one.send()
    await xero.edit(
        op="create_payment",
        payment={
            "Invoice": {"InvoiceID": known.bills[0].id},
            "Account": {"AccountID": known.bank},
            "Date": TODAY.isoformat(),
            "Amount": 1.25,
        },
    )
    assert len(await one.find()) == 2


async def test_a_payment_of_another_amount_made_meanwhile_is_not_taken_for_ours(
    xero: Linked,
) -> None:
    known = await facts(xero)
    one = await writer(xero, payment(known, (known.bills[0], Decimal("1.25"))))
    await one.look()
    await xero.edit(
        op="create_payment",
        payment={
            "Invoice": {"InvoiceID": known.bills[0].id},
            "Account": {"AccountID": known.bank},
            "Date": TODAY.isoformat(),
            "Amount": 1.24,
        },
    )
    assert await one.find() == []


async def test_paying_a_bill_lowers_what_is_due_and_what_the_bank_holds(xero: Linked) -> None:
    known = await facts(xero)
    before, target = await xero.ledger(), known.bills[0]
    one = await writer(xero, payment(known, (target, target.amount_due or Decimal(0))))
    picture = await one.look()
    assert picture.balances == {f"bills/{target.id}": target.amount_due}
    back = await one.read_back(await one.send())
    assert back["bills", target.id].status == "Paid"
    assert back["bills", target.id].amount_due == 0
    after = await xero.ledger()
    assert before["accountsPayable"] - after["accountsPayable"] == target.amount_due
    assert _held(before, known.bank) - _held(after, known.bank) == target.amount_due


def _held(ledger: Any, account_id: str) -> Decimal:
    held: Decimal = next(
        one["balance"] for one in ledger["bankBalances"] if one["accountId"] == account_id
    )
    return held


async def test_a_batch_of_several_suppliers_is_one_movement_and_one_payment_for_each_line(
    xero: Linked,
) -> None:
    known = await facts(xero)
    shares = [(one, Decimal("1.00") + place) for place, one in enumerate(known.bills[:5])]
    one = await writer(xero, payment(known, *shares))
    written = await one.send()
    kinds = [change.data_type for change in written.changes]
    assert kinds == ["billPayments"] * 5 + ["accountTransactions"]
    back = await one.read_back(written)
    for (paid, amount), change in zip(shares, written.changes, strict=False):
        line = back["billPayments", change.id].lines[0]
        assert (line.links[0].id, line.amount) == (paid.id, amount)
    assert len(await xero.calls("PUT", "/BatchPayments")) == 1


async def test_a_credit_note_used_on_a_bill_moves_no_money(xero: Linked) -> None:
    known = await facts(xero)
    before = await xero.ledger()
    one = await writer(xero, use_of_credit(known, Decimal("3.75")))
    picture = await one.look()
    assert picture.balances == {
        f"bills/{known.bill_of_note.id}": known.bill_of_note.amount_due,
        f"billCreditNotes/{known.note.id}": known.note.remaining_credit,
    }
    back = await one.read_back(await one.send())
    note = back["billCreditNotes", known.note.id]
    assert note.remaining_credit == known.note.remaining_credit - Decimal("3.75")
    assert note.status == "PartiallyPaid"
    after = await xero.ledger()
    assert after["bankBalances"] == before["bankBalances"]


async def test_a_foreign_bill_is_paid_in_its_own_currency_at_the_rate_given(
    xero: Linked,
) -> None:
    known = await facts(xero)
    base = payment(known, (known.foreign, Decimal("10.00")), currency=known.foreign.currency)
    one = await writer(xero, base.model_copy(update={"currency_rate": Decimal("0.8")}))
    back = await one.read_back(await one.send())
    (paid,) = [record for (key, _), record in back.items() if key == "billPayments"]
    assert (paid.currency, paid.currency_rate) == (known.foreign.currency, Decimal("0.8"))


async def test_a_payment_in_another_currency_than_its_bill_is_refused_before_sending(
    xero: Linked,
) -> None:
    known = await facts(xero)
    one = await writer(xero, payment(known, (known.foreign, Decimal("10.00"))))
    with pytest.raises(Refused, match="no link names the rate"):
        await one.look()
    assert not await xero.calls("PUT", "/Payments")


async def test_a_bill_that_xero_lacks_is_refused_before_sending(xero: Linked) -> None:
    known = await facts(xero)
    stranger = known.bills[0].model_copy(update={"id": new_id()})
    for shares in ([stranger], [stranger, known.bills[1]]):
        one = await writer(xero, payment(known, *((each, Decimal(1)) for each in shares)))
        with pytest.raises(Refused) as caught:
            await one.look()
        assert caught.value.problems[0].item_id == "Lines[0].Links[0].Id"
        assert caught.value.message == "Bill was not found in Xero."


async def test_what_xero_refuses_comes_with_its_own_words(xero: Linked) -> None:
    known = await facts(xero)
    too_much = (known.bills[0].amount_due or Decimal(0)) + 1
    one = await writer(xero, payment(known, (known.bills[0], too_much)))
    with pytest.raises(Refused) as caught:
        await one.send()
    assert caught.value.problems
    assert await one.find() == []


async def test_one_bad_line_refuses_the_whole_batch(xero: Linked) -> None:
    known = await facts(xero)
    too_much = (known.bills[0].amount_due or Decimal(0)) + 1
    one = await writer(
        xero, payment(known, (known.bills[0], too_much), (known.bills[1], Decimal(1)))
    )
    with pytest.raises(Refused):
        await one.send()
    assert await one.find() == []


async def test_a_supplier_of_a_name_that_is_taken_is_refused_and_not_taken_for_ours(
    xero: Linked,
) -> None:
    taken = next(one for one in (await xero.by_id("suppliers")).values() if one.status == "Active")
    one = await writer(xero, SUPPLIER.model_copy(update={"supplier_name": taken.supplier_name}))
    with pytest.raises(Refused):
        await one.send()
    assert await one.find() == []


async def test_a_supplier_with_a_quote_in_the_name_is_found(xero: Linked) -> None:
    named = SUPPLIER.model_copy(update={"supplier_name": 'Seán "Jock" O’Dea'})
    one = await writer(xero, named)
    await one.look()
    written = await one.send()
    assert [found.changes for found in await one.find()] == [written.changes]


async def test_a_bill_without_a_number_is_found_by_what_else_it_says(xero: Linked) -> None:
    known = await facts(xero)
    one = await writer(xero, bill(known, reference=None, status="Draft"))
    await one.look()
    written = await one.send()
    assert [found.changes for found in await one.find()] == [written.changes]


@pytest.mark.parametrize("rate_ref", [None, {"id": "INPUT2"}])
async def test_a_bill_that_states_no_tax_has_the_tax_of_its_rate_or_none(
    xero: Linked, rate_ref: Any
) -> None:
    known = await facts(xero)
    line = {"description": "x", "quantity": 3, "unitAmount": 10, "taxRateRef": rate_ref}
    one = await writer(xero, bill(known, lineItems=[{**line, "accountRef": {"id": known.cost}}]))
    await one.look()
    written = await one.send()
    assert [found.changes for found in await one.find()] == [written.changes]
    back = (await one.read_back(written))["bills", written.changes[0].id]
    assert back.total_amount == (36 if rate_ref else 30)


async def test_a_written_bill_says_what_was_sent(xero: Linked) -> None:
    known = await facts(xero)
    one = await writer(xero, bill(known))
    written = await one.send()
    back = (await one.read_back(written))["bills", written.changes[0].id]
    line = back.line_items[0]
    assert (line.unit_amount, line.quantity) == (Decimal("0.1234"), Decimal("12.5"))
    assert (line.sub_total, line.tax_amount) == (Decimal("1.54"), Decimal("0.31"))
    assert line.account_ref.id == known.cost
    assert [ref.id for ref in line.tracking_category_refs] == [known.option]
    assert (back.status, back.total_amount) == ("Open", Decimal("1.85"))


async def test_files_are_added_listed_and_fetched(xero: Linked) -> None:
    known = await facts(xero)
    files = XERO.attachments
    assert files is not None
    content = b"%PDF-1.4 invented"
    supplier = known.bills[0].supplier_ref
    assert supplier
    for holder, record_id in (
        ("bills", known.bills[0].id),
        ("billCreditNotes", known.note.id),
        ("suppliers", supplier.id),
    ):
        sent = await files.upload(
            xero.client, new_id(), holder, record_id, "Löffel 1.pdf", "application/pdf", content
        )
        listed = await files.list(xero.client, holder, record_id)
        assert sent.id in {one.id for one in listed}
        found = next(one for one in listed if one.id == sent.id)
        assert (found.name, found.content_type) == ("Löffel 1.pdf", "application/pdf")
        assert found.size_bytes == len(content)
        assert await files.download(xero.client, holder, record_id, found) == content
