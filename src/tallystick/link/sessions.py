"""Visits of customers who link: single use, bound to one browser, short-lived."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from tallystick.db.pool import Tx, one
from tallystick.db.sqlfile import beside
from tallystick.errors import TallystickError
from tallystick.lib.ids import canonical, new_id
from tallystick.lib.secrets import digest

_SQL = beside(__file__, "link.sql")

READING = timedelta(hours=1)
"""How long a customer may take over the first page."""
SIGNING_IN = timedelta(minutes=15)
"""How long the way to the platform and back may take, and then the choice."""
_REMEMBERED = timedelta(days=1)


class State(enum.StrEnum):
    """How far a visit has come.

    Opened -> Consented -> Returned -> [Choosing] -> Connected; each but the last may fail.
    """

    Opened = "Opened"
    Consented = "Consented"
    Returned = "Returned"
    Choosing = "Choosing"
    Connected = "Connected"
    Failed = "Failed"


@dataclass(frozen=True, slots=True)
class Move:
    """From where a statement of that name may move a visit, and where to."""

    come_from: frozenset[State]
    to: State


MOVES: Mapping[str, Move] = {
    "consented": Move(frozenset({State.Opened, State.Consented}), State.Consented),
    "returned": Move(frozenset({State.Consented}), State.Returned),
    "choosing": Move(frozenset({State.Returned}), State.Choosing),
    "connected": Move(frozenset({State.Returned, State.Choosing}), State.Connected),
    "failed": Move(frozenset(State) - {State.Connected, State.Failed}, State.Failed),
}


class VisitOver(TallystickError):
    """The visit expired, went on elsewhere, or belongs to another browser.

    `start` is where it may begin anew; only the visitor's own browser is told.
    """

    status = 410
    can_be_retried = "False"

    def __init__(self, start: str | None = None) -> None:
        super().__init__("This page has expired or was already used.")
        self.start = start


@dataclass(frozen=True, slots=True)
class Session:
    """One visit. `connection_id` is None on the company's own page."""

    id: str
    client_id: str
    company_id: str
    connection_id: str | None
    state: State
    browser: bytes
    parameters: Mapping[str, str]
    sealed: bytes | None
    outcome: Mapping[str, Any] | None
    expires_at: datetime

    @property
    def start(self) -> str:
        """The address this visit began at, with what the link carried."""
        carried = f"?{urlencode(self.parameters)}" if self.parameters else ""
        if self.connection_id is None:
            return f"/company/{self.company_id}{carried}"
        return f"/companies/{self.company_id}/connections/{self.connection_id}/start{carried}"


async def open_visit(
    tx: Tx,
    *,
    client_id: str,
    company_id: str,
    connection_id: str | None,
    browser: str,
    parameters: Mapping[str, str],
    now: datetime,
) -> Session:
    row = {
        "id": new_id(),
        "client_id": client_id,
        "company_id": company_id,
        "connection_id": connection_id,
        "browser": digest(browser),
        "parameters": Jsonb(dict(parameters)),
        "now": now,
        "expires_at": now + READING,
    }
    return _made(await one(tx, _SQL["open"], row))


async def get(tx: Tx, *, session_id: str, browser: str, now: datetime) -> Session:
    """The visit, still going on or ended not long ago.

    Raises:
        VisitOver: unknown, expired, or another browser's.
    """
    key = canonical(session_id)
    found = key and await one(tx, _SQL["get"], {"id": key, "browser": digest(browser)})
    return _lasting(_made(found or None), now)


async def by_oauth_state(tx: Tx, *, oauth_state: str, browser: str, now: datetime) -> Session:
    """The visit that sent the customer to the platform with this state.

    Raises:
        VisitOver: unknown, expired, or another browser's.
    """
    keys = {"oauth_state": digest(oauth_state), "browser": digest(browser)}
    return _lasting(_made(await one(tx, _SQL["by_oauth_state"], keys)), now)


async def hold_company(tx: Tx, session: Session) -> None:
    """Let a second click about the same company wait until this transaction is over."""
    await tx.execute(_SQL["hold_company"], {"company_id": session.company_id})


async def consented(tx: Tx, session: Session, *, oauth_state: str, now: datetime) -> Session:
    return await _move(tx, "consented", session, now, oauth_state=digest(oauth_state))


async def returned(tx: Tx, session: Session, *, now: datetime) -> Session:
    return await _move(tx, "returned", session, now)


async def choosing(tx: Tx, session: Session, *, sealed: bytes, now: datetime) -> Session:
    return await _move(tx, "choosing", session, now, sealed=sealed)


async def connected(
    tx: Tx, session: Session, *, outcome: Mapping[str, Any], now: datetime
) -> Session:
    return await _move(tx, "connected", session, now, outcome=Jsonb(dict(outcome)))


async def failed(tx: Tx, session: Session, *, outcome: Mapping[str, Any], now: datetime) -> Session:
    return await _move(tx, "failed", session, now, outcome=Jsonb(dict(outcome)))


async def tidy(tx: Tx, *, now: datetime) -> None:
    """Forget secrets of visits that are over at once, the visits themselves a day later."""
    await tx.execute(_SQL["forget_secrets"], {"now": now})
    await tx.execute(_SQL["forget_visits"], {"before": now - _REMEMBERED})


async def _move(tx: Tx, name: str, session: Session, now: datetime, **values: Any) -> Session:
    """One move; two that are asked for at once do not both happen.

    Raises:
        VisitOver: the visit is not where it could be moved from, or has expired.
    """
    keys = {"id": session.id, "browser": session.browser, "now": now}
    row = await one(tx, _SQL[name], {**keys, "expires_at": now + SIGNING_IN, **values})
    if row is None:
        raise VisitOver(session.start)
    return _made(row)


def _lasting(session: Session, now: datetime) -> Session:
    if session.expires_at <= now:
        raise VisitOver(session.start)
    return session


def _made(row: DictRow | None) -> Session:
    if row is None:
        raise VisitOver
    return Session(
        id=str(row["id"]),
        client_id=str(row["client_id"]),
        company_id=str(row["company_id"]),
        connection_id=None if row["connection_id"] is None else str(row["connection_id"]),
        state=State(row["state"]),
        browser=bytes(row["browser"]),
        parameters=row["parameters"],
        sealed=None if row["sealed"] is None else bytes(row["sealed"]),
        outcome=row["outcome"],
        expires_at=row["expires_at"],
    )
