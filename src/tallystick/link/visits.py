"""A visit with all that its pages tell: who asks, for whose books, at which platform."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tallystick.access import clients
from tallystick.companies import companies, connections
from tallystick.companies.companies import Company
from tallystick.companies.connections import Connection, Status, shown_name
from tallystick.companies.reach import Reach
from tallystick.connectors.registry import PLATFORMS, Platform
from tallystick.db.pool import Database, Tx
from tallystick.errors import BadRequest, NotFound
from tallystick.lib.clock import Clock
from tallystick.lib.ids import canonical
from tallystick.lib.secrets import Vault
from tallystick.link.redirect import Outcome, RedirectRefused, filled, reserved
from tallystick.link.sessions import Session
from tallystick.settings import Settings


@dataclass(frozen=True, slots=True)
class Ground:
    """What linking stands on."""

    database: Database
    vault: Vault
    clock: Clock
    settings: Settings
    reach: Reach

    def is_simulated(self, platform_key: str) -> bool:
        app = self.settings.platforms.get(platform_key)
        return app is not None and app.simulated

    def shown(self, connection: Connection) -> str:
        """The platform's name as pages show it."""
        simulated = connection.simulated or self.is_simulated(connection.platform_key)
        return shown_name(connection.platform, simulated=simulated)

    def shown_platform(self, platform: Platform) -> str:
        return shown_name(platform, simulated=self.is_simulated(platform.key))

    def reads_and_writes(self, platform_key: str) -> tuple[frozenset[str], frozenset[str]]:
        """The data types that are read from a platform, and those that are written into it."""
        try:
            connector = self.reach.connector(platform_key)
        except BadRequest:
            return frozenset(), frozenset()
        reads = frozenset(read.type.key for read in connector.reads)
        return reads, frozenset(write.type.key for write in connector.writes)

    def offered(self) -> list[Platform]:
        """Platforms a customer can be sent to: built, and with an app of ours registered there."""
        return [p for p in PLATFORMS.values() if p.built and p.key in self.settings.platforms]


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks for access, and where its customers go afterwards."""

    id: str
    name: str
    redirect_url: str
    allowed_urls: tuple[str, ...]
    several: bool


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a visit leads out of our pages; both are None where the client named no address."""

    url: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """One customer's visit about one connection.

    `rival` is the other connection that is linked while the company may have only one.
    """

    session: Session
    client: Client
    company: Company
    connection: Connection
    platform_name: str
    rival: Connection | None

    @property
    def outcome(self) -> Outcome | None:
        return None if self.session.outcome is None else Outcome.of(self.session.outcome)

    def destination(self, outcome: Outcome) -> Destination:
        """Where the browser goes when it ended like that."""
        return destination(self.client, self.connection, outcome, self.session.parameters)

    def at(self, session: Session, connection: Connection | None = None) -> "Visit":
        """The same visit, moved on."""
        return replace(self, session=session, connection=connection or self.connection)


def destination(
    client: Client, connection: Connection, outcome: Outcome, custom: Mapping[str, str]
) -> Destination:
    if not client.redirect_url:
        return Destination()
    try:
        url = filled(
            client.redirect_url,
            reserved=reserved(connection, outcome),
            custom=custom,
            allowed=client.allowed_urls,
        )
    except RedirectRefused as error:
        return Destination(problem=str(error))
    return Destination(url)


async def client_of(tx: Tx, company: Company) -> Client:
    client = await clients.get(tx, company.client_id)
    return Client(
        id=client.id,
        name=client.name,
        redirect_url=str(client.profile.get("redirectUrl") or ""),
        allowed_urls=tuple(map(str, client.profile.get("whiteListUrls") or ())),
        several=client.settings.get("severalAccountingConnections") is True,
    )


async def company_of(tx: Tx, company_id: str) -> Company:
    """The company of a link.

    Raises:
        NotFound: there is none.
    """
    known = canonical(company_id)
    if known is None:
        raise NotFound("There is no such company.")
    return await companies.find(tx, known)


async def connection_of(tx: Tx, company: Company, connection_id: str) -> Connection:
    return await connections.get(
        tx, client_id=company.client_id, company_id=company.id, connection_id=connection_id
    )


async def visit(tx: Tx, ground: Ground, session: Session) -> Visit:
    """All that the pages of a session tell."""
    if session.connection_id is None:
        raise NotFound("This page is about no connection.")
    company = await company_of(tx, session.company_id)
    client = await client_of(tx, company)
    connection = await connection_of(tx, company, session.connection_id)
    return Visit(
        session=session,
        client=client,
        company=company,
        connection=connection,
        platform_name=ground.shown(connection),
        rival=None if client.several else await _rival(tx, connection),
    )


async def _rival(tx: Tx, connection: Connection) -> Connection | None:
    others = await connections.of_company(tx, connection.company_id)
    return next((c for c in others if c.status is Status.Linked and c.id != connection.id), None)
