"""Which encryption key this database was made with: a wrong one is refused before it does harm."""

from datetime import datetime

from tallystick.db.pool import Tx, one
from tallystick.db.sqlfile import beside
from tallystick.lib.secrets import Vault, WrongKey

_SQL = beside(__file__, "installation.sql")
_KNOWN = b"tallystick"
_CONTEXT = "installation"


async def is_new(tx: Tx) -> bool:
    """Whether no key was ever used here, so that one may be made."""
    known = await one(tx, _SQL["get"])
    sealed = await one(tx, _SQL["holds_sealed"])
    return known is None and not (sealed and sealed["holds"])


async def unlock(tx: Tx, vault: Vault, *, now: datetime) -> None:
    """Check the key against the database; the first one ever used becomes the right one.

    Raises:
        WrongKey: this database was made with another key.
    """
    check = vault.seal(_KNOWN, context=_CONTEXT)
    await tx.execute(_SQL["add"], {"key_check": check, "now": now})
    known = await one(tx, _SQL["get"])
    if known is None or vault.open(bytes(known["key_check"]), context=_CONTEXT) != _KNOWN:
        raise WrongKey("The database was made with another encryption key.")
