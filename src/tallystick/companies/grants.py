"""The platform's side of a connection that ends: the customer's permission is given back."""

import asyncio
from dataclasses import dataclass, field

import httpx

from tallystick.companies import connections, credentials
from tallystick.companies.connections import Connection
from tallystick.companies.reach import Reach
from tallystick.connectors.contract import TokenPair
from tallystick.db.pool import Tx
from tallystick.errors import BadRequest, PlatformError
from tallystick.lib.log import log
from tallystick.lib.secrets import Vault, WrongKey

_END_S_MAX = 5.0


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission that nobody needs any more, and the tokens that end it."""

    connection: Connection
    id: str
    pair: TokenPair = field(repr=False)


async def last_of(tx: Tx, vault: Vault, connection: Connection) -> Grant | None:
    """What to end once the connection is severed; to be asked while its tokens are still there.

    None where there is nothing to end: no permission, one that another linked connection uses, or
    tokens that can no longer be read.
    """
    if connection.grant_id is None or await connections.shares_grant(tx, connection):
        return None
    try:
        pair = await credentials.load(tx, vault, connection_id=connection.id)
    except WrongKey:
        return None
    return None if pair is None else Grant(connection, connection.grant_id, pair)


async def end(reach: Reach, grant: Grant) -> None:
    """End it at the platform; the connection is severed whether that works or not."""
    connection = grant.connection
    try:
        app = reach.app(connection.platform_key)
        # Tokens are shown to nobody but the one who gave them.
        if app.base_url == connection.base_url:
            oauth = reach.connector(connection.platform_key).oauth
            async with asyncio.timeout(_END_S_MAX):
                await oauth.disconnect(reach.http, app, grant.pair, grant.id)
    except (PlatformError, BadRequest, TimeoutError, httpx.HTTPError) as error:
        log.warning("grant_left", connection=connection.id, problem=type(error).__name__)
