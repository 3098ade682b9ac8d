"""The mapping tried on records that others published: Xero, and a product that ships."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.oracles import fyle, requires_oracles
from tests.oracles.xero_examples import examples
from tests.unit.connectors.xero.golden import XERO

from tallystick.connectors.contract import Feed
from tallystick.connectors.fields import Fields
from tallystick.connectors.xero.books import XeroBooks, books_of
from tallystick.connectors.xero.client import XeroClient
from tallystick.lib import json

Raw = Any

pytestmark = requires_oracles
BOOKS = books_of(organisation={"BaseCurrency": "NZD"})


def _feeds(collection: str) -> Iterator[Feed[XeroClient, XeroBooks]]:
    for read in XERO.reads:
        for feed in read.feeds:
            name = feed.name.split()[0]
            if name == collection or (name, collection) == ("Organisation", "Organisations"):
                yield feed


def _published() -> list[tuple[str, Raw]]:
    return [*examples(), *fyle.records()]


def test_every_published_record_is_mapped_with_all_its_fields_accounted_for() -> None:
    mapped = 0
    for collection, raw in _published():
        for feed in _feeds(collection):
            fields = Fields(raw)
            for record in feed.records(fields, BOOKS):
                wire = json.canonical(record.wire())
                assert type(record).from_wire(json.loads(wire)) == record
                mapped += 1
            assert fields.unread(feed.ignores) == set(), (feed.name, raw)
    assert mapped > 250


def test_hardly_a_value_of_theirs_is_odd_to_us() -> None:
    """What is: answers to creations that leave a status out, and bare references to accounts."""
    odd = {
        text
        for collection, raw in _published()
        for feed in _feeds(collection)
        for text in _odd(feed, raw)
    }
    assert {text.partition(":")[0] for text in odd} <= {"Class", "Status", "ContactStatus"}


def _odd(feed: Feed[XeroClient, XeroBooks], raw: Raw) -> list[str]:
    fields = Fields(raw)
    feed.records(fields, BOOKS)
    return fields.odd
