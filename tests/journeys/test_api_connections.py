"""Connections and platforms through the API."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.journeys.api_ground import PUBLIC, ApiGround, ground

from tallystick.companies import connections, credentials
from tallystick.companies.connections import ConnectionFault
from tallystick.connectors.contract import Organisation, TokenPair
from tallystick.errors import Conflict
from tallystick.lib.clock import FixedClock
from tallystick.lib.secrets import Vault

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
async def api(
    shared_database_url: str, vault: Vault, clock: FixedClock
) -> AsyncIterator[ApiGround]:
    async with ground(shared_database_url, vault, clock) as api:
        yield api


def _path(connection: Any) -> str:
    return f"/companies/{connection.company_id}/connections/{connection.id}"


async def test_a_connection_waits_for_the_customer_at_its_link(api: ApiGround) -> None:
    company = await api.company()

    made = await api.connection(company["id"])

    assert made == {
        "id": made["id"],
        "integrationId": made["integrationId"],
        "integrationKey": "gbol",
        "sourceId": made["sourceId"],
        "sourceType": "Accounting",
        "platformName": "Xero",
        "linkUrl": f"{PUBLIC}/companies/{company['id']}/connections/{made['id']}/start",
        "status": "PendingAuth",
        "created": "2026-11-20T09:00:00Z",
        "dataConnectionErrors": [],
        "connectionInfo": {},
    }
    path = f"/companies/{company['id']}"
    assert await api.json("GET", f"{path}/connections/{made['id']}") == made
    assert (await api.json("GET", path))["dataConnections"] == [made]
    name, payload = (await api.events())[-1]
    assert (name, payload["connection"]) == ("connection.created", made)
    assert payload["referenceCompany"]["id"] == company["id"]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("qhyg", "QuickBooks Online"),
        ("mqjo", "Sandbox"),
        ("zzzz", "zzzz"),
        ("", "platformKey"),
    ],
)
async def test_a_platform_that_is_not_built_is_refused_by_name(
    api: ApiGround, key: str, told: str
) -> None:
    company = await api.company()

    answer = await api.http.post(
        f"/companies/{company['id']}/connections", json={"platformKey": key}
    )

    assert answer.status_code == 400
    assert told in answer.json()["error"]
    assert answer.json()["canBeRetried"] == "False"


async def test_the_bare_key_of_very_old_callers_is_taken(api: ApiGround) -> None:
    company = await api.company()

    made = await api.json("POST", f"/companies/{company['id']}/connections", json="gbol")

    assert made["integrationKey"] == "gbol"


async def test_unlinking_takes_our_tokens_away_and_tells(api: ApiGround) -> None:
    company = await api.company()
    linked = await api.linked(company["id"])
    async with api.house.database.transaction() as tx:
        pair = TokenPair(access_token="a", refresh_token="r", expires_at=api.clock.now())
        await credentials.store(
            tx, api.house.vault, connection_id=linked.id, pair=pair, now=api.clock.now()
        )

    unlinked = await api.json("PATCH", _path(linked), json={"status": "Unlinked"})

    assert unlinked["status"] == "Unlinked"
    held = "select 1 from credential where connection_id = %(id)s"
    assert await api.rows(held, id=linked.id) == []
    name, payload = (await api.events())[-1]
    assert (name, payload["connection"]["status"]) == ("connection.disconnected", "Unlinked")


@pytest.mark.parametrize("status", ["Linked", "PendingAuth", "unlinked", None, 1])
async def test_no_other_status_can_be_set(api: ApiGround, status: Any) -> None:
    linked = await api.linked((await api.company())["id"])

    answer = await api.http.patch(_path(linked), json={"status": status})

    assert answer.status_code == 400


async def test_only_a_linked_connection_can_be_unlinked(api: ApiGround) -> None:
    company = await api.company()
    made = await api.connection(company["id"])

    answer = await api.http.patch(
        f"/companies/{company['id']}/connections/{made['id']}", json={"status": "Unlinked"}
    )

    assert answer.status_code == 400
    assert "PendingAuth" in answer.json()["error"]


async def test_deleting_answers_200_without_a_body(api: ApiGround) -> None:
    linked = await api.linked((await api.company())["id"])

    answer = await api.http.delete(_path(linked))

    assert (answer.status_code, answer.content) == (200, b"")
    gone = await api.http.get(_path(linked))
    assert gone.status_code == 404
    assert gone.json()["error"] == f"Data connection {linked.id} not found"
    assert (await api.events())[-1][0] == "connection.deleted"


async def test_tokens_from_elsewhere_are_refused(api: ApiGround) -> None:
    linked = await api.linked((await api.company())["id"])

    answer = await api.http.put(f"{_path(linked)}/authorization", json={"a": "b"})

    assert answer.status_code == 400
    assert "linkUrl" in answer.json()["error"]


async def test_a_connection_of_another_company_is_not_found(api: ApiGround) -> None:
    linked = await api.linked((await api.company())["id"])
    other = await api.company("Other")

    for company_id, connection_id in ((other["id"], linked.id), (linked.company_id, NOBODY)):
        path = f"/companies/{company_id}/connections/{connection_id}"
        assert (await api.http.get(path)).status_code == 404
        assert (await api.http.delete(path)).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_another_clients_connection_is_not_found(api: ApiGround, method: str) -> None:
    linked = await api.linked((await api.company())["id"])
    body = {"status": "Unlinked"} if method == "PATCH" else None

    async with api.stranger() as stranger:
        answer = await stranger.request(method, _path(linked), json=body)
        listed = await stranger.get(f"/companies/{linked.company_id}/connections")
        made = await stranger.post(
            f"/companies/{linked.company_id}/connections", json={"platformKey": "gbol"}
        )

    assert [answer.status_code, listed.status_code, made.status_code] == [404, 404, 404]
    assert (await api.json("GET", _path(linked)))["status"] == "Linked"


async def test_connections_are_listed_newest_first_and_filtered(api: ApiGround) -> None:
    company = await api.company()
    path = f"/companies/{company['id']}/connections"
    first = await api.connection(company["id"])
    api.clock.advance(seconds=1)
    second = await api.linked(company["id"])

    async def ids(**params: str) -> list[str]:
        listed = await api.json("GET", path, params=params)
        return [one["id"] for one in listed["results"]]

    assert await ids() == [second.id, first["id"]]
    assert await ids(query="status=linked") == [second.id]
    assert await ids(query="status!=Linked&&platformName=xero") == [first["id"]]
    assert await ids(orderBy="created", pageSize="1") == [first["id"]]
    assert (await api.http.get(path, params={"query": "errors=1"})).status_code == 400


async def test_a_second_linked_connection_is_refused_unless_allowed(api: ApiGround) -> None:
    company = await api.company()
    await api.linked(company["id"])

    with pytest.raises(Conflict, match="already has a linked"):
        await api.linked(company["id"])


async def test_a_relink_resolves_what_had_gone_wrong(api: ApiGround) -> None:
    company = await api.company()
    made = await api.connection(company["id"])
    async with api.house.database.transaction() as tx:
        await connections.failed(
            tx,
            await connections.find(tx, made["id"]),
            error=ConnectionFault(403, "User cancelled", "access_denied"),
            now=api.clock.now(),
        )
    path = f"/companies/{company['id']}/connections/{made['id']}"
    [fault] = (await api.json("GET", path))["dataConnectionErrors"]
    assert (fault["statusCode"], fault["status"]) == ("403", "Active")

    async with api.house.database.transaction() as tx:
        linked = await connections.linked(
            tx,
            await connections.find(tx, made["id"]),
            organisation=Organisation(id="o", name="Books", grant_id="g"),
            base_url=None,
            simulated=True,
            now=api.clock.now(),
        )
        await connections.deauthorised(tx, linked, reason="revoked", now=api.clock.now())

    shown = await api.json("GET", path)
    assert shown["status"] == "Deauthorized"
    assert shown["platformName"] == "Xero (simulated)"
    assert [fault["status"] for fault in shown["dataConnectionErrors"]] == ["Active", "Resolved"]
    assert [name for name, _ in await api.events()][2:] == [
        "connection.failed",
        "connection.connected",
        "connection.disconnected",
    ]


# --- platforms ---


async def test_all_seven_platforms_are_listed_and_only_built_ones_enabled(api: ApiGround) -> None:
    listed = await api.json("GET", "/integrations")

    enabled = {one["key"]: one["enabled"] for one in listed["results"]}
    assert enabled == {
        "gbol": True,
        "qhyg": False,
        "pqsw": False,
        "akxx": False,
        "knfz": False,
        "pdvj": False,
        "mqjo": False,
    }


async def test_features_say_what_the_connector_reads_and_writes(api: ApiGround) -> None:
    xero = await api.json("GET", "/integrations/gbol")

    features = {
        one["dataType"]: {feature["featureType"] for feature in one["supportedFeatures"]}
        for one in xero["datatypeFeatures"]
    }
    connector = api.house.connectors["gbol"]
    assert {key for key, names in features.items() if "Get" in names} == {
        read.type.key for read in connector.reads
    }
    assert {key for key, names in features.items() if "Post" in names} == {
        write.type.key for write in connector.writes
    }


async def test_platforms_are_found_by_their_properties(api: ApiGround) -> None:
    async def keys(query: str) -> list[str]:
        listed = await api.json("GET", "/integrations", params={"query": query})
        return [one["key"] for one in listed["results"]]

    assert await keys("sourceType=accounting&&enabled=true") == ["gbol"]
    assert await keys("name~quickbooks") == ["qhyg", "pqsw"]
    assert await keys("isOfflineConnector=true") == ["pqsw"]


async def test_a_platform_has_pictures_that_can_be_fetched_without_a_key(api: ApiGround) -> None:
    branding = await api.json("GET", "/integrations/gbol/branding")

    address = branding["logo"]["full"]["image"]["src"]
    picture = await api.http.get(address, headers={"Authorization": ""})
    assert picture.status_code == 200
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert (await api.http.get("/integrations/zzzz")).status_code == 404
    assert (await api.http.get("/integrations/zzzz/branding")).status_code == 404
