"""Routes of a company's connections."""

from collections.abc import Mapping

from starlette.background import BackgroundTask
from starlette.responses import Response

from tallystick.companies import connections, grants
from tallystick.companies.connections import Connection
from tallystick.db.pool import Tx
from tallystick.errors import BadRequest
from tallystick.http.endpoint import Call, Endpoint, answer, nothing
from tallystick.http.listing import asked_for
from tallystick.http.paging import paged, paging
from tallystick.http.schemas import CONNECTION, CONNECTION_REQUEST, CONNECTION_STATUS, page_of
from tallystick.http.scope import company_of, connection_of
from tallystick.query.fields import Kind, column, table
from tallystick.query.matches import Plain

FIELDS = table(
    "Connection",
    column("id", Kind.WORD),
    column("integrationId", Kind.WORD),
    column("integrationKey", Kind.WORD),
    column("sourceId", Kind.WORD),
    column("sourceType", Kind.WORD),
    column("platformName", Kind.TEXT),
    column("status", Kind.WORD),
    column("created", Kind.MOMENT),
    column("lastSync", Kind.MOMENT),
)


async def list_connections(call: Call) -> Response:
    asked = paging(call)
    async with call.house.database.transaction() as tx:
        company = await company_of(call, tx)
        held = await connections.of_company(tx, company.id)
    found = asked_for(call, held, values=_values, fields=FIELDS)
    page = found[asked.offset : asked.offset + asked.page_size]
    return paged(call, [_wire(call, one) for one in page], asked, len(found))


async def create(call: Call) -> Response:
    key = _platform_key(await call.json())
    # Refused by name where the platform is not built, and where nobody registered an app there.
    call.house.reach.connector(key)
    call.house.reach.app(key)
    async with call.house.database.transaction() as tx:
        company = await company_of(call, tx)
        connection = await connections.create(
            tx,
            company=company,
            platform_key=key,
            simulated=call.house.settings.platforms[key].simulated,
            now=call.house.clock.now(),
        )
        return await call.keep(tx, answer(_wire(call, connection)))


async def show(call: Call) -> Response:
    async with call.house.database.transaction() as tx:
        connection = await connection_of(call, tx)
    return answer(_wire(call, connection))


async def unlink(call: Call) -> Response:
    body = await call.json_object()
    if body.get("status") != connections.Status.Unlinked.value:
        raise BadRequest('The only status that can be set is "Unlinked".')
    async with call.house.database.transaction() as tx:
        connection = await connection_of(call, tx)
        grant = await _farewell(call, tx, connection)
        moved = await connections.unlinked(tx, connection, now=call.house.clock.now())
    response = answer(_wire(call, moved))
    response.background = grant
    return response


async def delete(call: Call) -> Response:
    async with call.house.database.transaction() as tx:
        connection = await connection_of(call, tx)
        grant = await _farewell(call, tx, connection)
        await connections.delete(tx, connection, now=call.house.clock.now())
    response = nothing(200)
    response.background = grant
    return response


async def authorise(call: Call) -> Response:
    """Bringing tokens from elsewhere: known to the reference, refused here."""
    async with call.house.database.transaction() as tx:
        connection = await connection_of(call, tx)
    raise BadRequest(
        f"{connection.platform.name} cannot be authorised with tokens from elsewhere: "
        "send the customer to the connection's linkUrl."
    )


def _platform_key(body: object) -> str:
    """Very old callers send the key alone."""
    key = body.get("platformKey") if isinstance(body, dict) else body
    if not isinstance(key, str) or not key:
        raise BadRequest('The body must be an object with a platformKey, such as "gbol".')
    return key


def _wire(call: Call, connection: Connection) -> dict[str, object]:
    return connections.wire(connection, connection.platform, call.house.settings.public_url)


def _values(connection: Connection) -> Mapping[str, Plain]:
    shown = connections.wire(connection, connection.platform, "")
    words = {name: str(shown[name]) for name in FIELDS if name in shown}
    return {**words, "created": connection.created_at, "lastSync": connection.last_sync_at}


# --- the platform's side of a connection that ends ---


async def _farewell(call: Call, tx: Tx, connection: Connection) -> BackgroundTask | None:
    """What ends the grant at the platform, for after the answer; None where there is nothing to.

    Whatever becomes of it, our tokens are gone with the transaction.
    """
    grant = await grants.last_of(tx, call.house.vault, connection)
    return None if grant is None else BackgroundTask(grants.end, call.house.reach, grant)


_ONE = "/companies/{companyId}/connections/{connectionId}"
_ERRORS = (400, 401, 404, 429, 503)

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="GET",
        path="/companies/{companyId}/connections",
        handler=list_connections,
        summary="List a company's connections",
        answer=page_of(CONNECTION),
        query=("page", "pageSize", "query", "orderBy"),
        errors=_ERRORS,
        by_token=True,
    ),
    Endpoint(
        method="POST",
        path="/companies/{companyId}/connections",
        handler=create,
        summary="Create a connection that waits for the customer",
        body=CONNECTION_REQUEST,
        answer=CONNECTION,
        errors=_ERRORS,
        by_token=True,
        writes=True,
    ),
    Endpoint(
        method="GET",
        path=_ONE,
        handler=show,
        summary="Get a connection",
        answer=CONNECTION,
        by_token=True,
    ),
    Endpoint(
        method="PATCH",
        path=_ONE,
        handler=unlink,
        summary="Unlink a connection",
        body=CONNECTION_STATUS,
        answer=CONNECTION,
        errors=_ERRORS,
        by_token=True,
    ),
    Endpoint(
        method="DELETE",
        path=_ONE,
        handler=delete,
        summary="Delete a connection and what was read through it",
    ),
    Endpoint(
        method="PUT",
        path=f"{_ONE}/authorization",
        handler=authorise,
        summary="Authorise a connection with tokens from elsewhere (refused)",
        body={"type": "object", "additionalProperties": {"type": "string"}},
        answer=CONNECTION,
        errors=_ERRORS,
    ),
)
