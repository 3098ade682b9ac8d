"""Keys under which a request is done once, and the answer it got.

Open      somebody works on it; after a minute of silence the next request takes it over
Doubtful  answered, and nobody knows whether the answer arrived
Answered  answered, and the answer arrived
"""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from tallystick.db.pool import Tx, one
from tallystick.db.sqlfile import beside
from tallystick.errors import Conflict
from tallystick.lib.ids import new_id
from tallystick.lib.secrets import Vault

_SQL = beside(__file__, "idempotency.sql")
_IN_FLIGHT = timedelta(seconds=60)
_FORGOTTEN_AT_ONCE = 5000


class State(enum.StrEnum):
    """How far the request with a key has come."""

    Open = "Open"
    Doubtful = "Doubtful"
    Answered = "Answered"


@dataclass(frozen=True, slots=True)
class Key:
    """What tells a request from all others; `scope` is its method and path."""

    client_id: str
    scope: str
    key: str

    @property
    def parameters(self) -> dict[str, str]:
        return {"client_id": self.client_id, "scope": self.scope, "key": self.key}

    @property
    def context(self) -> str:
        return f"idempotency/{self.client_id}/{self.scope}/{self.key}"


@dataclass(frozen=True, slots=True)
class Earlier:
    """What another request with the same key has got; no status while it is in flight."""

    state: State
    body_digest: bytes
    status: int | None = None
    body: bytes = b""
    kept_at: datetime | None = None


class Once:
    """The hold of one request on its key."""

    def __init__(self, key: Key, *, vault: Vault, kept_for: timedelta) -> None:
        self.key = key
        self.holder = new_id()
        self.kept = False
        self._vault = vault
        self._kept_for = kept_for

    async def keep(self, tx: Tx, *, status: int, body: bytes, now: datetime) -> None:
        """Keep the answer in the transaction that makes it true: both stand, or neither.

        Raises:
            Conflict: the hold was lost meanwhile; the transaction must not stand.
        """
        kept = await one(
            tx,
            _SQL["keep"],
            {
                **self.key.parameters,
                "holder": self.holder,
                "status": status,
                "sealed": self._vault.seal(body, context=self.key.context),
                "now": now,
                "expires_at": now + self._kept_for,
            },
        )
        if kept is None:
            raise Conflict("The request took too long: another one with its key has taken over.")
        self.kept = True

    async def arrived(self, tx: Tx, *, expires_at: datetime) -> None:
        """The caller has the answer; until then a repetition still gets it."""
        held = {**self.key.parameters, "holder": self.holder}
        await tx.execute(_SQL["arrived"], {**held, "expires_at": expires_at})

    async def release(self, tx: Tx) -> None:
        """Nothing was made; has no effect on an answer that was kept."""
        await tx.execute(_SQL["release"], {**self.key.parameters, "holder": self.holder})


async def claim(
    tx: Tx, once: Once, *, vault: Vault, body_digest: bytes, now: datetime
) -> Earlier | None:
    """Take the key; None where it is ours now, else what somebody else made of it."""
    row = {
        **once.key.parameters,
        "body_digest": body_digest,
        "holder": once.holder,
        "now": now,
        "expires_at": now + _IN_FLIGHT,
    }
    if await one(tx, _SQL["claim"], row):
        return None
    found = await one(tx, _SQL["earlier"], once.key.parameters)
    if found is None:
        # Released between the two statements: as if it were still in flight, the caller asks again.
        return Earlier(State.Open, body_digest)
    sealed = found["sealed"]
    body = b"" if sealed is None else vault.open(bytes(sealed), context=once.key.context)
    return Earlier(
        state=State(found["state"]),
        body_digest=bytes(found["body_digest"]),
        status=found["status"],
        body=body,
        kept_at=found["kept_at"],
    )


async def forget_expired(tx: Tx, *, now: datetime) -> bool:
    """Drop some of the keys whose time has passed; whether there may be more."""
    row = {"now": now, "most": _FORGOTTEN_AT_ONCE}
    return (await tx.execute(_SQL["forget_expired"], row)).rowcount == _FORGOTTEN_AT_ONCE
