"""Records: what they take in, and what they look like on the wire."""

import datetime
from decimal import Decimal
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tallystick.lib import json
from tallystick.model import (
    BY_KEY,
    DATA_TYPES,
    WIRE_DATA_TYPES,
    Bill,
    BillPayment,
    Record,
    canonical_key,
)
from tallystick.model.base import Part, Word
from tallystick.model.payables import BillLine, BillStatus

_PLAIN: dict[type, st.SearchStrategy[Any]] = {
    NoneType: st.none(),
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    bool: st.booleans(),
    Decimal: st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False),
    datetime.datetime: st.datetimes(timezones=st.just(datetime.UTC)),
    datetime.date: st.dates(),
}


def _value(annotation: Any) -> st.SearchStrategy[Any]:
    """Any value that fits the annotation."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _value(arguments[0])
    if origin is tuple:
        return st.lists(_value(arguments[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(st.text("ab", max_size=2), _value(arguments[1]), max_size=2)
    if arguments:
        return st.one_of(*map(_value, arguments))
    if issubclass(annotation, Part):
        return _part(annotation)
    return st.sampled_from(list(annotation)) if issubclass(annotation, Word) else _PLAIN[annotation]


def _part(part: type[Part]) -> st.SearchStrategy[Part]:
    members = {name: _value(info.annotation) for name, info in part.model_fields.items()}
    return st.fixed_dictionaries(members).map(lambda given: part(**given))


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@pytest.mark.parametrize("record_type", DATA_TYPES, ids=lambda each: each.key)
@given(data=st.data())
def test_a_record_is_written_as_its_class_says(
    record_type: type[Record], data: st.DataObject
) -> None:
    record: Any = data.draw(_part(record_type))
    assert json.canonical(record.wire()) == json.canonical(
        record.model_dump(by_alias=True, exclude_none=True)
    )
    assert record_type.from_wire(json.loads(json.dumps(record.wire()))).wire() == record.wire()


def test_members_without_value_are_left_out() -> None:
    line = BillLine(unit_amount=Decimal("1.50"), quantity=Decimal(0))
    bill = Bill.from_wire({"issueDate": "2024-01-02", "status": "Open"}).model_copy(
        update={"line_items": (line,)}
    )
    assert json.loads(json.dumps(bill.wire())) == {
        "id": "",
        "issueDate": "2024-01-02T00:00:00",
        "lineItems": [{"unitAmount": Decimal("1.5"), "quantity": 0, "trackingCategoryRefs": []}],
        "paymentAllocations": [],
        "purchaseOrderRefs": [],
        "status": "Open",
        "subTotal": 0,
        "taxAmount": 0,
        "totalAmount": 0,
        "withholdingTax": [],
    }


@pytest.mark.parametrize(
    ("text", "written"),
    [("10.10", "10.1"), ("1E+3", "1000"), ("-0.00", "0"), ("0.000000001", "0.000000001")],
)
def test_money_is_written_exactly_and_plainly(text: str, written: str) -> None:
    payment = BillPayment(total_amount=Decimal(text), date=datetime.date(2024, 1, 2))
    assert f'"totalAmount":{written}' in json.dumps(payment.wire()).decode()


@pytest.mark.parametrize("amount", [1.1, True, "NaN", "Infinity", "ten"])
def test_money_that_is_not_exact_is_refused(amount: object) -> None:
    with pytest.raises(ValidationError):
        BillPayment.from_wire({"totalAmount": amount, "date": "2024-01-02"})


@pytest.mark.parametrize(
    "text", ["2023-04-23", "2023-04-23T00:00:00", "2023-04-23T23:59:00-05:00", "2023-04-23 01:00"]
)
def test_a_day_is_the_day_as_written(text: str) -> None:
    payment = BillPayment.from_wire({"totalAmount": 1, "date": text})
    assert payment.date == datetime.date(2023, 4, 23)


@pytest.mark.parametrize(
    ("microsecond", "written"),
    [(0, "2024-01-02T03:04:05Z"), (120_000, "2024-01-02T03:04:05.120Z")],
)
def test_a_moment_is_written_in_utc(microsecond: int, written: str) -> None:
    zone = datetime.timezone(datetime.timedelta(hours=1))
    at = datetime.datetime(2024, 1, 2, 4, 4, 5, microsecond, tzinfo=zone)
    record = Bill.from_wire({"issueDate": "2024-01-02", "status": "Open"})
    assert record.model_copy(update={"source_modified_date": at}).wire()["sourceModifiedDate"] == (
        written
    )


def test_an_unknown_word_never_stops_a_read() -> None:
    assert BillStatus.of("Sideways") is BillStatus.Unknown
    assert BillStatus.of(None) is BillStatus.Unknown
    assert BillStatus.of("Paid") is BillStatus.Paid


def test_records_do_not_change() -> None:
    bill = Bill.from_wire({"issueDate": "2024-01-02", "status": "Open"})
    with pytest.raises(ValidationError):
        bill.id = "x"  # type: ignore[misc] # that is the point


def test_each_data_type_is_one_word_of_the_wire() -> None:
    assert len(BY_KEY) == len(DATA_TYPES)
    assert set(BY_KEY) <= set(WIRE_DATA_TYPES)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("accounts", "chartOfAccounts"),
        ("CHARTOFACCOUNTS", "chartOfAccounts"),
        ("info", "company"),
        ("companyInfo", "company"),
        ("bills", "bills"),
        ("journals", "journals"),
        ("unheard", None),
    ],
)
def test_a_data_type_is_known_by_its_other_names(name: str, key: str | None) -> None:
    assert canonical_key(name) == key
