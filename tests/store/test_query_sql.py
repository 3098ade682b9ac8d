"""What the database finds is what the query says, on any records and any query."""

import datetime
from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.store.shelves import AT, Owner, bill, later, make_owner
from tests.unit.query.trees import OPS, quoted, render, storable_text, trees

from tallystick.db.pool import Tx
from tallystick.errors import QueryError
from tallystick.lib import json
from tallystick.model import Bill
from tallystick.model.base import Metadata, SupplierRef
from tallystick.model.payables import BillStatus
from tallystick.query import order, sql
from tallystick.query.fields import OPERATORS, Fields, Kind, of
from tallystick.query.language import Clause, Node, parse
from tallystick.query.matches import Plain, matches
from tallystick.records import store
from tallystick.records.rows import Incoming

# Few values of each kind, so that queries often meet them, at and around the edges.
_TEXTS = ["", "a", "A", "ab", "Straße", "STRASSE", "İstanbul", "é", "a_b", "a%b", "\\", " b "]
_NUMBERS = [Decimal(text) for text in ("-1", "0", "0.1", "0.10", "1", "1.50", "99999999999.99")]
_DAYS = [datetime.date(2023, 12, 31), datetime.date(2024, 1, 1), datetime.date(999, 1, 1)]
_MOMENTS = [
    datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC),
    datetime.datetime(2024, 1, 1, 0, 0, 0, 500_000, tzinfo=datetime.UTC),
    datetime.datetime(2023, 12, 31, 23, 59, 59, 999_000, tzinfo=datetime.UTC),
]
_FIELDS: Fields = of(Bill)
_ASKED = {
    "id": Kind.TEXT,
    "reference": Kind.TEXT,
    "supplierRef.supplierName": Kind.TEXT,
    "amountDue": Kind.NUMBER,
    "totalAmount": Kind.NUMBER,
    "status": Kind.WORD,
    "dueDate": Kind.DAY,
    "issueDate": Kind.DAY,
    "sourceModifiedDate": Kind.MOMENT,
    "modifiedDate": Kind.MOMENT,
    "metadata.isDeleted": Kind.TRUTH,
}
_INSTANTS = ["2024-01-01", "2023-12-31T23:59:59.999Z", "2024-01-01T00:00:00.5", "0999-01-01"]
_VALUES = {
    Kind.TEXT: ["a", "B", "ss", "İ", "É", "_", "%", "\\", "null", "x1", " b"],
    Kind.NUMBER: ["0", "-1.0", "0.10", "1.5", "99999999999.99", "1" * 400],
    Kind.WORD: ["paid", "OPEN", "Nothing"],
    Kind.DAY: _INSTANTS,
    Kind.MOMENT: [*_INSTANTS, "2026-11-20T09:00:00Z", "2026-11-20T10:00:00+01:00"],
    Kind.TRUTH: ["true", "False"],
}


def _optional(values: list[Any]) -> st.SearchStrategy[Any]:
    return st.none() | st.sampled_from(values)


def _bill(**members: Any) -> Bill:
    return Bill(**members)


_bills = st.builds(
    _bill,
    id=st.sampled_from([f"x{number}" for number in range(6)]),
    reference=_optional(_TEXTS),
    supplier_ref=st.none()
    | _optional(_TEXTS).map(lambda name: SupplierRef(id="s", supplier_name=name)),
    issue_date=st.sampled_from(_DAYS),
    due_date=_optional(_DAYS),
    status=st.sampled_from([BillStatus.Open, BillStatus.Paid]),
    sub_total=st.just(Decimal(1)),
    tax_amount=st.just(Decimal(0)),
    total_amount=st.sampled_from(_NUMBERS),
    amount_due=_optional(_NUMBERS),
    source_modified_date=_optional(_MOMENTS),
    metadata=st.none() | _optional([True, False]).map(lambda gone: Metadata(is_deleted=gone)),
)


@st.composite
def _clauses(draw: st.DrawFn) -> Clause:
    path = draw(st.sampled_from(sorted(_ASKED)))
    kind = _ASKED[path]
    op = draw(st.sampled_from(sorted(OPERATORS[kind])))
    return Clause(path, op, draw(st.sampled_from(_VALUES[kind])))


def _values(held: Bill) -> dict[str, Plain]:
    supplier = held.supplier_ref
    return {
        "id": held.id,
        "reference": held.reference,
        "supplierRef.supplierName": None if supplier is None else supplier.supplier_name,
        "amountDue": held.amount_due,
        "totalAmount": held.total_amount,
        "status": held.status.value,
        "dueDate": held.due_date,
        "issueDate": held.issue_date,
        "sourceModifiedDate": held.source_modified_date,
        "modifiedDate": AT,
        "metadata.isDeleted": bool(held.metadata and held.metadata.is_deleted),
    }


async def _put(tx: Tx, owner: Owner, bills: list[Bill]) -> Mapping[str, Bill]:
    incoming = [Incoming(each) for each in bills]
    await store.put_page(tx, **owner.place(), incoming=incoming, read_at=AT, now=AT)
    return {each.id: each for each in bills}


async def _ids(
    tx: Tx,
    owner: Owner,
    node: Node | None,
    by: str | None = None,
    *,
    page: int = 1,
    size: int = 100,
) -> tuple[list[str], int]:
    listed = await store.page(
        tx,
        company_id=owner.company_id,
        connection_id=owner.connection_id,
        record_type=Bill,
        where=sql.where(node, _FIELDS),
        order=order.parse(by, _FIELDS),
        page=page,
        page_size=size,
    )
    return [json.loads(body)["id"] for body in listed.bodies], listed.total


_SLOW = settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@_SLOW
@given(bills=st.lists(_bills, max_size=6), tree=trees(_clauses()))
async def test_the_database_and_the_values_agree(tx: Tx, bills: list[Bill], tree: Node) -> None:
    query = parse(render(tree))
    async with tx.transaction(force_rollback=True):
        owner = await make_owner(tx)
        held = await _put(tx, owner, bills)
        found, total = await _ids(tx, owner, query)
    expected = {key for key in held if matches(query, _values(held[key]), _FIELDS)}
    assert set(found) == expected
    assert total == len(found) == len(expected)


@_SLOW
@given(
    bills=st.lists(_bills, max_size=6),
    path=st.sampled_from(sorted(_ASKED)),
    way=st.sampled_from(["", "-"]),
    size=st.integers(1, 4),
)
async def test_pages_follow_the_order_asked_for(
    tx: Tx,
    bills: list[Bill],
    path: str,
    way: str,
    size: int,
) -> None:
    async with tx.transaction(force_rollback=True):
        owner = await make_owner(tx)
        held = await _put(tx, owner, bills)
        found: list[str] = []
        for page in range(1, 9):
            ids, total = await _ids(tx, owner, None, way + path, page=page, size=size)
            assert total == len(held)
            assert len(ids) == max(0, min(size, total - size * (page - 1)))
            found += ids
    assert found == _ordered(held, path, descending=bool(way))


_odd_values = st.one_of(
    storable_text,
    st.from_regex(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?", fullmatch=True),
    st.datetimes().map(str),
    st.datetimes(timezones=st.just(datetime.timezone(datetime.timedelta(hours=-12)))).map(str),
    st.dates().map(str),
    st.sampled_from(["true", "9" * 2000, "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-14:00"]),
)


@_SLOW
@given(
    path=st.sampled_from(sorted(_ASKED)),
    op=st.sampled_from(OPS),
    value=_odd_values,
    query=st.text(),
)
async def test_no_query_breaks_the_database(
    tx: Tx, path: str, op: str, value: str, query: str
) -> None:
    async with tx.transaction(force_rollback=True):
        owner = await make_owner(tx)
        await _put(tx, owner, [bill("a", amount_due=Decimal(1))])
        for asked in (query, f"{path}{op}{quoted(value)}"):
            with suppress(QueryError):
                await _ids(tx, owner, parse(asked))


def _ordered(held: Mapping[str, Bill], path: str, *, descending: bool) -> list[str]:
    keys = {key: _sortable(_values(held[key])[path]) for key in held}
    present = [key for key in held if keys[key] is not None]
    missing = [key for key in held if keys[key] is None]
    present.sort(key=lambda each: (keys[each], each), reverse=descending)
    return [*present, *sorted(missing, reverse=descending)]


def _sortable(value: Plain) -> Any:
    return value.casefold() if isinstance(value, str) else value


async def test_a_page_beyond_the_end_is_empty_and_knows_the_total(tx: Tx) -> None:
    owner = await make_owner(tx)
    await _put(
        tx, owner, [Bill.from_wire({"id": "a", "issueDate": "2024-01-01", "status": "Open"})]
    )
    assert await _ids(tx, owner, None, page=9) == ([], 1)
    assert await _ids(tx, owner, parse("id=b"), page=9) == ([], 0)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("modifiedDate=2026-11-20T09:00:00.123Z", True),
        ("modifiedDate>2026-11-20T09:00:00.123Z", False),
        ("modifiedDate<2026-11-20T09:00:00.124Z", True),
    ],
)
async def test_the_time_of_change_is_asked_for_as_it_is_shown(
    tx: Tx, query: str, *, expected: bool
) -> None:
    owner = await make_owner(tx)
    moment = later(0.123456)
    await store.put_page(
        tx, **owner.place(), incoming=[Incoming(bill("a"))], read_at=moment, now=moment
    )
    assert await _ids(tx, owner, parse(query)) == ((["a"], 1) if expected else ([], 0))
