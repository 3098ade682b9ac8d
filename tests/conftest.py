"""What all tests share: a real PostgreSQL, a database of one's own, a clock that obeys."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from psycopg import sql

from tallystick.db import migrate
from tallystick.db.pool import Database, Tx
from tallystick.lib.clock import FixedClock
from tallystick.lib.secrets import Vault

_URL = "TALLYSTICK_TEST_DATABASE_URL"
_TEMPLATE = "TALLYSTICK_TEST_TEMPLATE"
_open = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Start one PostgreSQL for the run, unless one is named or none is needed."""
    if hasattr(config, "workerinput") or _only_pure(config):
        return
    if not os.environ.get(_URL):
        from tallystick.db.embedded import temporary

        place = Path(_open.enter_context(TemporaryDirectory(prefix="tally-pg-")))
        os.environ[_URL] = _open.enter_context(temporary(place))
    os.environ[_TEMPLATE] = _make_template(os.environ[_URL])


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    template = os.environ.pop(_TEMPLATE, None)
    if template:
        _drop(os.environ[_URL], template)
    _open.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud what was not compared with the platforms' own documents."""
    missed = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if "TALLYSTICK_ORACLES" in str(report.longrepr)
    ]
    if missed:
        terminalreporter.write_line(
            f"{len(missed)} comparisons with the platforms' own documents were left out: "
            "set TALLYSTICK_ORACLES to run them."
        )


def _only_pure(config: pytest.Config) -> bool:
    named = [a for a in config.args if not a.startswith("-")]
    return bool(named) and all("tests/unit" in a or "tests/rules" in a for a in named)


def _database_url(server_url: str, name: str) -> str:
    return psycopg.conninfo.make_conninfo(server_url, dbname=name)


def _make_template(server_url: str) -> str:
    name = f"tally_template_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as db:
        db.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    asyncio.run(migrate.migrate(_database_url(server_url, name)))
    return name


def _drop(server_url: str, name: str) -> None:
    with psycopg.connect(server_url, autocommit=True) as db:
        statement = sql.SQL("drop database if exists {} with (force)")
        db.execute(statement.format(sql.Identifier(name)))


def _copy(server_url: str, name: str) -> str:
    with psycopg.connect(server_url, autocommit=True) as db:
        db.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(name), sql.Identifier(os.environ[_TEMPLATE])
            )
        )
    return _database_url(server_url, name)


@pytest.fixture(scope="session")
def server_url() -> str:
    """The PostgreSQL server of this run, with rights to make databases."""
    if _URL not in os.environ:
        pytest.fail("This test needs a database but stands among the pure ones.")
    return os.environ[_URL]


@pytest.fixture(scope="session")
def shared_database_url(server_url: str) -> Iterator[str]:
    """One migrated database for each worker process; tests leave it as it was."""
    name = f"tally_shared_{uuid.uuid4().hex[:12]}"
    yield _copy(server_url, name)
    _drop(server_url, name)


@pytest.fixture
async def tx(shared_database_url: str) -> AsyncIterator[Tx]:
    """A transaction that is rolled back after the test."""
    async with (
        Database(shared_database_url, size=1) as database,
        database._pool.connection() as connection,
        connection.transaction(force_rollback=True),
    ):
        yield connection


@pytest.fixture
def database_url(server_url: str) -> Iterator[str]:
    """A migrated database of the test's own."""
    name = f"tally_own_{uuid.uuid4().hex[:12]}"
    yield _copy(server_url, name)
    _drop(server_url, name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url, size=5) as database:
        yield database


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 20, 9, 0, tzinfo=UTC))


@pytest.fixture
def vault() -> Vault:
    return Vault(bytes(range(32)))
