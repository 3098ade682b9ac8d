"""Routes that read records: one handler for all lists, one for all single records."""

from collections.abc import Sequence

from starlette.responses import Response

from tallystick.companies.connections import shown_name
from tallystick.connectors.registry import PLATFORMS
from tallystick.db.pool import Tx
from tallystick.errors import Conflict, DataNotRequested, NotFound
from tallystick.http.endpoint import Call, Endpoint, Handler
from tallystick.http.paging import Paging, links, paging
from tallystick.http.schemas import page_of
from tallystick.http.scope import company_of, connection_of
from tallystick.lib import json
from tallystick.lib.ids import canonical
from tallystick.model import DATA_TYPES, WIRE_DATA_TYPES
from tallystick.model.base import Record
from tallystick.model.company import CompanyInfo
from tallystick.query import fields, language, order, sql
from tallystick.records import pages, whereabouts
from tallystick.records.pages import Listed, Wanted
from tallystick.records.whereabouts import Shelf

_COMPANY = "/companies/{companyId}/data"
_CONNECTION = "/companies/{companyId}/connections/{connectionId}/data"

_FOLDERS = {
    "chartOfAccounts": ("accounts", "chartOfAccounts"),
    "balanceSheet": ("financials/balanceSheet",),
    "profitAndLoss": ("financials/profitAndLoss",),
    "cashFlowStatement": ("financials/cashFlowStatement",),
    "bankTransactions": (
        "bankAccounts/{accountId}/bankTransactions",
        "bankAccounts/{accountId}/transactions",
    ),
}
"""Where the path is not the data type's name."""

_READING = "The data set is still being read for the first time. Ask again once it is complete."


def _list(record_type: type[Record]) -> Handler:
    known = fields.of(record_type)

    async def list_records(call: Call) -> Response:
        asked = paging(call)
        query = call.param("query")
        wanted = Wanted(
            record_type,
            sql.where(language.parse(query) if query else None, known),
            order.parse(call.param("orderBy"), known),
            asked.page,
            asked.page_size,
        )
        async with call.house.database.reading() as tx:
            return _joined(call, asked, await _listed(call, tx, wanted))

    return list_records


async def _listed(call: Call, tx: Tx, wanted: Wanted) -> Listed:
    """The page, by one statement wherever there is something to show."""
    company_id = canonical(call.path("companyId"))
    named = call.request.path_params.get("connectionId")
    connection_id = canonical(named) if named else None
    if company_id and bool(named) == bool(connection_id):
        listed = await pages.page_at_home(
            tx,
            wanted,
            client_id=call.caller.client_id,
            company_id=company_id,
            connection_id=connection_id,
        )
        if listed is not None:
            return listed
    company_id, shelf = await _shelf(call, tx, wanted.record_type.key)
    return await pages.page_of(tx, wanted, company_id=company_id, connection_id=shelf.connection_id)


def _joined(call: Call, asked: Paging, listed: Listed) -> Response:
    """The stored texts between a head and a tail: nothing is read, nothing is written again."""
    tail = json.dumps(
        {
            "pageNumber": asked.page,
            "pageSize": asked.page_size,
            "totalResults": listed.total,
            "_links": links(call, asked, listed.total),
        }
    )
    body = b"".join((b'{"results":[', ",".join(listed.bodies).encode(), b"],", tail[1:]))
    return Response(body, media_type="application/json")


def _one(record_type: type[Record]) -> Handler:
    data_type = record_type.key

    async def get_record(call: Call) -> Response:
        record_id = call.path("recordId")
        async with call.house.database.reading() as tx:
            company_id, shelves = await _shelves(call, tx, data_type)
            for shelf in sorted(shelves, key=lambda each: not each.held):
                body = await pages.get(
                    tx,
                    company_id=company_id,
                    connection_id=shelf.connection_id,
                    data_type=data_type,
                    id=record_id,
                )
                if body is not None:
                    return Response(body, media_type="application/json")
        # A record that a write brought is there before its type was ever read.
        _held(call, shelves, data_type)
        raise NotFound(f"No data available for {data_type} for ID {record_id}")

    return get_record


async def get_company_info(call: Call) -> Response:
    """What the books say of the company: an object, the newest that is not deleted."""
    known = fields.of(CompanyInfo)
    where = sql.where(language.parse("metadata.isDeleted=false"), known)
    newest = Wanted(CompanyInfo, where, order.parse("-modifiedDate", known), 1, 1)
    async with call.house.database.reading() as tx:
        company_id, shelf = await _shelf(call, tx, CompanyInfo.key)
        listed = await pages.page_of(
            tx, newest, company_id=company_id, connection_id=shelf.connection_id
        )
    if not listed.bodies:
        raise NotFound(f"No data available for {CompanyInfo.key} for ID {company_id}")
    return Response(listed.bodies[0], media_type="application/json")


def _refused(data_type: str) -> Handler:
    async def refuse(call: Call) -> Response:
        async with call.house.database.reading() as tx:
            _, shelves = await _shelves(call, tx, data_type)
        raise _unsupported(data_type, shelves)

    return refuse


async def _shelf(call: Call, tx: Tx, data_type: str) -> tuple[str, Shelf]:
    """The company, and the connection whose records of that type are shown."""
    company_id, shelves = await _shelves(call, tx, data_type)
    return company_id, _held(call, shelves, data_type)


async def _shelves(call: Call, tx: Tx, data_type: str) -> tuple[str, Sequence[Shelf]]:
    """The company and all its connections, or the one named in the path.

    Raises:
        NotFound: the company or the connection is unknown, or another client's.
    """
    company_id = canonical(call.path("companyId"))
    shelves = company_id and await whereabouts.of_company(
        tx, client_id=call.caller.client_id, company_id=company_id, data_type=data_type
    )
    if not company_id or not isinstance(shelves, list):
        return (await company_of(call, tx)).id, ()
    if "connectionId" in call.request.path_params:
        wanted = canonical(call.path("connectionId"))
        shelves = [shelf for shelf in shelves if shelf.connection_id == wanted]
        if not shelves:
            await connection_of(call, tx)
    return company_id, shelves


def _held(call: Call, shelves: Sequence[Shelf], data_type: str) -> Shelf:
    """The newest connection that has data; once there was some, it is shown for ever.

    Raises:
        NotFound: no platform of the company can read that type.
        DataNotRequested: nobody asked for it yet.
        Conflict: the first read is not over.
    """
    for shelf in shelves:
        if shelf.held:
            return shelf
    if any(shelf.in_progress for shelf in shelves):
        raise Conflict(_READING)
    if shelves and not any(_reads(call, shelf.platform_key, data_type) for shelf in shelves):
        raise _unsupported(data_type, shelves)
    raise DataNotRequested


def _reads(call: Call, platform_key: str, data_type: str) -> bool:
    connector = call.house.connectors.get(platform_key)
    return connector is not None and connector.read_of(data_type) is not None


def _unsupported(data_type: str, shelves: Sequence[Shelf]) -> NotFound:
    names = {
        shown_name(PLATFORMS[shelf.platform_key], simulated=shelf.simulated) for shelf in shelves
    }
    where = f" by platform(s) {', '.join(sorted(names))}" if names else ""
    return NotFound(f"Datatype {data_type} not supported{where}")


# --- the routes ---

_LISTED = ("page", "pageSize", "query", "orderBy")
_ERRORS = (400, 401, 404, 409, 429, 503)


def _paths(data_type: str, below: str = "") -> tuple[str, ...]:
    folders = _FOLDERS.get(data_type, (data_type,))
    return tuple(
        f"{start}/{folder}{below}" for folder in folders for start in (_COMPANY, _CONNECTION)
    )


def _of_type(record_type: type[Record]) -> tuple[Endpoint, Endpoint]:
    name = record_type.__name__
    schema = {"$ref": f"#/components/schemas/{name}"}
    path, *aliases = _paths(record_type.key)
    single, *single_aliases = _paths(record_type.key, "/{recordId}")
    return (
        Endpoint(
            "GET",
            path,
            _list(record_type),
            f"List the records of {record_type.key}.",
            answer=page_of(schema),
            query=_LISTED,
            errors=_ERRORS,
            aliases=tuple(aliases),
        ),
        Endpoint(
            "GET",
            single,
            _one(record_type),
            f"Get one record of {record_type.key}.",
            answer=schema,
            errors=_ERRORS,
            aliases=tuple(single_aliases),
        ),
    )


def _not_held(data_type: str) -> tuple[Endpoint, Endpoint]:
    path, *aliases = _paths(data_type)
    single, *single_aliases = _paths(data_type, "/{recordId}")
    refuse, summary = _refused(data_type), f"{data_type} is not held yet: always refused."
    error = {"$ref": "#/components/schemas/Error"}
    return (
        Endpoint("GET", path, refuse, summary, status=404, answer=error, aliases=tuple(aliases)),
        Endpoint(
            "GET", single, refuse, summary, status=404, answer=error, aliases=tuple(single_aliases)
        ),
    )


_HELD = {record_type.key for record_type in DATA_TYPES}

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "GET",
        f"{_COMPANY}/info",
        get_company_info,
        "Get what the books say of the company.",
        answer={"$ref": "#/components/schemas/CompanyInfo"},
        errors=_ERRORS,
        aliases=(f"{_CONNECTION}/info", f"{_COMPANY}/company", f"{_CONNECTION}/company"),
    ),
    *(
        endpoint
        for record_type in DATA_TYPES
        if record_type is not CompanyInfo
        for endpoint in _of_type(record_type)
    ),
    *(
        endpoint
        for data_type in WIRE_DATA_TYPES
        if data_type not in _HELD
        for endpoint in _not_held(data_type)
    ),
)
