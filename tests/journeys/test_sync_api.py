"""Asking for reads over the API, and looking at them, as the reference has it."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.journeys.wiring import PUBLIC_URL
from tests.journeys.world import World

from tallystick.access import keys
from tallystick.companies import connections
from tallystick.http import datasets, sync_settings
from tallystick.http.app import Api
from tallystick.http.house import House
from tallystick.lib import json
from tallystick.lib.egress import Policy
from tallystick.settings import Settings


class Asker:
    """A client of the API with an API key."""

    def __init__(self, http: httpx.AsyncClient, world: World) -> None:
        self.http = http
        self.world = world
        self.company = f"/companies/{world.company.id}"

    async def ask(self, method: str, path: str, wanted: int, body: Any = None) -> Any:
        content = None if body is None else json.dumps(body)
        answer = await self.http.request(method, path, content=content)
        assert answer.status_code == wanted, answer.text
        return json.loads(answer.content) if answer.content else None


@pytest.fixture
async def asker(world: World) -> AsyncIterator[Asker]:
    async with world.database.transaction() as tx:
        _, key = await keys.issue(tx, client_id=world.client_id, name="test", now=world.now())
    house = House(
        database=world.database,
        clock=world.clock,
        vault=world.vault,
        settings=Settings(platforms=world.apps),
        connectors=world.work.connectors,
        reach=world.work.reach,
        egress=Policy(),
    )
    api = Api(house, (*datasets.ENDPOINTS, *sync_settings.ENDPOINTS))
    shown = base64.b64encode(key.encode()).decode()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(api),
        base_url=PUBLIC_URL,
        headers={"Authorization": f"Basic {shown}"},
    ) as http:
        yield Asker(http, world)


async def test_a_queued_read_is_answered_at_once_and_can_be_followed(asker: Asker) -> None:
    await asker.world.drain()
    queued = await asker.ask("POST", f"{asker.company}/data/queue/bills", 200)
    assert queued.keys() == {
        "id",
        "companyId",
        "connectionId",
        "dataType",
        "status",
        "requested",
        "progress",
        "isCompleted",
        "isErrored",
    }
    assert (queued["status"], queued["progress"], queued["isCompleted"]) == ("Queued", 0, False)

    await asker.world.drain()
    shown = await asker.ask("GET", f"{asker.company}/data/history/{queued['id']}", 200)
    assert (shown["status"], shown["progress"], shown["isCompleted"]) == ("Complete", 100, True)
    assert shown["completed"].endswith("Z")


async def test_a_read_that_runs_is_not_queued_twice(asker: Asker) -> None:
    await asker.world.drain()
    queued = await asker.ask("POST", f"{asker.company}/data/queue/bills", 200)
    refused = await asker.ask("POST", f"{asker.company}/data/queue/bills", 409)
    assert refused["error"] == (
        f"DatasetAlreadyInProgressException: Cannot queue bills sync for {queued['companyId']} "
        f"as previous sync {queued['id']} is still in progress"
    )
    await asker.ask("POST", f"{asker.company}/data/all", 204)
    rows = await asker.world.rows("select data_type from dataset where completed_at is null")
    assert len(rows) == 14


@pytest.mark.parametrize(
    ("name", "key"),
    [("accounts", "chartOfAccounts"), ("BILLS", "bills"), ("companyInfo", "company")],
)
async def test_other_spellings_are_understood(asker: Asker, name: str, key: str) -> None:
    queued = await asker.ask("POST", f"{asker.company}/data/queue/{name}", 200)
    assert queued["dataType"] == key


async def test_company_information_has_a_route_of_its_own_and_all_means_all(asker: Asker) -> None:
    assert (await asker.ask("POST", f"{asker.company}/data/info", 200))["dataType"] == "company"
    await asker.ask("POST", f"{asker.company}/data/queue/all", 204)


@pytest.mark.parametrize("name", ["journals", "nonsense"])
async def test_what_the_platform_lacks_is_refused_by_name(asker: Asker, name: str) -> None:
    refused = await asker.ask("POST", f"{asker.company}/data/queue/{name}", 400)
    assert refused["error"] == (f"Datatype '{name}' not supported by platform Xero (simulated)")


async def test_a_connection_that_is_not_linked_is_not_read(asker: Asker) -> None:
    world = asker.world
    async with world.database.transaction() as tx:
        await connections.unlinked(tx, await world.current(), now=world.now())
    for path in (
        "data/all",
        "data/queue/bills",
        f"data/queue/bills?connectionId={world.connection.id}",
    ):
        refused = await asker.ask("POST", f"{asker.company}/{path}", 400)
        assert "Unlinked" in refused["error"]


async def test_an_unknown_connection_company_or_read_is_not_found(asker: Asker) -> None:
    nobody = "6b0a4b0e-5b0e-4b0e-8b0e-6b0a4b0e5b0e"
    await asker.ask("POST", f"{asker.company}/data/queue/bills?connectionId={nobody}", 404)
    for path in ("data/history", "dataStatus", "syncSettings"):
        await asker.ask("GET", f"/companies/{nobody}/{path}", 404)
    for id_ in (nobody, "nonsense"):
        await asker.ask("GET", f"{asker.company}/data/history/{id_}", 404)
        await asker.ask("GET", f"{asker.company}/sync/{id_}/validation", 404)


async def test_the_status_of_each_type_tells_last_and_last_good_read(asker: Asker) -> None:
    before = await asker.ask("GET", f"{asker.company}/dataStatus", 200)
    assert before["bills"] == {"dataType": "bills", "currentStatus": "Initial"}

    await asker.world.drain()
    good = (await asker.ask("GET", f"{asker.company}/dataStatus", 200))["bills"]
    assert good["currentStatus"] == "Complete"
    assert good["latestSyncId"] == good["latestSuccessfulSyncId"]

    asker.world.simulator.fault("server_errors", status=404, match={"path": "/Invoices"})
    await asker.ask("POST", f"{asker.company}/data/queue/bills", 200)
    await asker.world.drain()
    failed = (await asker.ask("GET", f"{asker.company}/dataStatus", 200))["bills"]
    assert failed["currentStatus"] == "FetchError"
    assert failed["latestSyncId"] != failed["latestSuccessfulSyncId"]
    assert failed["lastSuccessfulSync"] == good["lastSuccessfulSync"]


async def test_the_history_is_paged_and_can_be_asked(asker: Asker) -> None:
    await asker.world.drain()
    page = await asker.ask("GET", f"{asker.company}/data/history?pageSize=5", 200)
    assert (len(page["results"]), page["totalResults"]) == (5, 14)
    found = await asker.ask(
        "GET", f"{asker.company}/data/history?query=dataType%3Dbills%26%26status%3DComplete", 200
    )
    assert [each["dataType"] for each in found["results"]] == ["bills"]
    await asker.ask("GET", f"{asker.company}/data/history?query=isCompleted%3Dtrue", 400)


async def test_a_clean_read_has_empty_validation_results(asker: Asker) -> None:
    await asker.world.drain()
    page = await asker.ask("GET", f"{asker.company}/data/history?query=dataType%3Dbills", 200)
    found = await asker.ask(
        "GET", f"{asker.company}/sync/{page['results'][0]['id']}/validation", 200
    )
    assert found == {"errors": [], "warnings": []}


def _settings(id_name: str, id_: str, *settings: dict[str, Any], own: bool = True) -> Any:
    return {id_name: id_, "settings": list(settings), "overridesDefaults": own}


async def test_a_company_follows_its_client_until_it_has_settings_of_its_own(asker: Asker) -> None:
    client, company = asker.world.client_id, asker.world.company.id
    shown = await asker.ask("GET", "/profile/syncSettings", 200)
    assert (shown["clientId"], shown["overridesDefaults"]) == (client, False)
    assert {each["dataType"]: each["fetchOnFirstLink"] for each in shown["settings"]}["bills"]

    off = {"dataType": "bills", "fetchOnFirstLink": False, "syncSchedule": 24, "syncOrder": 1}
    await asker.ask("POST", "/profile/syncSettings", 204, _settings("clientId", client, off))
    theirs = await asker.ask("GET", f"{asker.company}/syncSettings", 200)
    bills = {each["dataType"]: each for each in theirs["settings"]}["bills"]
    assert (theirs["overridesDefaults"], bills["syncSchedule"]) == (False, 24)

    own = {**off, "syncSchedule": 1}
    path = f"{asker.company}/syncSettings"
    await asker.ask("POST", path, 204, _settings("companyId", company, own))
    theirs = await asker.ask("GET", path, 200)
    bills = {each["dataType"]: each for each in theirs["settings"]}["bills"]
    assert (theirs["overridesDefaults"], bills["syncSchedule"]) == (True, 1)

    await asker.ask("POST", path, 204, _settings("companyId", company, own=False))
    assert not (await asker.ask("GET", path, 200))["overridesDefaults"]


async def test_a_type_that_is_off_is_read_only_when_it_is_named(asker: Asker) -> None:
    off = {"dataType": "bills", "fetchOnFirstLink": False}
    body = _settings("clientId", asker.world.client_id, off)
    await asker.ask("POST", "/profile/syncSettings", 204, body)
    await asker.world.drain()
    rows = await asker.world.rows("select data_type from dataset")
    assert "bills" not in {row["data_type"] for row in rows}
    await asker.ask("POST", f"{asker.company}/data/queue/bills", 200)


async def test_locked_settings_cannot_be_changed(asker: Asker) -> None:
    client, company = asker.world.client_id, asker.world.company.id
    locked = {"dataType": "bills", "fetchOnFirstLink": True, "syncSchedule": 24, "isLocked": True}
    await asker.ask("POST", "/profile/syncSettings", 204, _settings("clientId", client, locked))
    other = {**locked, "syncSchedule": 1}
    await asker.ask("POST", "/profile/syncSettings", 403, _settings("clientId", client, other))
    path = f"{asker.company}/syncSettings"
    await asker.ask("POST", path, 403, _settings("companyId", company, other))
    items = {"dataType": "items", "syncSchedule": 1}
    await asker.ask("POST", "/profile/syncSettings", 204, _settings("clientId", client, items))
    shown = await asker.ask("GET", "/profile/syncSettings", 200)
    kept = {each["dataType"]: each for each in shown["settings"]}
    assert (kept["bills"]["isLocked"], kept["items"]["syncSchedule"]) == (True, 1)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"companyId": "another", "settings": [], "overridesDefaults": True},
        {"settings": [], "overridesDefaults": True},
    ],
)
async def test_settings_of_another_company_are_refused(asker: Asker, body: Any) -> None:
    await asker.ask("POST", f"{asker.company}/syncSettings", 400, body)
