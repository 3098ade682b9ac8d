"""Which web pages may ask: those of listed origins, where a company's access token is enough."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.responses import Response

from tallystick.access import clients
from tallystick.db.pool import Database
from tallystick.errors import BadRequest
from tallystick.http.endpoint import Call, Caller, Endpoint, answer
from tallystick.http.schemas import ALLOWED_ORIGINS

_ORIGINS_MAX = 100
_ORIGIN_LENGTH_MAX = 300
_ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, Tallystick-Duplicate"
_EXPOSED_HEADERS = "X-Correlation-Id, Retry-After, Tallystick-Replayed"


async def show(call: Call) -> Response:
    async with call.house.database.transaction() as tx:
        client = await clients.get(tx, call.caller.client_id)
    return answer({"allowedOrigins": list(client.allowed_origins)})


async def replace(call: Call) -> Response:
    """The sent list takes the place of the one before."""
    given = (await call.json_object()).get("allowedOrigins")
    if not isinstance(given, list) or len(given) > _ORIGINS_MAX:
        raise BadRequest(f"allowedOrigins must be a list of at most {_ORIGINS_MAX} origins.")
    origins = list(dict.fromkeys(origin(item) for item in given))
    async with call.house.database.transaction() as tx:
        client = await clients.allow_origins(tx, call.caller.client_id, origins)
    return answer({"allowedOrigins": list(client.allowed_origins)})


def origin(text: object) -> str:
    """Scheme, host and port as browsers send them.

    Raises:
        BadRequest: it is something else, or more than that.
    """
    refusal = BadRequest(
        "An allowed origin is an address such as https://app.example.com, without a path."
    )
    if not isinstance(text, str) or len(text) > _ORIGIN_LENGTH_MAX:
        raise refusal
    try:
        parts = urlsplit(text.strip().lower())
        port = parts.port
    except ValueError as error:
        raise refusal from error
    host = parts.hostname
    rest = (parts.path.rstrip("/"), parts.query, parts.fragment, parts.username, parts.password)
    if parts.scheme not in {"http", "https"} or not host or any(rest) or "*" in host:
        raise refusal
    shown = f"[{host}]" if ":" in host else host
    usual = port is None or port == {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{shown}" if usual else f"{parts.scheme}://{shown}:{port}"


async def headers(
    database: Database, *, asked_from: str | None, caller: Caller | None
) -> dict[str, str]:
    """What lets a page of that origin read the answer; empty where it may not.

    Until the caller is known, any client's list counts: a refusal must be readable too.
    """
    if asked_from is None:
        return {}
    async with database.transaction() as tx:
        if caller is None:
            allowed = await clients.lets_in_origin(tx, asked_from)
        else:
            allowed = asked_from in (await clients.get(tx, caller.client_id)).allowed_origins
    if not allowed:
        return {"Vary": "Origin"}
    return {
        "Vary": "Origin",
        "Access-Control-Allow-Origin": asked_from,
        "Access-Control-Expose-Headers": _EXPOSED_HEADERS,
    }


async def preflight(
    database: Database, *, asked_from: str | None, endpoints: Mapping[str, Endpoint]
) -> Response:
    """The answer to what a browser asks before it shows a token."""
    methods = [name for name, endpoint in endpoints.items() if endpoint.by_token]
    found = await headers(database, asked_from=asked_from, caller=None) if methods else {}
    if "Access-Control-Allow-Origin" in found:
        found["Access-Control-Allow-Methods"] = ", ".join(methods)
        found["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
        found["Access-Control-Max-Age"] = "600"
    return Response(status_code=204, headers=found)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        handler=show,
        summary="Origins whose pages may use access tokens",
        answer=ALLOWED_ORIGINS,
        path="/corsSettings",
        aliases=("/connectionManagement/corsSettings",),
    ),
    Endpoint(
        method="POST",
        handler=replace,
        summary="Replace the allowed origins",
        body=ALLOWED_ORIGINS,
        answer=ALLOWED_ORIGINS,
        path="/corsSettings",
        aliases=("/connectionManagement/corsSettings",),
    ),
)
