"""What the consent names is what is read and written."""

from tallystick.connectors.registry import CONNECTORS
from tallystick.link_web import words
from tallystick.model import DATA_TYPES


def test_whatever_is_read_is_named() -> None:
    for data_type in DATA_TYPES:
        assert words.shared({data_type.key}), data_type.key


def test_whatever_is_written_is_named() -> None:
    for connector in CONNECTORS.values():
        for write in connector.writes:
            assert words.added({write.type.key}), write.type.key


def test_nothing_is_named_that_is_not_shared() -> None:
    assert words.shared(frozenset()) == ()
    assert words.added(frozenset()) == ""
    assert [share.title for share in words.shared({"bills"})] == ["Suppliers and bills"]


def test_what_may_be_added_reads_as_a_sentence() -> None:
    assert words.added({"bills"}) == "bills"
    assert words.added({"bills", "suppliers"}) == "suppliers and bills"
    assert words.added({"bills", "suppliers", "payments"}) == "suppliers, bills and payments"
