"""The simulated Xero as a process of its own, and its control plane."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

Raw = Any

CLIENT_ID = "simulated-xero"
SECRET = "only-for-journeys"
REDIRECT = "http://127.0.0.1:9/oauth/callback"
_SERVE = """
import sys
from pathlib import Path
from tallystick.simulators.server import serve
serve(Path(sys.argv[1]), port=int(sys.argv[2]), size=sys.argv[3], client_secret=sys.argv[4],
      limited=sys.argv[5] == "limited", books=Path(sys.argv[6]) if sys.argv[6] else None,
      parent_death=True)
"""
_READY_WITHIN_S = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Simulator:
    """Where it runs, and what may be asked of it beside Xero's own API."""

    url: str
    process: "subprocess.Popen[bytes]"

    @property
    def base_url(self) -> str:
        return f"{self.url}/xero"

    def _call(self, method: str, path: str, body: Raw = None) -> Raw:
        answer = httpx.request(method, f"{self.url}/_simulator{path}", json=body, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json(parse_float=str)

    def advance(self, seconds: float) -> None:
        self._call("POST", "/clock", {"advance_s": seconds})

    def fault(self, name: str, **details: Raw) -> None:
        """`times`, `skip`, `match={"method": .., "path": ..}` and what the fault needs."""
        self._call("POST", "/faults", {"name": name, **details})

    def clear_faults(self) -> None:
        self._call("DELETE", "/faults")

    def limit(self, **limits: int | None) -> None:
        self._call("POST", "/limits", limits)

    def organisations(self) -> list[dict[str, str]]:
        return list(self._call("GET", "/organisations")["organisations"])

    def ledger(self, organisation_id: str) -> Raw:
        return self._call("GET", f"/organisations/{organisation_id}/ledger")

    def edit(self, organisation_id: str, op: str, **details: Raw) -> str:
        sent = {"op": op, **details}
        return str(self._call("POST", f"/organisations/{organisation_id}/edit", sent)["id"])

    def revoke(self, organisation_id: str) -> None:
        self._call("POST", f"/organisations/{organisation_id}/revoke")

    def requests(self) -> list[dict[str, Raw]]:
        return list(self._call("GET", "/requests")["requests"])

    def forget_requests(self) -> None:
        self._call("DELETE", "/requests")

    async def consent(self, http: httpx.AsyncClient, authorize_url: str, organisation: str) -> str:
        """Say yes as the customer; the code that comes back."""
        parts = urlsplit(authorize_url)
        form = {name: values[0] for name, values in parse_qs(parts.query).items()}
        address = parts._replace(query="").geturl()
        answer = await http.post(
            address, data={**form, "organisation": organisation, "decision": "allow"}
        )
        assert answer.status_code == 302, answer.text
        return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


@contextmanager
def running(
    state: Path, *, size: str = "small", limited: bool = False, books: Path | None = None
) -> Iterator[Simulator]:
    """A simulator on a free port for as long as the block lasts."""
    port = free_port()
    counted = "limited" if limited else "unlimited"
    arguments = [str(state), str(port), size, SECRET, counted, str(books or "")]
    with (state.parent / "simulator.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=log,
            env={**os.environ},
        )
    simulator = Simulator(f"http://127.0.0.1:{port}", process)
    try:
        _await_ready(simulator)
        yield simulator
    finally:
        process.kill()
        process.wait()


def _await_ready(simulator: Simulator) -> None:
    until = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until:
        assert simulator.process.poll() is None, "the simulator ended"
        try:
            if httpx.get(f"{simulator.url}/_simulator/health").status_code == 200:
                return
        except httpx.TransportError:
            continue
    raise AssertionError("the simulator did not become ready")
