"""`tallystick doctor`: looks at an installation from outside and says what is wrong with it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import click
import psycopg

from tallystick.cli import installation
from tallystick.cli.installation import Stop
from tallystick.db import migrate
from tallystick.db.pool import Database
from tallystick.jobs.queue import heartbeat_age_s, unfinished
from tallystick.settings import PLATFORM_PREFIXES, Settings

_SILENT_S = 60.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    well: bool
    says: str


async def examine(data_dir: Path | None) -> bool:
    """Print every finding; whether all is well."""
    well = True
    async for finding in _findings(data_dir):
        mark = click.style("ok  ", fg="green") if finding.well else click.style("BAD ", fg="red")
        click.echo(f"{mark} {finding.what:<16} {finding.says}")
        well = well and finding.well
    return well


async def _findings(data_dir: Path | None) -> AsyncIterator[Finding]:
    try:
        chosen = installation.settings(data_dir=data_dir)
        yield Finding("settings", well=True, says="can be used")
        url = installation.database_url(chosen)
        version, missing = await _database(url)
        yield Finding("database", well=True, says=version)
        yield Finding("migrations", well=not missing, says=", ".join(missing) or "up to date")
        if missing:
            return
        await installation.unlock(chosen, url)
        yield Finding("encryption key", well=True, says="is the right one")
        yield await _work(url)
        for finding in _platforms(chosen):
            yield finding
    except Stop as stop:
        yield Finding("start", well=False, says=stop.message)


async def _database(url: str) -> tuple[str, list[str]]:
    try:
        missing = await migrate.pending(url)
        async with await psycopg.AsyncConnection.connect(url) as db:
            number = db.info.server_version
    except psycopg.Error as error:
        raise Stop(f"The database cannot be reached: {installation.first_line(error)}") from error
    except migrate.MigrationError as error:
        raise Stop(f"The database cannot be used: {error}") from error
    return f"PostgreSQL {number // 10_000}.{number % 10_000}", missing


async def _work(url: str) -> Finding:
    async with (
        Database(url, size=1, name="tallystick-doctor") as database,
        database.transaction() as tx,
    ):
        silent_s, jobs = await heartbeat_age_s(tx), await unfinished(tx)
    if silent_s is None or silent_s > _SILENT_S:
        return Finding("worker", well=False, says=f"none at work; {jobs} jobs wait")
    return Finding("worker", well=True, says=f"seen {silent_s:.0f} s ago; {jobs} jobs wait or run")


def _platforms(chosen: Settings) -> list[Finding]:
    """Platforms without credentials are no fault: not everybody needs all."""
    return [
        Finding(prefix.title(), well=True, says=_place(chosen, key))
        for key, prefix in PLATFORM_PREFIXES.items()
    ]


def _place(chosen: Settings, key: str) -> str:
    registered = chosen.platforms.get(key)
    if registered is None:
        return "no app registered here; `serve --simulate` brings a simulated one"
    return f"app registered, at {registered.base_url or 'its own addresses'}"
