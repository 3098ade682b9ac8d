"""Pages of a list: what a caller may ask for, and the links between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from tallystick.errors import BadRequest
from tallystick.http.endpoint import Call, answer

PAGE_SIZE_DEFAULT = 100
PAGE_SIZE_MAX = 5000
_PAGE_MAX = 2**31 - 1  # keeps page times page size inside the database's bigint


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page; pages count from 1."""

    page: int
    page_size: int

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.page_size


def paging(call: Call) -> Paging:
    """What the query parameters ask for.

    Raises:
        BadRequest: not whole numbers, or out of range.
    """
    # Older descriptions of the API count pages from 0, so 0 means the first one.
    page = max(1, _whole(call, "page", 1, least=0, most=_PAGE_MAX))
    size = _whole(call, "pageSize", PAGE_SIZE_DEFAULT, least=1, most=PAGE_SIZE_MAX)
    return Paging(page, size)


def _whole(call: Call, name: str, default: int, *, least: int, most: int) -> int:
    text = call.param(name)
    if text is None:
        return default
    fits = text.isascii() and text.isdecimal() and len(text) <= len(str(most))
    if not fits or not least <= int(text) <= most:
        raise BadRequest(f"{name} must be a whole number from {least} to {most}.")
    return int(text)


def links(call: Call, asked: Paging, total: int) -> dict[str, dict[str, str]]:
    """Relative addresses of this page and its neighbours; neighbours only where there are some."""
    path = call.raw_path
    sent = call.request.scope["query_string"].decode("latin-1")
    last = max(1, -(-total // asked.page_size))
    found = {"self": path, "current": f"{path}?{sent}" if sent else path}
    if asked.page < last:
        found["next"] = _at(call, path, asked, asked.page + 1)
    if asked.page > 1:
        found["previous"] = _at(call, path, asked, min(asked.page - 1, last))
    return {name: {"href": href} for name, href in found.items()}


def _at(call: Call, path: str, asked: Paging, page: int) -> str:
    others = [
        (name, value)
        for name, value in call.request.query_params.multi_items()
        if name.lower() not in {"page", "pagesize"}
    ]
    numbers = [("page", str(page)), ("pageSize", str(asked.page_size))]
    return f"{path}?{urlencode([*numbers, *others])}"


def paged(call: Call, results: Sequence[Any], asked: Paging, total: int) -> Response:
    """One page of a list as the API answers it."""
    return answer(
        {
            "results": list(results),
            "pageNumber": asked.page,
            "pageSize": asked.page_size,
            "totalResults": total,
            "_links": links(call, asked, total),
        }
    )
