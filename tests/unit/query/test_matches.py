"""The same language, asked of values in memory."""

import datetime
from decimal import Decimal

import pytest

from tallystick.errors import QueryError
from tallystick.query.language import parse
from tallystick.query.matches import Plain, matches

_VALUES: dict[str, Plain] = {
    "name": "Xero (Simulated)",
    "sourceType": "Accounting",
    "enabled": True,
    "rank": Decimal("1.50"),
    "since": datetime.datetime(2024, 1, 2, 3, 4, tzinfo=datetime.UTC),
    "on": datetime.date(2024, 1, 2),
    "missing": None,
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("sourceType=accounting&&enabled=true", True),
        ("sourceType=accounting&&enabled=false", False),
        ("name~SIMUL", True),
        ("name=xero", False),
        ("name!=xero", True),
        ("rank=1.5", True),
        ("rank>1.5||rank>=1.5", True),
        ("since>2024-01-02", True),
        ("since=2024-01-02T04:04:00+01:00", True),
        ("on=2024-01-02", True),
        ("on<2024-01-02T00:00:01", True),
        ("missing=", None),
        ("missing!=x", True),
        ("missing=x", False),
        ("missing~x", False),
    ],
)
def test_values_answer_a_query(query: str, *, expected: bool | None) -> None:
    if expected is None:
        with pytest.raises(QueryError):
            parse(query)
        return
    assert matches(parse(query), _VALUES) is expected


def test_a_mistake_is_told_even_where_the_answer_is_known() -> None:
    with pytest.raises(QueryError, match="Could not resolve property other"):
        matches(parse("enabled=true||other=1"), _VALUES)
