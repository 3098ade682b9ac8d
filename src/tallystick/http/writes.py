"""Routes of writes: asking for one, looking at what became of it, what a platform takes."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from starlette.responses import Response

from tallystick.companies.connections import Connection, shown_name
from tallystick.connectors.contract import Write
from tallystick.errors import BadRequest, NotFound
from tallystick.http.endpoint import Call, Endpoint, answer
from tallystick.http.paging import paged, paging
from tallystick.http.scope import company_of, connection_of
from tallystick.http.write_schemas import OPERATION, OPERATIONS, OPTION
from tallystick.lib import json
from tallystick.model import DATA_TYPES, Record, canonical_key
from tallystick.push import endings, history, operations, verdicts, wire
from tallystick.push.check import checked
from tallystick.push.operations import Request
from tallystick.push.options import option
from tallystick.push.proof import targets

_CONNECTION = "/companies/{companyId}/connections/{connectionId}"
_MINUTES_MAX = 60 * 24 * 365

_PATHS: Mapping[str, str] = {"chartOfAccounts": "accounts"}
"""Where the path of a write is not the data type's name."""

WRITABLE = frozenset(
    {
        "bankAccounts",
        "billCreditNotes",
        "billPayments",
        "bills",
        "chartOfAccounts",
        "creditNotes",
        "customers",
        "invoices",
        "items",
        "payments",
        "suppliers",
    }
)
"""What the API lets callers write, of the data types there are; platforms take part of it."""


# --- asking for a write ---


async def push(record_type: type[Record], call: Call) -> Response:
    """Take a record to be written; what can be known to be wrong ends here, as Failed."""
    async with call.house.database.transaction() as tx:
        connection = await connection_of(call, tx)
    write = _write_of(call, connection, record_type.key)
    connection.must_be_linked()
    minutes, sync_after = _minutes(call), _truth(call, "allowSyncOnPushComplete", default=True)
    body = await call.json_object()
    seen = checked(write, body, platform=platform_name(connection))
    request = Request(
        company_id=connection.company_id,
        client_id=connection.client_id,
        connection_id=connection.id,
        organisation_id=connection.organisation_id,
        data_type=record_type.key,
        body=json.canonical(body).decode(),
        targets=() if seen.record is None else targets(seen.record),
        timeout_minutes=minutes,
        sync_after=sync_after,
        warnings=seen.warnings,
    )
    async with call.house.database.transaction() as tx:
        now = call.house.clock.now()
        if seen.problems:
            refusal = verdicts.invalid(record_type.__name__, seen.problems)
            operation = await operations.refuse(tx, request, refusal, now=now)
            await endings.tell(tx, operation, now=now)
        else:
            operation = await operations.accept(tx, request, now=now)
        return await call.keep(tx, answer(wire.operation(operation)))


async def refuse(what: str, data_type: str | None, call: Call) -> Response:
    """What no platform that is built can do yet, or what is no data type."""
    async with call.house.database.transaction() as tx:
        connection = await connection_of(call, tx)
    raise _unsupported(connection, data_type or known_type(call), what)


def known_type(call: Call) -> str:
    """The data type of a path, from any accepted spelling.

    Raises:
        BadRequest: there is no such data type.
    """
    name = call.path("dataType")
    key = canonical_key(name) or canonical_key(f"{name}s")
    if key is None:
        raise BadRequest(f"There is no data type {name[:100]}.")
    return key


def _write_of(call: Call, connection: Connection, data_type: str) -> Write[Any, Any]:
    write = call.house.reach.connector(connection.platform_key).write_of(data_type)
    if write is None:
        raise _unsupported(connection, data_type, "creating")
    return write


def _unsupported(connection: Connection, data_type: str, what: str) -> BadRequest:
    return BadRequest(f"{platform_name(connection)} does not support {what} {data_type} yet.")


def platform_name(connection: Connection) -> str:
    """The platform's name as people see it."""
    return shown_name(connection.platform, simulated=connection.simulated)


def _minutes(call: Call) -> int | None:
    text = call.param("timeoutInMinutes")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(_MINUTES_MAX))):
        minutes = 0
    else:
        minutes = int(text)
    if not 1 <= minutes <= _MINUTES_MAX:
        raise BadRequest(f"timeoutInMinutes must be a whole number from 1 to {_MINUTES_MAX}.")
    return minutes


def _truth(call: Call, name: str, *, default: bool) -> bool:
    text = (call.param(name) or "").strip().lower()
    if text not in {"", "true", "false"}:
        raise BadRequest(f"{name} must be true or false.")
    return text == "true" if text else default


# --- looking ---


async def list_operations(call: Call) -> Response:
    asked = paging(call)
    wanted = history.wanted(call.param("query"), call.param("orderBy"))
    async with call.house.database.transaction() as tx:
        company = await company_of(call, tx)
        found, total = await history.page(
            tx, company_id=company.id, wanted=wanted, offset=asked.offset, limit=asked.page_size
        )
    return paged(call, [wire.operation(one) for one in found], asked, total)


async def get_operation(call: Call) -> Response:
    async with call.house.database.transaction() as tx:
        company = await company_of(call, tx)
        found = await operations.get(tx, company_id=company.id, key=call.path("pushOperationKey"))
    return answer(wire.operation(found))


async def get_options(call: Call) -> Response:
    async with call.house.database.transaction() as tx:
        connection = await connection_of(call, tx)
    data_type = known_type(call)
    write = call.house.reach.connector(connection.platform_key).write_of(data_type)
    if write is None:
        raise _not_supported(connection, data_type)
    return answer(option(write, platform=platform_name(connection)))


async def refuse_transaction_options(call: Call) -> Response:
    async with call.house.database.transaction() as tx:
        connection = await connection_of(call, tx)
    raise _not_supported(connection, "bankTransactions")


def _not_supported(connection: Connection, data_type: str) -> NotFound:
    name = platform_name(connection)
    return NotFound(f"Datatype {data_type} not supported by platform(s) {name}")


# --- the table ---

WRITE_ERRORS = (400, 401, 404, 409, 413, 422, 429, 503)


def _sent(record_type: type[Record]) -> dict[str, Any]:
    """The shape of a record as callers send it: without what the platform works out."""
    schema = record_type.model_json_schema(mode="validation")
    required = [name for name in schema.get("required", ()) if name not in record_type.computed]
    return {**schema, "required": required}


def _writes() -> Iterator[Endpoint]:
    for record_type in DATA_TYPES:
        if record_type.key not in WRITABLE:
            continue
        name = _PATHS.get(record_type.key, record_type.key)
        spellings = {name, record_type.key, name.removesuffix("s")} - {name}
        aliases = [f"{_CONNECTION}/push/{spelling}" for spelling in sorted(spellings)]
        if record_type.key == "bankAccounts":
            aliases.append(f"{_CONNECTION}/data/bankAccounts")
        yield Endpoint(
            "POST",
            f"{_CONNECTION}/push/{name}",
            partial(push, record_type),
            f"Create a record of {record_type.key}",
            body=_sent(record_type),
            answer=OPERATION,
            query=("timeoutInMinutes", "allowSyncOnPushComplete"),
            errors=WRITE_ERRORS,
            aliases=tuple(aliases),
            writes=True,
        )


ENDPOINTS = (
    *_writes(),
    Endpoint(
        "POST",
        f"{_CONNECTION}/push/{{dataType}}",
        partial(refuse, "creating", None),
        "Refuse a data type that cannot be written",
        answer=OPERATION,
        errors=(400, 401, 404, 429, 503),
    ),
    Endpoint(
        "POST",
        f"{_CONNECTION}/push/bankAccounts/{{accountId}}/bankTransactions",
        partial(refuse, "creating", "bankTransactions"),
        "Refuse bank transactions",
        answer=OPERATION,
        errors=(400, 401, 404, 429, 503),
    ),
    Endpoint(
        "PUT",
        f"{_CONNECTION}/push/{{dataType}}/{{recordId}}",
        partial(refuse, "updating", None),
        "Refuse an update",
        answer=OPERATION,
        query=("timeoutInMinutes", "forceUpdate"),
        errors=(400, 401, 404, 429, 503),
    ),
    Endpoint(
        "DELETE",
        f"{_CONNECTION}/push/{{dataType}}/{{recordId}}",
        partial(refuse, "deleting", None),
        "Refuse a deletion",
        answer=OPERATION,
        errors=(400, 401, 404, 429, 503),
    ),
    Endpoint(
        "GET",
        f"{_CONNECTION}/options/{{dataType}}",
        get_options,
        "What a platform takes of a data type",
        answer=OPTION,
        errors=(400, 401, 404, 429, 503),
    ),
    Endpoint(
        "GET",
        f"{_CONNECTION}/options/bankAccounts/{{accountId}}/bankTransactions",
        refuse_transaction_options,
        "Refuse bank transactions",
        answer=OPTION,
    ),
    Endpoint(
        "GET",
        "/companies/{companyId}/push",
        list_operations,
        "List push operations",
        answer=OPERATIONS,
        query=("page", "pageSize", "query", "orderBy"),
        errors=(400, 401, 404, 429, 503),
    ),
    Endpoint(
        "GET",
        "/companies/{companyId}/push/{pushOperationKey}",
        get_operation,
        "Get a push operation",
        answer=OPERATION,
    ),
)
