"""Runs the simulated platforms as a process, alone or as a child of `serve`."""

import os
from collections.abc import Mapping
from pathlib import Path

import click

from tallystick.cli.installation import Stop
from tallystick.cli.serve import listening
from tallystick.lib.secrets import new_token
from tallystick.simulators import server
from tallystick.simulators.xero.native import UnreadableBooks, published

CLIENT_ID = "simulated-xero"
SECRET_VARIABLE = "TALLYSTICK_SIMULATOR_SECRET"  # noqa: S105 - the name of a variable


def examine(books: Path | None) -> None:
    """Stop where a file of published records cannot be served."""
    try:
        if books:
            published(books)
    except UnreadableBooks as error:
        raise Stop(str(error)) from error


def run(
    *,
    port: int,
    seed: int,
    size: str,
    books: Path | None,
    data_dir: Path,
    log_level: str,
    env: Mapping[str, str],
) -> None:
    """Serve until stopped; a child takes its secret from the environment, else it is printed."""
    listening("127.0.0.1", port).close()
    state_dir = data_dir / "simulators"
    secret = env.get(SECRET_VARIABLE) or new_token()
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Stop(f"The data directory {data_dir} cannot be used: {error.strerror}.") from error
    if SECRET_VARIABLE not in env:
        examine(books)
        click.echo(f"Simulated Xero   http://127.0.0.1:{port}/xero")
        click.echo(f"Client id        {CLIENT_ID}")
        click.echo(f"Client secret    {secret}")
        click.echo("Ctrl-C stops it.")
    server.serve(
        state_dir,
        port=port,
        seed=seed,
        size=size,
        books=books,
        client_id=CLIENT_ID,
        client_secret=secret,
        log_level=log_level,
        parent_death="TALLYSTICK_PARENT" in os.environ,
    )
