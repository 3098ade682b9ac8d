"""The stage: `tallystick serve --simulate`, a process of its own in a directory that goes away."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tallystick.cli.installation import Stop
from tallystick.cli.serve import wait_until_ready

_READY_WITHIN_S = 900.0
_STOP_WITHIN_S = 60.0
_SAID_CHARACTERS = 2000
FIRST_KEY_FILE = "first-api-key"


@dataclass(frozen=True, slots=True)
class Stage:
    """A running installation with simulated platforms."""

    base_url: str
    simulator_url: str
    key: str
    log: Path


@contextmanager
def serving(
    *, books: Path | None, size: str, seed: int, settings: Mapping[str, str] | None = None
) -> Iterator[Stage]:
    """Start everything on free ports, with more settings if any; stop it in order."""
    with tempfile.TemporaryDirectory(prefix="tallystick-demo-") as folder:
        place = Path(folder)
        place.chmod(0o755)
        port, simulator_port = _free_ports(2)
        log = place / "serve.log"
        arguments = ["serve", "--simulate", "--port", str(port), "--data-dir", str(place / "data")]
        arguments += ["--simulator-port", str(simulator_port)]
        arguments += ["--size", size, "--seed", str(seed)]
        if books:
            arguments += ["--books", str(books.absolute())]
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                [sys.executable, "-m", "tallystick", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**_environment(port), **(settings or {})},
            )
        try:
            base_url = f"http://127.0.0.1:{port}"
            _wait(process, base_url, log)
            key = (place / "data" / FIRST_KEY_FILE).read_text().strip()
            yield Stage(base_url, f"http://127.0.0.1:{simulator_port}", key, log)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=_STOP_WITHIN_S)


def _environment(port: int) -> dict[str, str]:
    """Ours without settings that belong to another installation."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("TALLYSTICK_")}
    return {
        **env,
        "TALLYSTICK_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "TALLYSTICK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "TALLYSTICK_LOG_LEVEL": "warning",
    }


def _free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def _wait(process: subprocess.Popen[bytes], base_url: str, log: Path) -> None:
    ended = threading.Event()

    def watch() -> None:
        process.wait()
        ended.set()

    threading.Thread(target=watch, daemon=True).start()
    if not wait_until_ready(f"{base_url}/health", ended, within_s=_READY_WITHIN_S):
        raise Stop(f"The server did not become ready. It said:\n{said(log)}")


def said(log: Path) -> str:
    """The end of what the server said."""
    return log.read_text(errors="replace").strip()[-_SAID_CHARACTERS:]
