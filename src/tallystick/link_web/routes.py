"""The pages on which a customer links: what is asked, what was chosen, how it ended."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psycopg
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route

from tallystick.companies.connections import Status
from tallystick.errors import Conflict, NotFound, TallystickError
from tallystick.lib.log import log, where
from tallystick.link import overview
from tallystick.link.flow import Choice, Flow
from tallystick.link.redirect import NOTHING_NEW, custom_parameters
from tallystick.link.sessions import State, VisitOver
from tallystick.link.visits import Visit
from tallystick.link_web import words
from tallystick.link_web.browser import Visitors, form
from tallystick.link_web.pages import Pages

_STATIC = Path(__file__).with_name("static")
_FILES = {"link.css": "text/css", "icon.svg": "image/svg+xml"}
_LINGERS_S = 3600
_BUSY = (psycopg.OperationalError, PoolTimeout, PoolClosed, TooManyRequests)

Handler = Callable[[Request], Awaitable[Response]]


def routes(*, flow: Flow) -> list[Route]:
    """Every page of hosted Link."""
    site = _Site(flow)
    table: tuple[tuple[str, str, Handler], ...] = (
        ("GET", "/companies/{company}/connections/{connection}/start", site.start),
        # The shape of older links.
        ("GET", "/link/start/{company}/{connection}", site.start),
        ("POST", "/link/{session}/consent", site.consent),
        ("GET", "/oauth2/callback/{platform}", site.callback),
        ("GET", "/link/{session}/organisation", site.organisations),
        ("POST", "/link/{session}/organisation", site.choose),
        ("GET", "/link/{session}/end", site.end),
        ("GET", "/company/{company}", site.company),
        ("POST", "/link/{session}/platform", site.pick),
        ("POST", "/link/{session}/disconnect", site.disconnect),
    )
    pages = [Route(path, site.guarded(handler), methods=[verb]) for verb, path, handler in table]
    return [Route("/link/static/{name}", site.static, methods=["GET"]), *pages]


class _Site:
    def __init__(self, flow: Flow) -> None:
        public_url = flow.ground.settings.public_url
        self._flow = flow
        self._base = urlsplit(public_url).path.rstrip("/")
        self._visitors = Visitors(public_url=public_url)
        self._pages = Pages(base=self._base)

    def guarded(self, handler: Handler) -> Handler:
        """The handler, with every refusal as a page and the headers a page needs."""

        async def handle(request: Request) -> Response:
            try:
                response = await handler(request)
            except TallystickError as error:
                response = self._refused(error)
            except psycopg.errors.ForeignKeyViolation:
                # What the link is about was deleted between the look and the visit.
                response = self._pages.page("missing", status=404)
            except _BUSY as error:
                log.warning("database_unavailable", problem=type(error).__name__)
                response = self._pages.page("broken", status=503)
                response.headers["Retry-After"] = "1"
            except Exception as error:  # noqa: BLE001 - a customer sees a page whatever happens
                problem = type(error).__name__
                log.error("link_page_failed", problem=problem, where=where(error))
                response = self._pages.page("broken", status=500)
            return self._visitors.guard(response)

        return handle

    # --- one connection ---

    async def start(self, request: Request) -> Response:
        browser = self._visitors.greeted(request)
        visit = await self._flow.open(
            company_id=request.path_params["company"],
            connection_id=request.path_params["connection"],
            browser=browser,
            parameters=custom_parameters(request.query_params.multi_items()),
        )
        return self._visitors.remember(self._opening(visit), browser)

    def _opening(self, visit: Visit) -> Response:
        ground = self._flow.ground
        if visit.rival:
            rival_name = ground.shown(visit.rival)
            return self._leaving("rival", visit, status=409, rival_name=rival_name)
        if visit.connection.status is Status.Linked:
            return self._leaving("linked", visit)
        reads, writes = ground.reads_and_writes(visit.connection.platform_key)
        return self._pages.page(
            "consent",
            visit=visit,
            simulated=ground.is_simulated(visit.connection.platform_key),
            shared=words.shared(reads),
            added=words.added(writes),
            other_platforms=len(ground.offered()) > 1,
        )

    def _leaving(self, page: str, visit: Visit, *, status: int = 200, **more: str) -> Response:
        """A page that ends without a new connection."""
        away = visit.destination(NOTHING_NEW)
        return self._pages.page(page, status=status, visit=visit, destination=away, **more)

    async def consent(self, request: Request) -> Response:
        session, browser = self._whose(request)
        if (await form(request)).get("decision") != "continue":
            return self._ended(await self._flow.cancel(session, browser))
        went = await self._flow.consent(session, browser)
        return _see(went) if isinstance(went, str) else self._ended(went)

    async def callback(self, request: Request) -> Response:
        visit = await self._flow.returned(
            request.path_params["platform"],
            dict(request.query_params),
            self._visitors.secret(request),
        )
        if visit.session.state is State.Choosing:
            return _see(f"{self._base}/link/{visit.session.id}/organisation", status=302)
        return self._ended(visit, status=302)

    async def organisations(self, request: Request) -> Response:
        return self._asked(await self._flow.choice(*self._whose(request)))

    async def choose(self, request: Request) -> Response:
        session, browser = self._whose(request)
        fields = await form(request)
        if fields.get("decision") == "cancel":
            return self._ended(await self._flow.cancel(session, browser))
        chosen = await self._flow.choose(
            session,
            browser,
            organisation_id=fields.get("organisation", ""),
            confirmed=fields.get("decision") == "confirm",
        )
        return self._asked(chosen) if isinstance(chosen, Choice) else self._ended(chosen)

    def _asked(self, choice: Choice) -> Response:
        return self._pages.page("confirm" if choice.unexpected else "choose", choice=choice)

    def _ended(self, visit: Visit, *, status: int = 303) -> Response:
        """Away to the client's own page, or to ours where it named none that can be used."""
        outcome = visit.outcome
        url = visit.destination(outcome).url if outcome else None
        return _see(url or f"{self._base}/link/{visit.session.id}/end", status=status)

    async def end(self, request: Request) -> Response:
        visit = await self._flow.visit(*self._whose(request))
        if visit.outcome is None:
            raise VisitOver(visit.session.start)
        page = "connected" if visit.session.state is State.Connected else "failed"
        away = visit.destination(visit.outcome)
        return self._pages.page(page, visit=visit, outcome=visit.outcome, destination=away)

    # --- a company ---

    async def company(self, request: Request) -> Response:
        browser = self._visitors.greeted(request)
        parameters = custom_parameters(request.query_params.multi_items())
        shown = await overview.open_company(
            self._flow.ground,
            company_id=request.path_params["company"],
            browser=browser,
            parameters=parameters,
        )
        if shown.pending and "link.choose" not in request.query_params:
            response = _see(self._start(shown.company.id, shown.pending.id, parameters), status=302)
        else:
            response = self._company_page(shown, parameters)
        return self._visitors.remember(response, browser)

    def _company_page(self, shown: overview.Overview, parameters: dict[str, str]) -> Response:
        ground = self._flow.ground
        return self._pages.page(
            "company",
            shown=shown,
            carried=_query(parameters),
            names={c.id: ground.shown(c) for c in shown.connections},
            offered={p.key: ground.shown_platform(p) for p in shown.offered},
            simulated=any(ground.is_simulated(p.key) for p in shown.offered),
        )

    async def pick(self, request: Request) -> Response:
        session_id, browser = self._whose(request)
        key = (await form(request)).get("platform", "")
        session, connection = await overview.pick(
            self._flow.ground, session_id, browser, platform_key=key
        )
        return _see(self._start(connection.company_id, connection.id, dict(session.parameters)))

    async def disconnect(self, request: Request) -> Response:
        session_id, browser = self._whose(request)
        session = await overview.disconnect(
            self._flow.ground,
            session_id,
            browser,
            connection_id=(await form(request)).get("connection", ""),
        )
        return _see(f"{self._base}{session.start}")

    # --- what they share ---

    async def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _FILES:
            return self._refused(NotFound("There is no such file."))
        headers = {"Cache-Control": f"max-age={_LINGERS_S}", "X-Content-Type-Options": "nosniff"}
        return FileResponse(_STATIC / name, media_type=_FILES[name], headers=headers)

    def _start(self, company_id: str, connection_id: str, parameters: dict[str, str]) -> str:
        path = f"{self._base}/companies/{company_id}/connections/{connection_id}/start"
        return path + _query(parameters)

    def _whose(self, request: Request) -> tuple[str, str]:
        return request.path_params["session"], self._visitors.secret(request)

    def _refused(self, error: TallystickError) -> Response:
        if isinstance(error, VisitOver):
            return self._pages.page("over", status=error.status, start=error.start)
        if isinstance(error, NotFound):
            return self._pages.page("missing", status=404)
        title = "Already connected" if isinstance(error, Conflict) else "That did not work"
        return self._pages.page("refused", status=error.status, title=title, text=error.message)


def _query(parameters: dict[str, str]) -> str:
    return f"?{urlencode(parameters)}" if parameters else ""


def _see(url: str, *, status: int = 303) -> Response:
    return RedirectResponse(url, status_code=status)
