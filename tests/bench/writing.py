"""How long an accepted write waits until the platform is called, where nothing else is to do."""

import os
import signal
import socket
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from tests.bench.figure import Figure
from tests.journeys.serving import FIRM, XERO, Api, Books

from tallystick.cli.demo import browser
from tallystick.cli.demo.stage import FIRST_KEY_FILE
from tallystick.cli.serve import wait_until_ready

_WRITES = 50
_GOAL_P50_MS, _GOAL_P99_MS = 25.0, 150.0
_READY_WITHIN_S = 60.0
_IDLE_S = 0.4
_CALLED_WITHIN_S = 30.0
_WAIT = threading.Event()


def measure() -> list[Figure]:
    """From the answer `Pending` to the first call, with the simulated Xero."""
    with _installation() as (books, simulator):
        books.pulled()
        # The first one reads what a connection's writes share.
        _delay_ms(books, simulator, "Warm-up")
        delays = sorted(_delay_ms(books, simulator, f"Writer {n}") for n in range(_WRITES))
    return [
        _figure("P5 write to first call, p50", statistics.median(delays), _GOAL_P50_MS),
        _figure("P5 write to first call, p99", delays[-1], _GOAL_P99_MS),
    ]


def _figure(name: str, measured: float, goal: float) -> Figure:
    return Figure(name, f"{measured:.0f} ms", f"{goal:g} ms", measured / goal, 1.0, at_least=False)


def _delay_ms(books: Books, simulator: str, name: str) -> float:
    """Both processes go by the machine's clock. A call before the answer has waited for nothing."""
    httpx.delete(f"{simulator}/requests", trust_env=False)
    body = {"supplierName": name, "status": "Active"}
    operation = books.api.post(f"{books.connection_path}/push/suppliers", body)
    accepted_at = datetime.now(UTC)
    books.ended(operation)
    calls = httpx.get(f"{simulator}/requests", trust_env=False).json()["requests"]
    called_at = datetime.fromisoformat(calls[0]["at"])
    _WAIT.wait(_IDLE_S)
    return max((called_at - accepted_at).total_seconds(), 0.0) * 1000


@contextmanager
def _installation() -> Iterator[tuple[Books, str]]:
    """Linked books of an installation, and the control plane of its simulated Xero."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="tally-bench-")))
        folder.chmod(0o755)
        port, simulator_port = _free_ports()
        process = _started(folder, port, simulator_port)
        stack.callback(process.wait)
        stack.callback(process.send_signal, signal.SIGINT)
        url = f"http://127.0.0.1:{port}"
        if not wait_until_ready(f"{url}/health", threading.Event(), within_s=_READY_WITHIN_S):
            raise TimeoutError("The server did not become ready.")
        api = Api(url, (folder / "data" / FIRST_KEY_FILE).read_text().strip())
        stack.callback(api.http.close)
        simulator = f"http://127.0.0.1:{simulator_port}/_simulator"
        httpx.post(f"{simulator}/limits", json={"off": True}, trust_env=False)
        yield _linked(api), simulator


def _linked(api: Api) -> Books:
    company_id = api.post("/companies", {"name": "Writes"})["id"]
    path = f"/companies/{company_id}/connections"
    connection: dict[str, Any] = api.post(path, {"platformKey": XERO})
    browser.link(connection["linkUrl"], organisation=FIRM)
    return Books(api, company_id, connection["id"])


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _started(folder: Path, port: int, simulator_port: int) -> "subprocess.Popen[bytes]":
    env = {k: v for k, v in os.environ.items() if not k.startswith("TALLYSTICK_")}
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "tallystick", "serve", "--simulate"),
            *("--port", str(port), "--simulator-port", str(simulator_port)),
            *("--data-dir", str(folder / "data")),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Sixty writes a minute are more than Xero allows: the limit is not what is measured.
        env={**env, "TALLYSTICK_XERO_CALLS_PER_MINUTE": "10000"},
    )
