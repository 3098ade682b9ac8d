"""What Xero's records mean, pair by pair; TALLYSTICK_GOLDEN=write makes the outputs anew."""

from __future__ import annotations

import os

import msgspec
import pytest
from tests.unit.connectors.xero.golden import FOLDER, Case, cases

from tallystick.lib import json

_WRITE = os.environ.get("TALLYSTICK_GOLDEN") == "write"


def _text(case: Case) -> str:
    records, fields = case.mapped()
    shown = {"records": [record.wire() for record in records], "odd": sorted(fields.odd)}
    return msgspec.json.format(json.canonical(shown), indent=2).decode() + "\n"


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_record_means_what_its_golden_pair_says(case: Case) -> None:
    if _WRITE:
        case.target.write_text(_text(case), encoding="utf-8")
    assert case.target.read_text(encoding="utf-8") == _text(case)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_every_field_of_a_golden_record_is_taken_or_ignored_by_name(case: Case) -> None:
    _, fields = case.mapped()
    assert fields.unread(case.feed().ignores) == set()


def test_no_golden_output_stands_alone() -> None:
    kept = {case.target for case in cases()}
    stale = [path for path in FOLDER.glob("*/*.out.json") if path not in kept]
    if _WRITE:
        for path in stale:
            path.unlink()
        stale = []
    assert stale == []
