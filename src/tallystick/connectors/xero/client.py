"""How one talks to Xero: addresses, headers, the two ways it pages, and what its answers mean."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from tallystick.connectors.contract import Access, Page, Raw
from tallystick.connectors.http import Answer, AnswerTooLarge, Call, request, retry_at
from tallystick.connectors.xero.refusals import problems
from tallystick.errors import (
    Missing,
    NotPermitted,
    PlatformError,
    RateLimited,
    Refused,
    Unauthorized,
    Unreachable,
)
from tallystick.lib import json

API_URL = "https://api.xero.com"
PAGE_SIZE = 100
# How often a list is walked again because somebody added to it meanwhile.
_WALKS_MOST = 3
# What one page may weigh: some ten times of it are held while it is mapped.
_PAGE_BYTES_MAX = 16 * 1024 * 1024
# Said of a request on its way or of one that is still worked on: not of what became of it.
_UNDECIDED = {408, 409, 425}


class XeroClient:
    """One organisation's accounting API; every call either gives JSON or raises a verdict."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._base = f"{(access.base_url or API_URL).rstrip('/')}/api.xro/2.0"

    @property
    def now(self) -> datetime:
        return self._access.clock.now()

    async def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        since: datetime | None = None,
        size_bytes_max: int = 32 * 1024 * 1024,
    ) -> Answer:
        headers = {} if since is None else {"If-Modified-Since": _modified_since(since)}
        return await self._call(
            "GET", path, params=params or {}, headers=headers, size_bytes_max=size_bytes_max
        )

    async def put(self, path: str, params: Mapping[str, str], *, key: str, body: Raw) -> Raw:
        """Create; `key` is the operation's, which Xero takes for the same request only once."""
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        answer = await self._call(
            "PUT", path, params=params, headers=headers, content=json.dumps(body)
        )
        return answer.json()

    async def upload(self, path: str, *, key: str, content_type: str, content: bytes) -> Raw:
        headers = {"Idempotency-Key": key, "Content-Type": content_type}
        answer = await self._call("PUT", path, params={}, headers=headers, content=content)
        return answer.json()

    async def download(self, path: str, *, content_type: str, size_bytes_max: int) -> bytes:
        """A file as it is, asked for as Xero's OpenAPI has it: its own type in `contentType`."""
        headers = {"contentType": content_type, "Accept": "application/octet-stream"}
        answer = await self._call(
            "GET", path, params={}, headers=headers, size_bytes_max=size_bytes_max
        )
        return answer.body

    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str],
        headers: Mapping[str, str],
        content: bytes | None = None,
        size_bytes_max: int = 32 * 1024 * 1024,
    ) -> Answer:
        call = Call(
            method,
            f"{self._base}{path}",
            params=params,
            # Without Accept the answer is XML.
            headers={
                "Accept": "application/json",
                "xero-tenant-id": self._access.organisation_id,
                **headers,
            },
            content=content,
            size_bytes_max=size_bytes_max,
            endpoint=path.split("/")[1],
        )
        answer = await request(self._access, call, platform="xero", token_refused=_token_refused)
        await self._heed(answer)
        return answer

    async def _heed(self, answer: Answer) -> None:
        """Raise what the answer means, and tell the others who share the limits."""
        error = refusal(answer, now=self.now)
        if isinstance(error, RateLimited):
            await self._access.permit.refused(until=error.until, limit=error.limit)
        elif answer.status == 503 and "retry-after" in answer.headers:
            # Nobody knows whether a write was done, so the verdict stays Unreachable; but the next
            # call, the one that looks, waits as Xero asks.
            until = retry_at(answer.headers, now=self.now, default=timedelta(minutes=1))
            await self._access.permit.refused(until=until, limit="unavailable")
        if error:
            raise error


def step(text: str) -> str:
    """An id or a name as one step of a path."""
    return quote(text, safe="")


def _modified_since(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


# --- what answers mean ---


def refusal(answer: Answer, *, now: datetime) -> PlatformError | None:
    """The one table from Xero's answers to our errors; None where it did what was asked."""
    status, text = answer.status, _text(answer)
    error: PlatformError
    if 200 <= status < 300:
        return None
    match status:
        case 401:
            error = _unauthorized(text)
        case 403:
            error = _forbidden(text)
        case 404:
            error = Missing("Xero has no such record.")
        case 429:
            error = _limited(answer, now)
        case _ if 400 <= status < 500 and status not in _UNDECIDED:
            error = _refused(answer)
        case _:
            error = Unreachable(f"Xero answered {status}.", sent=True)
    return error


def _token_refused(answer: Answer) -> bool:
    """Whether another token may help; one that lacks a scope will lack it again."""
    return answer.status == 401 and "AuthorizationUnsuccessful" not in _text(answer)


def _unauthorized(text: str) -> PlatformError:
    if "AuthorizationUnsuccessful" in text:
        return NotPermitted("The customer's permission does not reach this part of Xero.")
    return Unauthorized("Xero does not accept the token.")


def _forbidden(text: str) -> PlatformError:
    """Xero uses 403 for an organisation that was disconnected and for a user without rights."""
    if "AuthenticationUnsuccessful" in text:
        return Unauthorized("The organisation is no longer connected to this app.")
    return NotPermitted("Xero does not permit this to the user who linked the organisation.")


def _limited(answer: Answer, now: datetime) -> RateLimited:
    limit = answer.headers.get("x-rate-limit-problem", "").strip().lower() or "minute"
    default = timedelta(hours=1) if limit == "day" else timedelta(minutes=1)
    until = retry_at(answer.headers, now=now, default=default)
    return RateLimited(f"Xero's {limit} limit is used up.", until=until, limit=limit)


def _refused(answer: Answer) -> PlatformError:
    try:
        body = answer.json()
    except Unreachable:
        body = {}
    found = problems(body)
    message = body.get("Message") if isinstance(body, dict) else None
    first = found[0].message if found else None
    return Refused(first or str(message or f"Xero refused it ({answer.status})."), problems=found)


def _text(answer: Answer) -> str:
    return answer.body[:4096].decode("utf-8", "replace") if answer.status >= 400 else ""


# --- paging ---

R = TypeVar("R")
Pages = Callable[[XeroClient, datetime | None, str | None], AsyncIterator[Page]]


def records_of(body: Raw, collection: str) -> tuple[Raw, ...]:
    """The records of an answer.

    Raises:
        Unreachable: there is no such list in it.
    """
    records = body.get(collection) if isinstance(body, dict) else None
    if not isinstance(records, list):
        raise Unreachable(f"Xero's answer holds no {collection}.", sent=True)
    return tuple(records)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a walk through pages stands: how many distinct records it met, and the last of them.

    `start` counts the records before this page, which has `size` of them; `whole` is the size of
    a page where none is too large.
    """

    whole: int
    size: int
    walk: int = 1
    start: int = 0
    met: int = 0
    last_id: str = ""

    @property
    def page(self) -> int:
        return self.start // self.size + 1

    def text(self) -> str:
        return f"{self.size}.{self.walk}.{self.start}.{self.met}.{self.last_id}"

    @classmethod
    def of(cls, cursor: str | None, whole: int) -> "_Place":
        if cursor is None:
            return cls(whole, whole)
        *numbers, last_id = cursor.split(".", 4)
        size, walk, start, met = map(int, numbers)
        return cls(whole, size, walk, start, met, last_id)

    def fresh(self, ids: list[str]) -> list[str]:
        """Without those up to the last record met, which were met before."""
        return ids[ids.index(self.last_id) + 1 :] if self.last_id in ids else ids

    def after(self, ids: list[str]) -> "_Place":
        """The place after a page; in whole pages again where one can start here."""
        start = self.start + self.size
        return replace(
            self,
            start=start,
            size=self.size if start % self.whole else self.whole,
            met=self.met + len(self.fresh(ids)),
            last_id=ids[-1] if ids else self.last_id,
        )

    def again(self) -> "_Place | None":
        """The start of the next walk, if there is to be one."""
        if self.walk >= _WALKS_MOST:
            return None
        return _Place(self.whole, self.whole, walk=self.walk + 1)

    def finer(self) -> "_Place | None":
        """The same place in pages of a tenth, or of one record."""
        if self.size == 1:
            return None
        return replace(self, size=1 if self.size % 10 else self.size // 10)


def paged(
    path: str, collection: str, *, id_field: str, page_size: int = PAGE_SIZE, **params: str
) -> Pages:
    """A list given in numbered pages, of what changed since a moment.

    Ordered by the id, which never changes: nobody's edit moves a record to a page that was read
    already, as it would in the default order. A record added meanwhile pushes others to a later
    page, where they come again; one added before our place is missed, so when Xero counts more
    records than were met the list is walked again. What is missed even then leaves a gap, which
    is said; it comes with the next read, whose window overlaps.
    """
    asked = {**params, "order": f"{id_field} ASC"}

    async def page_at(
        client: XeroClient, since: datetime | None, place: _Place
    ) -> tuple[_Place, Answer]:
        while True:
            numbered = {"pageSize": str(place.size), "page": str(place.page)}
            try:
                return place, await client.get(
                    path, {**asked, **numbered}, since=since, size_bytes_max=_PAGE_BYTES_MAX
                )
            except AnswerTooLarge:
                finer = place.finer()
                if finer is None:
                    raise
                place = finer

    async def pages(
        client: XeroClient, since: datetime | None, cursor: str | None
    ) -> AsyncIterator[Page]:
        place: _Place | None = _Place.of(cursor, page_size)
        while place is not None:
            here, answer = await page_at(client, since, place)
            body = answer.json()
            raws, told = records_of(body, collection), _pagination(body)
            ids = [_id(raw, id_field) for raw in raws]
            place = _next(here, ids, told)
            yield Page(
                raws,
                cursor=None if place is None else place.text(),
                requested_at=answer.requested_at,
                total=told.get("itemCount"),
                gaps="" if place else _gaps(here, ids, told),
            )

    return pages


def _next(place: _Place, ids: list[str], told: Mapping[str, int]) -> _Place | None:
    # A page with nothing new leads nowhere: whoever always answers the same has no last page.
    if place.fresh(ids) and _more(place, ids, told):
        return place.after(ids)
    return place.again() if _gaps(place, ids, told) else None


def _more(place: _Place, ids: list[str], told: Mapping[str, int]) -> bool:
    page_count = told.get("pageCount")
    return place.page < page_count if page_count is not None else len(ids) >= place.size


def _gaps(place: _Place, ids: list[str], told: Mapping[str, int]) -> str:
    """What may be missing if this is the last page."""
    count, met = told.get("itemCount", 0), place.after(ids).met
    if count > met:
        return f"Xero counts {count} records and showed {met}."
    return "Xero's list has no end." if _more(place, ids, told) else ""


def _pagination(body: Any) -> Mapping[str, int]:
    block = body.get("pagination")
    if not isinstance(block, dict):
        return {}
    return {key: number for key, number in block.items() if isinstance(number, int)}


def _id(raw: Raw, id_field: str) -> str:
    return str(raw.get(id_field, "")) if isinstance(raw, dict) else ""


def whole(path: str, collection: str, **params: str) -> Pages:
    """A list that comes in one answer."""

    async def pages(
        client: XeroClient, since: datetime | None, cursor: str | None
    ) -> AsyncIterator[Page]:
        del since, cursor
        answer = await client.get(path, params)
        yield Page(
            records_of(answer.json(), collection), cursor=None, requested_at=answer.requested_at
        )

    return pages
