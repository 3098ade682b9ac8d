"""Shapes of what the routes of companies, connections and keys take and give, for documentation."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_TEXT: Schema = {"type": "string"}
_ID: Schema = {"type": "string", "format": "uuid"}
_URI: Schema = {"type": "string", "format": "uri"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_TRUTH: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TAGS: Schema = {
    "type": "object",
    "maxProperties": 10,
    "additionalProperties": {"type": "string", "maxLength": 100},
}


def _nullable(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def thing(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """An object with these properties."""
    shape: dict[str, Any] = {"type": "object", "properties": properties}
    return {**shape, "required": list(required)} if required else shape


_HREF = thing(("href",), href=_TEXT)


def page_of(item: Schema) -> Schema:
    """One page of a list."""
    return thing(
        ("results", "pageNumber", "pageSize", "totalResults", "_links"),
        results=_list(item),
        pageNumber={"type": "integer", "minimum": 1},
        pageSize={"type": "integer", "minimum": 1, "maximum": 5000},
        totalResults=_COUNT,
        _links=thing(("self", "current"), self=_HREF, current=_HREF, next=_HREF, previous=_HREF),
    )


ERROR = thing(
    ("statusCode", "service", "error", "correlationId", "canBeRetried", "detailedErrorCode"),
    statusCode={"type": "integer"},
    service=_TEXT,
    error=_TEXT,
    correlationId={"type": "string", "pattern": "^[0-9a-f]{32}$"},
    canBeRetried={"type": "string", "enum": ["True", "False", "Unknown"]},
    detailedErrorCode={"type": "integer"},
    validation=_nullable(
        thing(
            errors=_list(thing(itemId=_TEXT, message=_TEXT, validatorName=_TEXT)),
            warnings=_list(thing(itemId=_TEXT, message=_TEXT, validatorName=_TEXT)),
        )
    ),
)

_SOURCE_TYPE: Schema = {
    "type": "string",
    "enum": ["Accounting", "Banking", "BankFeed", "Commerce", "Expense", "Other", "Unknown"],
}
_FAULT = thing(
    statusCode=_TEXT,
    statusText=_TEXT,
    errorMessage=_TEXT,
    erroredOnUtc=_MOMENT,
    status={"type": ["string", "null"], "enum": ["Active", "Resolved", None]},
    resolvedOnUtc=_MOMENT,
)
CONNECTION = thing(
    (
        "id",
        "integrationId",
        "integrationKey",
        "sourceId",
        "sourceType",
        "platformName",
        "linkUrl",
        "status",
        "created",
    ),
    id=_ID,
    integrationId=_ID,
    integrationKey={"type": "string", "minLength": 4, "maxLength": 4},
    sourceId=_ID,
    sourceType=_SOURCE_TYPE,
    platformName=_TEXT,
    linkUrl=_URI,
    status={"type": "string", "enum": ["PendingAuth", "Linked", "Unlinked", "Deauthorized"]},
    lastSync=_MOMENT,
    created=_MOMENT,
    dataConnectionErrors=_list(_FAULT),
    connectionInfo={"type": "object", "additionalProperties": {"type": "string"}},
)
CONNECTION_REQUEST = thing(
    ("platformKey",), platformKey={"type": "string", "pattern": "^[a-z]{4}$"}
)
CONNECTION_STATUS = thing(("status",), status={"type": "string", "enum": ["Unlinked"]})

COMPANY = thing(
    ("id", "name", "redirect"),
    id=_ID,
    name=_TEXT,
    description=_TEXT,
    redirect=_URI,
    lastSync=_MOMENT,
    created=_MOMENT,
    createdByUserName=_nullable(_TEXT),
    products=_list(_TEXT),
    tags=_TAGS,
    ownerUserIds=_list(_ID),
    referenceSubsidiaryCompanies=_list({"type": "object"}),
    dataConnections=_list(CONNECTION),
)
COMPANY_REQUEST = thing(
    ("name",), name={"type": "string", "minLength": 1}, description=_nullable(_TEXT), tags=_TAGS
)
COMPANY_CHANGE = thing(name=_nullable(_TEXT), description=_nullable(_TEXT), tags=_TAGS)

INTEGRATION = thing(
    ("key", "logoUrl", "name", "enabled"),
    key=_TEXT,
    logoUrl=_URI,
    name=_TEXT,
    enabled=_TRUTH,
    sourceId=_ID,
    sourceType=_SOURCE_TYPE,
    integrationId=_ID,
    isOfflineConnector=_TRUTH,
    isBeta=_TRUTH,
    dataProvidedBy=_TEXT,
    datatypeFeatures=_list(
        thing(
            ("supportedFeatures",),
            dataType=_TEXT,
            supportedFeatures=_list(
                thing(("featureType", "featureState"), featureType=_TEXT, featureState=_TEXT)
            ),
        )
    ),
)
_PICTURE = thing(image=thing(src=_URI, alt=_TEXT))
BRANDING = thing(
    logo=thing(full=_PICTURE, square=_PICTURE),
    button=thing(default=_PICTURE, hover=_PICTURE),
    sourceId=_ID,
)

API_KEY = thing(id=_ID, name=_nullable(_TEXT), apiKey=_TEXT, createdDate=_MOMENT)
API_KEY_REQUEST = thing(name={"type": ["string", "null"], "maxLength": 50})
ACCESS_TOKEN = thing(
    ("accessToken", "expiresIn", "tokenType"),
    accessToken=_TEXT,
    expiresIn=_COUNT,
    tokenType=_TEXT,
)
LEGACY_ACCESS_TOKEN = thing(("accessToken",), accessToken=_TEXT)
PROFILE = thing(
    ("name", "redirectUrl"),
    name={"type": "string", "minLength": 1},
    logoUrl=_TEXT,
    iconUrl=_TEXT,
    redirectUrl=_TEXT,
    whiteListUrls=_list(_TEXT),
)
ALLOWED_ORIGINS = thing(allowedOrigins=_list(_URI))
HEALTH = thing(
    ("status", "checks"),
    status={"type": "string", "enum": ["ready", "degraded", "unavailable"]},
    checks=_list(thing(("name", "ready", "detail"), name=_TEXT, ready=_TRUTH, detail=_TEXT)),
)
