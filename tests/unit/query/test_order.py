"""The order of a list."""

import pytest

from tallystick.errors import QueryError
from tallystick.model import Bill
from tallystick.query import order
from tallystick.query.fields import Each, Field, Kind, column, of, table


def test_the_default_is_the_time_of_change_then_the_id() -> None:
    assert order.parse(None, of(Bill)).text == "modified_at, id"
    assert order.parse("  ", of(Bill)).text == "modified_at, id"


def test_a_minus_turns_it_round() -> None:
    assert order.parse("-modifiedDate", of(Bill)).text == "modified_at desc, id desc"
    assert order.parse("-amountDue", of(Bill)).descending


def test_what_may_be_missing_comes_last_either_way() -> None:
    ascending, descending = (order.parse(text, of(Bill)).text for text in ("dueDate", "-dueDate"))
    assert " nulls last, id" in ascending
    assert " desc nulls last, id desc" in descending


def test_an_unknown_property_is_refused() -> None:
    with pytest.raises(QueryError, match="Could not resolve property lineItems on Bill"):
        order.parse("-lineItems", of(Bill))


def test_a_property_with_many_values_gives_no_order() -> None:
    statuses = Field("dataConnections.status", Kind.WORD, Each("connection", "a", "b", "status"))
    with pytest.raises(QueryError, match="gives no order"):
        order.parse("dataConnections.status", table("Company", statuses))


def test_a_plain_table_may_have_its_own_tie_and_default() -> None:
    fields = table("Dataset", column("requested", Kind.MOMENT, "requested_at"), tie="key")
    assert order.parse(None, fields, default="-requested").text == "requested_at desc, key desc"
