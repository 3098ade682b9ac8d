"""Webhooks from a real worker to a real receiver, through kill -9 and closed doors."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest
from tests.journeys.listening import Listener, listening

from tallystick.access import clients
from tallystick.db.pool import Database, all_rows
from tallystick.lib.clock import OffsetClock
from tallystick.lib.egress import Policy
from tallystick.lib.ids import new_id
from tallystick.lib.secrets import new_key, vault
from tallystick.webhooks import consumers, outbox, posting
from tallystick.webhooks.deliveries import GUARD
from tallystick.webhooks.posting import Message

_HERE = "127.0.0.0/8"
_POLICY = Policy(allowed=(ip_network(_HERE),))


@dataclass(frozen=True, slots=True)
class Ground:
    """A client whose events are told by worker processes."""

    database: Database
    folder: Path
    key: str
    client_id: str
    clock: OffsetClock

    async def register(self, url: str) -> str:
        """The secret of a new consumer of everything."""
        async with self.database.transaction() as tx:
            made = await consumers.create(
                tx,
                client_id=self.client_id,
                vault=vault(self.key),
                policy=_POLICY,
                url=url,
                event_types=["*"],
                company_tags=[],
                disabled=False,
                now=self.clock.now(),
            )
        assert made.secret
        return made.secret

    async def tell(self) -> str:
        async with self.database.transaction() as tx:
            return await outbox.emit(
                tx,
                client_id=self.client_id,
                company_id=None,
                company_tags={},
                event_type="company.created",
                payload={"name": "Brú na Mara"},
                now=self.clock.now(),
            )

    async def states(self) -> list[str]:
        async with self.database.transaction() as tx:
            return [row["state"] for row in await all_rows(tx, "select state from delivery")]

    @contextmanager
    def working(self, **env: str) -> Iterator["subprocess.Popen[bytes]"]:
        """`tallystick worker`, killed at the end without a word."""
        own = {k: v for k, v in os.environ.items() if not k.startswith("TALLYSTICK_")}
        own |= {
            "TALLYSTICK_DATABASE_URL": self.database.url,
            "TALLYSTICK_ENCRYPTION_KEY": self.key,
            "TALLYSTICK_CLOCK_FILE": str(self.folder / "clock"),
            "TALLYSTICK_ALLOWED_NETWORKS": _HERE,
            "TALLYSTICK_WORKER_STALLED_S": "2",
            "TALLYSTICK_LOG_LEVEL": "warning",
            **env,
        }
        with subprocess.Popen([sys.executable, "-m", "tallystick", "worker"], env=own) as process:
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture
async def ground(database: Database, tmp_path: Path) -> Ground:
    clock = OffsetClock(tmp_path / "clock")
    async with database.transaction() as tx:
        client = await clients.create(tx, name="Buyer", now=clock.now())
    return Ground(database, tmp_path, new_key(), client.id, clock)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as heard:
        yield heard


async def test_an_event_reaches_a_receiver_within_a_second(
    ground: Ground, listener: Listener
) -> None:
    listener.secret = await ground.register(listener.url)
    with ground.working():
        first = await ground.tell()
        await _until(lambda: len(listener.events) == 1)

        second = await ground.tell()
        await _until(lambda: len(listener.events) == 2, within_s=1)

    assert [event["id"] for event in listener.events] == [first, second]
    assert listener.refused == []


async def test_a_worker_killed_after_the_post_loses_nothing(
    ground: Ground, listener: Listener
) -> None:
    """The receiver has it and nobody wrote that down: it comes again, under the same id."""
    listener.secret = await ground.register(listener.url)
    await ground.tell()
    with ground.working(TALLYSTICK_CRASH_AT="webhooks.after_post") as dying:
        await asyncio.to_thread(dying.wait, 30)
    assert dying.returncode == -signal.SIGKILL
    assert await ground.states() == ["Attempting"]

    ground.clock.advance(seconds=GUARD.total_seconds())
    with ground.working():
        await _until(lambda: len(listener.events) == 2)
        await _until_async(ground, ["Success"])

    assert len(set(listener.message_ids)) == 1
    assert listener.refused == []


async def test_workers_killed_again_and_again_deliver_everything(
    ground: Ground, listener: Listener
) -> None:
    listener.secret = await ground.register(listener.url)
    told = {await ground.tell() for _ in range(60)}
    for posts in (3, 11):
        with ground.working(TALLYSTICK_CRASH_AT=f"webhooks.after_post:{posts}") as dying:
            await asyncio.to_thread(dying.wait, 30)
        ground.clock.advance(seconds=GUARD.total_seconds())
    with ground.working():
        await _until_async(ground, ["Success"] * len(told))

    assert {event["id"] for event in listener.events} == told
    assert listener.refused == []


async def test_a_receiver_behind_a_closed_door_gets_all_of_it_later(ground: Ground) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        secret = await ground.register(f"http://127.0.0.1:{held.getsockname()[1]}/hooks")
        told = {await ground.tell() for _ in range(40)}
        with ground.working():
            await _until_async(ground, ["Attempting"] * len(told))
    # The platform's night is over; the address is the same, somebody answers.
    with listening() as listener:
        listener.secret = secret
        async with ground.database.transaction() as tx:
            await tx.execute("update consumer set url = %s", (listener.url,))
        ground.clock.advance(seconds=GUARD.total_seconds())
        with ground.working():
            await _until_async(ground, ["Success"] * len(told))

        assert {event["id"] for event in listener.events} == told
        assert len(listener.events) == len(told)


async def test_no_address_inside_is_called_unless_it_was_allowed(
    ground: Ground, listener: Listener
) -> None:
    """Also where the network was allowed when the consumer was registered."""
    await ground.register(listener.url)
    await ground.tell()
    with ground.working(TALLYSTICK_ALLOWED_NETWORKS=""):
        await _until_async(ground, ["Attempting"])

        async def refused() -> bool:
            async with ground.database.transaction() as tx:
                (row,) = await all_rows(tx, "select last_error from delivery")
            return "points inside" in (row["last_error"] or "")

        async with asyncio.timeout(20):
            while not await refused():  # noqa: ASYNC110 - another process sets no event of ours
                await asyncio.sleep(0.05)

    assert listener.events == listener.refused == []


async def test_a_receiver_that_drips_its_answer_is_left_in_time() -> None:
    """A byte now and then keeps every timeout between bytes content."""
    dripping, left = asyncio.Event(), asyncio.Event()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        with contextlib.suppress(ConnectionError):
            while not writer.is_closing():
                writer.write(b"x-more: 1\r\n")
                await writer.drain()
                dripping.set()
                await asyncio.sleep(0.02)
        writer.close()
        left.set()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    message = Message(new_id(), 1, new_id(), new_id(), url, b"", b"{}")
    try:
        async with httpx.AsyncClient(timeout=15) as http, asyncio.timeout(5):
            outcome = await posting.post(
                message, http, secret="whsec_AAAA", now=OffsetClock(Path("-")).now(), timeout_s=0.3
            )
            await left.wait()
    finally:
        server.close()

    assert dripping.is_set()
    assert outcome.error == "There was no answer within 0.3 s."


async def _until(condition: Callable[[], bool], *, within_s: float = 30) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - another process sets no event of ours
            await asyncio.sleep(0.02)


async def _until_async(ground: Ground, states: list[str]) -> None:
    async with asyncio.timeout(30):
        while await ground.states() != states:  # noqa: ASYNC110 - the same
            await asyncio.sleep(0.05)
