"""The way to the database: short transactions from a bounded pool."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

_IDLE_S_MAX = 15  # above the ten seconds that renewing a token may take inside one

Tx = AsyncConnection[DictRow]
"""A database connection inside an open transaction; rows come as dictionaries."""


class Database:
    """One pool: `async with Database(url) as db`, then `async with db.transaction() as tx`."""

    def __init__(self, url: str, *, size: int = 10, name: str = "tallystick") -> None:
        self.url = url
        self._name = name
        self._pool: AsyncConnectionPool[Tx] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=size,
            open=False,
            timeout=10,
            max_waiting=size * 20,
            kwargs={"row_factory": dict_row, "autocommit": True, "application_name": name},
            configure=_bound,
        )

    async def __aenter__(self) -> Self:
        await self._pool.open(wait=True, timeout=10)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """All of it happens, or nothing. Never keep one open across a call to the outside."""
        async with self._pool.connection() as tx, tx.transaction():
            yield tx

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Tx]:
        """For single statements that only read: each sees its own snapshot, none needs a BEGIN."""
        async with self._pool.connection() as tx:
            yield tx

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Tx]:
        """A connection of its own outside the pool, for a lock that must end with its holder."""
        alone = await AsyncConnection.connect(
            self.url,
            row_factory=dict_row,
            autocommit=True,
            application_name=f"{self._name}-lock",
        )
        try:
            yield alone
        finally:
            await alone.close()


async def _bound(tx: Tx) -> None:
    """A process that freezes inside a transaction must not hold what it locked for ever."""
    await tx.execute(f"set idle_in_transaction_session_timeout = '{_IDLE_S_MAX}s'")


async def one(tx: Tx, statement: Any, parameters: Any = None) -> DictRow | None:
    """The first row, or None."""
    return await (await tx.execute(statement, parameters)).fetchone()


async def all_rows(tx: Tx, statement: Any, parameters: Any = None) -> list[DictRow]:
    """All rows; the statement itself bounds how many."""
    return await (await tx.execute(statement, parameters)).fetchall()
