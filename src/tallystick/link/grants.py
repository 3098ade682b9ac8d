"""What a platform granted, kept sealed in the visit until the customer has chosen."""

from dataclasses import asdict, dataclass
from datetime import datetime

from tallystick.companies.connections import Connection
from tallystick.connectors.contract import Organisation, TokenPair
from tallystick.lib import json
from tallystick.lib.secrets import Vault
from tallystick.link.sessions import Session, VisitOver


@dataclass(frozen=True, slots=True)
class Grant:
    """Tokens, and the organisations they open."""

    pair: TokenPair
    organisations: tuple[Organisation, ...]

    def organisation(self, organisation_id: str) -> Organisation | None:
        return next((o for o in self.organisations if o.id == organisation_id), None)


def is_other(connection: Connection, organisation: Organisation) -> bool:
    """Whether the connection was linked to another organisation before."""
    before = connection.organisation_id
    return before is not None and before != organisation.id


def sealed(vault: Vault, session: Session, grant: Grant) -> bytes:
    value = {
        "access": grant.pair.access_token,
        "refresh": grant.pair.refresh_token,
        "expiresAt": grant.pair.expires_at.isoformat(),
        "organisations": [asdict(organisation) for organisation in grant.organisations],
    }
    return vault.seal(json.dumps(value), context=_context(session))


def opened(vault: Vault, session: Session) -> Grant:
    """The grant of a visit in which something is to be chosen.

    Raises:
        VisitOver: there is nothing to choose any more.
    """
    if session.sealed is None:
        raise VisitOver(session.start)
    value = json.loads(vault.open(session.sealed, context=_context(session)))
    pair = TokenPair(
        access_token=value["access"],
        refresh_token=value["refresh"],
        expires_at=datetime.fromisoformat(value["expiresAt"]),
    )
    return Grant(pair, tuple(Organisation(**known) for known in value["organisations"]))


def _context(session: Session) -> str:
    return f"link/{session.id}"
