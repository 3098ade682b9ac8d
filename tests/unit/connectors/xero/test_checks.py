"""What is refused before Xero is asked, and what a bill payment means there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tallystick.connectors.xero.books import XeroBooks, books_of
from tallystick.connectors.xero.refusals import is_error, problems
from tallystick.connectors.xero.writes import WRITES
from tallystick.connectors.xero.writes.bill_payment_plan import (
    Allocate,
    PayBatch,
    PayBill,
    Refund,
    check,
    plan,
    planned,
)
from tallystick.connectors.xero.writes.document_rules import check_bill, check_credit_note
from tallystick.connectors.xero.writes.sending import filled, number, their_rate
from tallystick.errors import Refused
from tallystick.lib import json
from tallystick.model import BankAccount, Bill, BillCreditNote, BillPayment, Supplier

Raw = Any

BANK, CARD, RENT, UNNAMED = (f"0000000{n}-0000-4000-8000-000000000000" for n in range(1, 5))
BILL, OTHER, NOTE = (f"0000000{n}-0000-4000-8000-00000000000b" for n in range(1, 4))
NORTH, SOUTH, RED = (f"0000000{n}-0000-4000-8000-00000000000c" for n in range(1, 4))
OAK = "00000001-0000-4000-8000-00000000000d"


def _account(account_id: str, code: str, name: str, kind: str, **more: Raw) -> Raw:
    return {
        "AccountID": account_id,
        "Code": code,
        "Name": name,
        "Type": kind,
        "Status": "ACTIVE",
        **more,
    }


BOOKS: XeroBooks = books_of(
    organisation={"BaseCurrency": "GBP"},
    accounts=(
        _account(BANK, "090", "Current", "BANK", CurrencyCode="GBP"),
        _account(CARD, "091", "Dollars", "BANK", CurrencyCode="USD"),
        _account(RENT, "469", "Rent", "EXPENSE"),
        _account(UNNAMED, "", "No code", "EXPENSE"),
    ),
    tax_rates=({"TaxType": "INPUT2", "Name": "VAT", "EffectiveRate": 20},),
    categories=(
        {
            "TrackingCategoryID": "site",
            "Name": "Site",
            "Options": [
                {"TrackingOptionID": NORTH, "Name": "North"},
                {"TrackingOptionID": SOUTH, "Name": "South"},
            ],
        },
        {
            "TrackingCategoryID": "team",
            "Name": "Team",
            "Options": [{"TrackingOptionID": RED, "Name": "Red"}],
        },
    ),
    items=({"ItemID": OAK, "Code": "OAK", "Name": "Oak"},),
)


def link(kind: str, target: str, amount: Raw, **more: Raw) -> Raw:
    return {"type": kind, "id": target, "amount": Decimal(str(amount)), **more}


def line(amount: Raw, *links: Raw) -> Raw:
    return {"amount": Decimal(str(amount)), "links": list(links)}


def payment(*lines: Raw, **more: Raw) -> BillPayment:
    return BillPayment.from_wire(
        {
            "date": "2026-04-02",
            "currency": "GBP",
            "accountRef": {"id": BANK},
            "totalAmount": sum((each["amount"] for each in lines), Decimal(0)),
            "lines": list(lines),
            **more,
        }
    )


PAY = line(100, link("Bill", BILL, -100))
USE = line(0, link("CreditNote", NOTE, 40), link("Bill", BILL, -40))


@pytest.mark.parametrize(
    ("made", "meant"),
    [
        (payment(PAY), PayBill),
        (payment(PAY, line(5, link("Bill", OTHER, -5))), PayBatch),
        (payment(USE), Allocate),
        (payment(USE, accountRef=None), Allocate),
        (payment(line(-40, link("CreditNote", NOTE, 40))), Refund),
    ],
)
def test_each_shape_that_xero_takes_is_one_call(made: BillPayment, meant: type) -> None:
    assert type(plan(made)) is meant
    assert check(made, BOOKS) == ()


REFUSED: list[tuple[BillPayment, str, str]] = [
    (
        payment(USE, line(60, link("Bill", BILL, -60))),
        "Lines.Links",
        "in two separate operations",
    ),
    (
        payment(line(60, link("Bill", BILL, -100), link("CreditNote", NOTE, 40))),
        "Lines.Links",
        "in two separate operations",
    ),
    (payment(), "Lines", "must be provided"),
    (payment(line(100)), "Lines.Links", "A single line must hold"),
    (
        payment(line(10, link("Bill", BILL, -5), link("Bill", OTHER, -5))),
        "Lines.Links",
        "A single line must hold",
    ),
    (
        payment(line(10, link("Bill", BILL, -5), link("Bill", OTHER, -5)), PAY),
        "Lines.Links",
        "each must hold one link of type Bill",
    ),
    (payment(PAY, totalAmount=99), "TotalAmount", "must match the sum"),
    (payment(line(100, link("Bill", BILL, -99))), "Lines[0].Links", "add up to zero"),
    (payment(line(-100, link("Bill", BILL, 100))), "Lines[0].Links[0].Amount", "below zero"),
    (payment(line(0, link("Bill", BILL, 0))), "Lines[0].Links[0].Amount", "below zero"),
    (
        payment(line(40, link("CreditNote", NOTE, -40))),
        "Lines[0].Links[0].Amount",
        "above zero",
    ),
    (payment(line(1, link("Bill", "seven", -1))), "Lines[0].Links[0].Id", "valid GUID"),
    (payment(line(1, {"type": "Bill", "amount": -1})), "Lines[0].Links[0].Id", "provided"),
    (
        payment(line(1, link("PaymentOnAccount", BILL, -1))),
        "Lines[0].Links[0].Type",
        "no link of type PaymentOnAccount",
    ),
    (
        payment(line(95, link("Bill", BILL, -100), link("Discount", BILL, 5))),
        "Lines[0].Links[1].Type",
        "no link of type Discount",
    ),
    (payment(PAY, accountRef=None), "AccountRef.Id", "must be provided"),
    (
        payment(PAY, accountRef={"id": OTHER}),
        "AccountRef.Id",
        "Account Ref was not found in Xero.",
    ),
    (payment(PAY, accountRef={"id": RENT}), "AccountRef.Id", "no bank account"),
    (payment(PAY, currency="pounds"), "Currency", "ISO 4217"),
    (payment(PAY, currencyRate=0), "CurrencyRate", "greater than zero"),
    (
        payment(line("1.001", link("Bill", BILL, "-1.001"))),
        "Lines[0].Amount",
        "more than 2 decimal places",
    ),
    (
        payment(PAY, line(5, link("Bill", OTHER, -5)), currency="USD"),
        "Currency",
        "must be in the base currency, GBP",
    ),
    (
        payment(PAY, line(5, link("Bill", OTHER, -5)), accountRef={"id": CARD}),
        "AccountRef.Id",
        "needs an account in GBP",
    ),
    (
        payment(PAY, line(5, link("Bill", BILL, -5))),
        "Lines.Links.Id",
        "one line of a batch only",
    ),
    (
        payment(PAY, line(5, link("Bill", OTHER, -10, currencyRate=Decimal("0.5")))),
        "Lines.Links.CurrencyRate",
        "in one currency",
    ),
    (
        payment(line(1, link("Bill", OTHER.upper(), -1)), line(5, link("Bill", OTHER.lower(), -5))),
        "Lines.Links.Id",
        "one line of a batch only",
    ),
    (
        payment(line(-90, link("CreditNote", NOTE, 45, currencyRate=2))),
        "Lines.Links.CurrencyRate",
        "takes no rate where a credit note",
    ),
    (
        payment(line(0, link("Bill", BILL, -10, currencyRate=2), link("CreditNote", NOTE, 20))),
        "Lines.Links.CurrencyRate",
        "takes no rate where a credit note",
    ),
    (
        payment(PAY, currency="USD", currencyRate=Decimal(16000)),
        "CurrencyRate",
        "cannot keep this rate",
    ),
    (
        payment(PAY, currency="USD", currencyRate=Decimal(3000000)),
        "CurrencyRate",
        "cannot keep this rate",
    ),
]


@pytest.mark.parametrize(("made", "item_id", "said"), REFUSED)
def test_a_payment_that_xero_would_not_take_is_refused_by_name(
    made: BillPayment, item_id: str, said: str
) -> None:
    found = check(made, BOOKS)
    assert any(one.item_id == item_id and said in one.message for one in found), found
    assert {one.validator for one in found} == {"BillPayment"}


def test_a_foreign_bill_may_be_paid_in_base_currency_at_the_links_rate() -> None:
    rated = link("Bill", BILL, -50, currencyRate=Decimal("1.9998"))
    made = payment(line("99.99", rated))
    assert check(made, BOOKS) == ()
    meant = planned(made)
    assert isinstance(meant, PayBill)
    assert (meant.share.amount, meant.rate) == (Decimal(50), Decimal("1.9998"))


def test_a_payment_without_a_plan_is_never_sent() -> None:
    with pytest.raises(Refused):
        planned(payment(PAY, USE))


# --- documents ---


def bill(*lines: Raw, **more: Raw) -> Bill:
    return Bill.from_wire(
        {
            "supplierRef": {"id": BILL},
            "issueDate": "2026-04-02",
            "dueDate": "2026-05-02",
            "status": "Open",
            "lineItems": [
                {
                    "description": "Rent",
                    "quantity": 1,
                    "unitAmount": 100,
                    "accountRef": {"id": RENT},
                    **each,
                }
                for each in lines
            ],
            **more,
        }
    )


TAXED = {"taxAmount": 20, "taxRateRef": {"id": "INPUT2"}}


@pytest.mark.parametrize(
    "made",
    [
        bill({}),
        bill(TAXED, totalAmount=120),
        bill(TAXED, totalAmount=Decimal("120.10")),
        bill({"accountRef": None, "itemRef": {"id": OAK}}),
        bill({"trackingCategoryRefs": [{"id": NORTH}, {"id": RED}]}),
        bill({"subTotal": 100, "totalAmount": 100}),
        # Xero works the tax out from the rate.
        bill({"taxRateRef": {"id": "INPUT2"}, "totalAmount": 120}, totalAmount=120),
    ],
)
def test_a_bill_that_xero_takes_has_no_problems(made: Bill) -> None:
    assert check_bill(made, BOOKS) == ()


@pytest.mark.parametrize(
    ("made", "item_id", "said"),
    [
        (bill(), "LineItems", "must be provided"),
        (bill({}, supplierRef={"id": "seven"}), "SupplierRef.Id", "valid GUID"),
        (
            bill({"accountRef": {"id": OTHER}}),
            "LineItems[0].AccountRef.Id",
            "Account Ref was not found in Xero.",
        ),
        (bill({"accountRef": None}), "LineItems[0].AccountRef", "where there is no item"),
        (bill({"accountRef": {"id": UNNAMED}}), "LineItems[0].AccountRef.Id", "has no code"),
        (
            bill({"itemRef": {"id": OTHER}}),
            "LineItems[0].ItemRef.Id",
            "Item Ref was not found in Xero.",
        ),
        (bill({"taxAmount": 20}), "LineItems[0].TaxRateRef.Id", "must be provided"),
        (bill({"taxRateRef": {"id": "X"}}), "LineItems[0].TaxRateRef.Id", "not found"),
        (bill(TAXED, totalAmount=119), "TotalAmount", "lines summed must equal"),
        (bill({"subTotal": 90}), "LineItems[0].SubTotal", "Quantity times Unit Amount"),
        (bill({"totalAmount": 90}), "LineItems[0].TotalAmount", "Sub Total and Tax"),
        (bill({"discountAmount": 1}), "LineItems[0].DiscountAmount", "no discount"),
        (bill({"discountPercentage": 1}), "LineItems[0].DiscountAmount", "no discount"),
        (bill({"unitAmount": Decimal("0.00001")}), "LineItems[0].UnitAmount", "4 decimal"),
        (bill({"quantity": Decimal("0.00001")}), "LineItems[0].Quantity", "4 decimal"),
        (bill({"taxAmount": Decimal("0.001")}), "LineItems[0].TaxAmount", "2 decimal"),
        (
            bill({"trackingCategoryRefs": [{"id": NORTH}, {"id": SOUTH}]}),
            "LineItems[0].TrackingCategoryRefs",
            "same parent",
        ),
        (
            bill({"trackingCategoryRefs": [{"id": "site"}]}),
            "LineItems[0].TrackingCategoryRefs[0].Id",
            "must be an option",
        ),
        (
            bill({"trackingCategoryRefs": [{"id": NORTH}, {"id": RED}, {"id": SOUTH}]}),
            "LineItems[0].TrackingCategoryRefs",
            "at most two",
        ),
        (bill({}, currency="€"), "Currency", "ISO 4217"),
    ],
)
def test_a_bill_that_xero_would_not_take_is_refused_by_name(
    made: Bill, item_id: str, said: str
) -> None:
    found = check_bill(made, BOOKS)
    assert any(one.item_id == item_id and said in one.message for one in found), found
    assert {one.validator for one in found} == {"Bill"}


def test_a_credit_note_must_be_worth_something() -> None:
    made = BillCreditNote.from_wire(
        {
            "supplierRef": {"id": BILL},
            "issueDate": "2026-04-02",
            "status": "Submitted",
            "lineItems": [{"quantity": 1, "unitAmount": -5, "accountRef": {"id": RENT}}],
        }
    )
    assert [one.item_id for one in check_credit_note(made, BOOKS)] == ["TotalAmount"]


def _problems_of(record: Any) -> list[str]:
    write = next(one for one in WRITES if one.type is type(record))
    return [one.item_id for one in write.check(record, BOOKS)]


def test_bank_accounts_are_new_and_no_credit_cards() -> None:
    made = BankAccount.from_wire({"accountName": "Reserve", "nominalCode": "0917"})
    assert _problems_of(made) == []
    taken = {"account_name": " CURRENT ", "nominal_code": "469", "account_type": "Credit"}
    credit = BankAccount.model_validate({**made.model_dump(by_alias=False), **taken})
    assert _problems_of(credit) == ["AccountType", "AccountName", "NominalCode"]


def test_a_supplier_has_one_address_of_a_kind() -> None:
    made = Supplier.from_wire(
        {
            "supplierName": "x",
            "status": "Active",
            "addresses": [{"type": "Delivery"}, {"type": "Unknown"}],
        }
    )
    assert _problems_of(made) == ["Addresses"]


# --- numbers and answers ---


def test_money_goes_out_as_exact_numbers() -> None:
    body = filled(Amount=number(Decimal("0.10")), Rate=their_rate(Decimal(3)), Nothing=None)
    assert json.dumps(body) == b'{"Amount":0.1,"Rate":0.333333}'
    assert json.dumps(number(Decimal("1E+2"))) == b"100"


@pytest.mark.parametrize(
    ("element", "refused"),
    [
        ({"StatusAttributeString": "OK", "ValidationErrors": []}, False),
        ({"StatusAttributeString": "OK", "Lines": [{"ValidationErrors": []}]}, False),
        ({"PaymentID": "x"}, False),
        ({"StatusAttributeString": "ERROR"}, True),
        ({"HasErrors": True}, True),
        ({"ValidationErrors": [{"Message": "no"}]}, True),
        ({"Payments": [{"ValidationErrors": [{"Message": "no"}]}]}, True),
        ("text", True),
    ],
)
def test_an_answer_of_200_may_still_refuse(element: Raw, *, refused: bool) -> None:
    assert is_error(element) is refused


def test_an_error_is_said_once() -> None:
    twice = {"ValidationErrors": [{"Message": " no "}, {"Message": "no"}, {"Message": ""}, 7]}
    assert [one.message for one in problems(twice)] == ["no"]
