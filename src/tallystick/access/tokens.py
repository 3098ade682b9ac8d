"""The company access token: lets a browser manage one company's connections for a day."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from tallystick.errors import Forbidden, NotAuthenticated
from tallystick.lib.secrets import Vault

LIFETIME_S = 86_400
SCOPE = "link"

_ALGORITHM = "HS256"
_PURPOSE = "access-token"
_CLAIMS = ("sub", "client", "scope", "iat", "exp")


@dataclass(frozen=True, slots=True)
class CompanyToken:
    """What a valid token says: for which company it speaks, and of which client that is."""

    company_id: str
    client_id: str
    expires_at: datetime


def issue(vault: Vault, *, company_id: str, client_id: str, now: datetime) -> str:
    """A fresh token; nothing of it is stored."""
    claims = {
        "sub": company_id,
        "client": client_id,
        "scope": SCOPE,
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(seconds=LIFETIME_S)).timestamp()),
    }
    return jwt.encode(claims, vault.derived(_PURPOSE), algorithm=_ALGORITHM)


def check(vault: Vault, token: str, now: datetime) -> CompanyToken:
    """What the token allows.

    Raises:
        NotAuthenticated: not ours, altered, or expired.
        Forbidden: ours, but made for something else.
    """
    claims = _claims(vault, token)
    expires_at = datetime.fromtimestamp(claims["exp"], UTC)
    if now >= expires_at:
        raise NotAuthenticated("The access token has expired; ask for another one.")
    if claims["scope"] != SCOPE:
        raise Forbidden("The access token is not meant for this.")
    return CompanyToken(
        company_id=str(claims["sub"]), client_id=str(claims["client"]), expires_at=expires_at
    )


def _claims(vault: Vault, token: str) -> dict[str, Any]:
    # Moments are judged by our own clock, which may be moved, and not by the library's.
    options: Any = {"require": list(_CLAIMS), "verify_exp": False, "verify_iat": False}
    try:
        return jwt.decode(token, vault.derived(_PURPOSE), algorithms=[_ALGORITHM], options=options)
    except jwt.InvalidTokenError as error:
        raise NotAuthenticated("The access token is not valid.") from error
