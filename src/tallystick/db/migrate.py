"""Brings a database to the shape this version needs; safe to run by several processes at once."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

from procrastinate import PsycopgConnector
from procrastinate.schema import SchemaManager
from psycopg import AsyncConnection

from tallystick.db.pool import Tx, all_rows

_FOLDER = Path(__file__).with_name("migrations")
_LOCK = 7_331_001  # any number, the same in every process that migrates
_POSTGRESQL_MIN = 150_000

_BOOK = """
create table if not exists migration (
    number integer primary key, name text not null, digest text not null,
    done_at timestamptz not null default now()
)
"""


class MigrationError(RuntimeError):
    """The database cannot be brought to this version; the message says why."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered SQL file: `0001_foundation.sql`."""

    number: int
    name: str
    text: LiteralString

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations() -> Sequence[Migration]:
    """All of them, in order."""
    files = sorted(_FOLDER.glob("[0-9]*.sql"))
    return [Migration(int(f.stem.split("_")[0]), f.stem, f.read_text()) for f in files]


async def migrate(url: str) -> list[str]:
    """Apply what is missing, each migration in a transaction of its own; returns their names.

    Raises:
        MigrationError: the server is too old, or an applied migration was altered since.
    """
    async with await AsyncConnection.connect(url, autocommit=True) as db:
        if db.info.server_version < _POSTGRESQL_MIN:
            raise MigrationError("PostgreSQL 15 or newer is needed.")
        await db.execute("select pg_advisory_lock(%s)", (_LOCK,))
        await db.execute("set lock_timeout = '10s'")
        await db.execute(_BOOK)
        done = await _applied(db)
        fresh = [m for m in migrations() if _is_missing(m, done)]
        for migration in fresh:
            await _apply(db, migration)
        if not await _has_queue(db):
            await db.execute(_queue_schema())
    return [migration.name for migration in fresh]


async def pending(url: str) -> list[str]:
    """Names of migrations that the database lacks."""
    async with await AsyncConnection.connect(url, autocommit=True) as db:
        await db.execute(_BOOK)
        done = await _applied(db)
        return [m.name for m in migrations() if _is_missing(m, done)]


async def missing(tx: Tx) -> list[str]:
    """The same asked through a transaction of the pool, which bounds how many ask at once."""
    rows = await all_rows(tx, "select number, digest from migration")
    done = {row["number"]: row["digest"] for row in rows}
    return [m.name for m in migrations() if _is_missing(m, done)]


async def _applied(db: AsyncConnection) -> dict[int, str]:
    cursor = await db.execute("select number, digest from migration")
    return dict(await cursor.fetchall())


def _is_missing(migration: Migration, done: dict[int, str]) -> bool:
    if migration.number not in done:
        return True
    if done[migration.number] != migration.digest:
        raise MigrationError(f"Migration {migration.name} was altered after it had been applied.")
    return False


async def _apply(db: AsyncConnection, migration: Migration) -> None:
    async with db.transaction():
        await db.execute(migration.text)
        await db.execute(
            "insert into migration (number, name, digest) values (%s, %s, %s)",
            (migration.number, migration.name, migration.digest),
        )


async def _has_queue(db: AsyncConnection) -> bool:
    row = await (await db.execute("select to_regclass('procrastinate_jobs')")).fetchone()
    return row is not None and row[0] is not None


def _queue_schema() -> LiteralString:
    return SchemaManager(connector=PsycopgConnector()).get_schema()
