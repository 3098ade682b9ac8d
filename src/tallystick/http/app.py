"""The API as one application: finds the endpoint, knows the caller, answers in one shape."""

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence

import psycopg
from psycopg_pool import PoolTimeout, TooManyRequests
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from tallystick.companies import addresses
from tallystick.errors import Forbidden, NotAllowed, NotFound
from tallystick.http import cors, errors, idempotency, limits, table
from tallystick.http.auth import NOBODY, Doorkeeper, must_concern
from tallystick.http.endpoint import Call, Caller, Endpoint
from tallystick.http.house import House
from tallystick.http.routing import Found, Routes
from tallystick.lib.ids import new_correlation_id
from tallystick.lib.log import log


class Api:
    """Every endpoint of the table, as an ASGI application."""

    def __init__(self, house: House, endpoints: Iterable[Endpoint]) -> None:
        self._house = house
        self._routes = Routes(endpoints)
        self._doorkeeper = Doorkeeper(database=house.database, vault=house.vault, clock=house.clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError("Only HTTP is spoken here.")
        exchange = _Exchange(self._house, self._doorkeeper, Request(scope, receive))
        done = await exchange.done(self._routes)
        done.response.raw_headers.append((b"x-correlation-id", exchange.correlation_id.encode()))
        done.response.raw_headers.extend(limits.headers(self._house.clock.now()))
        if done.arrived is None:
            await done.response(scope, receive, send)
            return
        gone = await exchange.request.is_disconnected()
        await done.response(scope, receive, send)
        if not gone:
            await done.arrived()


class _Exchange:
    """One request and its answer."""

    def __init__(self, house: House, doorkeeper: Doorkeeper, request: Request) -> None:
        self.correlation_id = new_correlation_id()
        self.request = request
        self._house = house
        self._doorkeeper = doorkeeper
        self._caller: Caller | None = None

    async def done(self, routes: Routes) -> idempotency.Done:
        raw_path: bytes = self.request.scope.get("raw_path") or self.request.url.path.encode()
        found = routes.find(raw_path.partition(b"?")[0].decode("latin-1"))
        leaf = None if found is None else found.leaves.get(self.request.method)
        try:
            if found is None:
                raise NotFound("NotFound")  # noqa: TRY301 - all errors are rendered in one place
            if leaf is None:
                return idempotency.Done(await self._other_method(found))
            values = dict(zip(leaf.names, found.values, strict=True))
            done = await self._answered(leaf.endpoint, values)
        except Exception as error:  # noqa: BLE001 - rendered, and logged where nobody foresaw it
            done = idempotency.Done(self._render(error))
        if leaf is not None and leaf.endpoint.by_token:
            await self._open_to_pages(done.response)
        return done

    async def _other_method(self, found: Found) -> Response:
        if self.request.method == "OPTIONS":
            endpoints = {name: leaf.endpoint for name, leaf in found.leaves.items()}
            return await cors.preflight(
                self._house.database,
                asked_from=self.request.headers.get("origin"),
                endpoints=endpoints,
            )
        allowed = ", ".join(sorted(found.leaves))
        response = self._render(NotAllowed(f"Only {allowed} can be used here."))
        response.headers["Allow"] = allowed
        return response

    async def _answered(self, endpoint: Endpoint, values: dict[str, str]) -> idempotency.Done:
        self.request.scope["path_params"] = values
        caller = NOBODY
        if not endpoint.open:
            caller = await self._doorkeeper.caller(self.request.headers.get("authorization"))
            self._caller = caller
            if caller.company_id is not None and not endpoint.by_token:
                raise Forbidden("A company's access token does not open this; use an API key.")
            must_concern(caller, values.get("companyId"))
        call = Call(self._house, self.request, caller, self.correlation_id)
        done = await idempotency.run(call, endpoint, self._render)
        if endpoint.method == "DELETE":
            # It may have been an API key, even the one that asked.
            self._doorkeeper.forget_all()
        return done

    def _render(self, error: Exception) -> Response:
        now = self._house.clock.now()
        return errors.rendered(error, correlation_id=self.correlation_id, now=now)

    async def _open_to_pages(self, response: Response) -> None:
        asked_from = self.request.headers.get("origin")
        if asked_from is None or (self._caller is not None and self._caller.company_id is None):
            return
        try:
            found = await cors.headers(
                self._house.database, asked_from=asked_from, caller=self._caller
            )
        except (NotFound, psycopg.Error, PoolTimeout, TooManyRequests) as error:
            # Without the headers the page cannot read the answer: the safe side.
            log.warning("origin_not_checked", problem=type(error).__name__)
            return
        response.headers.update(found)


def create_app(house: House, *, extra: Sequence[BaseRoute] = ()) -> Starlette:
    """The web application; `extra` are routes of other entrances, such as the Link pages."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with house.database.transaction() as tx:
            await addresses.announce(tx, house.settings.public_url)
        yield

    app = Starlette(routes=extra, lifespan=lifespan)
    # What no other route takes is the API's: its own tree is faster than a list of routes, and
    # finds encoded slashes inside ids.
    app.router.redirect_slashes = False
    app.router.default = Api(house, table.ENDPOINTS)
    return app
