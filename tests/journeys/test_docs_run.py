"""The examples of the documentation do what it says, run as they stand against a real server.

Blocks of `console` hold commands after `$ `; each block is a bash script that goes on with the
variables of those before it. Blocks of `python` are run as they are.
"""

import base64
import contextlib
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest
from tests.journeys.serving import FIRM, XERO, Books, Served, until

from tallystick.cli.demo import browser
from tallystick.cli.demo.receiver import answering
from tallystick.cli.main import main
from tallystick.lib import json

pytestmark = [
    pytest.mark.xdist_group("served"),
    pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed"),
    pytest.mark.skipif(not shutil.which("bash"), reason="bash is not installed"),
]

_ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_README, _DOCS = _ROOT / "README.md", sorted((_ROOT / "docs").glob("*.md"))
# Commands that start something or look at an installation: held against the parser, not run.
_OURS = ("make", "tallystick")
# What stands in the pages, and what it is here.
_API, _SIMULATOR = "http://127.0.0.1:8400", "http://127.0.0.1:8500"
_HOOK, _AFTERWARDS = "https://example.com/hooks", "https://app.example.com/linked"


def _blocks(page: Path, language: str) -> list[str]:
    return [text for found, text in _BLOCK.findall(page.read_text()) if found == language]


def _commands(block: str) -> list[str]:
    """The commands of a block, each with the lines that belong to it."""
    return [part.strip() for part in re.split(r"^\$ ", block, flags=re.MULTILINE) if part.strip()]


def _is_ours(command: str) -> bool:
    return command.split(maxsplit=1)[0].rpartition("/")[2] in _OURS


@dataclass(slots=True)
class Shell:
    """A person's terminal: variables and functions stay, and a failed call is not passed over."""

    place: Path
    env: dict[str, str]
    instead: Mapping[str, str] = field(default_factory=dict)

    def run(self, block: str) -> str:
        """What the commands of a block printed.

        curl fails on an error of the server here, which it does not where somebody reads along.
        """
        script = "\n".join(command for command in _commands(block) if not _is_ours(command))
        for shown, meant in self.instead.items():
            script = script.replace(shown, meant)
        kept = self.place / "environment"
        done = subprocess.run(
            ["bash", "-c", f"set -eaEo pipefail\n{script}\nenv -0 > {shlex.quote(str(kept))}"],
            cwd=self.place,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n---\n{done.stdout}\n{done.stderr}"
        lines = kept.read_text().split("\0")
        self.env = dict(line.split("=", 1) for line in lines if line)
        return done.stdout

    def run_all(self, page: Path) -> str:
        return "".join(self.run(block) for block in _blocks(page, "console"))


@dataclass(slots=True)
class Hook:
    """An address that keeps what is posted to it."""

    url: str = ""
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@contextlib.contextmanager
def _hooked() -> Iterator[Hook]:
    hook = Hook()

    def take(headers: Mapping[str, str], body: bytes) -> bool:
        hook.came.append((dict(headers), body))
        return True

    with answering(take) as hook.url:
        yield hook


@pytest.fixture(scope="module")
def shell(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A terminal in which the README was followed to its end."""
    place = tmp_path_factory.mktemp("docs")
    (place / ".curlrc").write_text('fail-with-body\nshow-error\nnoproxy = "*"\nwrite-out = "\\n"\n')
    env = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
    env |= {"HOME": str(place), "CURL_HOME": str(place), "KEY": served.api.key}
    instead = {_API: served.base_url, _SIMULATOR: served.simulator_url}
    shell = Shell(place, env, instead)
    basics, link, read, pay = _jobs()
    shell.run(basics)
    link_url = shell.run(link).strip()
    browser.link(link_url, organisation=FIRM)
    books = _books(served, shell)
    until(lambda: served.api.get(f"{books.path}/data/history")["results"], what="the first reads")
    books.pulled()
    assert json.loads(shell.run(read).splitlines()[0])
    shell.run(pay)
    return shell


def _jobs() -> list[str]:
    """The README's blocks after those that start something."""
    return [b for b in _blocks(_README, "console") if not all(map(_is_ours, _commands(b)))]


def _books(served: Served, shell: Shell) -> Books:
    return Books(served.api, shell.env["COMPANY"], shell.env["CONNECTION"])


def test_the_readme_pays_a_bill_and_proves_it(served: Served, shell: Shell) -> None:
    books = _books(served, shell)

    ended = books.ended({"pushOperationKey": shell.env["PUSH"]})

    assert ended["status"] == "Success", ended
    assert [proof["settled"] for proof in ended["settlement"]] == [True]
    assert books.record("bills", shell.env["BILL"])["status"] == "PartiallyPaid"


def test_the_readme_shows_the_key_as_it_is_sent(served: Served, shell: Shell) -> None:
    sent = base64.b64encode(served.api.key.encode()).decode()

    assert shell.env["AUTH"] == f"Authorization: Basic {sent}"


def test_the_proof_has_the_members_that_are_shown(served: Served, shell: Shell) -> None:
    books = _books(served, shell)
    ended = books.ended({"pushOperationKey": shell.env["PUSH"]})
    shown = [json.loads(block) for block in _blocks(_ROOT / "docs" / "writing.md", "json")]

    [proof] = next(block["settlement"] for block in shown if "settlement" in block)
    assert proof.keys() == ended["settlement"][0].keys()
    assert proof["recordRef"].keys() == ended["settlement"][0]["recordRef"].keys()


def test_queries_run(shell: Shell) -> None:
    assert '"results":[{' in shell.run_all(_ROOT / "docs" / "queries.md")


@pytest.mark.parametrize(
    "query",
    re.findall(r"^\| .+? \| `(.+)` \|$", (_ROOT / "docs/queries.md").read_text(), re.MULTILINE),
)
def test_every_query_of_the_table_is_understood(served: Served, shell: Shell, query: str) -> None:
    books = _books(served, shell)
    data_type = "suppliers" if query.startswith("supplierName") else "bills"

    books.records(data_type, query=query)


def test_reading_runs(served: Served, shell: Shell) -> None:
    shell.run_all(_ROOT / "docs" / "reading.md")

    books = _books(served, shell)
    books.pulled()
    settings = served.api.get(f"{books.path}/syncSettings")["settings"]
    hours = {setting["dataType"]: setting["syncSchedule"] for setting in settings}
    assert (hours["bills"], hours["taxRates"]) == (24, 0)


def test_writing_runs(served: Served, shell: Shell) -> None:
    shell.run_all(_ROOT / "docs" / "writing.md")

    books = _books(served, shell)
    for operation in served.api.get(f"{books.path}/push")["results"]:
        ended = books.ended(operation)
        assert ended["status"] == "Success", ended


def test_the_simulator_runs(served: Served, shell: Shell) -> None:
    total, status = shell.run_all(_ROOT / "docs" / "simulator.md").splitlines()[-2:]

    assert float(total) == 0
    assert int(status) in range(200, 600)
    assert served.simulator("GET", "/faults")["faults"] == []


def test_a_webhook_is_registered_and_its_signature_checked(served: Served, shell: Shell) -> None:
    page = _ROOT / "docs" / "webhooks.md"
    with _hooked() as hook:
        shell.instead = {**shell.instead, _HOOK: hook.url}
        registered = json.loads(shell.run_all(page))
        served.company("Heard of")
        headers, body = until(lambda: hook.came or None, what="the webhook")[0]
        served.api.ask("DELETE", f"/webhooks/{registered['id']}", status=204)
    [verifying] = _blocks(page, "python")

    known: dict[str, Any] = {"secret": registered["secret"], "body": body, "headers": headers}
    exec(verifying, known)  # noqa: S102 - it is our own page

    assert known["event"]["eventType"] == "company.created"


@pytest.fixture
def profile(served: Served) -> Iterator[None]:
    """Whatever the page does to the profile, others find it as it was."""
    before = served.api.get("/profile")
    yield
    served.api.ask("PUT", "/profile", before)


@pytest.mark.usefixtures("profile")
def test_link_runs(served: Served, shell: Shell) -> None:
    """Comes last: it severs the connection that the others use."""
    told = shell.run_all(_ROOT / "docs" / "link.md")

    assert _AFTERWARDS in told
    connection = served.api.get(_books(served, shell).connection_path)
    assert (connection["status"], connection["integrationKey"]) == ("Unlinked", XERO)


# --- commands that are not run ---


def _starting() -> list[str]:
    pages = [_README, *_DOCS]
    blocks = [block for page in pages for block in _blocks(page, "console")]
    return [c.partition("#")[0].strip() for b in blocks for c in _commands(b) if _is_ours(c)]


@pytest.mark.parametrize("command", _starting())
def test_a_command_is_one_that_there_is(command: str, tmp_path: Path) -> None:
    program, *arguments = shlex.split(command)
    if program == "make":
        targets = re.findall(r"^(\w+):", (_ROOT / "Makefile").read_text(), re.MULTILINE)
        assert arguments[0] in targets
        return
    (tmp_path / "records.json").write_text("{}")
    with contextlib.chdir(tmp_path):
        context = click.Context(main)
        name, found, rest = main.resolve_command(context, arguments)
        assert found is not None
        assert found.make_context(name, rest, parent=context)


def test_every_block_is_of_a_kind_that_is_tried() -> None:
    """A block of another kind would be an example that nobody runs."""
    kinds = {kind for page in [_README, *_DOCS] for kind, _ in _BLOCK.findall(page.read_text())}

    assert kinds <= {"console", "python", "json"}


def test_every_page_with_examples_is_run() -> None:
    pages = {page.stem for page in _DOCS if _blocks(page, "console") or _blocks(page, "python")}

    assert pages == {"queries", "reading", "writing", "simulator", "webhooks", "link"}
