"""Codes, tokens and connections, and how long each of them lives.

Access tokens 30 minutes; refresh tokens 60 days unused, and each use gives a new one while the old
one stays good for 30 minutes, so that a lost answer can be asked for again (Xero OAuth 2.0 FAQ).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt

from tallystick.simulators.store import Tx
from tallystick.simulators.xero.wire import decode, ms

Raw = Any

ACCESS_LIFE = timedelta(minutes=30)
REFRESH_LIFE = timedelta(days=60)
GRACE = timedelta(minutes=30)
CODE_LIFE = timedelta(minutes=5)
_USER_ID = "6ff8e5e2-6d2b-4c37-9d49-0c1f5a3f8b10"


class InvalidGrant(Exception):
    """A code or a token that gives no tokens."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What an access token stands for."""

    scope: str
    event: str
    is_expired: bool


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """Who writes the access tokens, and with which key."""

    signing_key: str
    client_id: str
    url: str


class Tokens:
    def __init__(self, tx: Tx, issuer: Issuer, now: datetime) -> None:
        self._tx = tx
        self._issuer = issuer
        self._now = now

    def allow(self, *, tenant: str, redirect_uri: str, scope: str) -> str:
        """Connect an organisation and answer the code for the redirect."""
        code, event = secrets.token_urlsafe(32), str(uuid4())
        self._tx.run("connect", id=str(uuid4()), tenant=tenant, event=event, now_ms=ms(self._now))
        self._tx.run(
            "keep_code",
            digest=_digest(code),
            redirect_uri=redirect_uri,
            scope=scope,
            event=event,
            expires_ms=ms(self._now + CODE_LIFE),
        )
        return code

    def exchange(self, *, code: str, redirect_uri: str) -> dict[str, Raw]:
        row = self._tx.one("code", digest=_digest(code))
        if row is None or row["expires_ms"] < ms(self._now) or row["redirect_uri"] != redirect_uri:
            raise InvalidGrant
        self._tx.run("use_code", digest=_digest(code))
        return self._issue(event=row["event"], scope=row["scope"])

    def refresh(self, token: str) -> dict[str, Raw]:
        row = self._tx.one("refresh_token", digest=_digest(token))
        if row is None or row["issued_ms"] < ms(self._now - REFRESH_LIFE):
            raise InvalidGrant
        if row["used_ms"] is not None and row["used_ms"] < ms(self._now - GRACE):
            raise InvalidGrant
        self._tx.run("use_refresh_token", digest=_digest(token), used_ms=ms(self._now))
        return self._issue(event=row["event"], scope=row["scope"])

    def revoke(self, token: str) -> None:
        """Revoking a refresh token takes away every connection its user has made to the app."""
        if self._tx.one("refresh_token", digest=_digest(token)):
            self._tx.run("revoke_access_tokens")
            self._tx.run("revoke_refresh_tokens")
            self._tx.run("revoke_connections")

    def grant(self, token: str) -> Grant | None:
        row = self._tx.one("access_token", digest=_digest(token))
        if row is None:
            return None
        is_expired = row["expires_ms"] <= ms(self._now)
        return Grant(scope=row["scope"], event=row["event"], is_expired=is_expired)

    def expire(self, token: str) -> None:
        self._tx.run("expire_access_token", digest=_digest(token), expires_ms=ms(self._now))

    def connections(self, event: str | None) -> list[dict[str, Raw]]:
        return [
            {
                "id": row["id"],
                "authEventId": row["event"],
                "tenantId": row["tenant"],
                "tenantType": "ORGANISATION",
                "tenantName": decode(row["body"])["Name"],
                "createdDateUtc": _seven_digits(row["created_ms"]),
                "updatedDateUtc": _seven_digits(row["updated_ms"]),
            }
            for row in self._tx.all("connections", event=event)
        ]

    def disconnect(self, id_: str) -> bool:
        known = any(each["id"] == id_ for each in self.connections(None))
        self._tx.run("disconnect", id=id_)
        return known

    def disconnected_by_customer(self, tenant: str) -> None:
        """The customer removes the app inside Xero: the grant that made the connection dies too."""
        self._tx.run("revoke_refresh_tokens_of", tenant=tenant)
        self._tx.run("disconnect_tenant", tenant=tenant)

    def is_connected(self, tenant: str) -> bool:
        return self._tx.one("connection_of", tenant=tenant) is not None

    def _issue(self, *, event: str, scope: str) -> dict[str, Raw]:
        access, expires = self._access_token(event, scope)
        self._tx.run("forget_access_tokens", before_ms=ms(self._now - timedelta(days=1)))
        self._tx.run(
            "keep_access_token",
            digest=_digest(access),
            event=event,
            scope=scope,
            expires_ms=ms(expires),
        )
        answer = {
            "access_token": access,
            "expires_in": int(ACCESS_LIFE.total_seconds()),
            "token_type": "Bearer",
            "scope": scope,
        }
        # Without offline_access there is nothing to renew the access with.
        if "offline_access" in scope.split():
            refresh = secrets.token_urlsafe(32)
            digest = _digest(refresh)
            self._tx.run(
                "keep_refresh_token",
                digest=digest,
                event=event,
                scope=scope,
                issued_ms=ms(self._now),
            )
            answer["refresh_token"] = refresh
        return answer

    def _access_token(self, event: str, scope: str) -> tuple[str, datetime]:
        expires = self._now + ACCESS_LIFE
        claims = {
            "nbf": int(self._now.timestamp()),
            "exp": int(expires.timestamp()),
            "iss": self._issuer.url,
            "aud": f"{self._issuer.url}/resources",
            "client_id": self._issuer.client_id,
            "sub": _USER_ID.replace("-", ""),
            "xero_userid": _USER_ID,
            "global_session_id": uuid4().hex,
            "jti": uuid4().hex,
            "authentication_event_id": event,
            "scope": scope.split(),
        }
        return jwt.encode(claims, self._issuer.signing_key, algorithm="HS256"), expires


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _seven_digits(moment_ms: int) -> str:
    """Connection dates carry seven digits of a second and no zone (Xero identity OpenAPI)."""
    moment = datetime.fromtimestamp(moment_ms / 1000, tz=UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec='microseconds')}0"
