"""The way to a platform on behalf of one connection: its connector, its client, its books."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

import httpx

from tallystick.companies.connections import Connection
from tallystick.companies.credentials import ConnectionTokens
from tallystick.companies.limits import BooksPermit, slots_of
from tallystick.connectors.contract import Access, AppCredentials, Books, Connector, Limits
from tallystick.connectors.registry import PLATFORMS
from tallystick.db.pool import Database
from tallystick.errors import BadRequest
from tallystick.lib.clock import Clock
from tallystick.lib.secrets import Vault
from tallystick.settings import PlatformApp

_BOOKS_KEPT_FOR = timedelta(minutes=10)
_BOOKS_KEPT_MOST = 100


class LinkedElsewhere(BadRequest):
    """The connection's tokens belong to other addresses than the configured ones."""

    def __init__(self, connection: Connection, configured: str | None) -> None:
        super().__init__(
            f"Data connection {connection.id} was linked at {_place(connection.base_url)}, but the "
            f"platform is now configured at {_place(configured)}. Its permission is not used "
            "there: the customer has to link again."
        )


def _place(base_url: str | None) -> str:
    return base_url or "the platform's own addresses"


@dataclass(frozen=True, slots=True)
class _KeptBooks:
    organisation_id: str | None
    books: Books
    read_at: datetime

    def serves(self, connection: Connection, now: datetime, not_before: datetime | None) -> bool:
        fresh = timedelta() <= now - self.read_at < _BOOKS_KEPT_FOR
        new_enough = not_before is None or self.read_at >= not_before
        return fresh and new_enough and self.organisation_id == connection.organisation_id


class Reach:
    """Every platform that is built and configured."""

    def __init__(
        self,
        *,
        database: Database,
        vault: Vault,
        clock: Clock,
        connectors: Mapping[str, Connector[Any, Any]],
        apps: Mapping[str, PlatformApp],
        http: httpx.AsyncClient,
    ) -> None:
        self.http = http
        self._database = database
        self._vault = vault
        self._clock = clock
        self._connectors = connectors
        self._apps = apps
        self._books: dict[str, _KeptBooks] = {}
        # Shared by the clients of one set of books, and gone with the last of them.
        self._slots: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    def connector(self, platform_key: str) -> Connector[Any, Any]:
        """The connector.

        Raises:
            BadRequest: the platform is unknown or not built yet; it is named.
        """
        if platform_key in self._connectors:
            return self._connectors[platform_key]
        if platform_key in PLATFORMS:
            name = PLATFORMS[platform_key].name
            raise BadRequest(f"{name} ({platform_key}) is not supported by this version yet.")
        raise BadRequest(f"There is no platform with the key {platform_key}.")

    def readable(self) -> list[tuple[str, str]]:
        """Every data type that a platform that is built can give: (platform key, data type)."""
        return [
            (key, read.type.key)
            for key, connector in self._connectors.items()
            for read in connector.reads
        ]

    def app(self, platform_key: str) -> AppCredentials:
        """Our registration at the platform.

        Raises:
            BadRequest: none is configured.
        """
        app = self._apps.get(platform_key)
        if app is None:
            name = self.connector(platform_key).name
            raise BadRequest(
                f"No app is registered for {name}: its client id and secret are not configured."
            )
        return AppCredentials(
            client_id=app.client_id,
            client_secret=app.client_secret,
            base_url=app.base_url,
            scopes=app.scopes,
        )

    def client(self, connection: Connection) -> Any:
        """The connector's own client for this connection.

        Raises:
            LinkedElsewhere: its tokens were given by other addresses than the configured ones.
        """
        connector, app = self.connector(connection.platform_key), self.app(connection.platform_key)
        if connection.base_url != app.base_url:
            raise LinkedElsewhere(connection, app.base_url)
        tokens = ConnectionTokens(
            database=self._database,
            vault=self._vault,
            clock=self._clock,
            http=self.http,
            oauth=connector.oauth,
            app=app,
            connection_id=connection.id,
        )
        limits = self._limits(connection.platform_key)
        books_key = f"{connection.platform_key} {app.base_url} {connection.organisation_id}"
        permit = BooksPermit(
            database=self._database,
            clock=self._clock,
            books_key=books_key,
            limits=limits,
            slots=self._slots.setdefault(books_key, asyncio.Semaphore(slots_of(limits))),
        )
        access = Access(
            http=self.http,
            tokens=tokens,
            permit=permit,
            clock=self._clock,
            organisation_id=connection.organisation_id or "",
            base_url=app.base_url,
        )
        return connector.client(access)

    def _limits(self, platform_key: str) -> Limits:
        """The platform's limits, with the calls per minute that the operator's own app has."""
        limits = self.connector(platform_key).limits
        own = self._apps[platform_key].calls_per_minute
        return limits if own is None else replace(limits, per_minute=own)

    async def books(
        self, connection: Connection, client: Any, *, not_before: datetime | None = None
    ) -> Books:
        """The reference data, kept in this process for ten minutes.

        What was read before `not_before` is read again: records asked for after that moment may
        point at something that is newer than the books.
        """
        now = self._clock.now()
        kept = self._books.get(connection.id)
        if kept is not None and kept.serves(connection, now, not_before):
            return kept.books
        books: Books = await self.connector(connection.platform_key).books(client)
        self._keep(connection.id, _KeptBooks(connection.organisation_id, books, now))
        return books

    def _keep(self, connection_id: str, kept: _KeptBooks) -> None:
        """The latest only: large books in large numbers would fill the memory."""
        self._books.pop(connection_id, None)
        self._books[connection_id] = kept
        while len(self._books) > _BOOKS_KEPT_MOST:
            del self._books[next(iter(self._books))]

    def forget_books(self, connection_id: str) -> None:
        """Read them anew the next time: something they hold was changed."""
        self._books.pop(connection_id, None)
