"""A file goes to a bill at the simulated Xero and can be read again, live."""

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.journeys.api_ground import asker
from tests.journeys.push_ground import bodies, facts, without_reads
from tests.journeys.world import World

from tallystick.access import keys
from tallystick.connectors.contract import SETTLES_AFTER
from tallystick.connectors.registry import CONNECTORS
from tallystick.http.app import create_app
from tallystick.http.house import House
from tallystick.lib import json
from tallystick.lib.egress import Policy
from tallystick.settings import Settings


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the API of this world."""
    await without_reads(world)
    house = House(
        database=world.database,
        clock=world.clock,
        vault=world.vault,
        settings=Settings(platforms=world.apps),
        connectors=CONNECTORS,
        reach=world.work.reach,
        egress=Policy(),
    )
    async with world.database.transaction() as tx:
        _, key = await keys.issue(tx, client_id=world.client_id, name="first", now=world.now())
    async with asker(create_app(house), key) as http:
        yield http


def here(world: World) -> str:
    return f"/companies/{world.company.id}/connections/{world.connection.id}"


async def test_a_write_asked_for_by_the_api_ends_in_the_list_of_records(
    world: World, http: httpx.AsyncClient
) -> None:
    _, body = bodies(await facts(world))["batch"]
    answer = await http.post(f"{here(world)}/push/billPayments", content=json.dumps(body))
    key = answer.json()["pushOperationKey"]
    await world.drain()
    done = json.loads((await http.get(f"/companies/{world.company.id}/push/{key}")).content)
    assert (done["status"], done["statusCode"]) == ("Success", 200)
    assert [one["recordRef"]["dataType"] for one in done["changes"]] == [
        "billPayments",
        "billPayments",
        "accountTransactions",
    ]
    assert [one["settled"] for one in done["settlement"]] == [True, True]
    for change in done["changes"][:2]:
        record = await http.get(
            f"/companies/{world.company.id}/data/billPayments/{change['recordRef']['id']}"
        )
        assert record.status_code == 200


async def test_a_file_is_attached_once_and_read_again(
    world: World, http: httpx.AsyncClient
) -> None:
    bill = (await facts(world)).bills[0]["InvoiceID"]
    world.simulator.fault("loses_answers", times=1, match={"method": "PUT"})
    file = ("scan é.pdf", b"%PDF-1.4 bill", "application/pdf")
    asked = await http.post(f"{here(world)}/push/bills/{bill}/attachments", files={"file": file})
    assert asked.status_code == 200
    await world.drain()
    world.advance(SETTLES_AFTER.total_seconds() + 1)
    await world.drain()
    key = asked.json()["pushOperationKey"]
    done = (await http.get(f"/companies/{world.company.id}/push/{key}")).json()
    [change] = done["changes"]
    assert (done["status"], change["type"]) == ("Success", "AttachmentUploaded")
    assert change["recordRef"] == {"id": bill, "dataType": "bills"}

    listed = f"{here(world)}/data/bills/{bill}/attachments"
    [held] = (await http.get(listed)).json()["attachments"]
    assert (held["id"], held["name"], held["fileSize"]) == (
        change["attachmentId"],
        "scan é.pdf",
        13,
    )
    assert (await http.get(f"{listed}/{held['id']}")).json() == held
    content = await http.get(f"{listed}/{held['id']}/download")
    assert content.content == b"%PDF-1.4 bill"
    assert content.headers["content-type"] == "application/octet-stream"
    assert (await http.get(f"{listed}/00000000-0000-4000-8000-000000000000")).status_code == 404


async def test_files_of_an_unknown_bill_are_not_found(
    world: World, http: httpx.AsyncClient
) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    listed = await http.get(f"{here(world)}/data/bills/{unknown}/attachments")
    assert listed.status_code == 404
    asked = await http.post(
        f"{here(world)}/push/bills/{unknown}/attachment", files={"file": ("a.pdf", b"1")}
    )
    await world.drain()
    key = asked.json()["pushOperationKey"]
    done = (await http.get(f"/companies/{world.company.id}/push/{key}")).json()
    assert done["status"] == "Failed"
