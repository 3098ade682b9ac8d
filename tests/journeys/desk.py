"""A desk at which the bills of one firm are paid, through the API alone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from tests.journeys.listening import Listener
from tests.journeys.serving import Answer, Books, Served

TODAY = datetime.now(UTC).date().isoformat()
PAID = ("Paid", Decimal(0))


@dataclass(frozen=True, slots=True)
class Desk:
    """The books of one firm, the account it pays from, and what is told of it."""

    books: Books
    listener: Listener
    currency: str
    bank_id: str

    def bills(self, query: str) -> list[Answer]:
        return self.books.records("bills", query=query, orderBy="dueDate")

    def unpaid(self, number: int) -> Answer:
        """One of the bills nobody touched; each test takes its own."""
        found = self.bills(f"reference=OPEN-{number}&&amountDue>0&&currency={self.currency}")
        return found[0]

    def account(self, query: str) -> str:
        return str(self.books.records("accounts", query=query, orderBy="name")[0]["id"])

    def pay(self, lines: list[Answer], **members: Answer) -> Answer:
        """Push a payment from the bank account; the operation once it ended."""
        body = {
            "accountRef": {"id": self.bank_id},
            "date": TODAY,
            "currency": self.currency,
            "totalAmount": sum((line["amount"] for line in lines), Decimal(0)),
            "lines": lines,
            **members,
        }
        return self.books.push("billPayments", body)

    def write(self, data_type: str, body: Answer) -> str:
        """Push a record; its id."""
        operation = self.books.push(data_type, body)
        assert operation["status"] == "Success", operation
        return str(operation["changes"][0]["recordRef"]["id"])

    def supplier(self, name: str) -> str:
        body = {"supplierName": name, "status": "Active", "defaultCurrency": self.currency}
        return self.write("suppliers", body)

    def document(self, supplier_id: str, amount: str) -> Answer:
        """What bills and bill credit notes have in common."""
        line = {
            "description": "Timber",
            "quantity": 1,
            "unitAmount": Decimal(amount),
            "taxAmount": 0,
            "accountRef": {"id": self.account("type=Expense&&status=Active")},
            "taxRateRef": {"id": "NONE"},
        }
        return {
            "supplierRef": {"id": supplier_id},
            "issueDate": TODAY,
            "currency": self.currency,
            "totalAmount": Decimal(amount),
            "lineItems": [line],
        }

    def bill(self, supplier_id: str, amount: str) -> str:
        body = self.document(supplier_id, amount) | {"status": "Open", "dueDate": TODAY}
        return self.write("bills", body)

    def credit_note(self, supplier_id: str, amount: str) -> str:
        body = self.document(supplier_id, amount) | {"status": "Submitted"}
        return self.write("billCreditNotes", body)


def to_bill(bill_id: str, amount: Decimal | str) -> Answer:
    """A line that pays that much of a bill."""
    paid = Decimal(amount)
    return {"amount": paid, "links": [{"type": "Bill", "id": bill_id, "amount": -paid}]}


def credited(bill_id: str, note_id: str, amount: str, *, cash: str = "0") -> Answer:
    credit, money = Decimal(amount), Decimal(cash)
    links = [
        {"type": "Bill", "id": bill_id, "amount": -credit - money},
        {"type": "CreditNote", "id": note_id, "amount": credit},
    ]
    return {"amount": money, "links": links}


def state(desk: Desk, bill_id: str) -> tuple[str, Decimal]:
    bill = desk.books.record("bills", bill_id)
    return bill["status"], bill["amountDue"]


def opened(served: Served, listener: Listener, name: str) -> Desk:
    books = served.linked(name)
    books.pulled()
    currency = served.api.get(f"{books.path}/data/info")["baseCurrency"]
    query = f"accountType=Debit&&status=Active&&currency={currency}"
    accounts = served.api.get(f"{books.connection_path}/data/bankAccounts", query=query)
    return Desk(books, listener, currency, accounts["results"][0]["id"])
