"""Which properties may be asked about, by which operators, with which values."""

import pytest

from tallystick.errors import QueryError
from tallystick.model import DATA_TYPES, Bill, CompanyInfo, Invoice, Record
from tallystick.query import sql
from tallystick.query.fields import Column, Kind, Stored, of
from tallystick.query.language import parse


def test_kinds_come_from_the_annotations() -> None:
    fields = of(Bill)
    kinds = {path: fields[path].kind for path in fields}
    assert kinds["amountDue"] is Kind.NUMBER
    assert kinds["reference"] is Kind.TEXT
    assert kinds["status"] is Kind.WORD
    assert kinds["dueDate"] is Kind.DAY
    assert kinds["sourceModifiedDate"] is Kind.MOMENT
    assert kinds["supplierRef.supplierName"] is Kind.TEXT
    assert of(Record).get("amountDue") is None


def test_lists_and_objects_are_no_properties() -> None:
    fields = of(Bill)
    assert not {"lineItems", "lineItems.unitAmount", "supplierRef", "paymentAllocations"} & set(
        fields
    )
    assert "sourceUrls" not in set(of(CompanyInfo))


def test_what_the_store_knows_lies_in_columns() -> None:
    fields = of(Invoice)
    assert fields["modifiedDate"].place == Column("modified_at")
    assert fields["metadata.isDeleted"].place == Column("is_deleted")
    assert fields["id"].place == Stored("id", optional=True)


def test_properties_are_found_in_any_case() -> None:
    assert of(Bill)["SUPPLIERREF.ID"].path == "supplierRef.id"


@pytest.mark.parametrize("record_type", DATA_TYPES, ids=lambda record_type: record_type.key)
def test_no_property_needs_escaping_in_sql(record_type: type[Record]) -> None:
    assert all(path.replace(".", "").isalnum() for path in of(record_type))


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("lineItems.unitAmount=700", "Could not resolve property lineItems.unitAmount on Bill"),
        ("nothing=1", "Could not resolve property nothing on Bill"),
        ("amountDue~1", "~ cannot be used on amountDue, which is a number"),
        ("reference>a", "> cannot be used on reference, which is a text"),
        ("status<Paid", "< cannot be used on status, which is a word"),
        ("status~Pa", "~ cannot be used on status, which is a word"),
        ("dueDate~2021", "~ cannot be used on dueDate, which is a day"),
        ("metadata.isDeleted>true", "> cannot be used on metadata.isDeleted, which is a truth"),
        ("metadata.isDeleted=1", "'1' is not a truth"),
        ("amountDue>ten", "'ten' is not a number"),
        ("amountDue>1_000", "'1_000' is not a number"),
        ("amountDue>NaN", "'NaN' is not a number"),
        ("amountDue>1e9", "'1e9' is not a number"),
        ("dueDate>20210128", "'20210128' is not a day"),
        ("dueDate>2021-02-30", "'2021-02-30' is not a day"),
        ("dueDate>0000-01-01", "'0000-01-01' is not a day"),
        ("modifiedDate>0001-01-01T00:00:00+14:00", "is not a moment"),
        ("modifiedDate>yesterday", "'yesterday' is not a moment"),
    ],
)
def test_what_makes_no_sense_is_refused(query: str, message: str) -> None:
    with pytest.raises(QueryError, match=r"^Error parsing query - ") as refused:
        sql.where(parse(query), of(Bill))
    assert message in refused.value.message


def test_a_refusal_names_the_place_of_the_clause() -> None:
    with pytest.raises(QueryError) as refused:
        sql.where(parse("amountDue>0 && nothing=1"), of(Bill))
    assert refused.value.position == 15


@pytest.mark.parametrize(
    "query",
    [
        "amountDue>0",
        "amountDue>=-12.50&&totalAmount<1000",
        "dueDate>2021-01-28",
        "modifiedDate>=2021-11-15T06:00:00Z",
        "modifiedDate>=2021-11-15t06:00:00.1234567z",
        "modifiedDate>=2021-11-15T01:00:00-05:00",
        "modifiedDate>=2021-11-15 01:00",
        "metadata.isDeleted!=TRUE",
        "{totalAmount > 100 || totalAmount < 50} && status != paid",
        "supplierRef.supplierName=acme inc",
    ],
)
def test_common_queries_make_sense(query: str) -> None:
    assert sql.where(parse(query), of(Bill)).text


def test_values_travel_as_parameters_alone() -> None:
    where = sql.where(parse("reference=x'); drop table record; --%(y)s"), of(Bill))
    assert "drop" not in where.text
    assert where.parameters == {"q0": "x'); drop table record; --%(y)s"}


@pytest.mark.parametrize("record_type", DATA_TYPES, ids=lambda record_type: record_type.key)
def test_a_type_has_at_most_one_day_of_its_own(record_type: type[Record]) -> None:
    assert len({"issueDate", "date"} & set(of(record_type))) <= 1


def test_what_a_class_requires_is_never_missing() -> None:
    fields = of(Bill)
    assert fields["issueDate"].place == Stored("issueDate", optional=False)
    assert fields["dueDate"].place == Stored("dueDate")
    assert fields["supplierRef.id"].place == Stored("supplierRef.id")
