"""Where the customer's browser goes afterwards: a client's address with its placeholders filled.

`https://{shop}.example.com/linked?company={companyId}`: names count their case, values are
URL-encoded, a name without a value is empty. What goes into the host must be allowed by a list.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from tallystick.companies.connections import Connection, shown_name
from tallystick.lib.ids import derived_id

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*")
_CUSTOM_MAX = 50
_CUSTOM_CHARACTERS_MAX = 4000
# Parameters of the link itself: they are meant for us.
_OURS = frozenset({"otp", "openId"})


class RedirectRefused(ValueError):
    """The filled address is not one that a customer may be sent to."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a visit ended: 200 linked, 201 nothing new, 403 cancelled, 501 not supported, 500 else.

    `status_text` is the platform's own text.
    """

    status_code: int
    status_text: str = ""

    @property
    def message(self) -> str:
        return _MESSAGES[self.status_code]

    def kept(self) -> dict[str, Any]:
        """As a visit remembers it."""
        return {"statusCode": self.status_code, "statusText": self.status_text}

    @staticmethod
    def of(kept: Mapping[str, Any]) -> "Outcome":
        return Outcome(kept["statusCode"], kept["statusText"])


_MESSAGES = {
    200: "",
    201: "",
    403: "User cancelled",
    500: "Unknown error occurred",
    501: "Not supported",
}

LINKED = Outcome(200)
NOTHING_NEW = Outcome(201)


def custom_parameters(query: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What a link carries for the redirect; the last one where a name is repeated.

    Anybody may open a link, and every visit is stored with them, so they are few and short.
    """
    found: dict[str, str] = {}
    left = _CUSTOM_CHARACTERS_MAX
    for name, value in query:
        ours = name in _OURS or name.startswith("link.")
        # PostgreSQL's jsonb holds no NUL.
        fits = len(name) + len(value) <= left and "\0" not in name + value
        if name and fits and not ours and (name in found or len(found) < _CUSTOM_MAX):
            found[name] = value
            left -= len(name) + len(value)
    return found


def reserved(connection: Connection, outcome: Outcome) -> dict[str, str]:
    """The names that always mean the same; a link's own parameters cannot take their place."""
    platform = connection.platform
    source_type = platform.source_type.lower()
    return {
        "clientId": connection.client_id,
        "companyId": connection.company_id,
        "connectionId": connection.id,
        "integrationId": derived_id("integration", platform.key),
        "sourceId": derived_id("source", platform.key),
        "platform": platform.key,
        "platformName": shown_name(platform, simulated=connection.simulated),
        "sourceType": source_type,
        "integrationType": source_type,
        "statusCode": str(outcome.status_code),
        "statusText": outcome.status_text,
        "errorMessage": outcome.message,
        "data.company.companyName": connection.organisation_name or "",
    }


def filled(
    template: str,
    *,
    reserved: Mapping[str, str],
    custom: Mapping[str, str],
    allowed: Sequence[str],
) -> str:
    """The address with every placeholder filled.

    Raises:
        RedirectRefused: it is no web address, or its host came from the link and is not allowed.
    """
    values = {**custom, **reserved}
    url = _PLACEHOLDER.sub(lambda found: quote(values.get(found[1], ""), safe=""), template)
    in_host = _PLACEHOLDER.findall(_before_path(template))
    origin = _origin(url)
    if any(name in reserved for name in in_host):
        raise RedirectRefused("A reserved name stands in the host of the redirect address.")
    if in_host and not any(_covers(entry, url, origin) for entry in allowed):
        raise RedirectRefused("The redirect address is not among the allowed ones.")
    return url


def _before_path(template: str) -> str:
    """Scheme, host and port: everything that decides who is called."""
    scheme, separator, rest = template.partition("://")
    return f"{scheme}{separator}{re.split(r'[/?#]', rest, maxsplit=1)[0]}" if separator else scheme


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError as error:
        raise RedirectRefused("The redirect address is not valid.") from error
    if scheme not in {"https", "http"} or not _HOST.fullmatch(host) or "@" in parts.netloc:
        raise RedirectRefused("The redirect address is not a web address.")
    return scheme, host, port or {"https": 443, "http": 80}[scheme]


def _covers(entry: str, url: str, origin: tuple[str, str, int | None]) -> bool:
    """Whether an allowed address covers one: the same place, and its path or one below it."""
    try:
        if _origin(entry) != origin:
            return False
    except RedirectRefused:
        return False
    below, path = urlsplit(entry).path.rstrip("/"), urlsplit(url).path
    if ".." in path.split("/"):
        return False
    return not below or path == below or path.startswith(f"{below}/")
