"""Paying bills asynchronously, from the customer's consent to the paid bill, over HTTP alone.

Where Xero, or Tallystick on Xero, lacks a step of the way, the documented refusal is what counts.
"""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from tests.journeys.desk import PAID, TODAY, Desk, credited, opened, state, to_bill
from tests.journeys.listening import Listener, listening
from tests.journeys.serving import Answer, Served

pytestmark = pytest.mark.xdist_group("served")

_TYPES = (
    "bankAccounts",
    "bills",
    "billCreditNotes",
    "billPayments",
    "chartOfAccounts",
    "suppliers",
    "taxRates",
    "trackingCategories",
    "company",
)
_WRITES = ("suppliers.write.*", "bills.write.*", "billCreditNotes.write.*", "billPayments.write.*")
_PDF = b"%PDF-1.4\n%%EOF\n"
_BAD = 400


@pytest.fixture(scope="module")
def listener(served: Served) -> Iterator[Listener]:
    with listening() as listener:
        body = {
            "url": listener.url,
            "eventTypes": ["company.created", "connection.*", "read.*", *_WRITES],
        }
        registered = served.api.post("/webhooks", body, status=201)
        listener.secret = registered["secret"]
        yield listener
        served.api.ask("DELETE", f"/webhooks/{registered['id']}", status=204)


@pytest.fixture(scope="module")
def desk(served: Served, listener: Listener) -> Desk:
    """The common prelude: settings, webhook, company, connection, consent, first reads."""
    settings = served.api.get("/profile/syncSettings")
    for setting in settings["settings"]:
        if setting["dataType"] in _TYPES:
            setting.update(fetchOnFirstLink=True, syncSchedule=24)
    settings["overridesDefaults"] = True
    served.api.post("/profile/syncSettings", settings, status=204)
    return opened(served, listener, "Harrow & Vale pays")


@pytest.fixture(scope="module")
def paying_desk(served: Served, listener: Listener) -> Desk:
    """The same books by another connection: a platform's limit counts for each."""
    return opened(served, listener, "Harrow & Vale pays bills")


@pytest.fixture(scope="module")
def credit_desk(served: Served, listener: Listener) -> Desk:
    return opened(served, listener, "Harrow & Vale takes credit")


def test_the_first_reads_end_complete_and_are_told(desk: Desk) -> None:
    reference = desk.listener.hear("connection.connected")
    statuses = desk.books.api.get(f"{desk.books.path}/dataStatus")
    told = _initial_read(desk)

    assert reference["payload"]["connection"]["status"] == "Linked"
    for data_type in _TYPES:
        status = statuses[data_type]
        assert status["currentStatus"] == "Complete"
        assert status["latestSyncId"] == status["latestSuccessfulSyncId"]
    assert {part["dataType"] for part in told["dataTypes"]} >= {*_TYPES}


def _initial_read(desk: Desk) -> Answer:
    desk.listener.hear("read.completed.initial")
    told = desk.listener.of("read.completed.initial")
    company_id = desk.books.company_id
    return next(e["payload"] for e in told if e["payload"]["referenceCompany"]["id"] == company_id)


def test_a_missing_supplier_is_created_as_its_model_says(desk: Desk) -> None:
    option = desk.books.api.get(f"{desk.books.connection_path}/options/suppliers")
    required = [name for name, part in option["properties"].items() if part["required"]]
    body = {"supplierName": "Weald Glazing", "status": "Active", "defaultCurrency": desk.currency}

    supplier_id = desk.write("suppliers", body)

    assert set(required) <= {*body}
    active = desk.books.records("suppliers", query="status=Active&&supplierName=weald glazing")
    assert [supplier["id"] for supplier in active] == [supplier_id]
    desk.listener.hear("suppliers.write.successful")


def test_changing_a_supplier_is_refused_by_name(desk: Desk) -> None:
    supplier_id = desk.books.records("suppliers", query="status=Active")[0]["id"]
    path = f"{desk.books.connection_path}/push/suppliers/{supplier_id}"

    refused = desk.books.api.ask("PUT", path, {"supplierName": "Other"}, status=_BAD)

    assert "Xero" in refused["error"]


def test_unpaid_bills_are_found_oldest_first(desk: Desk) -> None:
    bills = desk.bills(f"amountDue>0&&dueDate<{TODAY}T23:59:59")

    assert bills
    assert all(bill["amountDue"] > 0 for bill in bills)
    assert [bill["dueDate"] for bill in bills] == sorted(bill["dueDate"] for bill in bills)
    files = desk.books.api.get(f"{_connected(desk)}/bills/{bills[0]['id']}/attachments")
    assert isinstance(files["attachments"], list)


def _connected(desk: Desk) -> str:
    return f"{desk.books.connection_path}/data"


def test_a_bill_is_created_with_a_file(desk: Desk) -> None:
    supplier_id = desk.supplier("Stour Ironworks")

    bill_id = desk.bill(supplier_id, "64.20")
    path = f"{desk.books.connection_path}/push/bills/{bill_id}/attachments"
    sent = desk.books.api.http.post(path, files={"file": ("note.pdf", _PDF, "application/pdf")})
    operation = desk.books.ended(sent.json())

    assert operation["status"] == "Success"
    assert operation["changes"][0]["type"] == "AttachmentUploaded"
    bill = desk.books.record("bills", bill_id)
    assert (bill["status"], bill["amountDue"]) == ("Open", Decimal("64.20"))
    kept = (
        f"{_connected(desk)}/bills/{bill_id}/attachments/{operation['changes'][0]['attachmentId']}"
    )
    assert desk.books.api.http.get(f"{kept}/download").content == _PDF


def test_a_bank_account_is_created_and_a_credit_card_is_refused(desk: Desk) -> None:
    body = {
        "accountName": "Scenario account",
        "accountNumber": "00112233445566",
        "currency": desk.currency,
        "nominalCode": "0998",
    }
    account_id = desk.write("bankAccounts", body | {"accountType": "Debit"})
    card = body | {"accountType": "Credit", "accountName": "Card", "nominalCode": "0999"}

    refused = desk.books.push("bankAccounts", card)

    banks = {one["id"] for one in desk.books.records("accounts", query="isBankAccount=true")}
    assert account_id in banks or desk.books.api.get(
        f"{_connected(desk)}/bankAccounts/{account_id}"
    )
    assert refused["status"] == "Failed"
    assert refused["validation"]["errors"][0]["itemId"] == "AccountType"


def test_one_bill_is_paid_in_full(paying_desk: Desk) -> None:
    bill = paying_desk.unpaid(3)

    line = to_bill(bill["id"], bill["amountDue"])
    operation = paying_desk.pay([line], supplierRef={"id": bill["supplierRef"]["id"]})

    key = operation["pushOperationKey"]
    told = paying_desk.listener.hear("billPayments.write.successful", id=key)
    assert operation["status"] == "Success"
    assert told["payload"]["record"]["id"] == operation["changes"][0]["recordRef"]["id"]
    assert all(proof["settled"] for proof in operation["settlement"])
    assert state(paying_desk, bill["id"]) == PAID
    paying_desk.books.api.post(f"{paying_desk.books.path}/data/queue/bills")
    paying_desk.books.pulled()
    assert state(paying_desk, bill["id"]) == PAID


def test_two_bills_of_one_supplier_become_a_batch(paying_desk: Desk) -> None:
    bills = [paying_desk.unpaid(1), paying_desk.unpaid(2)]
    lines = [to_bill(bill["id"], bill["amountDue"]) for bill in bills]

    operation = paying_desk.pay(lines, supplierRef={"id": bills[0]["supplierRef"]["id"]})

    changed = [change["recordRef"]["dataType"] for change in operation["changes"]]
    assert operation["status"] == "Success"
    assert sorted(changed) == ["accountTransactions", "billPayments", "billPayments"]
    assert [state(paying_desk, bill["id"]) for bill in bills] == [PAID, PAID]


def test_a_batch_may_pay_several_suppliers(paying_desk: Desk) -> None:
    bills = [paying_desk.unpaid(4), paying_desk.unpaid(5)]

    operation = paying_desk.pay([to_bill(bill["id"], bill["amountDue"]) for bill in bills])

    assert len({bill["supplierRef"]["id"] for bill in bills}) == 2
    assert operation["status"] == "Success"
    assert [state(paying_desk, bill["id"]) for bill in bills] == [PAID, PAID]


def test_a_credit_note_is_used_on_a_bill(credit_desk: Desk) -> None:
    supplier_id = credit_desk.supplier("Exe Fasteners")
    bill_id, note_id = (
        credit_desk.bill(supplier_id, "90.00"),
        credit_desk.credit_note(supplier_id, "40.00"),
    )

    operation = credit_desk.pay(
        [credited(bill_id, note_id, "40.00")], supplierRef={"id": supplier_id}
    )

    note = credit_desk.books.record("billCreditNotes", note_id)
    assert operation["status"] == "Success"
    assert (note["status"], note["remainingCredit"]) == PAID
    assert state(credit_desk, bill_id) == ("PartiallyPaid", Decimal("50.00"))


def test_credit_and_cash_in_one_operation_are_refused_with_the_way_to_go(credit_desk: Desk) -> None:
    supplier_id = credit_desk.supplier("Tamar Paints")
    bill_id, note_id = (
        credit_desk.bill(supplier_id, "120.00"),
        credit_desk.credit_note(supplier_id, "10.00"),
    )

    operation = credit_desk.pay([credited(bill_id, note_id, "10.00", cash="110.00")])

    assert (operation["status"], operation["statusCode"]) == ("Failed", 400)
    assert "two separate operations" in operation["validation"]["errors"][0]["message"]
    assert state(credit_desk, bill_id) == ("Open", Decimal("120.00"))
    credit_desk.listener.hear("billPayments.write.unsuccessful", id=operation["pushOperationKey"])


@pytest.mark.parametrize("data_type", ["billPayments", "bills"])
def test_deleting_is_refused_by_name(desk: Desk, data_type: str) -> None:
    record_id = desk.books.records(data_type)[0]["id"]
    path = f"{desk.books.connection_path}/push/{data_type}/{record_id}"

    refused = desk.books.api.ask("DELETE", path, status=_BAD)

    assert "Xero" in refused["error"]


def test_an_offline_platform_that_is_not_built_is_refused_by_name(desk: Desk) -> None:
    body = {"platformKey": "pqsw"}

    refused = desk.books.api.post(f"{desk.books.path}/connections", body, status=_BAD)

    assert "QuickBooks Desktop" in refused["error"]
    assert refused["canBeRetried"] == "False"


def test_a_time_limit_is_told_back_and_does_no_harm(paying_desk: Desk) -> None:
    bill = paying_desk.unpaid(6)
    body = {
        "accountRef": {"id": paying_desk.bank_id},
        "date": TODAY,
        "currency": paying_desk.currency,
        "totalAmount": bill["amountDue"],
        "lines": [to_bill(bill["id"], bill["amountDue"])],
    }

    operation = paying_desk.books.push("billPayments", body, timeoutInMinutes=1)

    assert (operation["status"], operation["timeoutInMinutes"]) == ("Success", 1)


def test_a_foreign_bill_is_paid_from_an_account_in_the_base_currency(paying_desk: Desk) -> None:
    bill = paying_desk.bills(f"amountDue>0&&reference~OPEN-&&currency!={paying_desk.currency}")[0]
    owed, rate = bill["amountDue"], Decimal("0.8")
    paid = (owed * rate).quantize(Decimal("0.01"))
    link = {"type": "Bill", "id": bill["id"], "amount": -owed, "currencyRate": rate}

    operation = paying_desk.pay([{"amount": paid, "links": [link]}])

    assert operation["status"] == "Success", operation
    payment = paying_desk.books.record("billPayments", operation["changes"][0]["recordRef"]["id"])
    assert payment["totalAmount"] == sum(line["amount"] for line in payment["lines"])
    for line in payment["lines"]:
        links = sum(one["amount"] * one.get("currencyRate", 1) for one in line["links"])
        assert abs(line["amount"] + links) < Decimal("0.01")
    assert state(paying_desk, bill["id"]) == PAID


def test_every_event_was_signed_and_no_message_came_twice(desk: Desk) -> None:
    assert desk.listener.events
    assert desk.listener.refused == []
    assert len(desk.listener.message_ids) == len({*desk.listener.message_ids})
