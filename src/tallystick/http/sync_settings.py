"""Routes of the settings that say which data types are read, and when."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from tallystick.errors import BadRequest
from tallystick.http.endpoint import Call, Endpoint, answer, nothing
from tallystick.http.schemas import thing
from tallystick.http.scope import company_of
from tallystick.model import WIRE_DATA_TYPES
from tallystick.sync import settings
from tallystick.sync.settings import Setting


async def show_client(call: Call) -> Response:
    client_id = call.caller.client_id
    async with call.house.database.transaction() as tx:
        own = await settings.own(tx, client_id=client_id, company_id=None)
        standing = await settings.effective(tx, client_id=client_id, company_id=None)
    return answer(_wire({"clientId": client_id}, standing, overrides=own is not None))


async def save_client(call: Call) -> Response:
    body = await call.json_object()
    client_id = call.caller.client_id
    _must_be(body, "clientId", client_id)
    if not _overrides(body):
        raise BadRequest("overridesDefaults must be true for the client's own settings.")
    await _save(call, body, company_id=None)
    return nothing()


async def show_company(call: Call) -> Response:
    async with call.house.database.transaction() as tx:
        company = await company_of(call, tx)
        keys = {"client_id": company.client_id, "company_id": company.id}
        own = await settings.own(tx, **keys)
        standing = await settings.effective(tx, **keys)
    return answer(_wire({"companyId": company.id}, standing, overrides=own is not None))


async def save_company(call: Call) -> Response:
    async with call.house.database.transaction() as tx:
        company = await company_of(call, tx)
    body = await call.json_object()
    _must_be(body, "companyId", company.id)
    if _overrides(body):
        await _save(call, body, company_id=company.id)
        return nothing()
    async with call.house.database.transaction() as tx:
        await settings.remove(tx, client_id=company.client_id, company_id=company.id)
    return nothing()


async def _save(call: Call, body: Mapping[str, Any], *, company_id: str | None) -> None:
    wanted = settings.parsed(body.get("settings"))
    async with call.house.database.transaction() as tx:
        await settings.save(
            tx,
            client_id=call.caller.client_id,
            company_id=company_id,
            settings=wanted,
            now=call.house.clock.now(),
        )


def _must_be(body: Mapping[str, Any], name: str, wanted: str) -> None:
    """The id inside the body is the one that is asked."""
    given = body.get(name)
    if not isinstance(given, str) or given.lower() != wanted.lower():
        raise BadRequest(f"{name} must be {wanted}.")


def _overrides(body: Mapping[str, Any]) -> bool:
    value = body.get("overridesDefaults")
    if not isinstance(value, bool):
        raise BadRequest("overridesDefaults must be true or false.")
    return value


def _wire(
    whose: Mapping[str, str], standing: Mapping[str, Setting], *, overrides: bool
) -> dict[str, Any]:
    shown = [setting.wire() for setting in standing.values()]
    return {**whose, "settings": shown, "overridesDefaults": overrides}


# --- the table ---

_TRUTH = {"type": "boolean"}
_WHOLE = {"type": "integer", "minimum": 0}
_ID = {"type": "string", "format": "uuid"}
_SETTING = thing(
    ("dataType", "fetchOnFirstLink", "syncSchedule", "syncOrder"),
    dataType={"type": "string", "enum": list(WIRE_DATA_TYPES)},
    fetchOnFirstLink=_TRUTH,
    syncSchedule=_WHOLE,
    syncOrder=_WHOLE,
    syncFromUtc={"type": "string", "format": "date-time"},
    syncFromWindow=_WHOLE,
    monthsToSync=_WHOLE,
    isLocked=_TRUTH,
)


def _settings_of(name: str) -> Mapping[str, Any]:
    return thing(
        (name, "settings", "overridesDefaults"),
        **{name: _ID},
        settings={"type": "array", "items": _SETTING},
        overridesDefaults=_TRUTH,
    )


_OF_CLIENT, _OF_COMPANY = _settings_of("clientId"), _settings_of("companyId")

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        path="/profile/syncSettings",
        handler=show_client,
        summary="Get the client's settings for reads",
        answer=_OF_CLIENT,
        errors=(401, 429, 503),
    ),
    Endpoint(
        method="POST",
        path="/profile/syncSettings",
        handler=save_client,
        summary="Set the client's settings for reads",
        status=204,
        body=_OF_CLIENT,
        errors=(400, 401, 403, 429, 503),
    ),
    Endpoint(
        method="GET",
        path="/companies/{companyId}/syncSettings",
        handler=show_company,
        summary="Get a company's settings for reads",
        answer=_OF_COMPANY,
    ),
    Endpoint(
        method="POST",
        path="/companies/{companyId}/syncSettings",
        handler=save_company,
        summary="Set a company's settings for reads, or give them up",
        status=204,
        body=_OF_COMPANY,
        errors=(400, 401, 403, 404, 429, 503),
    ),
)
