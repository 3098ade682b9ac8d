"""The command line: arguments in, one call, one printed result."""

import asyncio
import os
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

import tallystick
from tallystick.access import clients, keys
from tallystick.cli import installation
from tallystick.cli.installation import Stop
from tallystick.db.pool import Database
from tallystick.errors import TallystickError

T = TypeVar("T")

_DATA_DIR = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the database, the key file and simulated books live.",
)
_BOOKS = click.option(
    "--books",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Native records to serve as well: the platform's OpenAPI file with examples, or JSON.",
)
_SIZE = click.option(
    "--size",
    type=click.Choice(["small", "medium", "large"]),
    default="small",
    show_default=True,
    help="How much trade the simulated firms did.",
)
_SEED = click.option(
    "--seed", type=int, default=1, show_default=True, help="The same number, the same books."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96})
@click.version_option(tallystick.__version__, prog_name="tallystick")
def main() -> None:
    """Tallystick: the open, self-hosted unified accounting API.

    \b
    Start here:
      tallystick serve --simulate   everything on this machine, with a simulated Xero
      tallystick demo               watch a bill being paid, and the proof of it
      tallystick doctor             is this installation healthy?
    """  # noqa: D301 - click reads the backspace as "keep these lines"


@main.command(short_help="Run API, Link, a worker and a PostgreSQL.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port of API and Link.  [8400]")
@_DATA_DIR
@click.option(
    "--simulate",
    is_flag=False,
    flag_value="yes",
    type=click.Choice(["yes", "yes-really"]),
    help="Point platforms without credentials at simulators on this machine; `=yes-really` also "
    "with a public address or an outside database.",
)
@click.option("--no-worker", is_flag=True, help="Run workers elsewhere: `tallystick worker`.")
@click.option(
    "--simulator-port",
    type=click.IntRange(1, 65535),
    help="Port of the simulators.  [the port of the API plus 100]",
)
@_SEED
@_SIZE
@_BOOKS
def serve(**options: Any) -> None:
    """Run API, Link and a worker, with an embedded PostgreSQL unless another one is set."""
    from tallystick.cli import household  # noqa: PLC0415 - `--help` should not load a server

    household.serve(household.Plan(**options))


@main.command()
@_DATA_DIR
def worker(data_dir: Path | None) -> None:
    """Run one more worker on the same database."""
    from tallystick.cli import household  # noqa: PLC0415 - see above

    household.work(data_dir)


@main.command(name="_web", hidden=True)
@click.option("--socket", "socket_number", type=int, required=True)
def web(socket_number: int) -> None:
    """The API's own process, started by `serve` with a socket that listens already."""
    from tallystick.cli import household  # noqa: PLC0415 - see above

    household.web(socket_number)


@main.command()
@_DATA_DIR
def migrate(data_dir: Path | None) -> None:
    """Bring the database to the shape this version needs."""
    chosen = installation.settings(data_dir=data_dir)
    done = _run(installation.migrated(installation.database_url(chosen)))
    click.echo("\n".join(done) or "Nothing to do: the database is up to date.")


@main.group(name="clients")
def clients_group() -> None:
    """Clients (tenants) of this installation."""


@clients_group.command(name="create")
@click.argument("name")
@_DATA_DIR
def create_client(name: str, data_dir: Path | None) -> None:
    """Make a client and print its id."""

    async def create(database: Database) -> str:
        async with database.transaction() as tx:
            if any(known.name == name for known in await clients.all_clients(tx)):
                raise Stop(f"A client named {name!r} exists already.")
            return (await clients.create(tx, name=name, now=datetime.now(UTC))).id

    click.echo(_with_database(data_dir, create))


@main.group(name="keys")
def keys_group() -> None:
    """API keys of clients."""


@keys_group.command(name="create")
@click.argument("name")
@click.option("--client", "client_name", help="Name or id of the client; needed if there are two.")
@_DATA_DIR
def create_key(name: str, client_name: str | None, data_dir: Path | None) -> None:
    """Make an API key and print it; it is never shown again.

    Callers send it as `Authorization: Basic BASE64(key)`.
    """

    async def create(database: Database) -> str:
        async with database.transaction() as tx:
            client = await _client(tx, client_name)
            _, key = await keys.issue(tx, client_id=client.id, name=name, now=datetime.now(UTC))
            return key

    click.echo(_with_database(data_dir, create))


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8500, show_default=True)
@_SEED
@_SIZE
@_BOOKS
@_DATA_DIR
def simulate(port: int, seed: int, size: str, books: Path | None, data_dir: Path | None) -> None:
    """Run the simulated platforms alone, bound to this machine.

    \b
    Xero is below http://127.0.0.1:PORT/xero, the switches for faults and for the clock below
    http://127.0.0.1:PORT/_simulator. The client id is `simulated-xero`; its secret is printed.
    """  # noqa: D301 - see above
    from tallystick.cli import simulation  # noqa: PLC0415 - see above

    chosen = installation.settings(data_dir=data_dir)
    simulation.run(
        port=port,
        seed=seed,
        size=size,
        books=books,
        data_dir=installation.data_dir(chosen),
        log_level=chosen.log_level,
        env=os.environ,
    )


@main.command(short_help="Watch bills being paid, and the proof of it.")
@_SEED
@_SIZE
@_BOOKS
def demo(seed: int, size: str, books: Path | None) -> None:
    """Watch the main job: link, pull, pay three ways, prove it, hear of it; then it ends."""
    from tallystick.cli.demo import story  # noqa: PLC0415 - see above

    story.tell(books=books, size=size, seed=seed)


@main.command(short_help="Say what is wrong with this installation.")
@_DATA_DIR
@click.option("--new-key", is_flag=True, help="Only print a fresh encryption key.")
def doctor(data_dir: Path | None, *, new_key: bool) -> None:
    """Look at this installation and say what is wrong; exit code 1 if anything is."""
    from tallystick.cli import health  # noqa: PLC0415 - see above
    from tallystick.lib import secrets  # noqa: PLC0415 - see above

    if new_key:
        click.echo(secrets.new_key())
        return
    if not _run(health.examine(data_dir)):
        raise SystemExit(1)


async def _client(tx: Any, name: str | None) -> clients.Client:
    known = await clients.all_clients(tx)
    fitting = [c for c in known if name in (None, c.name, c.id)]
    if len(fitting) == 1:
        return fitting[0]
    if not known:
        raise Stop("There is no client yet: `tallystick clients create NAME` makes one.")
    names = ", ".join(c.name for c in known)
    raise Stop(f"Say which client with --client: {names}.")


def _with_database(data_dir: Path | None, work: Any) -> str:
    chosen = installation.settings(data_dir=data_dir)
    url = installation.database_url(chosen)

    async def opened() -> str:
        await installation.prepare(chosen, url)
        async with Database(url, size=1, name="tallystick-cli") as database:
            return str(await work(database))

    return _run(opened())


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except TallystickError as error:
        raise Stop(error.message) from error
