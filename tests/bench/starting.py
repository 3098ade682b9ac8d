"""How long `serve` takes until `/health` is content: the first time, and later."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from tests.bench.figure import Figure

_GOAL_FIRST_S = 15.0
_GOAL_LATER_S = 3.0
_LATER_ROUNDS = 3


def measure() -> list[Figure]:
    """With the simulated Xero, as `make serve` starts it."""
    with TemporaryDirectory(prefix="tally-bench-") as folder:
        data_dir = Path(folder)
        data_dir.chmod(0o755)
        first = _start(data_dir)
        later = sorted(_start(data_dir) for _ in range(_LATER_ROUNDS))[_LATER_ROUNDS // 2]
    return [
        _figure("P8 first start", first, _GOAL_FIRST_S),
        _figure("P8 later starts", later, _GOAL_LATER_S),
    ]


def _figure(name: str, seconds: float, goal_s: float) -> Figure:
    return Figure(name, f"{seconds:.2f} s", f"{goal_s:g} s", seconds / goal_s, 1.0, at_least=False)


def _start(data_dir: Path) -> float:
    with socket.socket() as probe, socket.socket() as other:
        probe.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        port, simulator_port = probe.getsockname()[1], other.getsockname()[1]
    began = time.perf_counter()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tallystick", "serve", "--simulate"),
            *("--port", str(port), "--simulator-port", str(simulator_port)),
            *("--data-dir", str(data_dir / "data")),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={k: v for k, v in os.environ.items() if not k.startswith("TALLYSTICK_")},
    )
    try:
        _await_health(port)
        return time.perf_counter() - began
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


def _await_health(port: int) -> None:
    with httpx.Client(trust_env=False, timeout=1) as http:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if http.get(f"http://127.0.0.1:{port}/health").status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                continue
    raise TimeoutError("The server did not become ready.")
