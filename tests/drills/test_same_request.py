"""A thousand callers send the same request at once, and again until they are answered: one bill."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from tests.journeys import serving
from tests.journeys.serving import Books, Served

from tallystick.lib import json
from tallystick.lib.ids import new_id

_CALLERS = 1000
# As the generated clients of the reference do it: five seconds, then again, waiting ever longer.
_TIMEOUT_S = 5.0
_FIRST_WAIT_S, _GROWTH, _WAIT_S_MAX = 0.5, 1.5, 10.0
_AGAIN = {408, 409, 429, 500, 502, 503, 504}
_TOTAL = Decimal("15.12")


@pytest.fixture(scope="module")
def books() -> Iterator[tuple[Served, Books]]:
    with serving.served() as served:
        linked = served.linked("Repeated")
        linked.pulled()
        yield served, linked


@dataclass(slots=True)
class Callers:
    """What they met, and which operation each was answered with in the end."""

    statuses: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)

    async def call(self, http: httpx.AsyncClient, path: str, request: dict[str, Any]) -> None:
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                answer = await http.post(path, **request)
            except httpx.TransportError as error:
                self.statuses[type(error).__name__] += 1
            else:
                self.statuses[str(answer.status_code)] += 1
                if answer.status_code not in _AGAIN:
                    assert answer.status_code == 200, answer.text
                    self.operations[answer.json()["pushOperationKey"]] += 1
                    return
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * _GROWTH, _WAIT_S_MAX)


def _bill(books: Books, reference: str) -> dict[str, Any]:
    bill = books.records("bills", query="amountDue>0&&currency=GBP")[0]
    cost = books.records("accounts", query="nominalCode=429")[0]
    today = datetime.now(UTC).date().isoformat()
    line = {
        "description": "Brass screws",
        "quantity": 3,
        "unitAmount": Decimal("4.20"),
        "taxAmount": Decimal("2.52"),
        "taxRateRef": {"id": "INPUT2"},
        "accountRef": {"id": cost["id"]},
    }
    return {
        "supplierRef": {"id": bill["supplierRef"]["id"]},
        "issueDate": today,
        "dueDate": today,
        "currency": "GBP",
        "reference": reference,
        "status": "Open",
        "lineItems": [line],
    }


def _payable(served: Served) -> Decimal:
    """What Xero's own ledger owes to suppliers, in all its organisations."""
    organisations = served.simulator("GET", "/organisations")["organisations"]
    ledgers = [
        served.simulator("GET", f"/organisations/{one['id']}/ledger") for one in organisations
    ]
    return sum((Decimal(str(one["accountsPayable"])) for one in ledgers), Decimal(0))


async def _called(books: Books, body: dict[str, Any], headers: dict[str, str]) -> Callers:
    callers = Callers()
    request = {
        "content": json.dumps(body),
        "headers": {
            **headers,
            "content-type": "application/json",
            "authorization": books.api.http.headers["authorization"],
        },
    }
    path = f"{books.connection_path}/push/bills"
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(
        base_url=books.api.base_url, timeout=_TIMEOUT_S, limits=limits, trust_env=False
    ) as http:
        await asyncio.gather(*(callers.call(http, path, request) for _ in range(_CALLERS)))
    return callers


@pytest.mark.parametrize("keyed", [True, False], ids=["one key", "no key"])
def test_a_thousand_callers_with_one_request_make_one_bill(
    books: tuple[Served, Books], *, keyed: bool
) -> None:
    served, linked = books
    body = _bill(linked, f"Same {keyed}")
    headers = {"idempotency-key": new_id()} if keyed else {}
    before = _payable(served)
    began = time.monotonic()

    callers = asyncio.run(_called(linked, body, headers))

    took_s = time.monotonic() - began
    [key] = callers.operations
    ended = linked.ended({"pushOperationKey": key})
    owed = _payable(served) - before
    print(
        f"\n{_CALLERS} callers {'with one key' if keyed else 'without a key'} in {took_s:.1f} s: "
        f"{dict(callers.statuses)}; {len(callers.operations)} operation, {ended['status']}; "
        f"the ledger owes {owed} more"
    )
    assert callers.operations[key] == _CALLERS
    assert ended["status"] == "Success"
    assert len(linked.records("bills", query=f'reference="Same {keyed}"')) == 1
    assert owed == _TOTAL
