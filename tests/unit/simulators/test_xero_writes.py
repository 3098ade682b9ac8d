"""What the simulated Xero takes and what it refuses."""

from decimal import Decimal
from typing import Any

import pytest
from tests.unit.simulators.xero_session import Session

Raw = Any

OPEN = 'Type=="ACCPAY" AND Status=="AUTHORISED"'
DAY = "2026-11-20"


async def bill_named(xero: Session, number: str) -> Raw:
    return (await xero.ok("GET", "/Invoices", InvoiceNumbers=number, page=1))["Invoices"][0]


async def bank(xero: Session, code: str = "090") -> str:
    accounts = (await xero.ok("GET", "/Accounts"))["Accounts"]
    return str(next(each["AccountID"] for each in accounts if each.get("Code") == code))


def one_payment(bill: Raw, account: str, amount: Raw, **more: Raw) -> Raw:
    ref = {"InvoiceID": bill["InvoiceID"]}
    sent = {"Invoice": ref, "Account": {"AccountID": account}, "Date": DAY, "Amount": amount}
    return {"Payments": [{**sent, **more}]}


def new_bill(**more: Raw) -> Raw:
    line = {"Description": "x", "Quantity": 1, "UnitAmount": 100.0, "AccountCode": "429"}
    sent = {
        "Type": "ACCPAY",
        "Status": "AUTHORISED",
        "Contact": {"Name": "O'Brien Timber Merchants"},
        "InvoiceNumber": "SUP-1",
        "Date": DAY,
        "DueDate": "2026-12-20",
        "LineAmountTypes": "Exclusive",
        "LineItems": [{**line, "TaxType": "INPUT2", "TaxAmount": 20.0}],
    }
    return {"Invoices": [{**sent, **more}]}


async def test_a_payment_moves_the_bill_the_bank_and_the_supplier(xero: Session) -> None:
    bill, account, before = await bill_named(xero, "OPEN-1"), await bank(xero), await xero.ledger()
    answer = await xero.ok("PUT", "/Payments", one_payment(bill, account, 500))
    payment = answer["Payments"][0]
    assert payment["Invoice"]["AmountDue"] == bill["AmountDue"] - 500
    paid = await xero.one("Invoices", bill["InvoiceID"])
    assert (paid["AmountPaid"], paid["Status"]) == (500, "AUTHORISED")
    assert [each["PaymentID"] for each in paid["Payments"]] == [payment["PaymentID"]]
    after, contact = await xero.ledger(), bill["Contact"]["ContactID"]
    assert moved(before, after, "accountsPayable") == -500
    assert bank_of(after, account) - bank_of(before, account) == -500
    owed = "accountsPayableByContact"
    assert after[owed][contact] - before[owed][contact] == -500


def moved(before: Raw, after: Raw, name: str) -> Raw:
    return after[name] - before[name]


def bank_of(ledger: Raw, account: str) -> Raw:
    return next(b["balance"] for b in ledger["bankBalances"] if b["accountId"] == account)


async def test_paying_all_of_it_settles_the_bill_and_deleting_opens_it_again(xero: Session) -> None:
    bill, account, before = await bill_named(xero, "OPEN-2"), await bank(xero), await xero.ledger()
    sent = one_payment(bill, account, str(bill["AmountDue"]))
    sent["Payments"][0]["Amount"] = float(bill["AmountDue"])
    payment = (await xero.ok("PUT", "/Payments", sent))["Payments"][0]
    paid = await xero.one("Invoices", bill["InvoiceID"])
    assert (paid["Status"], paid["AmountDue"]) == ("PAID", 0)
    assert paid["FullyPaidOnDate"]
    undo = {"Payments": [{"Status": "DELETED"}]}
    gone = await xero.ok("POST", f"/Payments/{payment['PaymentID']}", undo, checked=False)
    assert gone["Payments"][0]["Status"] == "DELETED"
    open_again = await xero.one("Invoices", bill["InvoiceID"])
    assert (open_again["Status"], open_again["AmountDue"]) == ("AUTHORISED", bill["AmountDue"])
    assert open_again["Payments"] == []
    after = await xero.ledger()
    assert after["accountsPayable"] == before["accountsPayable"]
    assert after["bankBalances"] == before["bankBalances"]
    listed = await xero.all("Payments", where='Status=="DELETED"')
    assert payment["PaymentID"] in [each["PaymentID"] for each in listed]


async def test_a_foreign_bill_paid_at_another_rate_leaves_a_currency_gain(xero: Session) -> None:
    bill, account = await bill_named(xero, "OPEN-USD"), await bank(xero, "092")
    before = await xero.ledger()
    amount = float(bill["AmountDue"])
    rate = float(bill["CurrencyRate"]) * 2
    sent = one_payment(bill, account, amount, CurrencyRate=round(rate, 6))
    payment = (await xero.ok("PUT", "/Payments", sent))["Payments"][0]
    assert payment["BankAmount"] == payment["Amount"], "a dollar account counts dollars"
    after = await xero.ledger()
    assert after["trialBalanceTotal"] == 0
    assert gain(after) < gain(before), "half of the debt in pounds was never paid"
    assert bank_of(after, account) - bank_of(before, account) == -bill["AmountDue"]


def gain(ledger: Raw) -> Raw:
    named = {each["code"]: each["balance"] for each in ledger["trialBalance"]}
    return named.get("499", 0)


@pytest.mark.parametrize(
    ("number", "code", "amount", "message"),
    [
        ("NEW-DRAFT", "090", 1, "Authorised documents"),
        ("TB-1", "090", 1, "Authorised documents"),
        ("OPEN-1", "090", 10_000, "exceeds the amount outstanding"),
        ("OPEN-1", "090", 0, "greater than zero"),
        ("OPEN-1", "429", 1, "must be BANK"),
        ("OPEN-1", "092", 1, "currency is neither"),
    ],
)
async def test_a_payment_that_cannot_be_is_refused(
    xero: Session, number: str, code: str, amount: int, message: str
) -> None:
    bill, account = await bill_named(xero, number), await bank(xero, code)
    before = await xero.ledger()
    assert message in await xero.refused("PUT", "/Payments", one_payment(bill, account, amount))
    assert await xero.ledger() == before


async def test_the_director_may_pay_where_payments_are_enabled(xero: Session) -> None:
    bill, account = await bill_named(xero, "OPEN-3"), await bank(xero, "880")
    await xero.ok("PUT", "/Payments", one_payment(bill, account, 10))


async def test_unknown_ids_are_refused(xero: Session) -> None:
    ghost = "11111111-1111-4111-8111-111111111111"
    account = await bank(xero)
    refused = await xero.refused("PUT", "/Payments", one_payment({"InvoiceID": ghost}, account, 1))
    assert "could not be found" in refused
    bill = await bill_named(xero, "OPEN-1")
    assert "Account" in await xero.refused("PUT", "/Payments", one_payment(bill, ghost, 1))
    assert (await xero.call("GET", f"/Invoices/{ghost}")).status_code == 404


async def test_nothing_is_written_before_the_lock_date(xero: Session) -> None:
    bill, account = await bill_named(xero, "OPEN-1"), await bank(xero)
    early = one_payment(bill, account, 1, Date="2020-01-01")
    assert "lock date" in await xero.refused("PUT", "/Payments", early)
    old = new_bill(Date="2020-01-01")
    assert "lock date" in await xero.refused("PUT", "/Invoices", old)


async def test_a_batch_pays_several_bills_at_once_and_is_taken_back_at_once(xero: Session) -> None:
    bills = [await bill_named(xero, f"OPEN-{number}") for number in (1, 2)]
    account, before = await bank(xero), await xero.ledger()
    elements = [{"Invoice": {"InvoiceID": each["InvoiceID"]}, "Amount": 50} for each in bills]
    sent = {"Account": {"AccountID": account}, "Date": DAY, "Reference": "Run"}
    answer = await xero.ok(
        "PUT", "/BatchPayments", {"BatchPayments": [{**sent, "Payments": elements}]}
    )
    batch = answer["BatchPayments"][0]
    assert (batch["TotalAmount"], batch["Type"], len(batch["Payments"])) == (100, "PAYBATCH", 2)
    assert moved(before, await xero.ledger(), "accountsPayable") == -100
    single = batch["Payments"][0]["PaymentID"]
    assert "batch" in await xero.refused("POST", f"/Payments/{single}", {"Status": "DELETED"})
    undo = {"BatchPaymentID": batch["BatchPaymentID"], "Status": "DELETED"}
    gone = (await xero.ok("POST", "/BatchPayments", undo))["BatchPayments"][0]
    assert (gone["Status"], gone["Payments"]) == ("DELETED", [])
    after = await xero.ledger()
    assert after["accountsPayable"] == before["accountsPayable"]


async def test_a_batch_holds_base_currency_alone(xero: Session) -> None:
    bill, account = await bill_named(xero, "OPEN-USD"), await bank(xero)
    element = {"Invoice": {"InvoiceID": bill["InvoiceID"]}, "Amount": 5}
    sent = {"Account": {"AccountID": account}, "Date": DAY, "Payments": [element]}
    message = await xero.refused("PUT", "/BatchPayments", {"BatchPayments": [sent]})
    assert "base currency" in message


async def test_a_credit_note_is_allocated_and_freed_again(xero: Session) -> None:
    bill, before = await bill_named(xero, "OPEN-1"), await xero.ledger()
    notes = await xero.all("CreditNotes", where='CreditNoteNumber=="CR-UNUSED"')
    note = notes[0]["CreditNoteID"]
    sent = {"Invoice": {"InvoiceID": bill["InvoiceID"]}, "Amount": 100, "Date": DAY}
    path = f"/CreditNotes/{note}/Allocations"
    made = (await xero.ok("PUT", path, {"Allocations": [sent]}))["Allocations"][0]
    after = await xero.one("Invoices", bill["InvoiceID"])
    assert (after["AmountCredited"], after["AmountDue"]) == (100, bill["AmountDue"] - 100)
    assert [each["AppliedAmount"] for each in after["CreditNotes"]] == [100]
    credit = await xero.one("CreditNotes", note)
    assert credit["RemainingCredit"] == credit["Total"] - 100
    assert credit["Allocations"][0]["AllocationID"] == made["AllocationID"]
    assert (await xero.ledger())["accountsPayable"] == before["accountsPayable"]
    gone = await xero.ok("DELETE", f"{path}/{made['AllocationID']}")
    assert gone["IsDeleted"] is True
    freed = await xero.one("CreditNotes", note)
    assert (freed["RemainingCredit"], freed["Allocations"]) == (freed["Total"], [])


async def test_an_allocation_that_cannot_be_is_refused(xero: Session) -> None:
    notes = await xero.all("CreditNotes", where='CreditNoteNumber=="CR-UNUSED"')
    path = f"/CreditNotes/{notes[0]['CreditNoteID']}/Allocations"

    async def refused(number: str, amount: int) -> str:
        bill = await bill_named(xero, number)
        sent = {"Invoice": {"InvoiceID": bill["InvoiceID"]}, "Amount": amount, "Date": DAY}
        return await xero.refused("PUT", path, {"Allocations": [sent]})

    assert "remaining credit" in await refused("OPEN-1", 1_000)
    assert "same contact" in await refused("OPEN-3", 1)
    invoice = (await xero.all("Invoices", where='Type=="ACCREC" AND Status=="AUTHORISED"'))[0]
    assert "different types" in await refused(invoice["InvoiceNumber"], 1)


async def test_a_bill_is_created_and_posted(xero: Session) -> None:
    before = await xero.ledger()
    bill = (await xero.ok("PUT", "/Invoices", new_bill(), unitdp=4))["Invoices"][0]
    assert (bill["Total"], bill["AmountDue"], bill["Reference"]) == (120, 120, "")
    assert moved(before, await xero.ledger(), "accountsPayable") == 120


@pytest.mark.parametrize(
    ("mode", "totals"),
    [
        ("Exclusive", (100, 20, 120)),
        ("Inclusive", ("83.33", "16.67", 100)),
        ("NoTax", (100, 0, 100)),
    ],
)
async def test_tax_is_reckoned_by_the_mode(xero: Session, mode: str, totals: Raw) -> None:
    line = {"Description": "x", "UnitAmount": 100, "AccountCode": "429", "TaxType": "INPUT2"}
    sent = new_bill(LineAmountTypes=mode, LineItems=[line])
    bill = (await xero.ok("PUT", "/Invoices", sent))["Invoices"][0]
    found = (bill["SubTotal"], bill["TotalTax"], bill["Total"])
    assert found == tuple(Decimal(each) for each in totals)


async def test_a_draft_reaches_the_ledger_when_it_is_approved(xero: Session) -> None:
    before = await xero.ledger()
    sent = new_bill(Status="DRAFT", LineItems=[{"Description": "to be priced"}])
    bill = (await xero.ok("PUT", "/Invoices", sent))["Invoices"][0]
    assert moved(before, await xero.ledger(), "accountsPayable") == 0
    path, id_ = f"/Invoices/{bill['InvoiceID']}", {"InvoiceID": bill["InvoiceID"]}
    lines = new_bill()["Invoices"][0]["LineItems"]
    await xero.ok("POST", path, {"Invoices": [{**id_, "Status": "AUTHORISED", "LineItems": lines}]})
    assert moved(before, await xero.ledger(), "accountsPayable") == 120
    await xero.ok("POST", path, {"Invoices": [{**id_, "Status": "VOIDED"}]})
    voided = await xero.one("Invoices", bill["InvoiceID"])
    assert (voided["Status"], voided["Total"], voided["AmountDue"]) == ("VOIDED", 120, 0)
    assert moved(before, await xero.ledger(), "accountsPayable") == 0
    again = await xero.refused("POST", path, {"Invoices": [{**id_, "DueDate": DAY}]})
    assert "not of valid status" in again


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Contact": {}}, "Contact must be specified"),
        ({"DueDate": None}, "DueDate"),
        ({"LineItems": [{"Description": "x", "UnitAmount": 1}]}, "Account code must be specified"),
        ({"LineItems": []}, "line items must be specified"),
        ({"CurrencyCode": "JPY"}, "not subscribed to currency"),
        ({"Contact": {"Name": "Gone Away Joinery"}, "Type": "ACCREC"}, ""),
        ({"InvoiceNumber": "9" * 256}, "maximum length"),
        ({"Status": "PAID"}, "cannot have the status"),
    ],
)
async def test_a_bill_that_cannot_be_is_refused(xero: Session, change: Raw, message: str) -> None:
    sent = new_bill(**change)
    if message:
        assert message in await xero.refused("PUT", "/Invoices", sent, checked=False)
    else:
        # The archived contact's name is free again, so a new contact of that name is made.
        assert (await xero.call("PUT", "/Invoices", sent)).status_code == 200


async def test_paid_bills_cannot_be_voided(xero: Session) -> None:
    bill, account = await bill_named(xero, "OPEN-4"), await bank(xero)
    await xero.ok("PUT", "/Payments", one_payment(bill, account, 1))
    void = {"Invoices": [{"InvoiceID": bill["InvoiceID"], "Status": "VOIDED"}]}
    assert "cannot void" in await xero.refused("POST", f"/Invoices/{bill['InvoiceID']}", void)


async def test_invoice_numbers_are_given_and_unique(xero: Session) -> None:
    sent = new_bill(Type="ACCREC", Contact={"Name": "Zoë Fitzgerald"})
    del sent["Invoices"][0]["InvoiceNumber"]
    made = (await xero.ok("PUT", "/Invoices", sent))["Invoices"][0]
    assert made["InvoiceNumber"].startswith("INV-")
    sent["Invoices"][0]["InvoiceNumber"] = made["InvoiceNumber"]
    assert "must be unique" in await xero.refused("PUT", "/Invoices", sent)


async def test_one_bad_element_fails_the_whole_call(xero: Session) -> None:
    before = await xero.ledger()
    sent = {"Invoices": [*new_bill()["Invoices"], *new_bill(LineItems=[])["Invoices"]]}
    answer = await xero.call("PUT", "/Invoices", sent)
    assert answer.status_code == 400
    assert answer.json()["ErrorNumber"] == 10
    assert await xero.ledger() == before


async def test_summarize_errors_false_takes_the_good_elements(xero: Session) -> None:
    sent = {"Invoices": [*new_bill()["Invoices"], *new_bill(LineItems=[])["Invoices"]]}
    shown = (await xero.ok("PUT", "/Invoices", sent, summarizeErrors="false"))["Invoices"]
    assert [each["StatusAttributeString"] for each in shown] == ["OK", "ERROR"]
    assert shown[1]["HasErrors"] is True
    assert "line items" in shown[1]["ValidationErrors"][0]["Message"]


async def test_contact_names_are_unique_and_archived_ones_are_closed(xero: Session) -> None:
    twin = {"Contacts": [{"Name": "o'brien TIMBER merchants"}]}
    assert "already assigned" in await xero.refused("PUT", "/Contacts", twin)
    made = (await xero.ok("PUT", "/Contacts", {"Contacts": [{"Name": "Ærø Wood"}]}))["Contacts"][0]
    assert {each["AddressType"] for each in made["Addresses"]} == {"POBOX", "STREET"}
    path = f"/Contacts/{made['ContactID']}"
    archive = {"Contacts": [{"ContactID": made["ContactID"], "ContactStatus": "ARCHIVED"}]}
    await xero.ok("POST", path, archive)
    change = {"Contacts": [{"ContactID": made["ContactID"], "Name": "Ærø"}]}
    assert "archived" in await xero.refused("POST", path, change)


async def test_account_names_and_codes_are_unique(xero: Session) -> None:
    account = {"Code": "099", "Name": "Petty cash", "Type": "BANK", "BankAccountNumber": "1234"}
    made = (await xero.ok("PUT", "/Accounts", account))["Accounts"][0]
    assert (made["Class"], made["CurrencyCode"]) == ("ASSET", "GBP")
    refused = await xero.refused("PUT", "/Accounts", account)
    assert "unique Name" in refused
    assert "unique Code" in refused


async def test_the_refund_of_a_credit_is_a_payment(xero: Session) -> None:
    refunds = await xero.all("Payments", where='PaymentType=="APCREDITPAYMENT"')
    assert refunds[0]["CreditNote"]["CreditNoteID"]


async def test_a_file_is_kept_and_given_back(xero: Session) -> None:
    bill = await bill_named(xero, "OPEN-5")
    path = f"/Invoices/{bill['InvoiceID']}/Attachments"
    name = "Beleg%20%C3%A4%2F1.pdf"
    mime = {"content-type": "application/pdf"}
    made = await xero.ok("PUT", f"{path}/{name}", b"%PDF-1.4 scan", headers=mime, checked=False)
    assert made["Attachments"][0]["FileName"] == "Beleg ä/1.pdf"
    listed = (await xero.ok("GET", path))["Attachments"]
    assert listed[0]["ContentLength"] == 13
    file = await xero.call("GET", f"{path}/{listed[0]['AttachmentID']}", checked=False)
    assert (file.content, file.headers["content-type"]) == (b"%PDF-1.4 scan", "application/pdf")
    assert (await xero.one("Invoices", bill["InvoiceID"]))["HasAttachments"] is True
