"""Every connector is whole: what it reads, what it writes, and what proves both."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from tallystick.connectors import registry
from tallystick.connectors.contract import Connector, Need, Read, Write
from tallystick.connectors.fields import Fields
from tallystick.connectors.registry import CONNECTORS, PLATFORMS
from tallystick.model import BY_KEY, DATA_TYPES

_ROOT = Path(__file__).parents[2]
_GOLDEN = _ROOT / "tests" / "golden"
_CONNECTORS = tuple(CONNECTORS.values())
_FILES = ("__init__.py", "auth.py", "client.py", "NOTES.md")


def _room(connector: Connector[Any, Any]) -> Path:
    """The folder a connector lives in, found by where its client is written."""
    client: Any = connector.client
    return _ROOT / "src" / Path(*client.__module__.split(".")[:3])


def _reads() -> list[tuple[Connector[Any, Any], Read[Any, Any]]]:
    return [(one, read) for one in _CONNECTORS for read in one.reads]


def _writes() -> list[tuple[Connector[Any, Any], Write[Any, Any]]]:
    return [(one, write) for one in _CONNECTORS for write in one.writes]


def _label(value: Any) -> str:
    if isinstance(value, Connector):
        return value.name
    return str(value.type.key)


@pytest.mark.parametrize("connector", _CONNECTORS, ids=_label)
def test_a_connector_has_the_files_of_its_kind(connector: Connector[Any, Any]) -> None:
    room = _room(connector)
    assert [name for name in _FILES if not (room / name).is_file()] == []
    for name in ("reads", "writes"):
        assert (room / f"{name}.py").is_file() or (room / name / "__init__.py").is_file()


@pytest.mark.parametrize("connector", _CONNECTORS, ids=_label)
def test_a_connector_is_listed_as_built_under_its_own_name(connector: Connector[Any, Any]) -> None:
    platform = PLATFORMS[connector.key]
    assert (platform.name, platform.built) == (connector.name, True)


@pytest.mark.parametrize("connector", _CONNECTORS, ids=_label)
def test_a_connector_names_the_addresses_it_calls(connector: Connector[Any, Any]) -> None:
    """Others are asked where their names point before they are called."""
    assert connector.origins
    assert all(re.fullmatch(r"https://[a-z.]+", origin) for origin in connector.origins)


def test_platforms_are_listed_by_their_own_keys() -> None:
    assert all(key == platform.key for key, platform in PLATFORMS.items())
    assert all(key == connector.key for key, connector in CONNECTORS.items())
    assert {key for key, platform in PLATFORMS.items() if platform.built} == set(CONNECTORS)
    assert registry.PLATFORMS["pqsw"].offline


@pytest.mark.parametrize(("connector", "read"), _reads(), ids=_label)
def test_every_feed_has_golden_pairs(connector: Connector[Any, Any], read: Read[Any, Any]) -> None:
    folder = _GOLDEN / _room(connector).name / read.type.key
    inputs = list(folder.glob("*.in.json"))
    assert inputs
    assert all(path.with_name(path.name.replace(".in.", ".out.")).is_file() for path in inputs)
    if len(read.feeds) > 1:
        texts = [path.read_text(encoding="utf-8") for path in inputs]
        for feed in read.feeds:
            assert any(f'"feed": "{feed.name}"' in text for text in texts), feed.name


def test_no_golden_pair_stands_without_its_read() -> None:
    known = {(_room(one).name, read.type.key) for one, read in _reads()}
    found = {(path.parent.parent.name, path.parent.name) for path in _GOLDEN.glob("*/*/*.json")}
    assert found <= known


@pytest.mark.parametrize("connector", _CONNECTORS, ids=_label)
def test_a_data_type_is_read_and_written_in_one_place(connector: Connector[Any, Any]) -> None:
    reads = [read.type for read in connector.reads]
    writes = [write.type for write in connector.writes]
    assert len(reads) == len(set(reads))
    assert len(writes) == len(set(writes))
    assert set(reads) <= set(DATA_TYPES)
    # What is written must be read, or nobody could prove that it arrived.
    assert set(writes) <= set(reads)
    for read in connector.reads:
        names = [feed.name for feed in read.feeds]
        assert len(names) == len(set(names))


@pytest.mark.parametrize(("connector", "read"), _reads(), ids=_label)
@pytest.mark.parametrize("raw", [None, [], {}, "text", {"Id": None}, 7])
def test_what_is_no_record_becomes_none(
    connector: Connector[Any, Any], read: Read[Any, Any], raw: Any
) -> None:
    """Either it belongs to another read, or it is said aloud that nobody knows what it is."""
    assert connector.read_of(read.type.key) is read
    for feed in read.feeds:
        with contextlib.suppress(ValueError):
            assert list(feed.records(Fields(raw), None)) == []
        if feed.parent is not None:
            assert isinstance(feed.parent(raw), str)


@pytest.mark.parametrize(("connector", "write"), _writes(), ids=_label)
def test_a_write_can_be_looked_for_or_says_why_not(
    connector: Connector[Any, Any], write: Write[Any, Any]
) -> None:
    assert connector.write_of(write.type.key) is write
    assert write.not_searchable or callable(write.find)
    assert write.settles_after.total_seconds() >= 0


@pytest.mark.parametrize(("connector", "write"), _writes(), ids=_label)
def test_every_need_is_a_property_of_the_record(
    connector: Connector[Any, Any], write: Write[Any, Any]
) -> None:
    del connector
    known = set(_paths(write.type))
    paths = [need.path for need in write.needs]
    assert set(paths) <= known
    assert len(paths) == len(set(paths))


@pytest.mark.parametrize(("connector", "write"), _writes(), ids=_label)
def test_what_the_record_itself_requires_is_shown_as_required(
    connector: Connector[Any, Any], write: Write[Any, Any]
) -> None:
    """Else the options would promise that a body is taken which cannot even be read."""
    del connector
    by_path = {need.path: need for need in write.needs}
    for name, field in write.type.model_fields.items():
        wire = field.alias or name
        if field.is_required() and wire not in write.type.computed:
            assert by_path[wire].required, wire


@pytest.mark.parametrize(("connector", "write"), _writes(), ids=_label)
def test_choices_are_words_of_the_property(
    connector: Connector[Any, Any], write: Write[Any, Any]
) -> None:
    del connector
    for need in write.needs:
        words = _words_at(write.type, need)
        assert not need.choices or set(need.choices) <= words, need.path


@pytest.mark.parametrize("connector", _CONNECTORS, ids=_label)
def test_files_hang_on_known_records(connector: Connector[Any, Any]) -> None:
    if connector.attachments is None:
        return
    assert set(connector.attachments.holders) <= set(BY_KEY)
    assert connector.attachments.size_bytes_max > 0
    assert all(one == one.lower().lstrip(".") for one in connector.attachments.extensions)


def _paths(part: type[BaseModel], at: str = "") -> Iterator[str]:
    for name, field in part.model_fields.items():
        path = f"{at}{field.alias or name}"
        yield path
        for inner in _classes(field.annotation):
            if issubclass(inner, BaseModel):
                yield from _paths(inner, f"{path}.")


def _words_at(part: type[BaseModel], need: Need) -> set[str]:
    """The words of the enumeration a path leads to."""
    found: list[type] = [part]
    for piece in need.path.split("."):
        models = [one for one in found if issubclass(one, BaseModel)]
        found = [
            inner
            for one in models
            for name, field in one.model_fields.items()
            if (field.alias or name) == piece
            for inner in _classes(field.annotation)
        ]
    return {str(word) for one in found for word in getattr(one, "__members__", ())}


def _classes(annotation: Any) -> Iterator[type]:
    if get_origin(annotation) is None:
        if isinstance(annotation, type):
            yield annotation
        return
    for inner in get_args(annotation):
        yield from _classes(inner)
