"""Routes of what a client says about itself."""

from typing import Any

from starlette.responses import Response

from tallystick.access import clients
from tallystick.access.clients import Client
from tallystick.errors import BadRequest
from tallystick.http.endpoint import Call, Endpoint, answer
from tallystick.http.schemas import PROFILE

_TEXT_LENGTH_MAX = 2000
_TEXTS = ("logoUrl", "iconUrl", "redirectUrl")
_URLS_MAX = 100


async def show(call: Call) -> Response:
    async with call.house.database.transaction() as tx:
        client = await clients.get(tx, call.caller.client_id)
    return answer(_wire(client))


async def replace(call: Call) -> Response:
    body = await call.json_object()
    name = _text(body, "name")
    if not name or not name.strip():
        raise BadRequest("The profile needs a name.")
    profile = {key: text for key in _TEXTS if (text := _text(body, key)) is not None}
    if "redirectUrl" not in profile:
        raise BadRequest("The profile needs a redirectUrl; it may be empty.")
    urls = body.get("whiteListUrls")
    async with call.house.database.transaction() as tx:
        client = await clients.save_profile(
            tx,
            call.caller.client_id,
            name=name,
            profile={**profile, "whiteListUrls": _urls(urls)},
        )
    return answer(_wire(client))


def _text(body: dict[str, Any], key: str) -> str | None:
    given = body.get(key)
    if given is not None and (not isinstance(given, str) or len(given) > _TEXT_LENGTH_MAX):
        raise BadRequest(f"{key} must be text of at most {_TEXT_LENGTH_MAX} characters.")
    return given


def _urls(given: object) -> list[str]:
    if given is None:
        return []
    if not isinstance(given, list) or len(given) > _URLS_MAX:
        raise BadRequest(f"whiteListUrls must be a list of at most {_URLS_MAX} addresses.")
    if not all(isinstance(url, str) and len(url) <= _TEXT_LENGTH_MAX for url in given):
        raise BadRequest("whiteListUrls must hold addresses.")
    return list(given)


def _wire(client: Client) -> dict[str, Any]:
    texts = {key: client.profile[key] for key in _TEXTS if client.profile.get(key)}
    return {
        "name": client.name,
        **texts,
        "redirectUrl": client.profile.get("redirectUrl", ""),
        "whiteListUrls": list(client.profile.get("whiteListUrls", ())),
    }


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        path="/profile",
        handler=show,
        summary="Get the client's profile",
        answer=PROFILE,
        errors=(401, 429, 503),
    ),
    Endpoint(
        method="PUT",
        path="/profile",
        handler=replace,
        summary="Replace the client's profile",
        body=PROFILE,
        answer=PROFILE,
        errors=(400, 401, 429, 503),
    ),
)
