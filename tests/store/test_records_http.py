"""What callers see of stored records: lists, single records, and why there are none."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from tests.journeys.api_ground import ApiGround, basic, ground
from tests.store.shelves import bill, later

from tallystick.http import data
from tallystick.http.app import Api
from tallystick.lib import json
from tallystick.lib.clock import FixedClock
from tallystick.lib.ids import new_id
from tallystick.lib.secrets import Vault
from tallystick.model import WIRE_DATA_TYPES, CompanyInfo
from tallystick.model.base import Record
from tallystick.records import store
from tallystick.records.rows import Incoming


@dataclass(frozen=True, slots=True)
class Shelf:
    """One company with a linked connection, asked over HTTP."""

    ground: ApiGround
    http: httpx.AsyncClient
    company_id: str
    connection_id: str

    @property
    def company(self) -> str:
        return f"/companies/{self.company_id}"

    @property
    def connection(self) -> str:
        return f"{self.company}/connections/{self.connection_id}"

    async def put(self, *records: Record, connection_id: str | None = None) -> None:
        async with self.ground.house.database.transaction() as tx:
            await store.put_page(
                tx,
                company_id=self.company_id,
                connection_id=connection_id or self.connection_id,
                data_type=records[0].key,
                incoming=[Incoming(record) for record in records],
                read_at=later(0),
                now=later(0),
            )

    async def read(
        self, data_type: str, status: str = "Complete", *, connection_id: str | None = None
    ) -> None:
        """A read of that type; one that is Fetching is not over."""
        async with self.ground.house.database.transaction() as tx:
            await tx.execute(
                "insert into dataset (company_id, id, connection_id, data_type, batch_id, status,"
                " requested_at, completed_at) values (%s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    self.company_id,
                    new_id(),
                    connection_id or self.connection_id,
                    data_type,
                    new_id(),
                    status,
                    later(0),
                    None if status == "Fetching" else later(1),
                ),
            )

    async def second_connection(self, *, seconds: float) -> str:
        connection_id = new_id()
        async with self.ground.house.database.transaction() as tx:
            await tx.execute(
                "insert into connection (company_id, id, client_id, platform_key, status,"
                " created_at) values (%s, %s, %s, 'gbol', 'Unlinked', %s)",
                (
                    self.company_id,
                    connection_id,
                    self.ground.client_id,
                    self.ground.clock.now() + timedelta(seconds=seconds),
                ),
            )
        return connection_id

    async def ids(self, path: str) -> list[str]:
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        return [record["id"] for record in answer.json()["results"]]

    async def error(self, path: str, status: int) -> str:
        answer = await self.http.get(path)
        assert answer.status_code == status, answer.text
        text: str = answer.json()["error"]
        return text


@pytest.fixture
async def shelf(shared_database_url: str, vault: Vault, clock: FixedClock) -> AsyncIterator[Shelf]:
    async with ground(shared_database_url, vault, clock) as api:
        company = await api.company()
        linked = await api.linked(company["id"])
        transport = httpx.ASGITransport(Api(api.house, data.ENDPOINTS))
        headers = {"Authorization": basic(api.key)}
        async with httpx.AsyncClient(
            transport=transport, base_url="https://books.example", headers=headers
        ) as http:
            yield Shelf(api, http, company["id"], linked.id)


async def test_a_list_shows_what_was_stored(shelf: Shelf) -> None:
    await shelf.put(bill("a", amount_due=Decimal("1.50")), bill("b"))
    await shelf.read("bills")
    answer = await shelf.http.get(f"{shelf.company}/data/bills")
    assert answer.headers["content-type"] == "application/json"
    body = json.loads(answer.content)
    assert [record["id"] for record in body["results"]] == ["a", "b"]
    assert body["results"][0] == {
        "metadata": {"isDeleted": False},
        "modifiedDate": "2026-11-20T09:00:00.000Z",
        **json.loads(json.dumps(bill("a", amount_due=Decimal("1.50")).wire())),
    }
    assert {name: body[name] for name in ("pageNumber", "pageSize", "totalResults", "_links")} == {
        "pageNumber": 1,
        "pageSize": 100,
        "totalResults": 2,
        "_links": {
            "self": {"href": f"{shelf.company}/data/bills"},
            "current": {"href": f"{shelf.company}/data/bills"},
        },
    }


async def test_pages_point_at_their_neighbours(shelf: Shelf) -> None:
    await shelf.put(*(bill(name) for name in "abcde"))
    await shelf.read("bills")
    sent = "page=2&pageSize=2&query=reference%3Dr&orderby=-id"
    answer = await shelf.http.get(f"{shelf.company}/data/bills?{sent}")
    body = answer.json()
    assert [record["id"] for record in body["results"]] == ["c", "b"]
    assert body["totalResults"] == 5
    links = body["_links"]
    assert links["current"]["href"] == f"{shelf.company}/data/bills?{sent}"
    assert await shelf.ids(links["next"]["href"]) == ["a"]
    assert await shelf.ids(links["previous"]["href"]) == ["e", "d"]


async def test_a_query_finds_its_records(shelf: Shelf) -> None:
    await shelf.put(bill("a", amount_due=Decimal(1)), bill("b", reference="X"))
    await shelf.read("bills")
    asked = f"{shelf.company}/data/bills?query="
    assert await shelf.ids(asked + "amountDue%3E0%26%26status%3Dopen") == ["a"]
    assert await shelf.ids(asked + "reference%253Dx") == ["b"]
    assert await shelf.ids(asked + "amountDue%3E5") == []


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("query=amountDue", "Error parsing query - Malformed query."),
        ("query=a%00=b", "Error parsing query - Malformed query."),
        (
            "query=lineItems.unitAmount%3D700",
            "Error parsing query - Could not resolve property lineItems.unitAmount on Bill",
        ),
        (
            "orderBy=nothing",
            "Error parsing query - Could not resolve property nothing on Bill",
        ),
        ("pageSize=5001", "pageSize must be"),
    ],
)
async def test_a_wrong_question_is_the_callers_fault(shelf: Shelf, query: str, text: str) -> None:
    assert (await shelf.error(f"{shelf.company}/data/bills?{query}", 400)).startswith(text)


async def test_nothing_is_listed_before_it_was_asked_for(shelf: Shelf) -> None:
    path = f"{shelf.company}/data/bills"
    assert await shelf.error(path, 409) == "The data set has not been requested."
    assert await shelf.error(f"{path}/a", 409) == "The data set has not been requested."
    await shelf.read("bills", "FetchError")
    assert await shelf.error(path, 409) == "The data set has not been requested."
    await shelf.read("bills", "Fetching")
    assert "still being read" in await shelf.error(path, 409)


async def test_after_a_first_success_there_is_always_a_list(shelf: Shelf) -> None:
    await shelf.read("bills")
    await shelf.read("bills", "FetchError")
    await shelf.read("bills", "Fetching")
    assert await shelf.ids(f"{shelf.company}/data/bills") == []


async def test_a_single_record_is_served_or_named(shelf: Shelf) -> None:
    await shelf.put(bill("a/b c"))
    path = f"{shelf.company}/data/bills"
    assert (await shelf.http.get(f"{path}/a%2Fb%20c")).json()["id"] == "a/b c"
    await shelf.read("bills")
    assert await shelf.error(f"{path}/x", 404) == "No data available for bills for ID x"
    await shelf.error(f"{path}/%00", 404)


async def test_what_a_platform_cannot_read_is_refused_by_name(shelf: Shelf) -> None:
    assert await shelf.error(f"{shelf.company}/data/journals", 404) == (
        "Datatype journals not supported by platform(s) Xero"
    )
    await shelf.error(f"{shelf.company}/data/financials/balanceSheet", 404)
    await shelf.error(f"{shelf.connection}/data/bankAccounts/x/bankTransactions", 404)


async def test_every_type_has_its_paths(shelf: Shelf) -> None:
    for data_type in WIRE_DATA_TYPES:
        await shelf.read(data_type)
        for start in (shelf.company, shelf.connection):
            answer = await shelf.http.get(f"{start}/data/{data_type}")
            assert answer.json().get("error") != "NotFound" or data_type in {
                "balanceSheet",
                "profitAndLoss",
                "cashFlowStatement",
                "bankTransactions",
            }


async def test_accounts_have_two_names(shelf: Shelf) -> None:
    await shelf.read("chartOfAccounts")
    for path in ("accounts", "chartOfAccounts", "CHARTOFACCOUNTS"):
        assert await shelf.ids(f"{shelf.company}/data/{path}") == []


async def test_company_information_is_an_object(shelf: Shelf) -> None:
    path = f"{shelf.company}/data/info"
    await shelf.error(path, 409)
    await shelf.read("company")
    await shelf.error(path, 404)
    await shelf.put(CompanyInfo(id="org", company_name="Acme"))
    answer: dict[str, Any] = (await shelf.http.get(path)).json()
    assert answer["companyName"] == "Acme"
    assert not {"id", "modifiedDate", "metadata"} & set(answer)


async def test_a_company_shows_the_newest_connection_that_has_data(shelf: Shelf) -> None:
    await shelf.put(bill("old"))
    await shelf.read("bills")
    newer = await shelf.second_connection(seconds=10)
    path = f"{shelf.company}/data/bills"
    assert await shelf.ids(path) == ["old"]
    await shelf.put(bill("new"), connection_id=newer)
    await shelf.read("bills", connection_id=newer)
    assert await shelf.ids(path) == ["new"]
    assert await shelf.ids(f"{shelf.connection}/data/bills") == ["old"]
    assert await shelf.ids(f"{shelf.company}/connections/{newer}/data/bills") == ["new"]


async def test_unknown_ids_are_not_found(shelf: Shelf) -> None:
    await shelf.read("bills")
    for company in (new_id(), "nonsense"):
        text = await shelf.error(f"/companies/{company}/data/bills", 404)
        assert text == f"No company was found with ID {company}"
    for connection in (new_id(), "nonsense"):
        path = f"{shelf.company}/connections/{connection}/data/bills"
        assert await shelf.error(path, 404) == f"Data connection {connection} not found"


async def test_another_clients_records_are_not_found(shelf: Shelf) -> None:
    await shelf.put(bill("a"))
    await shelf.read("bills")
    async with shelf.ground.stranger() as stranger:
        headers = {"Authorization": stranger.headers["Authorization"]}
        for path in ("data/bills", "data/bills/a", f"connections/{shelf.connection_id}/data/bills"):
            answer = await shelf.http.get(f"{shelf.company}/{path}", headers=headers)
            assert answer.status_code == 404
