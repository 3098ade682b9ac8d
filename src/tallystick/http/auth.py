"""Who is asking: the client behind an API key, or a browser with a company's access token."""

import asyncio
import base64
import binascii

from tallystick.access import keys, tokens
from tallystick.db.pool import Database
from tallystick.errors import Forbidden, NotAuthenticated
from tallystick.http.endpoint import Caller
from tallystick.lib.clock import Clock
from tallystick.lib.secrets import Vault, digest

_REMEMBERED_S = 3.0
_REMEMBERED_MAX = 10_000

NOBODY = Caller(client_id="", key_id="")
"""Who asks where no key is needed."""


class Doorkeeper:
    """Knows callers by their credentials; a key is remembered for a few seconds.

    That is also how long a deleted key still opens the doors of other processes.
    """

    def __init__(self, *, database: Database, vault: Vault, clock: Clock) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._remembered: dict[bytes, tuple[Caller, float]] = {}

    async def caller(self, authorization: str | None) -> Caller:
        """Who sent that Authorization header.

        Raises:
            NotAuthenticated: nobody we know.
        """
        scheme, _, credentials = (authorization or "").strip().partition(" ")
        match scheme.lower():
            case "basic":
                return await self._by_key(_key(credentials))
            case "bearer":
                return self._by_token(credentials.strip())
            case _:
                raise NotAuthenticated("Send the header 'Authorization: Basic {base64(apiKey)}'.")

    def forget_all(self) -> None:
        """Look every key up again: one may have been deleted."""
        self._remembered.clear()

    async def _by_key(self, key: bytes) -> Caller:
        key_digest, now = digest(key), asyncio.get_running_loop().time()
        known = self._remembered.get(key_digest)
        if known is not None and known[1] > now:
            return known[0]
        async with self._database.transaction() as tx:
            found = await keys.who(tx, key_digest)
        if found is None:
            raise NotAuthenticated("The API key is not known.")
        if len(self._remembered) >= _REMEMBERED_MAX:
            self._remembered.clear()
        caller = Caller(client_id=found[0], key_id=found[1])
        self._remembered[key_digest] = (caller, now + _REMEMBERED_S)
        return caller

    def _by_token(self, text: str) -> Caller:
        token = tokens.check(self._vault, text, self._clock.now())
        return Caller(client_id=token.client_id, key_id="token", company_id=token.company_id)


def _key(credentials: str) -> bytes:
    """The key: alone, or as the user name of a pair without password, as some tools send it."""
    try:
        decoded = base64.b64decode(credentials.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotAuthenticated("The Authorization header is not Base64.") from error
    return decoded.strip().removesuffix(b":")


def must_concern(caller: Caller, company_id: str | None) -> None:
    """A token opens its own company and nothing else.

    Raises:
        Forbidden: the path names another one, whether that exists or not.
    """
    if caller.company_id is None or company_id is None:
        return
    if company_id.lower() != caller.company_id:
        raise Forbidden("The access token was made for another company.")
