"""Hundreds of expiries, many processes at once, lost answers: no customer has to link again."""

import asyncio
import base64
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from tests.journeys.simulator import CLIENT_ID, SECRET
from tests.journeys.world import ROOT, World

from tallystick.companies.connections import Status

_PROCESSES = 8
_EXPIRIES = 500
_LIFE_S = 1800
_LOST_EVERY = 100
_KILLED_EVERY = 50
_ASKS = """
import asyncio, sys
from pathlib import Path
import httpx
from tallystick.companies.credentials import ConnectionTokens
from tallystick.connectors.contract import AppCredentials
from tallystick.connectors.xero import XERO
from tallystick.db.pool import Database
from tallystick.lib import process
from tallystick.lib.clock import OffsetClock
from tallystick.lib.secrets import vault

async def main():
    url, key, clock, base_url, connection_id, client_id, secret, parent = sys.argv[1:9]
    process.die_with(int(parent))
    app = AppCredentials(client_id, secret, base_url)
    loop = asyncio.get_running_loop()
    async with Database(url, size=3) as database, httpx.AsyncClient() as http:
        tokens = ConnectionTokens(database=database, vault=vault(key), http=http, app=app,
                                  clock=OffsetClock(Path(clock)), oauth=XERO.oauth,
                                  connection_id=connection_id)
        while await loop.run_in_executor(None, sys.stdin.readline):
            found = await asyncio.gather(*(tokens.current() for _ in range(2)),
                                         return_exceptions=True)
            print(*(f"{type(one).__name__}" if isinstance(one, Exception) else one
                    for one in found), flush=True)

asyncio.run(main())
"""


async def _started(world: World, **env: str) -> Process:
    arguments = [
        world.database_url,
        base64.urlsafe_b64encode(world.vault.key).decode(),
        str(world.clock_file),
        world.simulator.base_url,
        world.connection.id,
        CLIENT_ID,
        SECRET,
        str(os.getpid()),
    ]
    with (world.clock_file.parent / "asks.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _ASKS, *arguments),
            cwd=ROOT,
            env={**os.environ, **env},
            stdin=PIPE,
            stdout=PIPE,
            stderr=log,
        )


@pytest.fixture
async def processes(world: World) -> AsyncIterator[list[Process]]:
    """One of them dies whenever it is the one that renews, before anything is stored."""
    running = [await _started(world) for _ in range(_PROCESSES - 1)]
    running.append(await _started(world, TALLYSTICK_CRASH_AT="credentials.after_renew"))
    yield running
    for process in running:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _asked(process: Process) -> list[str]:
    """What it got; nothing where it died of it."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"go\n")
    return (await process.stdout.readline()).decode().split()


async def test_no_connection_is_broken_by_renewing(world: World, processes: list[Process]) -> None:
    match = {"method": "POST", "path": "/connect/token"}
    world.simulator.fault("loses_answers", every=_LOST_EVERY, times=_EXPIRIES, match=match)
    began = time.monotonic()
    answers: Counter[str] = Counter()
    killed = disagreed = 0
    for number in range(_EXPIRIES):
        world.advance(_LIFE_S)
        living = [one for one in processes if one.returncode is None]
        got = [token for each in await asyncio.gather(*map(_asked, living)) for token in each]
        answers.update(token if len(token) < 40 else "token" for token in got)
        disagreed += len(set(got)) > 1
        dead = [one for one in processes if one.returncode is not None]
        if dead and number % _KILLED_EVERY == 0:
            killed += 1
            await dead[0].communicate()
            processes.remove(dead[0])
            processes.append(await _started(world, TALLYSTICK_CRASH_AT="credentials.after_renew"))
    renewals = world.simulator.requests()
    print(
        f"\n{_EXPIRIES} expiries, {_PROCESSES} processes: {dict(answers)}; {len(renewals)} calls "
        f"to the token address; {disagreed} rounds saw more than one answer; "
        f"{killed} processes died between renewing and storing; {time.monotonic() - began:.0f} s"
    )
    assert (await world.current()).status is Status.Linked
    assert await world.events("connection.disconnected") == []
    assert answers["token"] >= _EXPIRIES * (_PROCESSES - 1) * 2
    assert set(answers) == {"token"}
