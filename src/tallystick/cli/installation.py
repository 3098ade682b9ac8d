"""What every command needs first: settings, the data directory, the database, the right key."""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
import psycopg

from tallystick.access import installation
from tallystick.db import embedded, migrate
from tallystick.db.pool import Database
from tallystick.lib import secrets
from tallystick.settings import Settings, SettingsError, from_env

KEY_FILE = "encryption.key"


class Stop(click.ClickException):
    """One sentence for the operator, exit code 1."""

    exit_code = 1

    def show(self, file: object = None) -> None:
        del file
        click.echo(f"tallystick: {self.message}", err=True)


def settings(*, data_dir: Path | None = None, env: Mapping[str, str] = os.environ) -> Settings:
    """The settings of this environment, with the data directory decided."""
    try:
        found = from_env(env)
    except SettingsError as error:
        raise Stop(str(error)) from error
    return replace(found, data_dir=data_dir or found.data_dir or embedded.default_data_dir())


def data_dir(chosen: Settings) -> Path:
    if chosen.data_dir is None:
        raise Stop("No data directory is known.")
    return chosen.data_dir


def database_url(chosen: Settings) -> str:
    """The outside database, or the embedded one that `serve` runs on the data directory."""
    if chosen.database_url:
        return chosen.database_url
    try:
        return embedded.EmbeddedPostgres.attach(data_dir(chosen))
    except embedded.EmbeddedPostgresError as error:
        raise Stop(str(error)) from error


async def prepare(chosen: Settings, url: str) -> secrets.Vault:
    """Migrate the database and open the vault, making a key where that is allowed."""
    await migrated(url)
    return await unlock(chosen, url)


async def migrated(url: str) -> list[str]:
    """Bring the database to the shape this version needs; the migrations that ran."""
    try:
        return await migrate.migrate(url)
    except psycopg.OperationalError as error:
        raise Stop(f"The database cannot be reached: {first_line(error)}") from error
    except (migrate.MigrationError, psycopg.Error) as error:
        raise Stop(f"The database cannot be prepared: {first_line(error)}") from error


async def unlock(chosen: Settings, url: str) -> secrets.Vault:
    """The vault of a migrated database."""
    async with Database(url, size=1, name="tallystick-start") as database:
        async with database.transaction() as tx:
            may_make = await installation.is_new(tx)
        vault = _vault(chosen, may_make=may_make)
        try:
            async with database.transaction() as tx:
                await installation.unlock(tx, vault, now=datetime.now(UTC))
        except secrets.WrongKey as error:
            raise Stop(
                "The encryption key is not the one this database was made with; set "
                f"TALLYSTICK_ENCRYPTION_KEY to the right one{_key_place(chosen)}."
            ) from error
    return vault


def _vault(chosen: Settings, *, may_make: bool) -> secrets.Vault:
    try:
        return secrets.vault(chosen.encryption_key or _key_of_file(chosen, may_make=may_make))
    except ValueError as error:
        raise Stop(f"{error} See TALLYSTICK_ENCRYPTION_KEY.") from error


def _key_of_file(chosen: Settings, *, may_make: bool) -> str:
    if chosen.database_url:
        raise Stop(
            "With an outside database TALLYSTICK_ENCRYPTION_KEY is needed; `tallystick doctor "
            "--new-key` prints a fresh one."
        )
    path = data_dir(chosen) / KEY_FILE
    try:
        return path.read_text()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise Stop(f"The key file {path} cannot be read: {error.strerror}.") from error
    if not may_make:
        raise Stop(
            f"The key file {path} is missing, but the database holds secrets sealed with it; "
            "bring it back or set TALLYSTICK_ENCRYPTION_KEY."
        )
    return _make_key(path)


def _make_key(path: Path) -> str:
    """Write a fresh key whole or not at all; where another process was faster, its key counts."""
    draft = path.with_name(f".{KEY_FILE}.{os.getpid()}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.new_key())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
        return path.read_text()
    except OSError as error:
        raise Stop(f"The key file {path} cannot be written: {error.strerror}.") from error


def _key_place(chosen: Settings) -> str:
    if chosen.encryption_key or chosen.database_url:
        return ""
    return f", or bring back {data_dir(chosen) / KEY_FILE}"


def first_line(error: Exception) -> str:
    """What an error says, without the advice below it."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
