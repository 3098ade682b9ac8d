"""What the simulated Xero answers to reading calls."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.unit.simulators.xero_session import Session, session

COLLECTIONS = (
    "Invoices",
    "CreditNotes",
    "Payments",
    "BatchPayments",
    "Prepayments",
    "Overpayments",
    "Contacts",
    "Accounts",
    "Items",
    "TaxRates",
    "TrackingCategories",
    "Currencies",
)
PAGED = COLLECTIONS[:3] + COLLECTIONS[4:7]
IDS = {"TaxRates": "TaxType", "TrackingCategories": "TrackingCategoryID"}


def key_of(collection: str) -> str:
    return IDS.get(collection, f"{collection[:-1]}ID")


@pytest.mark.parametrize("collection", COLLECTIONS)
async def test_every_collection_lists_and_validates(xero: Session, collection: str) -> None:
    answer = await xero.ok("GET", f"/{collection}")
    assert answer["Status"] == "OK"
    assert answer[collection]


@pytest.mark.parametrize("collection", [c for c in COLLECTIONS if c != "Currencies"])
async def test_every_record_can_be_read_alone(xero: Session, collection: str) -> None:
    key = key_of(collection)
    for record in (await xero.ok("GET", f"/{collection}"))[collection][:20]:
        alone = (await xero.ok("GET", f"/{collection}/{record[key]}"))[collection]
        assert [each[key] for each in alone] == [record[key]]


@pytest.mark.parametrize("collection", PAGED)
async def test_pages_hold_every_record_once(xero: Session, collection: str) -> None:
    whole = (await xero.ok("GET", f"/{collection}", **_archived(collection)))[collection]
    paged = await xero.all(collection, pageSize=7, **_archived(collection))
    key = key_of(collection)
    assert sorted(each[key] for each in paged) == sorted(each[key] for each in whole)


def _archived(collection: str) -> dict[str, str]:
    return {"includeArchived": "true"} if collection == "Contacts" else {}


async def test_without_a_page_documents_have_no_lines(xero: Session) -> None:
    whole = await xero.ok("GET", "/Invoices")
    assert "pagination" not in whole
    assert all(each["LineItems"] == [] for each in whole["Invoices"])
    paged = await xero.ok("GET", "/Invoices", page=1)
    assert paged["pagination"]["page"] == 1
    assert all(each["LineItems"] for each in paged["Invoices"])


async def test_where_finds_bills_alone(xero: Session) -> None:
    bills = await xero.all("Invoices", where='Type=="ACCPAY"')
    assert {each["Type"] for each in bills} == {"ACCPAY"}
    both = await xero.all("Invoices", where='Type=="ACCPAY" AND AmountDue > 100.00')
    assert both
    assert all(each["AmountDue"] > 100 for each in both)
    contact = bills[0]["Contact"]["ContactID"]
    mine = await xero.all("Invoices", where=f'Contact.ContactID==Guid("{contact}")')
    assert {each["Contact"]["ContactID"] for each in mine} == {contact}


async def test_where_knows_days_brackets_and_alternatives(xero: Session) -> None:
    text = '(Status=="PAID" OR Status=="VOIDED") && Date >= DateTime(2020,1,1)'
    found = await xero.all("Invoices", where=text)
    assert {each["Status"] for each in found} == {"PAID", "VOIDED"}


async def test_a_where_that_cannot_be_read_is_a_query_exception(xero: Session) -> None:
    answer = await xero.call("GET", "/Invoices", where="Type==", page=1)
    assert answer.status_code == 400
    assert answer.json()["ErrorNumber"] == 16


async def test_where_finds_the_payments_of_a_bill(xero: Session) -> None:
    paid = (await xero.all("Invoices", where='Type=="ACCPAY" AND Status=="PAID"'))[0]
    where = f'Invoice.InvoiceID==Guid("{paid["InvoiceID"]}") AND Status=="AUTHORISED"'
    found = await xero.all("Payments", where=where)
    assert sum(each["Amount"] for each in found) == paid["AmountPaid"]


async def test_some_lines_are_nothing_but_words(xero: Session) -> None:
    lines = [each for bill in await xero.all("Invoices") for each in bill["LineItems"]]
    assert {"LineItemID", "Description", "Tracking"} in [set(each) for each in lines]


async def test_words_are_searched(xero: Session) -> None:
    found = await xero.all("Contacts", searchTerm="o'brien")
    assert [each["Name"] for each in found] == ["O'Brien Timber Merchants"]
    summary = await xero.ok("GET", "/Contacts", page=1, summaryOnly="true")
    assert "Phones" not in summary["Contacts"][0]


async def test_a_payment_in_a_batch_shows_the_batch_under_its_invoice(xero: Session) -> None:
    """The trap of the live API: the id nested there is not the payment's own."""
    listed = await xero.all("Payments", where='Status=="AUTHORISED"')
    batched = next(each for each in listed if each.get("BatchPaymentID"))
    alone = await xero.one("Payments", batched["PaymentID"])
    nested = [each["PaymentID"] for each in alone["Invoice"]["Payments"]]
    assert nested == [batched["BatchPaymentID"]]


async def test_order_turns_the_list(xero: Session) -> None:
    down = await xero.all("Invoices", order="Total DESC")
    totals = [each["Total"] for each in down]
    assert totals == sorted(totals, reverse=True)


async def test_ids_and_statuses_choose(xero: Session) -> None:
    some = (await xero.all("Invoices"))[:3]
    ids = ",".join(each["InvoiceID"] for each in some)
    assert len(await xero.all("Invoices", IDs=ids)) == 3
    drafts = await xero.all("Invoices", Statuses="DRAFT,SUBMITTED")
    assert {each["Status"] for each in drafts} == {"DRAFT", "SUBMITTED"}


async def test_if_modified_since_gives_what_moved(xero: Session) -> None:
    before = xero.app.world.clock.now() + timedelta(seconds=2)
    xero.app.world.clock.advance(timedelta(seconds=10))
    bill = (await xero.all("Invoices", where='Type=="ACCPAY" AND Status=="DRAFT"'))[0]
    change = {"Invoices": [{"InvoiceID": bill["InvoiceID"], "DueDate": "2030-01-01"}]}
    await xero.ok("POST", f"/Invoices/{bill['InvoiceID']}", change)
    since = {"if-modified-since": before.strftime("%Y-%m-%dT%H:%M:%S")}
    moved = await xero.ok("GET", "/Invoices", headers=since, page=1)
    assert [each["InvoiceID"] for each in moved["Invoices"]] == [bill["InvoiceID"]]


async def test_a_due_date_of_a_part_paid_bill_moves_unnoticed(xero: Session) -> None:
    where = 'Type=="ACCPAY" AND Status=="AUTHORISED" AND AmountPaid > 0'
    bill = (await xero.all("Invoices", where=where))[0]
    xero.app.world.clock.advance(timedelta(minutes=10))
    await xero.edit(op="edit_due_date", id=bill["InvoiceID"], due_on="2031-05-05")
    after = await xero.one("Invoices", bill["InvoiceID"])
    assert after["DueDateString"] == "2031-05-05T00:00:00"
    assert after["UpdatedDateUTC"] == bill["UpdatedDateUTC"]


async def test_archived_contacts_come_when_asked_for(xero: Session) -> None:
    shown = {each["Name"] for each in await xero.all("Contacts")}
    every = {each["Name"] for each in await xero.all("Contacts", includeArchived="true")}
    assert every - shown == {"Gone Away Joinery"}


async def test_list_tracking_lacks_the_option_id_and_single_reads_have_it(xero: Session) -> None:
    for bill in await xero.all("Invoices"):
        tracked = [each for item in bill["LineItems"] for each in item.get("Tracking", [])]
        if tracked:
            assert "TrackingOptionID" not in tracked[0]
            alone = await xero.one("Invoices", bill["InvoiceID"])
            first = next(item for item in alone["LineItems"] if item.get("Tracking"))
            assert first["Tracking"][0]["TrackingOptionID"]
            return
    pytest.fail("no bill of the seed is tracked")


async def test_unit_amounts_have_two_places_unless_four_are_asked_for(xero: Session) -> None:
    for bill in await xero.all("Invoices"):
        for item in bill["LineItems"]:
            if item.get("ItemCode") == "HINGE-BR":
                assert item["UnitAmount"] == Decimal("3.13")
                alone = await xero.one("Invoices", bill["InvoiceID"])
                assert Decimal("3.1275") in [line.get("UnitAmount") for line in alone["LineItems"]]
                return
    pytest.fail("no bill of the seed buys hinges")


async def test_payments_in_base_currency_list_a_rate_of_zero(xero: Session) -> None:
    listed = await xero.all("Payments")
    rates = {each["CurrencyRate"] for each in listed}
    assert 0 in rates
    assert any(rate > 0 for rate in rates), "foreign payments keep their rate"
    zero = next(each for each in listed if each["CurrencyRate"] == 0)
    assert (await xero.one("Payments", zero["PaymentID"]))["CurrencyRate"] == 1


async def test_the_seed_holds_every_kind_of_case(xero: Session) -> None:
    bills = await xero.all("Invoices", where='Type=="ACCPAY"')
    wanted = {"DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED"}
    assert {each["Status"] for each in bills} == wanted
    assert {"GBP", "EUR", "USD"} <= {each["CurrencyCode"] for each in bills}
    open_ones = [
        each
        for each in bills
        if each["Status"] == "AUTHORISED"
        and each["CurrencyCode"] == "GBP"
        and each["AmountDue"] == each["Total"]
    ]
    assert len(open_ones) >= 6
    suppliers = [each["Contact"]["ContactID"] for each in open_ones]
    assert len(set(suppliers)) < len(suppliers)
    notes = await xero.all("CreditNotes", where='Type=="ACCPAYCREDIT"')
    unused = [each for each in notes if each["RemainingCredit"] == each["Total"]]
    assert any(
        bill["AmountDue"] >= credit["Total"]
        and bill["Contact"]["ContactID"] == credit["Contact"]["ContactID"]
        for credit in unused
        for bill in open_ones
    )


async def test_invoices_have_a_pdf_and_bills_have_none(xero: Session) -> None:
    invoice = (await xero.all("Invoices", where='Type=="ACCREC"'))[0]
    pdf = {"accept": "application/pdf"}
    answer = await xero.call("GET", f"/Invoices/{invoice['InvoiceID']}/pdf", headers=pdf)
    assert answer.content.startswith(b"%PDF-1.4")
    bill = (await xero.all("Invoices", where='Type=="ACCPAY"'))[0]
    answer = await xero.call("GET", f"/Invoices/{bill['InvoiceID']}/pdf", headers=pdf)
    assert answer.status_code == 404


async def test_an_answer_is_json_only_when_it_is_asked_for(xero: Session) -> None:
    answer = await xero.call("GET", "/Accounts", headers={"accept": "*/*"}, checked=False)
    assert answer.status_code == 406


async def test_contact_balances_are_the_ledgers(xero: Session) -> None:
    ledger = await xero.ledger()
    for contact in await xero.all("Contacts"):
        shown = contact.get("Balances", {}).get("AccountsPayable", {})
        owed = ledger["accountsPayableByContact"].get(contact["ContactID"], 0)
        assert shown.get("Outstanding", 0) == owed, contact["Name"]
        assert shown.get("Overdue", 0) <= shown.get("Outstanding", 0) or owed < 0


async def test_the_second_organisation_answers_as_well(xero: Session) -> None:
    """Its base currency is the euro, so other rates and another chart are at work."""
    await xero.grant((await xero.organisations())[1]["id"])
    (organisation,) = (await xero.ok("GET", "/Organisation"))["Organisations"]
    assert organisation["BaseCurrency"] == "EUR"
    for collection in COLLECTIONS:
        assert (await xero.ok("GET", f"/{collection}"))[collection]
    assert (await xero.ledger())["trialBalanceTotal"] == 0


async def test_a_list_can_be_read_in_the_order_of_its_ids(xero: Session) -> None:
    ids = [each["InvoiceID"] for each in await xero.all("Invoices", order="InvoiceID", pageSize=9)]
    assert ids == sorted(ids)
    assert len(ids) == len(set(ids))


async def test_the_same_seed_makes_the_same_books(xero: Session, tmp_path: Path) -> None:
    async with session(tmp_path / "again") as again:
        assert await again.ledger() == await xero.ledger()
        ids = [each["InvoiceID"] for each in await again.all("Invoices", order="InvoiceID")]
        assert ids == [each["InvoiceID"] for each in await xero.all("Invoices", order="InvoiceID")]
