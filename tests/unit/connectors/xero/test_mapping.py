"""What holds for every record mapped from Xero: the identities of money, and never an exception."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.connectors.xero.golden import XERO, books, cases

from tallystick.connectors.contract import Feed
from tallystick.connectors.fields import Fields
from tallystick.connectors.xero.books import XeroBooks, books_of
from tallystick.connectors.xero.client import XeroClient
from tallystick.connectors.xero.values import day, moment, rate
from tallystick.lib import json
from tallystick.model.payables import BillPayment

Raw = Any
BOOKS = books()
CASES = cases()

money = st.decimals(min_value="0.01", max_value="99999.99", places=2)
ids = st.uuids().map(str)


def feed(data_type: str, name: str) -> Feed[XeroClient, XeroBooks]:
    read = XERO.read_of(data_type)
    assert read is not None
    return next(one for one in read.feeds if one.name == name)


SIDES = {
    "billPayments": ("ACCPAYCREDIT", "SPEND", "Bill"),
    "payments": ("ACCRECCREDIT", "RECEIVE", "Invoice"),
}
_PAID = {
    "billPayments": {
        "Invoice": "ACCPAYPAYMENT",
        "CreditNote": "APCREDITPAYMENT",
        "Prepayment": "APPREPAYMENTPAYMENT",
        "Overpayment": "APOVERPAYMENTPAYMENT",
    },
    "payments": {
        "Invoice": "ACCRECPAYMENT",
        "CreditNote": "ARCREDITPAYMENT",
        "Prepayment": "ARPREPAYMENTPAYMENT",
        "Overpayment": "AROVERPAYMENTPAYMENT",
    },
}


def one(data_type: str, name: str, raw: Raw) -> Any:
    (record,) = feed(data_type, name).records(Fields(raw), BOOKS)
    return record


def check_identities(payment: Any) -> None:
    assert payment.total_amount == sum((line.amount for line in payment.lines), Decimal(0))
    for line in payment.lines:
        linked = sum((link.amount * (link.currency_rate or 1) for link in line.links), Decimal(0))
        assert line.amount + linked == 0
        for link in line.links:
            if link.type in {"Bill", "Invoice"}:
                assert link.amount < 0
            if link.type == "CreditNote":
                assert link.amount > 0


@pytest.mark.parametrize("data_type", SIDES)
@pytest.mark.parametrize("held", ["Invoice", "CreditNote", "Prepayment", "Overpayment"])
@given(amount=money, target=ids, contact=ids)
def test_a_payment_adds_up_and_moves_what_it_paid(
    data_type: str, held: str, amount: Decimal, target: str, contact: str
) -> None:
    raw = {
        "PaymentID": "p",
        "PaymentType": _PAID[data_type][held],
        "Amount": amount,
        "Date": "/Date(1767225600000+0000)/",
        held: {f"{held}ID": target, "Contact": {"ContactID": contact}},
    }
    payment = one(data_type, "Payments", raw)
    check_identities(payment)
    link = payment.lines[0].links[0]
    # A document is paid down; a credit or money on account given back is used up.
    assert payment.total_amount == (amount if held == "Invoice" else -amount)
    assert link.amount == -payment.total_amount
    on_account = held in {"Prepayment", "Overpayment"}
    assert link.id == (contact if on_account else target)


allocations = st.lists(st.tuples(ids, money), max_size=5, unique_by=lambda pair: pair[0])


def _allocations(used: list[tuple[str, Decimal]]) -> list[Raw]:
    return [
        {
            "AllocationID": f"a{place}",
            "Amount": amount,
            "Date": "/Date(1767225600000+0000)/",
            "Invoice": {"InvoiceID": target},
        }
        for place, (target, amount) in enumerate(used)
    ]


@pytest.mark.parametrize("data_type", SIDES)
@given(used=allocations, left=money)
def test_the_uses_of_a_credit_note_explain_what_is_left_of_it(
    data_type: str, used: list[tuple[str, Decimal]], left: Decimal
) -> None:
    note_type, _, document = SIDES[data_type]
    raw = {
        "CreditNoteID": "n",
        "Type": note_type,
        "RemainingCredit": left,
        "Allocations": _allocations(used),
    }
    found: Any = feed(data_type, f"CreditNotes {note_type} allocations").records(Fields(raw), BOOKS)
    consumed, settled = Decimal(0), {}
    for payment in found:
        check_identities(payment)
        assert payment.total_amount == 0
        for link in payment.lines[0].links:
            if link.type == document:
                settled[link.id] = -link.amount
            else:
                assert link.id == "n"
                consumed += link.amount
    assert settled == dict(used)
    assert consumed == sum((amount for _, amount in used), Decimal(0))


@pytest.mark.parametrize("data_type", SIDES)
@pytest.mark.parametrize("kind", ["Prepayment", "Overpayment"])
@given(used=allocations, rest=st.one_of(st.just(Decimal(0)), money), contact=ids)
def test_money_on_account_keeps_its_total_while_it_is_used_up(
    data_type: str, kind: str, used: list[tuple[str, Decimal]], rest: Decimal, contact: str
) -> None:
    _, way, document = SIDES[data_type]
    total = rest + sum((amount for _, amount in used), Decimal(0))
    raw = {
        f"{kind}ID": "o",
        "Type": f"{way}-{kind.upper()}",
        "Total": total,
        "Date": "/Date(1767225600000+0000)/",
        "Contact": {"ContactID": contact},
        "Allocations": _allocations(used),
    }
    payment = one(data_type, f"{kind}s", raw)
    check_identities(payment)
    assert payment.total_amount == total
    links = [link for line in payment.lines for link in line.links]
    assert {link.id: -link.amount for link in links if link.type == document} == dict(used)
    assert sum(-link.amount for link in links if link.type == "PaymentOnAccount") == rest


quantities = st.decimals(min_value="0.0001", max_value="999", places=4)
prices = st.decimals(min_value="-999", max_value="999", places=4)
taxes = st.sampled_from([Decimal(0), Decimal("0.05"), Decimal("0.2")])
discounts = st.sampled_from([None, Decimal(10), Decimal("33.3333")])
CENT = Decimal("0.01")


@settings(max_examples=100)
@given(
    quantity=quantities,
    price=prices,
    tax=taxes,
    discount=discounts,
    way=st.sampled_from(["Exclusive", "Inclusive", "NoTax"]),
)
def test_a_line_adds_up_whichever_way_its_amounts_are_stated(
    quantity: Decimal, price: Decimal, tax: Decimal, discount: Decimal | None, way: str
) -> None:
    stated = (quantity * price * (1 - (discount or Decimal(0)) / 100)).quantize(CENT)
    shares = {"Exclusive": tax, "Inclusive": tax / (1 + tax), "NoTax": Decimal(0)}
    raw = {
        "InvoiceID": "i",
        "Type": "ACCREC",
        "Date": "/Date(1767225600000+0000)/",
        "LineAmountTypes": way,
        "LineItems": [
            {
                "Quantity": quantity,
                "UnitAmount": price,
                "LineAmount": stated,
                "TaxAmount": (stated * shares[way]).quantize(CENT),
                "DiscountRate": discount,
            }
        ],
    }
    invoice = one("invoices", "Invoices ACCREC", raw)
    line = invoice.line_items[0]
    assert line.total_amount == line.sub_total + line.tax_amount
    net = line.unit_amount * line.quantity - (line.discount_amount or Decimal(0))
    assert abs(net - line.sub_total) <= CENT


# --- whatever comes ---

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=True, allow_infinity=True),
    st.text(max_size=20),
    st.sampled_from([Decimal("1E+40"), Decimal("-1E-40"), "9" * 40, Decimal("0E+500")]),
    st.sampled_from(["/Date(99999999999999999999)/", "/Date(x)/", "0001-01-01T00:00:00", "0"]),
)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def _places(value: Raw, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, Raw]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [at, *(place for key, each in inner for place in _places(each, (*at, key)))]


def _put(raw: Raw, place: tuple[Any, ...], value: Raw) -> Raw:
    if not place:
        return value
    changed = copy.deepcopy(raw)
    holder = changed
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    return changed


@settings(max_examples=200)
@given(data=st.data())
def test_no_odd_value_anywhere_stops_a_page(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(CASES))
    raw = case.sent()["record"]
    for _ in range(data.draw(st.integers(1, 3))):
        raw = _put(raw, data.draw(st.sampled_from(_places(raw))), data.draw(anything))
    try:
        records = case.feed().records(Fields(raw), BOOKS)
    except ValueError:
        # Without its id or type nobody knows which record it is: said, and nothing is deleted.
        return
    for record in records:
        wire = json.canonical(record.wire())
        assert type(record).from_wire(json.loads(wire)) == record


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_record_without_its_id_is_not_dropped_in_silence(case: Any) -> None:
    with pytest.raises(ValueError, match="nothing there"):
        case.feed().records(Fields({}), BOOKS)


@given(raw=anything)
def test_no_odd_reference_data_stops_a_read(raw: Raw) -> None:
    lists = (raw, {"Options": raw})
    first = books_of(
        organisation=raw, accounts=lists, tax_rates=lists, categories=lists, items=lists
    )
    again = books_of(
        organisation=raw, accounts=lists, tax_rates=lists, categories=lists, items=lists
    )
    assert first.version == again.version


# --- days, moments, rates ---


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ({"Date": "/Date(1705276800000+0000)/"}, "2024-01-15"),
        ({"Date": "/Date(1705276800000)/"}, "2024-01-15"),
        ({"Date": "/Date(-86400000+0000)/"}, "1969-12-31"),
        # Payments have no text twin: midnight in Auckland (summer, winter), Sydney and Berlin is
        # told as a moment of the day before, midnight in New York and Honolulu of the day itself.
        ({"Date": "/Date(1705230000000+0000)/"}, "2024-01-15"),
        ({"Date": "/Date(1721044800000+0000)/"}, "2024-07-16"),
        ({"Date": "/Date(1705237200000+0000)/"}, "2024-01-15"),
        ({"Date": "/Date(1705273200000+0000)/"}, "2024-01-15"),
        ({"Date": "/Date(1705294800000+0000)/"}, "2024-01-15"),
        ({"Date": "/Date(1705312740000+0000)/"}, "2024-01-15"),
        # Midnight in Auckland is noon of the day before in UTC; the text twin is the day meant.
        ({"Date": "/Date(1705230000000+0000)/", "DateString": "2024-01-15T00:00:00"}, "2024-01-15"),
        ({"Date": "/Date(1705230000000+1300)/"}, "2024-01-15"),
        ({"Date": "2024-01-15"}, "2024-01-15"),
        ({"Date": "2024-01-15 00:00:00"}, "2024-01-15"),
    ],
)
def test_a_day_is_the_calendar_day_meant(raw: Raw, meant: str) -> None:
    fields = Fields(raw)
    assert str(day(fields, "Date")) == meant
    assert fields.unread(frozenset()) == set()


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("/Date(1229803587127+0000)/", datetime(2008, 12, 20, 20, 6, 27, 127000, tzinfo=UTC)),
        ("/Date(1229803587127+1300)/", datetime(2008, 12, 20, 20, 6, 27, 127000, tzinfo=UTC)),
        ("2018-11-02T16:36:32", datetime(2018, 11, 2, 16, 36, 32, tzinfo=UTC)),
        ("2018-11-02T16:36:32+01:00", datetime(2018, 11, 2, 15, 36, 32, tzinfo=UTC)),
    ],
)
def test_a_moment_is_in_utc(text: str, meant: datetime) -> None:
    assert moment(Fields({"At": text}), "At") == meant


@pytest.mark.parametrize(
    ("theirs", "currency", "ours"),
    [
        ("1.25", "USD", "0.8"),
        ("3", "USD", "0.333333333"),
        # Lists of payments carry 0.
        ("0", "GBP", "1"),
        ("0", "USD", None),
        (None, "GBP", "1"),
        (None, "USD", None),
        ("-1", "USD", None),
    ],
)
def test_a_rate_is_base_units_for_one_foreign(
    theirs: str | None, currency: str, ours: str | None
) -> None:
    found = rate(Fields({"CurrencyRate": theirs}), currency, BOOKS)
    assert found == (None if ours is None else Decimal(ours))


def test_a_version_changes_with_what_the_mapping_uses_and_with_nothing_else() -> None:
    account = {"AccountID": "a", "Code": "1", "Name": "One", "UpdatedDateUTC": "/Date(1)/"}
    first = books_of(organisation={"BaseCurrency": "GBP"}, accounts=(account,))
    touched = {**account, "UpdatedDateUTC": "/Date(2)/"}
    renamed = {**account, "Name": "Two"}
    same = books_of(organisation={"BaseCurrency": "GBP"}, accounts=(touched,))
    other = books_of(organisation={"BaseCurrency": "GBP"}, accounts=(renamed,))
    assert first.version == same.version
    assert first.version != other.version


def test_a_code_that_was_used_again_means_the_account_in_use() -> None:
    old = {"AccountID": "old", "Code": "1", "Name": "Old", "Status": "ARCHIVED"}
    new = {"AccountID": "new", "Code": "1", "Name": "New", "Status": "ACTIVE"}
    for accounts in ((old, new), (new, old)):
        known = books_of(organisation={}, accounts=accounts).account(None, "1")
        assert known is not None
        assert known.id == "new"


def test_the_two_sides_of_the_ledger_never_share_a_payment() -> None:
    for case in CASES:
        if case.data_type not in SIDES:
            continue
        for side in SIDES:
            read = XERO.read_of(side)
            assert read is not None
            if side == case.data_type or case.sent()["feed"] not in {f.name for f in read.feeds}:
                continue
            mine, _ = case.mapped()
            fields = Fields(case.sent()["record"])
            theirs = feed(side, case.sent()["feed"]).records(fields, BOOKS)
            assert not (mine and theirs)
            assert all(isinstance(one, BillPayment) == (side == "billPayments") for one in theirs)
