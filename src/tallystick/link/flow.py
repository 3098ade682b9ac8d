"""The way of a customer through a link: consent, the platform and back, the choice, the end.

The code is exchanged between two transactions; the last one stores the tokens, moves the
connection and ends the visit, or does none of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tallystick.companies import connections, credentials
from tallystick.companies.connections import ConnectionFault
from tallystick.companies.reach import Reach
from tallystick.connectors.contract import Organisation
from tallystick.db.pool import Database
from tallystick.errors import BadRequest, Conflict, PlatformError
from tallystick.lib.clock import Clock
from tallystick.lib.log import log
from tallystick.lib.secrets import Vault, new_token
from tallystick.link import grants, sessions, visits
from tallystick.link.grants import Grant
from tallystick.link.redirect import LINKED, Outcome
from tallystick.link.sessions import Session, State, VisitOver
from tallystick.link.visits import Ground, Visit
from tallystick.settings import Settings

_TEXT_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Choice:
    """What the customer has to decide: which organisation, or whether another one is meant.

    `unexpected` is the chosen organisation where it is not the one linked before.
    """

    visit: Visit
    organisations: tuple[Organisation, ...]
    unexpected: Organisation | None = None


class Flow:
    """Every step a visit can take. `browser` is the secret of the visitor's cookie."""

    def __init__(
        self, *, database: Database, vault: Vault, clock: Clock, settings: Settings, reach: Reach
    ) -> None:
        self.ground = Ground(database, vault, clock, settings, reach)

    async def open(
        self, *, company_id: str, connection_id: str, browser: str, parameters: Mapping[str, str]
    ) -> Visit:
        """A customer opened a link.

        Raises:
            NotFound: there is no such connection.
        """
        now = self.ground.clock.now()
        async with self.ground.database.transaction() as tx:
            await sessions.tidy(tx, now=now)
        async with self.ground.database.transaction() as tx:
            company = await visits.company_of(tx, company_id)
            connection = await visits.connection_of(tx, company, connection_id)
            session = await sessions.open_visit(
                tx,
                client_id=company.client_id,
                company_id=company.id,
                connection_id=connection.id,
                browser=browser,
                parameters=parameters,
                now=now,
            )
            return await visits.visit(tx, self.ground, session)

    async def visit(self, session_id: str, browser: str) -> Visit:
        """Where a visit stands.

        Raises:
            VisitOver: it is unknown, expired, or another browser's.
        """
        async with self.ground.database.transaction() as tx:
            now = self.ground.clock.now()
            session = await sessions.get(tx, session_id=session_id, browser=browser, now=now)
            return await visits.visit(tx, self.ground, session)

    async def consent(self, session_id: str, browser: str) -> str | Visit:
        """The customer agrees; returns the platform's address to go to, or how it failed.

        Raises:
            Conflict: the company has another linked connection.
        """
        visit = await self.visit(session_id, browser)
        if visit.rival:
            raise Conflict("Another connection of this company is linked; disconnect it first.")
        key = visit.connection.platform_key
        try:
            connector, app = self.ground.reach.connector(key), self.ground.reach.app(key)
        except BadRequest as error:
            return await self._fail(visit, Outcome(501, error.message))
        state = new_token()
        async with self.ground.database.transaction() as tx:
            now = self.ground.clock.now()
            await sessions.consented(tx, visit.session, oauth_state=state, now=now)
        return connector.oauth.authorize_url(app, self._callback(key), state)

    async def cancel(self, session_id: str, browser: str) -> Visit:
        """The customer refuses on one of our own pages."""
        return await self._fail(await self.visit(session_id, browser), Outcome(403))

    async def returned(self, platform_key: str, query: Mapping[str, str], browser: str) -> Visit:
        """The customer comes back from the platform.

        Raises:
            VisitOver: the state is unknown, used, expired, or another browser's.
        """
        visit = await self._take(platform_key, query.get("state", ""), browser)
        error, code = query.get("error", ""), query.get("code", "")
        if error == "access_denied":
            return await self._fail(visit, Outcome(403, error))
        if error or not code:
            told = f"{error} {query.get('error_description', '')}".strip()
            return await self._fail(visit, Outcome(500, _plain(told) or "No code was given."))
        try:
            grant = await self._exchange(platform_key, code)
        except PlatformError as refusal:
            return await self._fail(visit, Outcome(500, _plain(refusal.message)))
        except BadRequest as refusal:
            return await self._fail(visit, Outcome(501, refusal.message))
        return await self._settle(visit, grant)

    async def choice(self, session_id: str, browser: str) -> Choice:
        """What is to be chosen.

        Raises:
            VisitOver: nothing, any more.
        """
        visit = await self.visit(session_id, browser)
        grant = self._granted(visit.session)
        only = grant.organisations[0] if len(grant.organisations) == 1 else None
        return Choice(visit, grant.organisations, unexpected=only)

    async def choose(
        self, session_id: str, browser: str, *, organisation_id: str, confirmed: bool
    ) -> Choice | Visit:
        """The customer chose; another organisation than before must be confirmed.

        Raises:
            BadRequest: it is none of those offered.
        """
        visit = await self.visit(session_id, browser)
        grant = self._granted(visit.session)
        organisation = grant.organisation(organisation_id)
        if organisation is None:
            raise BadRequest("Choose one of the organisations that are listed.")
        if grants.is_other(visit.connection, organisation) and not confirmed:
            return Choice(visit, grant.organisations, unexpected=organisation)
        return await self._finish(visit, grant, organisation)

    def _callback(self, platform_key: str) -> str:
        return f"{self.ground.settings.public_url}/oauth2/callback/{platform_key}"

    def _granted(self, session: Session) -> Grant:
        if session.state is not State.Choosing:
            raise VisitOver(session.start)
        return grants.opened(self.ground.vault, session)

    async def _take(self, platform_key: str, oauth_state: str, browser: str) -> Visit:
        """The visit of this state, which is used up by that."""
        now = self.ground.clock.now()
        async with self.ground.database.transaction() as tx:
            session = await sessions.by_oauth_state(
                tx, oauth_state=oauth_state, browser=browser, now=now
            )
            visit = await visits.visit(tx, self.ground, session)
            if visit.connection.platform_key != platform_key:
                raise VisitOver(session.start)
            return visit.at(await sessions.returned(tx, session, now=now))

    async def _exchange(self, platform_key: str, code: str) -> Grant:
        reach, now = self.ground.reach, self.ground.clock.now()
        oauth, app = reach.connector(platform_key).oauth, reach.app(platform_key)
        pair = await oauth.exchange(reach.http, app, code, self._callback(platform_key), now)
        return Grant(pair, await oauth.organisations(reach.http, app, pair.access_token))

    async def _settle(self, visit: Visit, grant: Grant) -> Visit:
        """Link at once where nothing is to be chosen or confirmed."""
        if not grant.organisations:
            return await self._fail(visit, Outcome(500, "No organisation was granted."))
        only = grant.organisations[0]
        if len(grant.organisations) == 1 and not grants.is_other(visit.connection, only):
            return await self._finish(visit, grant, only)
        async with self.ground.database.transaction() as tx:
            kept = grants.sealed(self.ground.vault, visit.session, grant)
            now = self.ground.clock.now()
            return visit.at(await sessions.choosing(tx, visit.session, sealed=kept, now=now))

    async def _finish(self, visit: Visit, grant: Grant, organisation: Organisation) -> Visit:
        try:
            return await self._link(visit, grant, organisation)
        except Conflict as conflict:
            return await self._fail(visit, Outcome(500, conflict.message))

    async def _link(self, visit: Visit, grant: Grant, organisation: Organisation) -> Visit:
        ground, now = self.ground, self.ground.clock.now()
        key = visit.connection.platform_key
        async with ground.database.transaction() as tx:
            connection = await connections.linked(
                tx,
                visit.connection,
                organisation=organisation,
                base_url=ground.reach.app(key).base_url,
                simulated=ground.is_simulated(key),
                now=now,
            )
            await credentials.store(
                tx, ground.vault, connection_id=connection.id, pair=grant.pair, now=now
            )
            session = await sessions.connected(tx, visit.session, outcome=LINKED.kept(), now=now)
        ground.reach.forget_books(connection.id)
        log.info("connection_linked", connection=connection.id, platform=key)
        return visit.at(session, connection)

    async def _fail(self, visit: Visit, outcome: Outcome) -> Visit:
        """The visit ends without a link; the connection remembers why."""
        now = self.ground.clock.now()
        error = ConnectionFault(outcome.status_code, outcome.status_text, outcome.message)
        async with self.ground.database.transaction() as tx:
            # Rows are locked in one order everywhere: company, connection, credential, visit.
            connection = await connections.failed(tx, visit.connection, error=error, now=now)
            session = await sessions.failed(tx, visit.session, outcome=outcome.kept(), now=now)
        log.info("link_failed", connection=connection.id, status_code=outcome.status_code)
        return visit.at(session, connection)


def _plain(text: str) -> str:
    """Somebody else's words, fit to be stored and shown."""
    return "".join(c for c in text if c.isprintable())[:_TEXT_LENGTH_MAX]
