"""Routes of the platforms a customer may connect."""

from collections.abc import Mapping
from html import escape
from typing import Any

from starlette.responses import Response

from tallystick.companies.connections import shown_name
from tallystick.connectors.contract import Connector
from tallystick.connectors.registry import PLATFORMS, Platform
from tallystick.errors import NotFound
from tallystick.http.endpoint import Call, Endpoint, answer
from tallystick.http.listing import asked_for
from tallystick.http.paging import paged, paging
from tallystick.http.schemas import BRANDING, INTEGRATION, page_of
from tallystick.lib.ids import derived_id
from tallystick.model import DATA_TYPES
from tallystick.query.fields import Kind, column, table
from tallystick.query.matches import Plain

FIELDS = table(
    "Integration",
    column("key", Kind.WORD),
    column("name", Kind.TEXT),
    column("enabled", Kind.TRUTH),
    column("sourceId", Kind.WORD),
    column("sourceType", Kind.WORD),
    column("integrationId", Kind.WORD),
    column("isOfflineConnector", Kind.TRUTH),
    column("isBeta", Kind.TRUTH),
    column("dataProvidedBy", Kind.TEXT),
)
_ATTACHMENT_FEATURES = ("GetAttachments", "GetAttachment", "DownloadAttachment", "UploadAttachment")


async def list_integrations(call: Call) -> Response:
    asked = paging(call)
    platforms = [_wire(call, platform) for platform in PLATFORMS.values()]
    found = asked_for(call, platforms, values=_values, fields=FIELDS)
    page = found[asked.offset : asked.offset + asked.page_size]
    return paged(call, page, asked, len(found))


async def show(call: Call) -> Response:
    return answer(_wire(call, _platform(call)))


async def branding(call: Call) -> Response:
    platform = _platform(call)
    image = {"image": {"src": _logo_url(call, platform), "alt": f"{platform.name} logo"}}
    return answer(
        {
            "logo": {"full": image, "square": image},
            "button": {"default": image, "hover": image},
            "sourceId": derived_id("source", platform.key),
        }
    )


async def logo(call: Call) -> Response:
    """The platform's name in plain letters: its own logo is not ours to give away."""
    return Response(
        _LOGO.format(name=escape(_platform(call).name)),
        media_type="image/svg+xml",
        headers={"Cache-Control": "public, max-age=86400"},
    )


_LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 80" role="img" aria-label="{name}">'
    '<rect width="240" height="80" rx="8" fill="#f2f4f7"/>'
    '<text x="120" y="47" text-anchor="middle" font-family="system-ui,sans-serif" font-size="22" '
    'fill="#1d2939">{name}</text></svg>'
)


def _platform(call: Call) -> Platform:
    key = call.path("platformKey")
    platform = PLATFORMS.get(key.lower())
    if platform is None:
        raise NotFound(f"No integration was found with key {key}")
    return platform


def _wire(call: Call, platform: Platform) -> dict[str, Any]:
    app = call.house.settings.platforms.get(platform.key)
    connector = call.house.connectors.get(platform.key)
    return {
        "key": platform.key,
        "logoUrl": _logo_url(call, platform),
        "name": shown_name(platform, simulated=app is not None and app.simulated),
        "enabled": app is not None and connector is not None,
        "sourceId": derived_id("source", platform.key),
        "sourceType": platform.source_type,
        "integrationId": derived_id("integration", platform.key),
        "isOfflineConnector": platform.offline,
        "isBeta": False,
        "dataProvidedBy": platform.name,
        "datatypeFeatures": [] if connector is None else _features(connector),
    }


def _features(connector: Connector[Any, Any]) -> list[dict[str, Any]]:
    listed = []
    for record in DATA_TYPES:
        names = [
            *(("Get",) if connector.read_of(record.key) else ()),
            *(("Post",) if connector.write_of(record.key) else ()),
            *(_ATTACHMENT_FEATURES if _holds_files(connector, record.key) else ()),
        ]
        if names:
            features = [{"featureType": name, "featureState": "Release"} for name in names]
            listed.append({"dataType": record.key, "supportedFeatures": features})
    return listed


def _holds_files(connector: Connector[Any, Any], data_type: str) -> bool:
    return connector.attachments is not None and data_type in connector.attachments.holders


def _logo_url(call: Call, platform: Platform) -> str:
    return f"{call.house.settings.public_url}/integrations/{platform.key}/logo.svg"


def _values(integration: dict[str, Any]) -> Mapping[str, Plain]:
    return {name: integration[name] for name in FIELDS}


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        path="/integrations",
        handler=list_integrations,
        summary="List platforms, those that cannot be connected yet too",
        answer=page_of(INTEGRATION),
        query=("page", "pageSize", "query", "orderBy"),
        errors=(400, 401, 429, 503),
        by_token=True,
    ),
    Endpoint(
        method="GET",
        path="/integrations/{platformKey}",
        handler=show,
        summary="Get a platform",
        answer=INTEGRATION,
        by_token=True,
    ),
    Endpoint(
        method="GET",
        path="/integrations/{platformKey}/branding",
        handler=branding,
        summary="Get a platform's pictures",
        answer=BRANDING,
        by_token=True,
    ),
    Endpoint(
        method="GET",
        path="/integrations/{platformKey}/logo.svg",
        handler=logo,
        summary="A platform's name as a picture",
        errors=(404,),
        open=True,
    ),
)
