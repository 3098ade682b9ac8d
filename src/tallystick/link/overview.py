"""A company's own page: its connections, the platforms it may choose, connecting and severing."""

from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.companies import connections, grants
from tallystick.companies.companies import Company
from tallystick.companies.connections import Connection, Status
from tallystick.connectors.registry import Platform
from tallystick.db.pool import Tx
from tallystick.errors import BadRequest
from tallystick.link import sessions, visits
from tallystick.link.redirect import NOTHING_NEW
from tallystick.link.sessions import Session
from tallystick.link.visits import Client, Destination, Ground


@dataclass(frozen=True, slots=True)
class Overview:
    """What a company's page tells: connections newest first, and platforms still to be chosen.

    Where no further one may be linked, those that only wait for it are left out.
    """

    session: Session
    client: Client
    company: Company
    connections: tuple[Connection, ...]
    offered: tuple[Platform, ...]

    @property
    def pending(self) -> Connection | None:
        """The one connection there is, where it only waits for the customer."""
        only = self.connections[0] if len(self.connections) == 1 else None
        return only if only and only.status is Status.PendingAuth else None

    @property
    def destination(self) -> Destination:
        """Where the customer goes who leaves without a new connection."""
        linked = [c for c in self.connections if c.status is Status.Linked]
        if not linked:
            return Destination()
        return visits.destination(self.client, linked[0], NOTHING_NEW, self.session.parameters)


async def open_company(
    ground: Ground, *, company_id: str, browser: str, parameters: Mapping[str, str]
) -> Overview:
    """A customer opened the company's link.

    Raises:
        NotFound: there is no such company.
    """
    now = ground.clock.now()
    async with ground.database.transaction() as tx:
        await sessions.tidy(tx, now=now)
    async with ground.database.transaction() as tx:
        company = await visits.company_of(tx, company_id)
        session = await sessions.open_visit(
            tx,
            client_id=company.client_id,
            company_id=company.id,
            connection_id=None,
            browser=browser,
            parameters=parameters,
            now=now,
        )
        return await _overview(tx, ground, session, company)


async def pick(
    ground: Ground, session_id: str, browser: str, *, platform_key: str
) -> tuple[Session, Connection]:
    """The connection to go on with: one that waits for this platform, or a new one.

    Raises:
        VisitOver: unknown, expired, or another browser's.
        BadRequest: the platform is not offered.
    """
    if platform_key not in {platform.key for platform in ground.offered()}:
        raise BadRequest("Choose one of the platforms that are listed.")
    now = ground.clock.now()
    async with ground.database.transaction() as tx:
        session, company = await _held(tx, ground, session_id, browser)
        for known in await connections.of_company(tx, company.id):
            if known.platform_key == platform_key and known.status is Status.PendingAuth:
                return session, known
        simulated = ground.is_simulated(platform_key)
        created = await connections.create(
            tx, company=company, platform_key=platform_key, simulated=simulated, now=now
        )
        return session, created


async def disconnect(
    ground: Ground, session_id: str, browser: str, *, connection_id: str
) -> Session:
    """Sever a connection: at once here, and at the platform as well as that can be done.

    Raises:
        VisitOver: unknown, expired, or another browser's.
        BadRequest: the connection is not linked.
    """
    now = ground.clock.now()
    async with ground.database.transaction() as tx:
        session, company = await _held(tx, ground, session_id, browser)
        connection = await visits.connection_of(tx, company, connection_id)
        grant = await grants.last_of(tx, ground.vault, connection)
        await connections.unlinked(tx, connection, now=now)
    if grant:
        await grants.end(ground.reach, grant)
    return session


async def _held(tx: Tx, ground: Ground, session_id: str, browser: str) -> tuple[Session, Company]:
    now = ground.clock.now()
    session = await sessions.get(tx, session_id=session_id, browser=browser, now=now)
    await sessions.hold_company(tx, session)
    return session, await visits.company_of(tx, session.company_id)


async def _overview(tx: Tx, ground: Ground, session: Session, company: Company) -> Overview:
    client = await visits.client_of(tx, company)
    known = await connections.of_company(tx, company.id)
    is_full = not client.several and any(c.status is Status.Linked for c in known)
    return Overview(
        session=session,
        client=client,
        company=company,
        connections=tuple(c for c in known if not is_full or c.linked_at is not None),
        offered=() if is_full else tuple(ground.offered()),
    )
