"""A simulated platform's SQLite file: named statements, one transaction at a time."""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Raw = Any

_HEADING = re.compile(r"^-- (\w+) --$", re.MULTILINE)


def statements(path: Path) -> Mapping[str, str]:
    """The statements of a file by the name of their heading."""
    pieces = _HEADING.split(path.read_text())[1:]
    return {name: text.strip() for name, text in zip(pieces[::2], pieces[1::2], strict=True)}


class Tx:
    """An open transaction that speaks in named statements."""

    def __init__(self, db: sqlite3.Connection, sql: Mapping[str, str]) -> None:
        self._db = db
        self._sql = sql

    def run(self, name: str, /, **values: Raw) -> None:
        self._db.execute(self._sql[name], values)

    def one(self, name: str, /, **values: Raw) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._db.execute(self._sql[name], values).fetchone()
        return found

    def all(self, name: str, /, **values: Raw) -> list[sqlite3.Row]:
        return self._db.execute(self._sql[name], values).fetchall()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What fails inside leaves nothing behind, and the transaction stays usable."""
        self._db.execute("SAVEPOINT piece")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK TO piece")
            raise
        finally:
            self._db.execute("RELEASE piece")


class Store:
    """The file. Writers wait for one another; a commit survives the death of the process."""

    def __init__(self, path: Path, *, sql: Mapping[str, str]) -> None:
        self._sql = sql
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        # NORMAL survives a killed process; only a power cut could lose the last commits.
        self._db.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield Tx(self._db, self._sql)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def create(self, *names: str) -> None:
        for name in names:
            self._db.executescript(self._sql[name])

    def close(self) -> None:
        self._db.close()
