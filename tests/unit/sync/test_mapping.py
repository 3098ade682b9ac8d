"""What is odd in one record never stops the others; what is wrong with us is said aloud."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from tallystick.connectors.contract import Feed, Page, Raw, Read
from tallystick.connectors.fields import Fields
from tallystick.model import Item, Record
from tallystick.model.items import ItemType
from tallystick.sync import mapping

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@dataclass(frozen=True)
class _Books:
    version: str = "1"


def _item(fields: Fields, _books: _Books) -> Sequence[Record]:
    if fields.has("breaks"):
        raise KeyError("a mistake of ours")
    if fields.has("impossible"):
        raise ValueError("no such date")
    if fields.has("hidden"):
        return ()
    fields.number("price")
    return (
        Item.model_validate(
            {
                "id": fields.text("itemId"),
                "itemStatus": "Active",
                "type": ItemType("Unknown"),
                "isBillItem": False,
                "isInvoiceItem": False,
            }
        ),
    )


async def _pages(_client: object, _since: object, _cursor: object) -> AsyncIterator[Page]:
    yield Page((), None, NOW)


FEED = Feed(name="items", pages=_pages, records=_item, ignores=frozenset({"noise"}))
READ = Read(type=Item, feeds=(FEED,))


def _mapped(*raws: Raw, books: _Books | None = None) -> mapping.Mapped:
    books = books or _Books()
    hashes = mapping.raw_hashes(Page(raws, None, NOW), FEED, books)
    return mapping.mapped(list(zip(raws, hashes, strict=True)), READ, FEED, books)


def test_records_are_mapped_and_the_last_of_one_id_wins() -> None:
    mapped = _mapped({"itemId": "a"}, {"itemId": "b"}, {"itemId": "a", "noise": 1})
    assert [each.record.id for each in mapped.incoming] == ["a", "b"]
    assert mapped.issues == ()


def test_an_odd_field_is_a_warning_of_its_record() -> None:
    mapped = _mapped({"itemId": "a", "price": "cheap"})
    assert len(mapped.incoming) == 1
    (issue,) = mapped.issues
    assert (issue.severity, issue.rule_id, issue.item_id) == (
        "warning",
        "accounting-items-odd",
        "a",
    )
    assert issue.validator == "ItemValidator"


def test_a_record_that_cannot_be_mapped_is_an_issue_and_the_others_are_stored() -> None:
    mapped = _mapped({"itemId": "a", "impossible": 1}, {"itemId": "b"})
    assert [each.record.id for each in mapped.incoming] == ["b"]
    (issue,) = mapped.issues
    assert (issue.severity, issue.item_id) == ("error", "a")


def test_a_mistake_in_the_mapping_is_not_taken_for_the_platforms_fault() -> None:
    with pytest.raises(mapping.MappingFault, match="items"):
        _mapped({"itemId": "a", "breaks": 1})


def test_fields_that_nobody_reads_or_ignores_are_named() -> None:
    assert _mapped({"itemId": "a", "noise": 1, "new": 2}).unknown == {"new"}


def test_the_hash_moves_with_the_record_the_feed_and_the_books_alone() -> None:
    def digest(raw: Raw, version: str) -> bytes:
        return mapping.raw_hashes(Page((raw,), None, NOW), FEED, _Books(version))[0]

    one = digest({"itemId": "a", "price": 1}, "1")
    assert digest({"price": 1, "itemId": "a"}, "1") == one
    assert digest({"itemId": "a", "price": 2}, "1") != one
    assert digest({"itemId": "a", "price": 1}, "2") != one
