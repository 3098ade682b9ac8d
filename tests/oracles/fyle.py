"""Records a shipping product received from Xero: the fixtures of fylein/fyle-xero-api (MIT)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Final

from tests.oracles import oracles
from tests.oracles.yaml_files import Raw

# Kept in that file, yet shaped as QuickBooks Online takes them.
QUICKBOOKS_SHAPED: Final = ("bill_payload", "bank_transaction_payload")
# Lists of records without Xero's envelope around them.
_BARE: Final = {"get_all_organisations": "Organisations", "get_all_tenants": "Connections"}
_ENVELOPE: Final = ("Id", "Status", "ProviderName", "DateTimeUTC")


def records() -> Iterator[tuple[str, Raw]]:
    """Each native record with its collection; tenants come as `Connections`."""
    for name, content in _fixtures().items():
        if name in QUICKBOOKS_SHAPED:
            continue
        if name in _BARE:
            yield from ((_BARE[name], one) for one in content)
            continue
        for answer in content if isinstance(content, list) else [content]:
            yield from _unwrapped(answer)


def _unwrapped(answer: Raw) -> Iterator[tuple[str, Raw]]:
    for key, value in answer.items():
        if key not in _ENVELOPE:
            yield from ((key, one) for one in value)


@cache
def _fixtures() -> Raw:
    path = oracles() / "xero" / "fyle_xero_fixtures.json"
    return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
