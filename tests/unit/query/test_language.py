"""The query language: what it reads, and how it refuses."""

from contextlib import suppress
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.query.trees import any_clause, render, trees

from tallystick.errors import QueryError
from tallystick.query.language import DEPTH_MAX, And, Clause, Node, Or, parse


def _is(name: str, value: str) -> Clause:
    return Clause(name, "=", value)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("amountDue>0", Clause("amountDue", ">", "0")),
        ("  amountDue  >=  0  ", Clause("amountDue", ">=", "0")),
        ("dueDate<=2021-01-28", Clause("dueDate", "<=", "2021-01-28")),
        ("metadata.isDeleted!=true", Clause("metadata.isDeleted", "!=", "true")),
        ("customerRef.companyName=acme inc, ltd", _is("customerRef.companyName", "acme inc, ltd")),
        ("name~sales", Clause("name", "~", "sales")),
        ("name=R&D", _is("name", "R&D")),
        ("name=a|b", _is("name", "a|b")),
        ("name=a=b>c", _is("name", "a=b>c")),
        ("note=null", _is("note", "null")),
        ("a=1&&b=2", And((_is("a", "1"), _is("b", "2")))),
        ("a=1||b=2", Or((_is("a", "1"), _is("b", "2")))),
        ("{a=1}", _is("a", "1")),
        ("{{ a=1 }}", _is("a", "1")),
    ],
)
def test_a_query_is_read_as_documented(text: str, tree: Node) -> None:
    assert parse(text) == tree


def test_and_binds_tighter_than_or() -> None:
    a, b, c = _is("a", "1"), _is("b", "2"), _is("c", "3")
    assert parse("a=1||b=2&&c=3") == Or((a, And((b, c))))
    assert parse("{a=1||b=2} && c=3") == And((Or((a, b)), c))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("name='a && b'", "a && b"),
        ('name="{x} || y"', "{x} || y"),
        ("name=''", ""),
        ("name = ' padded ' ", " padded "),
        ('name="it\'s"', "it's"),
        ("name='O'Brien'", "O'Brien"),
        ("name='tis", "'tis"),
        ("name='a' b", "'a' b"),
    ],
)
def test_quotes_protect_a_value(text: str, value: str) -> None:
    assert parse(text) == _is("name", value)


def test_a_quoted_value_ends_before_a_joint_and_a_brace() -> None:
    assert parse("{a='x'}&&b='y'||c=z") == Or((And((_is("a", "x"), _is("b", "y"))), _is("c", "z")))


def test_a_query_that_was_encoded_twice_is_decoded_again() -> None:
    assert parse("id%3D61%26%26name%7Eacme%20inc") == And(
        (_is("id", "61"), Clause("name", "~", "acme inc"))
    )


def test_an_escape_beside_an_operator_is_meant() -> None:
    assert parse("name=50%25") == _is("name", "50%25")


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("   ", 3),
        ("name", 4),
        ("=1", 0),
        ("name=", 5),
        ("a=1&&", 5),
        ("a=1||  ", 7),
        ("{a=1", 4),
        ("a=1}", 3),
        ("{}", 1),
        ("a=1{b=2}", 3),
        ("a.=1", 1),
        ("1a=1", 0),
        ("a==", None),
        ("a=\0", 2),
    ],
)
def test_a_malformed_query_is_refused_where_it_breaks(text: str, position: int | None) -> None:
    if position is None:
        assert parse(text) == _is("a", "=")
        return
    with pytest.raises(QueryError, match=r"^Error parsing query - Malformed query\.") as refused:
        parse(text)
    assert refused.value.position == position
    assert f"(at character {position})" in refused.value.message


def test_a_query_has_less_than_2048_characters() -> None:
    assert parse("a=" + "x" * 2045) == _is("a", "x" * 2045)
    with pytest.raises(QueryError, match="2048 characters"):
        parse("a=" + "x" * 2046)


def test_the_limit_counts_characters_after_decoding() -> None:
    assert parse(quote("a=" + "é" * 2000, safe="")) == _is("a", "é" * 2000)


def test_braces_nest_only_so_deeply() -> None:
    assert parse("{" * DEPTH_MAX + "a=1" + "}" * DEPTH_MAX) == _is("a", "1")
    with pytest.raises(QueryError, match="nested too deeply"):
        parse("{" * 1000 + "a=1" + "}" * 1000)


@settings(max_examples=60)
@given(trees(any_clause))
def test_what_is_written_down_is_read_back(tree: Node) -> None:
    assert parse(render(tree)) == tree


@given(st.one_of(st.text(), st.text(alphabet="ab.=!<>~&|{}'\"% 3D\0\ud800", max_size=40)))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(QueryError):
        parse(text)
