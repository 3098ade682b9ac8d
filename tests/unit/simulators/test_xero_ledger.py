"""After anything a client may do, debits are credits and the control accounts hold what is open."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.simulators.xero_session import TODAY

from tallystick.simulators.clock import Clock
from tallystick.simulators.xero import create_app
from tallystick.simulators.xero.books.allocations import add_allocation, remove_allocation
from tallystick.simulators.xero.books.books import Books
from tallystick.simulators.xero.books.documents import save_document
from tallystick.simulators.xero.books.figures import figures
from tallystick.simulators.xero.books.payments import add_payment, delete_payment
from tallystick.simulators.xero.errors import Invalid

Raw = Any

_CREDITING = ("ACCPAYCREDIT", "ACCRECCREDIT")

amounts = st.decimals(min_value="0.01", max_value="9999.99", places=2)
rates = st.decimals(min_value="0.20", max_value="7.00", places=6)
raised = st.tuples(
    st.just("raise"),
    st.sampled_from(("ACCPAY", "ACCREC", *_CREDITING)),
    st.sampled_from(("GBP", "EUR", "USD")),
    st.lists(amounts, min_size=1, max_size=3),
    rates,
)
moved = st.one_of(
    raised,
    st.tuples(st.just("pay"), st.integers(0, 50), st.decimals("0.01", "1", places=2), rates),
    st.tuples(st.just("pay"), st.integers(0, 50), st.decimals("0.01", "1", places=2), rates),
    st.tuples(st.just("unpay"), st.integers(0, 50)),
    st.tuples(st.just("allocate"), st.integers(0, 50), st.integers(0, 50), amounts),
    st.tuples(st.just("free"), st.integers(0, 50)),
    st.tuples(st.just("void"), st.integers(0, 50)),
)
# Something to move first, so that most of what follows can happen.
steps = st.builds(
    lambda first, then: [*first, *then],
    st.lists(raised, min_size=3, max_size=8),
    st.lists(moved, min_size=5, max_size=30),
)


class Undo(Exception):
    """Leaves an example without a trace."""


@contextmanager
def seeded_books() -> Iterator[Books]:
    with TemporaryDirectory() as folder:
        Clock(Path(folder) / "clock.json").set(TODAY)
        app = create_app(Path(folder))
        world = app.world
        with world.store.transaction() as tx:
            organisation = tx.all("organisations")[0]["id"]
            yield world.books(tx, organisation)
        app.close()


def balances(books: Books) -> None:
    found = figures(books)
    assert found["trialBalanceTotal"] == 0
    sums = {"accountsPayable": Decimal(0), "accountsReceivable": Decimal(0)}
    contacts: dict[tuple[str, str], Decimal] = {}
    for row in books.tx.all(
        "outstanding", organisation=books.organisation_id, contact=None, today="2026-01-01"
    ):
        payable = row["kind"] in ("ACCPAY", "ACCPAYCREDIT", "SPEND-PREPAYMENT", "SPEND-OVERPAYMENT")
        side = "accountsPayable" if payable else "accountsReceivable"
        cents = row["open_cents"] * (1 if row["kind"] in ("ACCPAY", "ACCREC") else -1)
        sums[side] += Decimal(cents) / 100
        key = (side, row["contact"])
        contacts[key] = contacts.get(key, Decimal(0)) + Decimal(cents) / 100
    assert found["accountsPayable"] == sums["accountsPayable"]
    assert found["accountsReceivable"] == sums["accountsReceivable"]
    for (side, contact), amount in contacts.items():
        assert found[f"{side}ByContact"].get(contact, 0) == amount


def test_the_seeded_books_balance() -> None:
    with seeded_books() as books:
        balances(books)


class Actor:
    """Does whatever step it is told, and lets the books refuse what cannot be."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.made: dict[str, list[str]] = {"Invoices": [], "CreditNotes": []}

    def do(self, step: Raw) -> None:
        try:
            with self.books.tx.savepoint():
                getattr(self, f"_{step[0]}")(*step[1:])
        except Invalid:
            return

    def _raise(self, kind: str, currency: str, prices: list[Decimal], rate: Decimal) -> None:
        collection = "CreditNotes" if kind in _CREDITING else "Invoices"
        lines = [{"UnitAmount": each, "AccountCode": "429", "TaxType": "INPUT2"} for each in prices]
        sent = {
            "Type": kind,
            "Status": "AUTHORISED",
            "Contact": {"Name": "Café Núñez"},
            "DueDate": "2026-12-31",
            "CurrencyCode": currency,
            "CurrencyRate": rate,
            "LineItems": lines,
        }
        id_ = save_document(self.books, collection, sent, previous=None, places=4)
        self.made[collection].append(id_)

    def _pick(self, collection: str, index: int) -> str:
        ids = self.made.get(collection) or [
            held.id for held in self.books.rows("all_of", collection=collection)
        ]
        if not ids:
            raise Invalid("nothing there")
        return ids[index % len(ids)]

    def _pay(self, index: int, share: Decimal, rate: Decimal) -> None:
        collection = "CreditNotes" if index % 3 == 0 else "Invoices"
        held = self.books.get(collection, self._pick(collection, index))
        assert held
        due = held.body["RemainingCredit" if collection == "CreditNotes" else "AmountDue"]
        name = collection[:-1]
        add_payment(
            self.books,
            {
                name: {f"{name}ID": held.id},
                "Account": {"Code": "092" if held.body["CurrencyCode"] == "USD" else "090"},
                "Amount": (due * share).quantize(Decimal("0.01")),
                "CurrencyRate": rate,
            },
        )

    def _unpay(self, index: int) -> None:
        payment = self.books.get("Payments", self._pick("Payments", index))
        assert payment
        delete_payment(self.books, payment)

    def _allocate(self, credit: int, invoice: int, amount: Decimal) -> None:
        note = self.books.get("CreditNotes", self._pick("CreditNotes", credit))
        assert note
        ref = {"InvoiceID": self._pick("Invoices", invoice)}
        add_allocation(self.books, note, {"Invoice": ref, "Amount": amount, "Date": "2026-11-20"})

    def _free(self, index: int) -> None:
        allocation = self.books.get("Allocations", self._pick("Allocations", index))
        assert allocation
        if allocation.status == "DELETED":
            raise Invalid("gone already")
        remove_allocation(self.books, allocation)

    def _void(self, index: int) -> None:
        held = self.books.get("Invoices", self._pick("Invoices", index))
        save_document(self.books, "Invoices", {"Status": "VOIDED"}, previous=held, places=4)


@pytest.fixture(scope="module")
def seeded() -> Iterator[Books]:
    with seeded_books() as books:
        yield books


@settings(max_examples=60, deadline=None)
@given(done=steps)
def test_no_sequence_of_operations_unbalances_the_ledger(seeded: Books, done: list[Raw]) -> None:
    with suppress(Undo), seeded.tx.savepoint():
        actor = Actor(seeded)
        for step in done:
            actor.do(step)
        balances(seeded)
        raise Undo
