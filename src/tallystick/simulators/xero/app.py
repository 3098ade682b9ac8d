"""The ASGI application: identity server, Accounting API and control plane under one address."""

import asyncio
from pathlib import Path
from typing import Any, NoReturn

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from tallystick.simulators.xero.api.routes import is_binary, listed
from tallystick.simulators.xero.call import Answer, Call
from tallystick.simulators.xero.control import control
from tallystick.simulators.xero.errors import Refusal, problem, unauthorised
from tallystick.simulators.xero.faults import AnswerLost
from tallystick.simulators.xero.identity import endpoints
from tallystick.simulators.xero.limits import LimitReached, Limits
from tallystick.simulators.xero.native import load_native
from tallystick.simulators.xero.once import once
from tallystick.simulators.xero.scopes import is_allowed
from tallystick.simulators.xero.seeds import seed_world
from tallystick.simulators.xero.wire import decode
from tallystick.simulators.xero.world import World, open_world

Raw = Any

API = "/xero/api.xro/2.0"


def create_app(
    state_dir: Path,
    *,
    seed: int = 1,
    size: str = "small",
    books: Path | None = None,
    base_url: str = "http://127.0.0.1:8500",
    client_id: str = "simulated-xero",
    client_secret: str | None = None,
    limits: Limits | None = None,
) -> "XeroSimulator":
    """Open the world kept in `state_dir`, or seed a new one there.

    Args:
        state_dir: where the books, the tokens and the clock are kept.
        seed: the same number makes the same books.
        size: small, medium or large; `none` for no invented organisations at all.
        books: published records to serve beside them, OpenAPI YAML or JSON.
        base_url: the address under which this application is reached.
        client_id: the app that may ask for access.
        client_secret: its secret; None makes one and keeps it in `state_dir`.
        limits: other call limits than Xero's own.
    """
    world = open_world(
        state_dir,
        base_url=base_url,
        client_id=client_id,
        client_secret=client_secret,
        limits=limits or Limits(),
    )
    seed_world(world, seed=seed, size=size)
    if books is not None:
        load_native(world, books)
    return XeroSimulator(world)


class XeroSimulator:
    def __init__(self, world: World) -> None:
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        try:
            response = await self._respond(Request(scope, receive))
        except AnswerLost:
            await _hang_up(send)
            return
        await response(scope, receive, send)

    def close(self) -> None:
        self.world.store.close()

    async def _respond(self, request: Request) -> Response:
        body = await request.body()
        path = request.url.path
        if path.startswith("/_simulator/"):
            return control(self.world, request, body)
        seen: dict[str, Raw] = {
            "method": request.method,
            "path": path,
            "query": dict(request.query_params),
            "idempotencyKey": request.headers.get("idempotency-key"),
            "tenantId": request.headers.get("xero-tenant-id"),
            "at": self.world.clock.now().isoformat(),
            "status": None,
        }
        self.world.requests.append(seen)
        try:
            response = await self._route(request, body, path)
        except LimitReached as reached:
            response = _response(_too_many(reached))
        except Refusal as refused:
            response = _response(_refused(refused))
        seen["status"] = response.status_code
        return response

    async def _route(self, request: Request, body: bytes, path: str) -> Response:
        if path.startswith(f"{API}/"):
            return await self._accounting(request, body)
        if path.startswith("/xero/identity/connect/"):
            return await self._identity(request, body)
        if path.lower().startswith("/xero/connections"):
            await self._wait_or_fail(request.method, "/connections")
            with self.world.store.transaction() as tx:
                response = endpoints.connections(request, self.world.tokens(tx))
            self._lose_answer(request.method, "/connections")
            return response
        return PlainTextResponse("Not found", status_code=404)

    async def _identity(self, request: Request, body: bytes) -> Response:
        world, path = self.world, request.url.path.removeprefix("/xero/identity")
        await self._wait_or_fail(request.method, path)
        with world.store.transaction() as tx:
            client = (world.client_id, world.client_secret)
            tokens = world.tokens(tx)
            response = endpoints.respond(request, body, tx=tx, tokens=tokens, client=client)
        self._lose_answer(request.method, path)
        return response

    async def _accounting(self, request: Request, body: bytes) -> Response:
        world, path = self.world, _api_path(request)
        if world.faults.taken("expires_tokens", method=request.method, path=path):
            with world.store.transaction() as tx:
                world.tokens(tx).expire(endpoints.bearer_token(request.headers))
        tenant = self._let_in(request, path)
        try:
            world.counters.count(tenant, world.clock.now())
            with world.counters.running(tenant):
                answer = await self._answer(request, body, tenant=tenant, path=path)
        except LimitReached as reached:
            answer = _too_many(reached)
        except Refusal as refused:
            answer = _refused(refused)
        counted = world.counters.headers(tenant, world.clock.now())
        return _response(answer, **counted)

    def _let_in(self, request: Request, path: str) -> str:
        """The organisation the call may speak to."""
        tenant = request.headers.get("xero-tenant-id", "").lower()
        with self.world.store.transaction() as tx:
            tokens = self.world.tokens(tx)
            grant = endpoints.bearer(request.headers, tokens)
            if not tokens.is_connected(tenant):
                raise problem(403, "Forbidden", "AuthenticationUnsuccessful")
        if not is_allowed(grant.scope, method=request.method, path=path):
            raise unauthorised("AuthorizationUnsuccessful")
        return tenant

    async def _answer(self, request: Request, body: bytes, *, tenant: str, path: str) -> Answer:
        await self._wait_or_fail(request.method, path)
        accepted = request.headers.get("accept", "")
        if accepted.strip() == "application/pdf" and not path.endswith("/pdf"):
            path = f"{path}/pdf"
        if "json" not in accepted and not is_binary(path):
            # Xero would answer XML here; this one speaks JSON only and says so.
            text = b"Send Accept: application/json; the simulated Xero does not write XML"
            return Answer(status=406, body=text, media_type="text/plain; charset=utf-8")
        answer = self._commit(request, body, tenant=tenant, path=path)
        self._lose_answer(request.method, path)
        self._shift_page(request, answer, tenant=tenant, path=path)
        return answer

    def _commit(self, request: Request, body: bytes, *, tenant: str, path: str) -> Answer:
        """Handle the call in one transaction, together with the memory of its key."""
        with self.world.open_books(tenant) as books:
            call = Call(
                method=request.method,
                path=path,
                query=request.query_params,
                headers=request.headers,
                body=body,
                books=books,
                api_url=f"{self.world.base_url}{API}",
                now=books.now,
            )
            return once(call, query=request.url.query)

    async def _wait_or_fail(self, method: str, path: str) -> None:
        faults = self.world.faults
        if slow := faults.taken("slow", method=method, path=path):
            await asyncio.sleep(float(slow.details.get("delay_s", 1)))
        if limited := faults.taken("rate_limits", method=method, path=path):
            retry_after_s = int(limited.details.get("retry_after_s", 1))
            raise LimitReached(str(limited.details.get("problem", "minute")), retry_after_s)
        if broken := faults.taken("server_errors", method=method, path=path):
            status = int(broken.details.get("status", 500))
            text = b"An error occurred in Xero"
            wait_s = broken.details.get("retry_after_s")
            headers = {"Retry-After": str(wait_s)} if wait_s is not None else None
            raise Refusal(status, text, media_type="text/plain; charset=utf-8", headers=headers)

    def _lose_answer(self, method: str, path: str) -> None:
        if self.world.faults.taken("loses_answers", method=method, path=path):
            raise AnswerLost("the line went dead after the write was committed")

    def _shift_page(self, request: Request, answer: Answer, *, tenant: str, path: str) -> None:
        collection = listed(path)
        if request.method != "GET" or "page" not in request.query_params or collection is None:
            return
        if not self.world.faults.taken("pages_shift", method="GET", path=path):
            return
        served = decode(answer.body)[collection]
        with self.world.open_books(tenant) as books:
            for first in served[:1]:
                id_key = next(
                    name for name in first if name.lower() == f"{collection[:-1]}id".lower()
                )
                found = books.get(collection, first[id_key])
                if found:
                    books.save(collection, dict(found.body), native=found.native)


def _api_path(request: Request) -> str:
    """The path below the API's root, still percent-encoded so that a name may hold a slash."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    return (
        str(raw.decode("ascii", errors="replace")).partition("?")[0].removeprefix(API).rstrip("/")
    )


def _response(answer: Answer, **headers: str) -> Response:
    return Response(
        answer.body,
        answer.status,
        headers={**headers, **answer.headers},
        media_type=answer.media_type,
    )


def _refused(refused: Refusal) -> Answer:
    return Answer(
        status=refused.status,
        body=refused.body,
        media_type=refused.media_type,
        headers=refused.headers,
    )


def _too_many(reached: LimitReached) -> Answer:
    return Answer(
        status=429,
        body=b"Rate Limit Exceeded",
        media_type="text/plain; charset=utf-8",
        headers={
            "Retry-After": str(reached.retry_after_s),
            "X-Rate-Limit-Problem": reached.problem,
        },
    )


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _hang_up(send: Send) -> None:
    """Cut the connection without a byte of an answer.

    ASGI has no word for this. uvicorn hands the bound method of its request cycle as `send`, and
    the cycle holds the transport; in-process clients have no transport and get the error itself.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        _raise_lost()
    transport.abort()
    # One turn of the loop lets uvicorn see that the client is gone, so that it sends no 500.
    await asyncio.sleep(0)


def _raise_lost() -> NoReturn:
    raise AnswerLost("server disconnected without sending a response")
