"""The golden pairs of Xero: invented records as Xero would send them, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tallystick.connectors.contract import Feed
from tallystick.connectors.fields import Fields
from tallystick.connectors.registry import CONNECTORS
from tallystick.connectors.xero.books import XeroBooks, books_of
from tallystick.connectors.xero.client import XeroClient
from tallystick.lib import json
from tallystick.model.base import Record

Raw = Any

XERO = CONNECTORS["gbol"]
FOLDER = Path(__file__).parents[3] / "golden" / "xero"


@dataclass(frozen=True, slots=True)
class Case:
    """One pair; an input names its feed where the data type has several."""

    source: Path

    @property
    def target(self) -> Path:
        return self.source.with_name(self.source.name.replace(".in.json", ".out.json"))

    @property
    def data_type(self) -> str:
        return self.source.parent.name

    @property
    def name(self) -> str:
        return f"{self.data_type}/{self.source.name.removesuffix('.in.json')}"

    def sent(self) -> Raw:
        return json.loads(self.source.read_bytes())

    def feed(self) -> Feed[XeroClient, XeroBooks]:
        read = XERO.read_of(self.data_type)
        assert read is not None
        name = self.sent().get("feed", read.feeds[0].name)
        return next(feed for feed in read.feeds if feed.name == name)

    def mapped(self) -> tuple[list[Record], Fields]:
        fields = Fields(self.sent()["record"])
        return list(self.feed().records(fields, books())), fields


def cases() -> list[Case]:
    return [Case(path) for path in sorted(FOLDER.glob("*/*.in.json"))]


def books() -> XeroBooks:
    given = json.loads((FOLDER / "books.json").read_bytes())
    return books_of(**given)
