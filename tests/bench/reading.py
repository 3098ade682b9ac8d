"""How fast a list of 100 invoices is read over HTTP, beside bare handlers on the same table."""

import asyncio
import base64
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import psycopg
from tests.bench.figure import Figure
from tests.bench.load import Load, load
from tests.bench.material import NOW, Place, invoices, place
from tests.bench.servers import BARE, OURS, PYDANTIC

from tallystick.db.pool import Database
from tallystick.records import store
from tallystick.records.rows import Incoming

_RECORDS = 5_000
_CONNECTIONS = 8
_SECONDS = 3.0
_ROUNDS = 5
_READY_WITHIN_S = 20.0


def measure(url: str) -> list[Figure]:
    """Three servers, one after another in each round, so that a slow moment hits all of them."""
    here = place(url)
    asyncio.run(_fill(url, here))
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("vacuum analyze record")
    seen: dict[str, list[Load]] = {OURS: [], BARE: [], PYDANTIC: []}
    path = f"/companies/{here.company_id}/data/invoices?page=1&pageSize=100"
    token = base64.b64encode(here.key.encode()).decode()
    with ExitStack() as stack:
        ports = {kind: stack.enter_context(_server(kind, url, here)) for kind in seen}
        for _ in range(_ROUNDS):
            for kind, port in ports.items():
                seen[kind].append(
                    load(port, path, token, connections=_CONNECTIONS, seconds=_SECONDS)
                )
    rates = {kind: statistics.median(run.per_s for run in runs) for kind, runs in seen.items()}
    against = [a.per_s / b.per_s for a, b in zip(seen[OURS], seen[BARE], strict=True)]
    slowest = statistics.median(run.p99_ms for run in seen[OURS])
    return [
        Figure(
            "P1 list 100",
            f"{rates[OURS]:,.0f} req/s (p99 {slowest:.1f} ms)",
            f"bare ASGI {rates[BARE]:,.0f} req/s",
            statistics.median(against),
            0.85,
        ),
        Figure(
            "P1 beside pydantic",
            f"{rates[OURS]:,.0f} req/s",
            f"response models {rates[PYDANTIC]:,.0f} req/s",
            rates[OURS] / rates[PYDANTIC],
            10,
        ),
    ]


async def _fill(url: str, here: Place) -> None:
    async with Database(url, size=1) as database:
        records = [Incoming(record) for record in invoices(_RECORDS)]
        for start in range(0, _RECORDS, 1_000):
            async with database.transaction() as tx:
                await store.put_page(
                    tx,
                    company_id=here.company_id,
                    connection_id=here.connection_id,
                    data_type="invoices",
                    incoming=records[start : start + 1_000],
                    read_at=NOW,
                    now=NOW + timedelta(seconds=start),
                )


@contextmanager
def _server(kind: str, url: str, here: Place) -> Iterator[int]:
    """One process on a free port of its own choosing, told on its standard output."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.servers", kind, url, here.company_id],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline() if process.stdout else ""
        port = int(line)
        _await(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _await(port: int) -> None:
    until = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until:
        try:
            load(port, "/health", "", connections=1, seconds=0.01)
        except OSError:
            continue
        return
    raise TimeoutError(f"The server on port {port} did not answer.")
