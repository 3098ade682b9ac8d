"""The token pair of a connection: sealed, renewed by one process at a time, never used unstored."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from tallystick.companies import connections
from tallystick.connectors.contract import AppCredentials, OAuth, TokenPair
from tallystick.db.pool import Database, Tx, one
from tallystick.db.sqlfile import beside
from tallystick.errors import Unauthorized, Unreachable
from tallystick.lib import crash, json
from tallystick.lib.clock import Clock
from tallystick.lib.log import log
from tallystick.lib.secrets import Vault

_SQL = beside(__file__, "credential.sql")
# A token that ends sooner might end on its way.
_LEFT_AT_LEAST = timedelta(seconds=60)
_RENEWAL_S_MAX = 10
# Longer than a renewal may take, so that who waits gets what the other stored.
_LOCK_WAIT = "set local lock_timeout = '20s'"


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored pair. Every storing gives it a new version."""

    pair: TokenPair
    version: int


async def store(
    tx: Tx, vault: Vault, *, connection_id: str, pair: TokenPair, now: datetime
) -> None:
    """Keep the pair in place of the one before."""
    secret = json.dumps({"access": pair.access_token, "refresh": pair.refresh_token})
    parameters = {
        "connection_id": connection_id,
        "sealed": vault.seal(secret, context=_context(connection_id)),
        "expires_at": pair.expires_at,
        "now": now,
    }
    await tx.execute(_SQL["store"], parameters)


async def load(tx: Tx, vault: Vault, *, connection_id: str) -> TokenPair | None:
    kept = await _kept(tx, vault, connection_id, statement="load")
    return None if kept is None else kept.pair


async def remove(tx: Tx, *, connection_id: str) -> None:
    await tx.execute(_SQL["remove"], {"connection_id": connection_id})


def _context(connection_id: str) -> str:
    return f"credential/{connection_id}"


async def _kept(tx: Tx, vault: Vault, connection_id: str, *, statement: str) -> Kept | None:
    row = await one(tx, _SQL[statement], {"connection_id": connection_id})
    if row is None:
        return None
    secret = json.loads(vault.open(bytes(row["sealed"]), context=_context(connection_id)))
    pair = TokenPair(
        access_token=secret["access"],
        refresh_token=secret["refresh"],
        expires_at=row["expires_at"],
    )
    return Kept(pair, row["version"])


class ConnectionTokens:
    """The access token of one connection, read from the database each time it is asked for.

    Nothing is remembered here: after an unlink the very next call has no token any more.
    """

    def __init__(
        self,
        *,
        database: Database,
        vault: Vault,
        clock: Clock,
        http: httpx.AsyncClient,
        oauth: OAuth,
        app: AppCredentials,
        connection_id: str,
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._http = http
        self._oauth = oauth
        self._app = app
        self._connection_id = connection_id

    async def current(self) -> str:
        async with self._database.transaction() as tx:
            pair = await load(tx, self._vault, connection_id=self._connection_id)
        if pair is None:
            raise _not_linked()
        if self._is_fresh(pair):
            return pair.access_token
        return await self.renewed(pair.access_token)

    async def renewed(self, stale: str) -> str:
        """Another token than `stale`: the one somebody else has renewed meanwhile, or a new one."""
        outcome = await self._renewed_or_dead(stale)
        if isinstance(outcome, str):
            return outcome
        await self._deauthorise(outcome)
        raise Unauthorized("The customer's permission has ended; the customer has to link again.")

    async def _renewed_or_dead(self, stale: str) -> str | Kept:
        # A call is made with the row locked, on purpose: two renewals at once can end a grant, and
        # the new pair must be stored before anyone uses it.
        async with self._database.transaction() as tx:
            await tx.execute(_LOCK_WAIT)
            kept = await _kept(tx, self._vault, self._connection_id, statement="hold")
            if kept is None:
                raise _not_linked()
            if kept.pair.access_token != stale and self._is_fresh(kept.pair):
                return kept.pair.access_token
            try:
                pair = await self._renew(kept.pair)
            except Unauthorized:
                return kept
            crash.point("credentials.after_renew")
            now = self._clock.now()
            await store(tx, self._vault, connection_id=self._connection_id, pair=pair, now=now)
        crash.point("credentials.after_store")
        return pair.access_token

    async def _renew(self, pair: TokenPair) -> TokenPair:
        try:
            async with asyncio.timeout(_RENEWAL_S_MAX):
                return await self._renew_again_if_lost(pair)
        except TimeoutError as error:
            raise Unreachable("The platform took too long to renew a token.", sent=True) from error

    async def _renew_again_if_lost(self, pair: TokenPair) -> TokenPair:
        """A lost answer is asked for again with the same refresh token.

        Xero keeps a refresh token usable for 30 minutes after its use for exactly this
        (Xero OAuth 2.0 FAQ, refresh tokens).
        """
        try:
            return await self._ask(pair)
        except Unreachable as error:
            log.warning("token_renewal_repeated", connection=self._connection_id, sent=error.sent)
            return await self._ask(pair)

    async def _ask(self, pair: TokenPair) -> TokenPair:
        return await self._oauth.renew(self._http, self._app, pair.refresh_token, self._clock.now())

    async def _deauthorise(self, dead: Kept) -> None:
        """The connection loses its permission, unless the customer linked again meanwhile."""
        async with self._database.transaction() as tx:
            row = await one(
                tx,
                _SQL["version_of_held_connection"],
                {"connection_id": self._connection_id},
            )
            if row is None or row["version"] != dead.version:
                return
            await connections.deauthorised(
                tx,
                await connections.find(tx, self._connection_id),
                reason="The platform ended the customer's permission.",
                now=self._clock.now(),
            )

    def _is_fresh(self, pair: TokenPair) -> bool:
        return pair.expires_at - self._clock.now() > _LEFT_AT_LEAST


def _not_linked() -> Unauthorized:
    return Unauthorized("There is no permission of the customer; the customer has to link again.")
