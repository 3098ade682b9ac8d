"""What `serve` runs: the database, then simulators, API and worker, each a process of its own."""

import asyncio
import base64
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import click

from tallystick import app
from tallystick.access import clients, keys
from tallystick.cli import installation, simulation
from tallystick.cli.demo.stage import FIRST_KEY_FILE
from tallystick.cli.installation import Stop
from tallystick.cli.serve import (
    READY_WITHIN_S,
    Child,
    Family,
    listening,
    stops_on_signals,
)
from tallystick.db import embedded
from tallystick.db.pool import Database
from tallystick.lib import log, process, secrets
from tallystick.settings import PLATFORM_PREFIXES, Settings

_LOOK_EVERY_S = 0.5
_SIMULATED = "gbol"
_SIMULATOR_PORT_OFFSET = 100
_PORT_MAX = 65535
_AT_HOME = {"127.0.0.1", "localhost", "::1"}
_KEY_VARIABLE = "TALLYSTICK_ENCRYPTION_KEY"


@dataclass(frozen=True, slots=True)
class Plan:
    """The options of `serve` as they were given."""

    port: int | None
    data_dir: Path | None
    simulate: str | None
    no_worker: bool
    simulator_port: int | None
    seed: int
    size: str
    books: Path | None


def serve(plan: Plan) -> None:
    """Start everything, say where it is, watch it, stop it in order."""
    chosen = _settings(plan)
    _refuse_simulation_outside(chosen, plan)
    simulation.examine(plan.books if plan.simulate else None)
    with ExitStack() as stack:
        family = Family()
        stack.enter_context(stops_on_signals(family.stopping))
        socket = stack.enter_context(
            listening(chosen.host, chosen.port, choose="--port or TALLYSTICK_PORT")
        )
        if _simulates(chosen, plan):
            port = _simulator_port(chosen, plan)
            listening("127.0.0.1", port, choose="--simulator-port").close()
        _tell("Starting PostgreSQL ...")
        database = stack.enter_context(_database(chosen))
        url = chosen.database_url or (database.url if database else "")
        vault = asyncio.run(installation.prepare(chosen, url))
        first_key = asyncio.run(_first_key(url))
        if first_key:
            _keep(first_key, installation.data_dir(chosen) / FIRST_KEY_FILE)
        env = _environment(chosen, url, vault, plan)
        family.children = _children(plan, env, socket.fileno(), _simulator_port(chosen, plan))
        _tell(f"Starting {', '.join(child.name for child in family.children)} ...")
        stack.enter_context(family.running())
        _await_ready(chosen, family)
        _greet(chosen, plan, first_key, family)
        while not family.stopping.wait(_LOOK_EVERY_S):
            if database:
                database.ensure_running()
            family.look()
        click.echo("Stopping ...", err=True)


def work(data_dir: Path | None) -> None:
    """One worker, on the database of a running `serve` or on the outside one."""
    chosen = installation.settings(data_dir=data_dir)
    _join_parent()
    url = installation.database_url(chosen)
    log.configure(as_json=chosen.log_json, level=chosen.log_level)
    log.configure_libraries()
    vault = asyncio.run(installation.prepare(chosen, url))
    if "TALLYSTICK_PARENT" not in os.environ:
        click.echo("One more worker is at work. Ctrl-C stops it.", err=True)
    asyncio.run(app.work(chosen, url, vault))


def web(socket_number: int) -> None:
    """The API and Link, on a socket that `serve` opened."""
    chosen = installation.settings()
    _join_parent()
    url = installation.database_url(chosen)
    log.configure(as_json=chosen.log_json, level=chosen.log_level)
    log.configure_libraries()
    vault = asyncio.run(installation.unlock(chosen, url))
    app.serve_web(chosen, url, vault, socket_number=socket_number)


def _settings(plan: Plan) -> Settings:
    env = {**os.environ, **({"TALLYSTICK_PORT": str(plan.port)} if plan.port else {})}
    chosen = installation.settings(data_dir=plan.data_dir, env=env)
    place = installation.data_dir(chosen)
    try:
        place.mkdir(parents=True, exist_ok=True)
        (place / ".writable").touch()
        (place / ".writable").unlink()
    except OSError as error:
        raise Stop(f"The data directory {place} cannot be written: {error.strerror}.") from error
    return replace(chosen, data_dir=place.resolve())


def _refuse_simulation_outside(chosen: Settings, plan: Plan) -> None:
    """Fake books must never stand where somebody takes them for real ones."""
    if plan.simulate != "yes":
        return
    public = urlsplit(chosen.public_url).hostname not in _AT_HOME or chosen.host not in _AT_HOME
    if public or chosen.database_url:
        reason = "a public address" if public else "an outside database"
        raise Stop(
            f"--simulate is refused with {reason}, because simulated books would stand where real "
            "ones belong; if that is meant, say --simulate=yes-really."
        )


@contextmanager
def _database(chosen: Settings) -> Iterator[embedded.EmbeddedPostgres | None]:
    """The embedded server while we run, or None where an outside one is set."""
    if chosen.database_url:
        yield None
        return
    try:
        with embedded.EmbeddedPostgres(installation.data_dir(chosen)) as server:
            yield server
    except embedded.EmbeddedPostgresError as error:
        raise Stop(str(error)) from error


async def _first_key(url: str) -> str | None:
    """The key of the first client of all, made at the very first start."""
    async with (
        Database(url, size=1, name="tallystick-start") as database,
        database.transaction() as tx,
    ):
        if await clients.all_clients(tx):
            return None
        now = datetime.now(UTC)
        client = await clients.create(tx, name="Default", now=now)
        _, key = await keys.issue(tx, client_id=client.id, name="First key", now=now)
        return key


def _environment(chosen: Settings, url: str, vault: secrets.Vault, plan: Plan) -> dict[str, str]:
    """What the children are told; the key and the simulators' secret pass by no other way."""
    env = {
        **os.environ,
        "TALLYSTICK_DATABASE_URL": url,
        "TALLYSTICK_DATA_DIR": str(chosen.data_dir),
        "TALLYSTICK_PORT": str(chosen.port),
        "TALLYSTICK_PUBLIC_URL": chosen.public_url,
        _KEY_VARIABLE: base64.urlsafe_b64encode(vault.key).decode(),
    }
    if _simulates(chosen, plan):
        prefix, secret = f"TALLYSTICK_{PLATFORM_PREFIXES[_SIMULATED]}", secrets.new_token()
        base_url = f"http://127.0.0.1:{_simulator_port(chosen, plan)}/xero"
        env |= {
            f"{prefix}_CLIENT_ID": simulation.CLIENT_ID,
            f"{prefix}_CLIENT_SECRET": secret,
            f"{prefix}_BASE_URL": base_url,
            "TALLYSTICK_SIMULATED": _SIMULATED,
            simulation.SECRET_VARIABLE: secret,
        }
    return env


def _children(plan: Plan, env: dict[str, str], socket: int, simulator_port: int) -> list[Child]:
    children = []
    if simulation.SECRET_VARIABLE in env:
        arguments = ["simulate", "--port", str(simulator_port)]
        arguments += ["--seed", str(plan.seed), "--size", plan.size]
        arguments += ["--books", str(plan.books)] if plan.books else []
        health = f"http://127.0.0.1:{simulator_port}/_simulator/health"
        children.append(Child("simulators", arguments, env, answers_at=health))
    children.append(Child("web", ["_web", "--socket", str(socket)], env, handed_down=(socket,)))
    if not plan.no_worker:
        children.append(Child("worker", ["worker"], env))
    return children


def _simulates(chosen: Settings, plan: Plan) -> bool:
    return plan.simulate is not None and _SIMULATED not in chosen.platforms


def _simulator_port(chosen: Settings, plan: Plan) -> int:
    beside = chosen.port + _SIMULATOR_PORT_OFFSET
    if beside > _PORT_MAX:
        beside = chosen.port - _SIMULATOR_PORT_OFFSET
    return plan.simulator_port or beside


def _await_ready(chosen: Settings, family: Family) -> None:
    """Until `/health` is content, or nobody wants it any more."""
    host = f"[{chosen.host}]" if ":" in chosen.host else chosen.host
    url = f"http://{host}:{chosen.port}/health"
    if not family.await_health(url):
        if family.stopping.is_set():
            raise Stop("Stopped before it was ready.")
        raise Stop(f"The server did not become ready within {READY_WITHIN_S:.0f} s.")


def _greet(chosen: Settings, plan: Plan, first_key: str | None, family: Family) -> None:
    click.secho("Tallystick is ready.", bold=True)
    click.echo(f"  API and Link    {chosen.public_url}")
    click.echo(f"  API document    {chosen.public_url}/openapi.json")
    if any(child.name == "simulators" for child in family.children):
        click.echo(f"  Xero            simulated, http://127.0.0.1:{_simulator_port(chosen, plan)}")
    click.echo(f"  Data            {chosen.data_dir}")
    _show_key(first_key, installation.data_dir(chosen) / FIRST_KEY_FILE)
    click.echo("Ctrl-C stops it.")


def _tell(progress: str) -> None:
    """For somebody who waits at a terminal; elsewhere only what matters is said."""
    if sys.stderr.isatty():
        click.secho(progress, dim=True, err=True)


def _show_key(first_key: str | None, kept: Path) -> None:
    """Once, to somebody who watches; where nobody does, the key stays in its file."""
    if first_key and sys.stdout.isatty():
        click.echo(f"  First API key   {first_key}")
        click.echo("                  (shown this once; one more: tallystick keys create NAME)")
        kept.unlink()
    elif kept.exists():
        click.echo(f"  First API key   in {kept}")
    else:
        click.echo("  API key         made before; one more: tallystick keys create NAME")


def _keep(key: str, path: Path) -> None:
    """Into a file that only its owner reads, so that a start that fails does not lose it."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(key + "\n")


def _join_parent() -> None:
    parent = os.environ.get("TALLYSTICK_PARENT")
    if parent:
        process.die_with(int(parent))
