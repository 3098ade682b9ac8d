"""A connection that ends lets go of the customer's grant at the platform too."""

import pytest
from tests.journeys.api_ground import PUBLIC, asker
from tests.journeys.world import World

from tallystick.access import keys
from tallystick.companies import credentials
from tallystick.connectors.contract import Organisation
from tallystick.connectors.registry import CONNECTORS
from tallystick.connectors.xero import XERO
from tallystick.errors import Unauthorized
from tallystick.http.app import create_app
from tallystick.http.house import House
from tallystick.lib.egress import Policy
from tallystick.settings import Settings


@pytest.fixture
async def key(world: World) -> str:
    async with world.database.transaction() as tx:
        _, key = await keys.issue(tx, client_id=world.client_id, name=None, now=world.now())
    return key


async def _granted(world: World, access_token: str) -> tuple[Organisation, ...]:
    app = world.work.reach.app("gbol")
    return await XERO.oauth.organisations(world.http, app, access_token)


@pytest.fixture
async def access_token(world: World) -> str:
    async with world.database.transaction() as tx:
        pair = await credentials.load(tx, world.vault, connection_id=world.connection.id)
    assert pair is not None
    return pair.access_token


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_the_grant_ends_with_the_connection(
    world: World, key: str, access_token: str, method: str
) -> None:
    house = House(
        database=world.database,
        clock=world.clock,
        vault=world.vault,
        settings=Settings(public_url=PUBLIC, platforms=world.apps),
        connectors=CONNECTORS,
        reach=world.work.reach,
        egress=Policy(),
    )
    assert len(await _granted(world, access_token)) == 1
    path = f"/companies/{world.company.id}/connections/{world.connection.id}"
    body = {"status": "Unlinked"} if method == "PATCH" else None

    async with asker(create_app(house), key) as http:
        answer = await http.request(method, path, json=body)

    assert answer.status_code == 200
    with pytest.raises(Unauthorized):
        await _granted(world, access_token)
