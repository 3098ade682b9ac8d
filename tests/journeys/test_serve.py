"""`tallystick serve` as an operator meets it: starts, bad starts, Ctrl-C, and kill -9."""

import base64
import contextlib
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil
import pytest
from tests.journeys.serving import until

from tallystick.cli.demo import browser
from tallystick.cli.demo.stage import FIRST_KEY_FILE
from tallystick.cli.serve import wait_until_ready
from tallystick.lib import secrets

_WITHIN_S = 60.0


def _environment(**more: str) -> dict[str, str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("TALLYSTICK_")}
    return {**env, "TALLYSTICK_LOG_LEVEL": "warning", **more}


def _run(*arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tallystick", *arguments],
        env=_environment(**env),
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def folder() -> Iterator[Path]:
    """A directory that the database's own user can reach, unlike pytest's."""
    with TemporaryDirectory(prefix="tally-serve-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


class Installation:
    """One data directory and its ports, started and stopped as often as wanted."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data"
        self.port, self.simulator_port = _free_port(), _free_port()
        self.log = folder / "serve.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.begin()
        ready = wait_until_ready(f"{self.url}/health", threading.Event(), within_s=_WITHIN_S)
        assert ready, self.log.read_text()

    def begin(self) -> None:
        arguments = ["serve", "--simulate", "--port", str(self.port)]
        arguments += ["--simulator-port", str(self.simulator_port)]
        arguments += ["--data-dir", str(self.data_dir)]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tallystick", *arguments],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def family(self) -> list[psutil.Process]:
        assert self.process is not None
        parent = psutil.Process(self.process.pid)
        return [parent, *parent.children(recursive=True)]

    def web(self) -> psutil.Process | None:
        """The process of the API, once there is one."""
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                if "_web" in process.cmdline():
                    return process
        return None

    def end(self, number: signal.Signals) -> int:
        """Send a signal to `serve` and wait until it and all its children are gone."""
        assert self.process is not None
        family = self.family()
        self.process.send_signal(number)
        code = self.process.wait(_WITHIN_S)
        _, alive = psutil.wait_procs(family, timeout=_WITHIN_S)
        assert alive == []
        return code

    def ask(self, path: str, method: str = "GET", body: object = None) -> httpx.Response:
        key = (self.data_dir / FIRST_KEY_FILE).read_text().strip()
        token = base64.b64encode(key.encode()).decode()
        headers = {"authorization": f"Basic {token}"}
        return httpx.request(method, self.url + path, json=body, headers=headers, timeout=20)


@pytest.fixture
def installation(folder: Path) -> Iterator[Installation]:
    made = Installation(folder)
    yield made
    if made.process and made.process.poll() is None:
        made.end(signal.SIGINT)


def test_nothing_is_lost_when_everything_is_killed(installation: Installation) -> None:
    installation.start()
    company = installation.ask("/companies", "POST", {"name": "Kept"}).json()
    path = f"/companies/{company['id']}/connections"
    connection = installation.ask(path, "POST", {"platformKey": "gbol"}).json()
    browser.link(connection["linkUrl"], organisation="Harrow")

    for process in installation.family():
        process.kill()
    installation.process.wait()  # type: ignore[union-attr] # it was started above
    installation.start()

    assert installation.ask(f"/companies/{company['id']}").json()["name"] == "Kept"
    kept = installation.ask(f"{path}/{connection['id']}").json()
    assert kept["status"] == "Linked"
    assert kept["platformName"] == "Xero (simulated)"


def test_serve_leaves_no_process_behind(installation: Installation) -> None:
    installation.start()

    assert installation.end(signal.SIGKILL) == -signal.SIGKILL
    installation.start()
    assert installation.end(signal.SIGINT) == 0


def test_a_child_that_falls_is_started_again(installation: Installation) -> None:
    installation.start()
    until(installation.web, what="the process of the API").kill()

    assert wait_until_ready(f"{installation.url}/health", threading.Event(), within_s=_WITHIN_S)


def test_a_child_that_falls_before_all_is_ready_is_started_again(
    installation: Installation,
) -> None:
    installation.begin()
    until(installation.web, what="the process of the API").kill()

    assert wait_until_ready(f"{installation.url}/health", threading.Event(), within_s=_WITHIN_S)


def test_commands_join_a_running_installation(installation: Installation) -> None:
    installation.start()
    place = ("--data-dir", str(installation.data_dir))

    key = _run("keys", "create", "second", *place)
    client = _run("clients", "create", "Another", *place)
    which = _run("keys", "create", "third", *place)
    doctor = _run("doctor", *place)
    migrated = _run("migrate", *place)

    assert key.returncode == 0
    assert re.fullmatch(r"\S+\n", key.stdout)
    assert client.returncode == 0
    assert which.returncode != 0
    assert "--client" in which.stderr
    assert doctor.returncode == 0, doctor.stdout
    assert "up to date" in migrated.stdout


def test_secrets_lie_in_files_that_only_their_owner_reads(installation: Installation) -> None:
    installation.start()

    for name in (FIRST_KEY_FILE, "encryption.key"):
        assert stat.S_IMODE((installation.data_dir / name).stat().st_mode) == 0o600


def _one_sentence(done: "subprocess.CompletedProcess[str]") -> str:
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_a_taken_port_is_one_sentence(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = _run("serve", "--port", str(port), "--data-dir", str(folder / "data"))

    assert str(port) in _one_sentence(done)


def test_a_data_directory_that_cannot_be_written_is_one_sentence(folder: Path) -> None:
    (folder / "file").touch()

    done = _run("serve", "--port", str(_free_port()), "--data-dir", str(folder / "file" / "data"))

    assert "data directory" in _one_sentence(done)


def test_a_database_out_of_reach_is_one_sentence(folder: Path) -> None:
    done = _run(
        *("serve", "--port", str(_free_port()), "--data-dir", str(folder)),
        TALLYSTICK_DATABASE_URL=f"postgresql://nobody:hidden@127.0.0.1:{_free_port()}/none",
        TALLYSTICK_ENCRYPTION_KEY=secrets.new_key(),
    )

    said = _one_sentence(done)
    assert "database cannot be reached" in said
    assert "hidden" not in said


@pytest.mark.parametrize("command", ["migrate", "worker", "keys create a"])
def test_every_command_says_in_one_sentence_that_the_database_is_out_of_reach(
    folder: Path, command: str
) -> None:
    done = _run(
        *(*command.split(), "--data-dir", str(folder)),
        TALLYSTICK_DATABASE_URL=f"postgresql://nobody:hidden@127.0.0.1:{_free_port()}/none",
        TALLYSTICK_ENCRYPTION_KEY=secrets.new_key(),
    )

    assert "database cannot be reached" in _one_sentence(done)


@pytest.mark.parametrize("url", ["nonsense", "postgresql://nobody@127.0.0.1:1/none"])
def test_the_doctor_finds_a_database_out_of_reach(folder: Path, url: str) -> None:
    done = _run("doctor", "--data-dir", str(folder), TALLYSTICK_DATABASE_URL=url)

    assert done.returncode == 1
    assert "BAD" in done.stdout.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_taken_port_of_the_simulators_names_its_own_option(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        simulators = str(taken.getsockname()[1])
        ports = ("--port", str(_free_port()), "--simulator-port", simulators)
        done = _run("serve", "--simulate", *ports, "--data-dir", str(folder / "data"))

    assert "--simulator-port" in _one_sentence(done)


@pytest.mark.parametrize("books", ["no records at all", "[]", "{}", '{"Invoices": 3}'])
def test_books_that_hold_nothing_are_one_sentence(folder: Path, books: str) -> None:
    path = folder / "books.json"
    path.write_text(books)
    place = ("--data-dir", str(folder / "data"), "--books", str(path))

    for command in (("serve", "--simulate"), ("simulate",)):
        done = _run(*command, "--port", str(_free_port()), *place)
        assert "books.json" in _one_sentence(done)


def test_a_start_says_nothing_but_what_an_operator_needs(installation: Installation) -> None:
    installation.start()
    installation.end(signal.SIGINT)

    said = installation.log.read_text()
    assert "uvicorn" not in said
    assert "First API key" in said


def test_serve_is_ready_only_when_the_simulators_are(installation: Installation) -> None:
    installation.start()

    address = f"http://127.0.0.1:{installation.simulator_port}/_simulator/health"
    assert httpx.get(address, timeout=_WITHIN_S).status_code == httpx.codes.OK


def test_a_wrong_encryption_key_is_one_sentence(installation: Installation) -> None:
    installation.start()
    installation.end(signal.SIGINT)

    done = _run(
        *("serve", "--port", str(installation.port), "--data-dir", str(installation.data_dir)),
        TALLYSTICK_ENCRYPTION_KEY=secrets.new_key(),
    )

    assert "encryption key" in _one_sentence(done)


def test_a_lost_key_is_never_replaced(installation: Installation) -> None:
    installation.start()
    installation.end(signal.SIGINT)
    (installation.data_dir / "encryption.key").unlink()

    done = _run(
        *("serve", "--port", str(installation.port), "--data-dir", str(installation.data_dir))
    )

    assert "missing" in _one_sentence(done)
    assert not (installation.data_dir / "encryption.key").exists()


@pytest.mark.parametrize(
    "setting",
    [
        {"TALLYSTICK_PUBLIC_URL": "https://books.example.com"},
        {"TALLYSTICK_HOST": "0.0.0.0"},  # noqa: S104 - that is what is refused
        {"TALLYSTICK_DATABASE_URL": "postgresql://127.0.0.1/tallystick"},
    ],
)
def test_simulated_books_are_refused_where_real_ones_belong(
    folder: Path, setting: dict[str, str]
) -> None:
    done = _run(
        *("serve", "--simulate", "--port", str(_free_port()), "--data-dir", str(folder)),
        **setting,
    )

    assert "--simulate=yes-really" in _one_sentence(done)


def test_a_setting_that_cannot_be_used_is_one_sentence(folder: Path) -> None:
    done = _run("serve", "--data-dir", str(folder), TALLYSTICK_WORKER_CONCURRENCY="many")

    assert "TALLYSTICK_WORKER_CONCURRENCY" in _one_sentence(done)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "serve",
        "worker",
        "migrate",
        "clients create",
        "keys create",
        "simulate",
        "demo",
        "doctor",
    ],
)
def test_help_teaches(command: str) -> None:
    done = _run(*command.split(), "--help")

    assert done.returncode == 0
    assert "Usage:" in done.stdout
    assert "_web" not in done.stdout
