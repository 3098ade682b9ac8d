"""Routes of API keys, and of the access tokens made with them."""

from typing import Any

from starlette.responses import Response

from tallystick.access import keys, tokens
from tallystick.access.keys import ApiKey
from tallystick.errors import BadRequest
from tallystick.http.endpoint import Call, Endpoint, answer, nothing
from tallystick.http.schemas import ACCESS_TOKEN, API_KEY, API_KEY_REQUEST, LEGACY_ACCESS_TOKEN
from tallystick.http.scope import company_of
from tallystick.lib import moments

NAME_LENGTH_MAX = 50


async def list_keys(call: Call) -> Response:
    async with call.house.database.transaction() as tx:
        held = await keys.of_client(tx, call.caller.client_id)
    return answer({"results": [_wire(key) for key in held]})


async def create(call: Call) -> Response:
    """The key itself is in this answer and in no other."""
    name = await _name(call)
    async with call.house.database.transaction() as tx:
        key, secret = await keys.issue(
            tx, client_id=call.caller.client_id, name=name, now=call.house.clock.now()
        )
        return await call.keep(tx, answer({**_wire(key), "apiKey": secret}, status=201))


async def delete(call: Call) -> Response:
    async with call.house.database.transaction() as tx:
        await keys.delete(tx, client_id=call.caller.client_id, key_id=call.path("apiKeyId"))
    return nothing()


async def access_token(call: Call) -> Response:
    token = await _token(call)
    return answer(
        {"accessToken": token, "expiresIn": tokens.LIFETIME_S, "tokenType": "Bearer"},
        headers={"Cache-Control": "no-store"},
    )


async def legacy_access_token(call: Call) -> Response:
    return answer({"accessToken": await _token(call)}, headers={"Cache-Control": "no-store"})


async def _token(call: Call) -> str:
    async with call.house.database.transaction() as tx:
        company = await company_of(call, tx)
    return tokens.issue(
        call.house.vault,
        company_id=company.id,
        client_id=company.client_id,
        now=call.house.clock.now(),
    )


async def _name(call: Call) -> str | None:
    name = (await call.json_object(optional=True)).get("name")
    if name is not None and (not isinstance(name, str) or len(name) > NAME_LENGTH_MAX):
        raise BadRequest(f"The name of a key may have {NAME_LENGTH_MAX} characters.")
    return name


def _wire(key: ApiKey) -> dict[str, Any]:
    return {"id": key.id, "name": key.name, "createdDate": moments.text(key.created_at)}


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        path="/apiKeys",
        handler=list_keys,
        summary="List API keys, without the keys themselves",
        answer={
            "type": "object",
            "required": ["results"],
            "properties": {"results": {"type": "array", "items": API_KEY}},
        },
        errors=(401, 429, 503),
    ),
    Endpoint(
        method="POST",
        path="/apiKeys",
        handler=create,
        summary="Make an API key; it is shown once",
        status=201,
        body=API_KEY_REQUEST,
        answer=API_KEY,
        errors=(400, 401, 409, 429, 503),
    ),
    Endpoint(
        method="DELETE",
        path="/apiKeys/{apiKeyId}",
        handler=delete,
        summary="Delete an API key",
        status=204,
    ),
    Endpoint(
        method="GET",
        path="/companies/{companyId}/accessToken",
        handler=access_token,
        summary="A token with which a web page may manage one company's connections",
        answer=ACCESS_TOKEN,
    ),
    Endpoint(
        method="GET",
        path="/companies/{companyId}/connectionManagement/accessToken",
        handler=legacy_access_token,
        summary="The same token in the older shape",
        answer=LEGACY_ACCESS_TOKEN,
    ),
)
