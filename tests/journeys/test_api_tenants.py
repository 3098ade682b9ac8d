"""On every route, another client's ids look exactly like ids that do not exist."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.journeys.api_ground import ApiGround, ground

from tallystick.http import table
from tallystick.http.endpoint import Endpoint
from tallystick.lib.clock import FixedClock
from tallystick.lib.ids import new_id
from tallystick.lib.secrets import Vault

ROUTES = [
    (endpoint, path)
    for endpoint in table.ENDPOINTS
    for path in (endpoint.path, *endpoint.aliases)
    if "{companyId}" in path
]
# What a route may need so that it comes as far as looking for the company.
BODIES: dict[str, Any] = {
    "/companies/{companyId}": {"name": "Mine now"},
    "/companies/{companyId}/connections": {"platformKey": "gbol"},
    "/companies/{companyId}/connections/{connectionId}": {"status": "Unlinked"},
}


@pytest.fixture
async def api(
    shared_database_url: str, vault: Vault, clock: FixedClock
) -> AsyncIterator[ApiGround]:
    async with ground(shared_database_url, vault, clock) as api:
        yield api


async def _asked(
    http: httpx.AsyncClient, endpoint: Endpoint, path: str, ids: dict[str, str]
) -> tuple[int, str]:
    """Status and text, with the ids that were asked for made alike."""
    address = re.sub(r"\{(\w+)\}", lambda name: ids.get(name[1], "x"), path)
    body = BODIES.get(path, {}) if endpoint.method in {"POST", "PUT", "PATCH"} else None
    answer = await http.request(endpoint.method, address, json=body)
    text = re.sub("[0-9a-f]{32}", "", answer.text)
    for name, value in ids.items():
        text = text.replace(value, name)
    return answer.status_code, text


async def test_no_route_tells_another_clients_ids_from_unknown_ones(api: ApiGround) -> None:
    linked = await api.linked((await api.company("Secret name"))["id"])
    theirs = {"companyId": linked.company_id, "connectionId": linked.id}
    unknown = {"companyId": new_id(), "connectionId": new_id()}

    told = []
    async with api.stranger() as stranger:
        for endpoint, path in ROUTES:
            real = await _asked(stranger, endpoint, path, theirs)
            made_up = await _asked(stranger, endpoint, path, unknown)
            if real != made_up or real[0] != 404 or "Secret" in real[1]:
                told.append((endpoint.method, path, real, made_up))

    assert told == []
    shown = await api.json("GET", f"/companies/{linked.company_id}")
    assert (shown["name"], shown["dataConnections"][0]["status"]) == ("Secret name", "Linked")


async def test_a_connection_of_ones_own_other_company_is_unknown_too(api: ApiGround) -> None:
    linked = await api.linked((await api.company("One"))["id"])
    other = await api.company("Other")
    crossed = {"companyId": other["id"], "connectionId": linked.id}
    unknown = {"companyId": other["id"], "connectionId": new_id()}

    told = []
    for endpoint, path in ROUTES:
        if "{connectionId}" in path:
            real = await _asked(api.http, endpoint, path, crossed)
            made_up = await _asked(api.http, endpoint, path, unknown)
            if real != made_up or real[0] != 404:
                told.append((endpoint.method, path, real, made_up))

    assert told == []
