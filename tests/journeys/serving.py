"""One real `tallystick serve --simulate` for the journeys over HTTP, and firms linked to it."""

import base64
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tallystick.cli.demo import browser
from tallystick.cli.demo.stage import serving
from tallystick.lib import json

XERO = "gbol"
FIRM = "Harrow & Vale"
OTHER_FIRM = "Brú na Mara"
_PULL_WITHIN_S = 240.0
# Where the platform's limit per minute is used up, a push waits for the next one.
_PUSH_WITHIN_S = 120.0
_LOOK_EVERY_S = 0.1

Answer = Any
Found = TypeVar("Found")


def until(look: Callable[[], Found | None], *, what: str, within_s: float = 60.0) -> Found:
    """What `look` found once it found something."""
    end, never = time.monotonic() + within_s, threading.Event()
    while time.monotonic() < end:
        found = look()
        if found is not None and found is not False:
            return found
        never.wait(_LOOK_EVERY_S)
    raise AssertionError(f"{what}: not within {within_s} s")


class Api:
    """A caller of the API with one key; numbers stay exact."""

    def __init__(self, base_url: str, key: str) -> None:
        self.base_url = base_url
        self.key = key
        token = base64.b64encode(key.encode()).decode()
        headers = {"authorization": f"Basic {token}"}
        self.http = httpx.Client(base_url=base_url, headers=headers, timeout=30, trust_env=False)

    def ask(
        self, method: str, path: str, body: Answer = None, *, status: int = 200, **params: Any
    ) -> Answer:
        """The answer, which must have that status."""
        content = None if body is None else json.dumps(body)
        headers = {} if content is None else {"content-type": "application/json"}
        # An empty set of parameters would take away the ones that stand in the path.
        sent = self.http.request(
            method, path, content=content, headers=headers, params=params or None
        )
        assert sent.status_code == status, f"{method} {path}: {sent.status_code} {sent.text[:900]}"
        return json.loads(sent.content) if sent.content else None

    def get(self, path: str, *, status: int = 200, **params: Any) -> Answer:
        return self.ask("GET", path, status=status, **params)

    def post(self, path: str, body: Answer = None, *, status: int = 200, **params: Any) -> Answer:
        return self.ask("POST", path, body, status=status, **params)


@dataclass(frozen=True, slots=True)
class Books:
    """A company whose customer linked a firm's books."""

    api: Api
    company_id: str
    connection_id: str

    @property
    def path(self) -> str:
        return f"/companies/{self.company_id}"

    @property
    def connection_path(self) -> str:
        return f"{self.path}/connections/{self.connection_id}"

    def records(self, data_type: str, **params: Any) -> list[Answer]:
        page = self.api.get(f"{self.path}/data/{data_type}", pageSize=5000, **params)
        return list(page["results"])

    def record(self, data_type: str, record_id: str) -> Answer:
        return self.api.get(f"{self.path}/data/{data_type}/{record_id}")

    def push(self, data_type: str, body: Answer, **params: Any) -> Answer:
        """The operation once it ended."""
        path = f"{self.connection_path}/push/{data_type}"
        return self.ended(self.api.post(path, body, **params))

    def ended(self, operation: Answer) -> Answer:
        path = f"{self.path}/push/{operation['pushOperationKey']}"

        def look() -> Answer | None:
            found = self.api.get(path)
            return None if found["status"] == "Pending" else found

        return until(look, what=f"the end of {path}", within_s=_PUSH_WITHIN_S)

    def pulled(self, *data_types: str) -> None:
        """Wait until these data types were read; all of them where none is named."""

        def quiet() -> bool:
            statuses = self.api.get(f"{self.path}/dataStatus")
            states = {statuses[name]["currentStatus"] for name in data_types or statuses}
            return states <= {"Complete", "NotSupported"}

        until(quiet, what="the reads", within_s=_PULL_WITHIN_S)


@dataclass(frozen=True, slots=True)
class Served:
    """A running installation, and what a test needs of it."""

    base_url: str
    simulator_url: str
    api: Api
    data_dir: Path

    def command(self, *arguments: str) -> str:
        """What `tallystick` printed, asked of this installation."""
        # Settings of another installation must not lead elsewhere.
        env = {k: v for k, v in os.environ.items() if not k.startswith("TALLYSTICK_")}
        done = subprocess.run(
            [sys.executable, "-m", "tallystick", *arguments, "--data-dir", str(self.data_dir)],
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def simulator(self, method: str, path: str, body: Answer = None) -> Answer:
        """Turn a switch of the simulated platforms."""
        url = f"{self.simulator_url}/_simulator{path}"
        answer = httpx.request(method, url, json=body, trust_env=False, timeout=30)
        assert answer.is_success, answer.text
        return answer.json()

    def company(self, name: str, **members: Answer) -> str:
        return str(self.api.post("/companies", {"name": name, **members})["id"])

    def linked(self, name: str, *, firm: str = FIRM, **members: Answer) -> Books:
        """A new company, linked by its customer at a browser; its first reads are under way."""
        return self.link(self.company(name, **members), firm=firm)

    def link(self, company_id: str, *, firm: str = FIRM) -> Books:
        body = {"platformKey": XERO}
        connection = self.api.post(f"/companies/{company_id}/connections", body)
        self.consent(connection, firm=firm)
        return Books(self.api, company_id, connection["id"])

    def consent(self, connection: Answer, *, firm: str) -> None:
        """What the customer does at a browser."""
        browser.link(connection["linkUrl"], organisation=firm)


@contextmanager
def served() -> Iterator[Served]:
    # The simulator's own limits are off below.
    unhurried = {"TALLYSTICK_XERO_CALLS_PER_MINUTE": "6000"}
    with serving(books=None, size="small", seed=1, settings=unhurried) as stage:
        api = Api(stage.base_url, stage.key)
        with api.http:
            running = Served(stage.base_url, stage.simulator_url, api, stage.log.parent / "data")
            running.simulator("POST", "/limits", {"off": True})
            yield running
