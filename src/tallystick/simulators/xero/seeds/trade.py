"""A year of trade, carried out through the same operations as the API's writes."""

import heapq
import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from tallystick.simulators.xero.books import batches, payments
from tallystick.simulators.xero.books.allocations import add_allocation
from tallystick.simulators.xero.books.books import Books
from tallystick.simulators.xero.books.documents import save_document
from tallystick.simulators.xero.books.ledger import KINDS
from tallystick.simulators.xero.seeds.chart import EXPENSE_CODES, ITEMS, TRACKING
from tallystick.simulators.xero.wire import money

Raw = Any

_WORDS = ("Oak boards", "Delivery", "Hire, week 12", "Sundries", "Retainer", "Fittings, as quoted")
_MODES = ("Exclusive", "Exclusive", "Exclusive", "Inclusive", "NoTax")


class Trade:
    """Somebody keeping the books for a year: events by day, each done at its own moment."""

    def __init__(self, books: Books, rng: random.Random) -> None:
        self.books = books
        self.rng = rng
        self._until = books.now
        self._queue: list[tuple[date, int, Callable[[Books], None]]] = []
        self._number = 0
        self._batch: list[str] = []

    @property
    def today(self) -> date:
        return self._until.date()

    def on(self, day: date, done: Callable[[Books], None]) -> None:
        """Plan something; what would lie in the future does not happen."""
        if day <= self.today:
            self._number += 1
            heapq.heappush(self._queue, (day, self._number, done))

    def run(self) -> None:
        while self._queue:
            day, _, done = heapq.heappop(self._queue)
            done(self.books.at(self.moment(day)))

    def moment(self, day: date) -> datetime:
        seconds = self.rng.randrange(8 * 3600, 18 * 3600)
        moment = datetime.combine(day, time(), tzinfo=UTC) + timedelta(
            seconds=seconds, milliseconds=self.rng.randrange(1000)
        )
        return min(moment, self._until)

    def document(self, books: Books, sent: dict[str, Raw]) -> str:
        collection = KINDS[sent["Type"]].collection
        return save_document(books, collection, sent, previous=None, places=4)

    def change(self, books: Books, collection: str, id_: str, change: dict[str, Raw]) -> None:
        save_document(books, collection, change, previous=books.get(collection, id_), places=4)

    def bill(self, contact: tuple[str, str], day: date, **more: Raw) -> dict[str, Raw]:
        """A bill to send: a supplier's (name, currency), its day and whatever else it says."""
        rng = self.rng
        lines = [self._expense() for _ in range(rng.choice((1, 1, 2, 3)))]
        if rng.random() < 0.1:
            lines.append({"Description": "As agreed on the telephone"})
        return {
            "Type": "ACCPAY",
            "Status": "AUTHORISED",
            "Contact": {"Name": contact[0]},
            "InvoiceNumber": f"{contact[0][:3].upper()}-{rng.randrange(1000, 99999)}",
            "Date": day.isoformat(),
            "DueDate": (day + timedelta(days=rng.choice((14, 30, 30, 45)))).isoformat(),
            "CurrencyCode": contact[1],
            "LineAmountTypes": rng.choice(_MODES),
            "LineItems": lines,
            **more,
        }

    def invoice(self, contact: tuple[str, str], day: date, **more: Raw) -> dict[str, Raw]:
        sent = self.bill(contact, day)
        del sent["InvoiceNumber"]
        words = self.rng.choice(("", "PO 4471", "Kitchen, phase 2"))
        lines = [self._sale() for _ in range(self.rng.choice((1, 2, 3)))]
        mode = self.rng.choice(("Exclusive", "Inclusive"))
        return {
            **sent,
            "Type": "ACCREC",
            "Reference": words,
            "LineItems": lines,
            "LineAmountTypes": mode,
            **more,
        }

    def pay(self, id_: str, *, share: Decimal = Decimal(1)) -> Callable[[Books], None]:
        """Pay this part of an invoice or bill, from the account its currency asks for."""

        def done(books: Books) -> None:
            held = books.get("Invoices", id_)
            if held is None or held.status != "AUTHORISED":
                return
            amount = money(held.body["AmountDue"] * share)
            payments.add_payment(
                books,
                {
                    "Invoice": {"InvoiceID": id_},
                    "Account": {"Code": self._bank(books, held.body["CurrencyCode"])},
                    "Amount": amount,
                    "Date": books.today.isoformat(),
                    "Reference": held.body.get("InvoiceNumber", ""),
                },
            )

        return done

    def credit(self, id_: str) -> Callable[[Books], None]:
        """Give some of an invoice or bill back by a credit note, and lay it against it."""

        def done(books: Books) -> None:
            held = books.get("Invoices", id_)
            if held is None or held.status != "AUTHORISED":
                return
            first = next(line for line in held.body["LineItems"] if line.get("AccountCode"))
            line = {name: first[name] for name in ("AccountCode", "TaxType")}
            price = money(held.body["SubTotal"] / 5)
            sent = {
                "Type": f"{held.kind}CREDIT",
                "Status": "AUTHORISED",
                "Contact": held.body["Contact"],
                "Date": books.today.isoformat(),
                "CurrencyCode": held.body["CurrencyCode"],
                "LineItems": [{**line, "Description": "Returned", "UnitAmount": price}],
            }
            note = books.get("CreditNotes", self.document(books, sent))
            if note and note.status == "AUTHORISED":
                amount = min(money(note.body["Total"]), money(held.body["AmountDue"]))
                allocation = {"Invoice": {"InvoiceID": id_}, "Amount": amount}
                add_allocation(books, note, {**allocation, "Date": books.today.isoformat()})

        return done

    def pay_in_batch(self, id_: str) -> Callable[[Books], None]:
        """Put a bill on the list; the third on it starts the payment run."""

        def done(books: Books) -> None:
            self._batch.append(id_)
            if len(self._batch) >= 3:
                due, self._batch = self._batch, []
                self.pay_together(books, due)

        return done

    def pay_together(self, books: Books, ids: list[str]) -> None:
        held = [found for id_ in ids if (found := books.get("Invoices", id_))]
        elements = [
            {"Invoice": {"InvoiceID": each.id}, "Amount": each.body["AmountDue"]}
            for each in held
            if each.status == "AUTHORISED"
        ]
        if elements:
            run = f"Run {books.today:%d %b}"
            batches.add_batch(
                books,
                {
                    "Account": {"Code": "090"},
                    "Date": books.today.isoformat(),
                    "Reference": run,
                    "Payments": elements,
                },
            )

    def _bank(self, books: Books, currency: str) -> str:
        for account in books.all_of("Accounts"):
            body = account.body
            if body["Type"] == "BANK" and body["CurrencyCode"] == currency != books.base:
                return str(body["Code"])
        return "090"

    def _expense(self) -> dict[str, Raw]:
        rng = self.rng
        if rng.random() < 0.15:
            item = rng.choice([each for each in ITEMS if each["buys"]])
            line: dict[str, Raw] = {"ItemCode": item["Code"], "UnitAmount": Decimal(item["buys"])}
            line |= {"Description": item["Name"], "Quantity": rng.randrange(1, 40)}
            return {**line, "AccountCode": "310", "TaxType": "INPUT2"}
        line = {
            "Description": rng.choice(_WORDS),
            "Quantity": rng.choice((1, 1, 2, 3, Decimal("1.5"))),
            "UnitAmount": Decimal(rng.randrange(500, 90_000)) / 100,
            "AccountCode": rng.choice(EXPENSE_CODES),
        }
        if rng.random() < 0.5:
            line["Tracking"] = [self._option(name) for name in TRACKING if rng.random() < 0.7]
        return line

    def _sale(self) -> dict[str, Raw]:
        rng = self.rng
        line: dict[str, Raw] = {
            "Description": rng.choice(("Fitted kitchen", "Staircase", "Sash windows", "Survey")),
            "Quantity": rng.choice((1, 2, 4)),
            "UnitAmount": Decimal(rng.randrange(5_000, 450_000)) / 100,
            "AccountCode": rng.choice(("200", "200", "215")),
            "TaxType": rng.choice(("OUTPUT2", "OUTPUT2", "ZERORATEDOUTPUT")),
        }
        if rng.random() < 0.1:
            line["DiscountRate"] = Decimal(10)
        return line

    def _option(self, category: str) -> dict[str, Raw]:
        return {"Name": category, "Option": self.rng.choice(TRACKING[category])}
