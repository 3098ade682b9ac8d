"""A whole installation that can be killed with all its children, and started again."""

import base64
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import psutil
import psycopg

from tallystick.cli import installation
from tallystick.cli.demo.stage import FIRST_KEY_FILE
from tallystick.cli.serve import wait_until_ready
from tallystick.lib.clock import OffsetClock

_WITHIN_S = 60.0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Installed:
    """One data directory and its ports, with a clock that can be moved."""

    folder: Path
    port: int = field(default_factory=_free_port)
    simulator_port: int = field(default_factory=_free_port)
    process: "subprocess.Popen[bytes] | None" = None
    starts: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def clock(self) -> OffsetClock:
        return OffsetClock(self.folder / "clock")

    @property
    def authorization(self) -> str:
        key = (self.data_dir / FIRST_KEY_FILE).read_text().strip()
        return f"Basic {base64.b64encode(key.encode()).decode()}"

    def start(self) -> None:
        arguments = ["serve", "--simulate", "--port", str(self.port)]
        arguments += ["--simulator-port", str(self.simulator_port)]
        arguments += ["--data-dir", str(self.data_dir)]
        env = {k: v for k, v in os.environ.items() if not k.startswith("TALLYSTICK_")}
        env |= {
            "TALLYSTICK_LOG_LEVEL": "warning",
            "TALLYSTICK_ALLOWED_NETWORKS": "127.0.0.0/8",
            "TALLYSTICK_CLOCK_FILE": str(self.folder / "clock"),
        }
        with (self.folder / "serve.log").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tallystick", *arguments],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.starts += 1
        ready = wait_until_ready(f"{self.url}/health", threading.Event(), within_s=_WITHIN_S)
        assert ready, self.log()

    def log(self) -> str:
        return (self.folder / "serve.log").read_text(errors="replace")[-4000:]

    def kill(self) -> None:
        """Everything at once, PostgreSQL too."""
        assert self.process is not None
        parent = psutil.Process(self.process.pid)
        family = [parent, *parent.children(recursive=True)]
        for one in family:
            one.kill()
        self.process.wait()
        psutil.wait_procs(family, timeout=_WITHIN_S)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(_WITHIN_S)

    def http(self, **more: Any) -> httpx.AsyncClient:
        headers = {"authorization": self.authorization}
        return httpx.AsyncClient(
            base_url=self.url, headers=headers, trust_env=False, **{"timeout": 30, **more}
        )

    def rows(self, statement: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Look into its database."""
        url = installation.database_url(installation.settings(data_dir=self.data_dir, env={}))
        with psycopg.connect(url, autocommit=True) as db:
            return db.execute(statement, parameters).fetchall()


@contextmanager
def installed() -> Iterator[Installed]:
    """Running, in a directory that the database's own user can reach."""
    with TemporaryDirectory(prefix="tally-drill-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        running = Installed(folder)
        try:
            running.start()
            yield running
        finally:
            running.end()
