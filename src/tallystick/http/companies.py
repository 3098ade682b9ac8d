"""Routes of companies."""

import re
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from tallystick.companies import companies, connections, search
from tallystick.companies.companies import Company
from tallystick.companies.connections import Connection
from tallystick.db.pool import Tx
from tallystick.errors import BadRequest, Problem
from tallystick.http.endpoint import Call, Endpoint, answer, nothing
from tallystick.http.paging import paged, paging
from tallystick.http.schemas import COMPANY, COMPANY_CHANGE, COMPANY_REQUEST, page_of
from tallystick.http.scope import company_of
from tallystick.query import language, order

NAME_LENGTH_MAX = 500
DESCRIPTION_LENGTH_MAX = 10_000
TAGS_MAX = 10
TAG_LENGTH_MAX = 100

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9\s\-',&@.?!]", re.ASCII)


async def list_companies(call: Call) -> Response:
    asked = paging(call)
    query, tags = call.param("query"), call.param("tags")
    by = order.parse(call.param("orderBy"), search.FIELDS, default="created")
    async with call.house.database.transaction() as tx:
        found = await search.page(
            tx,
            client_id=call.caller.client_id,
            query=language.parse(query) if query else None,
            tags=language.parse(tags) if tags else None,
            order=by,
            limit=asked.page_size,
            offset=asked.offset,
        )
        linked = await connections.of_companies(tx, [company.id for company in found.companies])
    shown = [_wire(call, company, linked.get(company.id, [])) for company in found.companies]
    return paged(call, shown, asked, found.total)


async def create(call: Call) -> Response:
    body = await call.json_object()
    async with call.house.database.transaction() as tx:
        company = await companies.create(
            tx,
            client_id=call.caller.client_id,
            name=_name(body),
            description=_description(body),
            tags=_tags(body) or {},
            created_by=None,
            now=call.house.clock.now(),
        )
        return await call.keep(tx, answer(_wire(call, company, [])))


async def show(call: Call) -> Response:
    async with call.house.database.transaction() as tx:
        return await _shown(call, tx, await company_of(call, tx))


async def replace(call: Call) -> Response:
    """Everything a caller may set: what is not sent is cleared."""
    body = await call.json_object()
    async with call.house.database.transaction() as tx:
        company = await companies.replace(
            tx,
            client_id=call.caller.client_id,
            company_id=call.path("companyId"),
            name=_name(body),
            description=_description(body),
            tags=_tags(body) or {},
        )
        return await _shown(call, tx, company)


async def update(call: Call) -> Response:
    """What is sent; null is as good as nothing."""
    body = await call.json_object()
    async with call.house.database.transaction() as tx:
        company = await companies.update(
            tx,
            client_id=call.caller.client_id,
            company_id=call.path("companyId"),
            name=None if body.get("name") is None else _name(body),
            description=_description(body),
            tags=_tags(body),
        )
        return await _shown(call, tx, company)


async def delete(call: Call) -> Response:
    async with call.house.database.transaction() as tx:
        await companies.delete(
            tx,
            client_id=call.caller.client_id,
            company_id=call.path("companyId"),
            now=call.house.clock.now(),
        )
    return nothing()


async def _shown(call: Call, tx: Tx, company: Company) -> Response:
    return answer(_wire(call, company, await connections.of_company(tx, company.id)))


def _wire(call: Call, company: Company, linked: list[Connection]) -> dict[str, Any]:
    public_url = call.house.settings.public_url
    shown = [connections.wire(one, one.platform, public_url) for one in linked]
    return companies.wire(company, shown, public_url)


# --- what a caller sends ---


def _name(body: Mapping[str, Any]) -> str:
    """The name without the characters that names may not have: they are taken out, not refused."""
    given = body.get("name")
    name = _NOT_IN_NAMES.sub("", given).strip() if isinstance(given, str) else ""
    if not name:
        raise _refused("Name", "The company needs a name with at least one letter or digit.")
    if len(name) > NAME_LENGTH_MAX:
        raise _refused("Name", f"The name may have {NAME_LENGTH_MAX} characters.")
    return name


def _description(body: Mapping[str, Any]) -> str | None:
    given = body.get("description")
    if given is not None and not isinstance(given, str):
        raise _refused("Description", "The description must be text.")
    if given and len(given) > DESCRIPTION_LENGTH_MAX:
        raise _refused(
            "Description", f"The description may have {DESCRIPTION_LENGTH_MAX} characters."
        )
    return given


def _tags(body: Mapping[str, Any]) -> dict[str, str] | None:
    given = body.get("tags")
    if given is None:
        return None
    if not isinstance(given, dict) or not all(isinstance(v, str) for v in given.values()):
        raise _refused("Tags", "Tags must be an object of names and texts.")
    if len(given) > TAGS_MAX:
        raise _refused("Tags", f"A company may have {TAGS_MAX} tags.")
    for key, value in given.items():
        if not key.strip() or len(key) > TAG_LENGTH_MAX or len(value) > TAG_LENGTH_MAX:
            raise _refused(
                "Tags", f"Names and values of tags may have {TAG_LENGTH_MAX} characters."
            )
    return dict(given)


def _refused(item_id: str, message: str) -> BadRequest:
    return BadRequest(message, problems=[Problem(item_id, message, "Company")])


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        path="/companies",
        handler=list_companies,
        summary="List companies",
        answer=page_of(COMPANY),
        query=("page", "pageSize", "query", "orderBy", "tags"),
        errors=(400, 401, 429, 503),
    ),
    Endpoint(
        method="POST",
        path="/companies",
        handler=create,
        summary="Create a company",
        body=COMPANY_REQUEST,
        answer=COMPANY,
        errors=(400, 401, 402, 429, 503),
        writes=True,
    ),
    Endpoint(
        method="GET",
        path="/companies/{companyId}",
        handler=show,
        summary="Get a company",
        answer=COMPANY,
    ),
    Endpoint(
        method="PUT",
        path="/companies/{companyId}",
        handler=replace,
        summary="Replace a company",
        body=COMPANY_REQUEST,
        answer=COMPANY,
        errors=(400, 401, 404, 429, 503),
    ),
    Endpoint(
        method="PATCH",
        path="/companies/{companyId}",
        handler=update,
        summary="Change a company",
        body=COMPANY_CHANGE,
        answer=COMPANY,
        errors=(400, 401, 404, 429, 503),
    ),
    Endpoint(
        method="DELETE",
        path="/companies/{companyId}",
        handler=delete,
        summary="Delete a company and everything that was kept for it",
        status=204,
    ),
)
