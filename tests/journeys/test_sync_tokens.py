"""One token pair and many who want it: nobody loses the customer's permission."""

import asyncio
import base64
import os
import subprocess
import sys
from typing import Any

import pytest
from tests.journeys.world import ROOT, World

from tallystick.companies import credentials
from tallystick.companies.connections import Status
from tallystick.companies.limits import BooksPermit
from tallystick.connectors.contract import Limits, TokenPair
from tallystick.errors import RateLimited

_RENEWS = """
import asyncio, base64, os, sys
from pathlib import Path
import httpx
from tallystick.companies.credentials import ConnectionTokens
from tallystick.connectors.contract import AppCredentials
from tallystick.connectors.xero import XERO
from tallystick.db.pool import Database
from tallystick.lib.clock import OffsetClock
from tallystick.lib.secrets import vault

async def main():
    url, key, clock, base_url, connection_id = sys.argv[1:6]
    app = AppCredentials("simulated-xero", "only-for-journeys", base_url)
    async with Database(url, size=6) as database, httpx.AsyncClient() as http:
        tokens = ConnectionTokens(database=database, vault=vault(key), http=http, app=app,
                                  clock=OffsetClock(Path(clock)), oauth=XERO.oauth,
                                  connection_id=connection_id)
        print("ready", flush=True)
        sys.stdin.readline()
        for token in await asyncio.gather(*(tokens.current() for _ in range(5))):
            print(token, flush=True)

asyncio.run(main())
"""


def _process(world: World) -> "subprocess.Popen[str]":
    arguments = [
        world.database_url,
        base64.urlsafe_b64encode(world.vault.key).decode(),
        str(world.clock_file),
        world.simulator.base_url,
        world.connection.id,
    ]
    return subprocess.Popen(
        [sys.executable, "-c", _RENEWS, *arguments],
        cwd=ROOT,
        env={**os.environ},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _raced(world: World, processes: int) -> list[str]:
    """Tokens that several processes got which all asked at the same time."""
    running = [_process(world) for _ in range(processes)]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return [line for process in running for line in process.communicate(timeout=60)[0].split()]


def _renewals(world: World) -> list[dict[str, Any]]:
    return [each for each in world.simulator.requests() if each["path"].endswith("/connect/token")]


async def _stored(world: World) -> TokenPair:
    async with world.database.transaction() as tx:
        pair = await credentials.load(tx, world.vault, connection_id=world.connection.id)
    assert pair is not None
    return pair


async def test_processes_that_all_find_the_token_ended_renew_it_once(world: World) -> None:
    before = await _stored(world)
    world.advance(3600)
    world.simulator.forget_requests()

    tokens = await asyncio.to_thread(_raced, world, 3)

    after = await _stored(world)
    assert len(tokens) == 15
    assert set(tokens) == {after.access_token}
    assert after.access_token != before.access_token
    assert len(_renewals(world)) == 1


async def test_a_renewal_that_was_lost_twice_is_made_up_for_later(world: World) -> None:
    world.advance(3600)
    world.simulator.fault(
        "loses_answers", times=2, match={"method": "POST", "path": "/connect/token"}
    )
    await world.drain()
    assert (await world.current()).status is Status.Linked
    world.advance(10)
    await world.drain()
    rows = await world.rows("select status from dataset")
    assert {row["status"] for row in rows} == {"Complete"}


async def test_a_dead_refresh_token_deauthorises_and_says_so_once(world: World) -> None:
    world.advance(61 * 24 * 3600)
    await world.drain()
    assert (await world.current()).status is Status.Deauthorized
    assert len(await world.events("connection.disconnected")) == 1
    assert await world.events("read.completed.initial") == []


async def test_tokens_stored_by_a_new_link_survive_the_end_of_the_old_ones(world: World) -> None:
    world.advance(61 * 24 * 3600)
    await world.link()
    await world.drain()
    assert (await world.current()).status is Status.Linked
    rows = await world.rows("select status from dataset")
    assert {row["status"] for row in rows} == {"Complete"}


async def test_without_tokens_a_read_ends_in_auth_error(world: World) -> None:
    async with world.database.transaction() as tx:
        await credentials.remove(tx, connection_id=world.connection.id)
    await world.drain()
    rows = await world.rows("select status from dataset")
    assert {row["status"] for row in rows} == {"AuthError"}


async def test_what_was_sealed_for_one_connection_does_not_open_for_another(world: World) -> None:
    sealed = (await world.rows("select sealed from credential"))[0]["sealed"]
    assert (await _stored(world)).refresh_token.encode() not in bytes(sealed)


async def test_the_limit_is_counted_across_all_who_share_it(world: World) -> None:
    permits = [
        BooksPermit(
            database=world.database,
            clock=world.clock,
            books_key="gbol books",
            limits=Limits(per_minute=20),
        )
        for _ in range(4)
    ]
    outcomes = await asyncio.gather(
        *(permit.take() for permit in permits for _ in range(8)), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, RateLimited)]
    assert len(outcomes) - len(refused) == 20
    assert {each.limit for each in refused} == {"minute"}
    world.advance(62)
    await permits[0].take()


async def test_a_limit_the_platform_named_stops_all_who_share_it(world: World) -> None:
    permit = BooksPermit(
        database=world.database,
        clock=world.clock,
        books_key="gbol books",
        limits=Limits(),
    )
    until = world.now().replace(microsecond=0)
    await permit.take()
    await permit.refused(until=until.replace(year=until.year + 1), limit="day")
    with pytest.raises(RateLimited) as limited:
        await permit.take()
    assert limited.value.limit == "day"
