"""Routes of webhook consumers."""

from typing import Any

from starlette.responses import Response

from tallystick.errors import BadRequest
from tallystick.http.endpoint import Call, Endpoint, answer, nothing
from tallystick.webhooks import consumers

_CONSUMER: dict[str, Any] = {
    "type": "object",
    "required": ["id", "url", "eventTypes"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "url": {"type": "string", "format": "uri"},
        "disabled": {"type": "boolean"},
        "eventTypes": {"type": "array", "items": {"type": "string"}},
        "companyTags": {"type": "array", "items": {"type": "string"}},
        "secret": {"type": "string", "description": "Shown once, in the answer to a registration."},
    },
}
_REGISTRATION: dict[str, Any] = {
    "type": "object",
    "required": ["url", "eventTypes"],
    "properties": {
        "url": {"type": "string", "format": "uri"},
        "disabled": {"type": "boolean", "default": False},
        "eventTypes": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        "companyTags": {"type": "array", "maxItems": 10, "items": {"type": "string"}},
    },
}


async def list_consumers(call: Call) -> Response:
    async with call.house.database.transaction() as tx:
        found = await consumers.of_client(tx, call.caller.client_id)
    return answer({"results": [consumer.wire() for consumer in found]})


async def create_consumer(call: Call) -> Response:
    body = await call.json_object()
    url, disabled = body.get("url"), body.get("disabled")
    if not isinstance(url, str) or not url:
        raise BadRequest("url must be the address that receives the webhooks.")
    if not isinstance(disabled, bool | None):
        raise BadRequest("disabled must be true or false.")
    async with call.house.database.transaction() as tx:
        consumer = await consumers.create(
            tx,
            client_id=call.caller.client_id,
            vault=call.house.vault,
            policy=call.house.egress,
            url=url,
            event_types=_texts(body, "eventTypes"),
            company_tags=_texts(body, "companyTags"),
            disabled=bool(disabled),
            now=call.house.clock.now(),
        )
        return await call.keep(tx, answer(consumer.wire(), status=201))


async def delete_consumer(call: Call) -> Response:
    async with call.house.database.transaction() as tx:
        await consumers.delete(
            tx, client_id=call.caller.client_id, consumer_id=call.uuid("webhookId")
        )
    return nothing()


def _texts(body: dict[str, Any], name: str) -> list[str]:
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(element, str) for element in value):
        raise BadRequest(f"{name} must be a list of texts.")
    return value


ENDPOINTS = (
    Endpoint(
        "GET",
        "/webhooks",
        list_consumers,
        "List webhook consumers",
        answer={
            "type": "object",
            "required": ["results"],
            "properties": {"results": {"type": "array", "items": _CONSUMER}},
        },
    ),
    Endpoint(
        "POST",
        "/webhooks",
        create_consumer,
        "Register a webhook consumer",
        status=201,
        body=_REGISTRATION,
        answer=_CONSUMER,
        errors=(400, 401, 409, 429, 503),
        writes=True,
    ),
    Endpoint("DELETE", "/webhooks/{webhookId}", delete_consumer, "Delete a consumer", status=204),
)
