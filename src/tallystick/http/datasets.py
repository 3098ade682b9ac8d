"""Routes of reads: asking for them, and looking at what became of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from tallystick.companies import connections
from tallystick.companies.companies import Company
from tallystick.companies.connections import Connection, Status, shown_name
from tallystick.db.pool import Tx
from tallystick.errors import BadRequest
from tallystick.http.endpoint import Call, Endpoint, answer, nothing
from tallystick.http.paging import paged, paging
from tallystick.http.schemas import page_of, thing
from tallystick.http.scope import company_of
from tallystick.lib import moments
from tallystick.model import WIRE_DATA_TYPES, canonical_key
from tallystick.sync import datasets, history, schedule
from tallystick.sync.datasets import Dataset, Issue
from tallystick.sync.states import Status as ReadStatus

# --- asking for reads ---


async def queue_all(call: Call) -> Response:
    """Everything that is wanted at a first link, of every linked connection."""
    async with call.house.database.transaction() as tx:
        company = await company_of(call, tx)
        now = call.house.clock.now()
        for connection in await _linked(tx, company):
            data_types = await schedule.wanted_at_link(tx, connection)
            await schedule.queue(
                tx, call.house.reach, connection, data_types, initial=False, now=now
            )
        return await call.keep(tx, nothing())


async def queue_one(call: Call) -> Response:
    if call.path("dataType").casefold() == "all":
        return await queue_all(call)
    return await _queue(call, call.path("dataType"))


async def queue_info(call: Call) -> Response:
    return await _queue(call, "company")


async def _queue(call: Call, name: str) -> Response:
    async with call.house.database.transaction() as tx:
        company = await company_of(call, tx)
        wanted = await _asked_for(call, tx, company)
        able = _able(call, wanted, name)
        queued = [
            dataset
            for connection, data_type in able
            for dataset in await datasets.queue(
                tx,
                company=company,
                connection=connection,
                connector=call.house.reach.connector(connection.platform_key),
                data_types=[data_type],
                initial=False,
                # One connection refuses by name; beside it others may be running.
                skip_running=len(able) > 1,
                now=call.house.clock.now(),
                deletions_accepted=_truth(call, "acceptDeletions"),
            )
        ]
        if not queued:
            connection, data_type = able[0]
            raise await datasets.in_progress(
                tx, company_id=company.id, connection_id=connection.id, data_type=data_type
            )
        return await call.keep(tx, answer(_wire(queued[0])))


async def _asked_for(call: Call, tx: Tx, company: Company) -> list[Connection]:
    """The linked connection that is named, or every linked one."""
    named = call.param("connectionId")
    if not named:
        return await _linked(tx, company)
    connection = await connections.get(
        tx, client_id=company.client_id, company_id=company.id, connection_id=named
    )
    connection.must_be_linked()
    return [connection]


async def _linked(tx: Tx, company: Company) -> list[Connection]:
    """The linked connections, newest first.

    Raises:
        BadRequest: there is none; the newest one's status is named.
    """
    held = await connections.of_company(tx, company.id)
    linked = [each for each in held if each.status is Status.Linked]
    if not linked and held:
        held[0].must_be_linked()
    if not linked:
        raise BadRequest(f"Company {company.id} has no data connection that could be read.")
    return linked


def _able(call: Call, wanted: Sequence[Connection], name: str) -> list[tuple[Connection, str]]:
    """The connections whose platform offers the data type, with its name on the wire.

    Raises:
        BadRequest: none of them does.
    """
    key = canonical_key(name)
    able = [
        (each, key)
        for each in wanted
        if key is not None and call.house.reach.connector(each.platform_key).read_of(key)
    ]
    if not able:
        shown = {shown_name(each.platform, simulated=each.simulated) for each in wanted}
        names = ", ".join(sorted(shown))
        raise BadRequest(f"Datatype '{(key or name)[:100]}' not supported by platform {names}")
    return able


def _truth(call: Call, name: str) -> bool:
    text = (call.param(name) or "false").strip().lower()
    if text not in {"true", "false"}:
        raise BadRequest(f"{name} must be true or false.")
    return text == "true"


# --- looking ---


async def list_history(call: Call) -> Response:
    asked = paging(call)
    wanted = history.wanted(call.param("query"), call.param("orderBy"))
    async with call.house.database.transaction() as tx:
        company = await company_of(call, tx)
        found, total = await history.page(
            tx, company_id=company.id, wanted=wanted, offset=asked.offset, limit=asked.page_size
        )
    return paged(call, [_wire(dataset) for dataset in found], asked, total)


async def show(call: Call) -> Response:
    async with call.house.database.transaction() as tx:
        dataset = await _dataset(call, tx)
    return answer(_wire(dataset))


async def validation(call: Call) -> Response:
    async with call.house.database.transaction() as tx:
        dataset = await _dataset(call, tx)
        issues = await datasets.issues_of(tx, dataset_id=dataset.id)
    # Errors would have ended the read; a record that could not be mapped leaves the others whole.
    return answer({"errors": [], "warnings": [_issue(issue) for issue in issues]})


async def status(call: Call) -> Response:
    """For each data type that the company's platforms offer: how its reads stand."""
    async with call.house.database.transaction() as tx:
        company = await company_of(call, tx)
        held = await connections.of_company(tx, company.id)
        latest = {row["data_type"]: row for row in await datasets.latest(tx, company_id=company.id)}
    offered = {
        read.type.key
        for connection in held
        for read in call.house.reach.connector(connection.platform_key).reads
    }
    keys = [key for key in WIRE_DATA_TYPES if key in offered or key in latest]
    return answer({key: _standing(key, latest.get(key)) for key in keys})


async def _dataset(call: Call, tx: Tx) -> Dataset:
    company = await company_of(call, tx)
    return await datasets.get(tx, company_id=company.id, dataset_id=call.path("datasetId"))


def _standing(data_type: str, row: Mapping[str, Any] | None) -> dict[str, Any]:
    if row is None:
        return {"dataType": data_type, "currentStatus": ReadStatus.Initial.value}
    shown = {
        "dataType": data_type,
        "currentStatus": row["status"],
        "latestSyncId": str(row["id"]),
    }
    if row["good_id"] is None:
        return shown
    good_at = moments.text(row["good_at"])
    return {
        **shown,
        "lastSuccessfulSync": good_at,
        "latestSuccessfulSyncId": str(row["good_id"]),
    }


def _issue(issue: Issue) -> dict[str, str]:
    times = f" ({issue.count} times)" if issue.count > 1 else ""
    return {
        "ruleId": issue.rule_id,
        "itemId": issue.item_id,
        "message": f"{issue.message}{times}",
        "validatorName": issue.validator,
    }


def _wire(dataset: Dataset) -> dict[str, Any]:
    """A read of the API; what is not known is left out."""
    ended = dataset.completed_at
    shown = {
        "id": dataset.id,
        "companyId": dataset.company_id,
        "connectionId": dataset.connection_id,
        "dataType": dataset.data_type,
        "status": dataset.status.value,
        "statusDescription": dataset.status_description,
        "errorMessage": dataset.error_message,
        "requested": moments.text(dataset.requested_at),
        "completed": None if ended is None else moments.text(ended),
        "progress": dataset.progress,
        "isCompleted": dataset.status is ReadStatus.Complete,
        "isErrored": dataset.status.is_errored,
    }
    return {name: value for name, value in shown.items() if value is not None}


# --- the table ---

_TEXT = {"type": "string"}
_ID = {"type": "string", "format": "uuid"}
_MOMENT = {"type": "string", "format": "date-time"}
_STATUS = {"type": "string", "enum": [status.value for status in ReadStatus]}

PULL_OPERATION = thing(
    (
        "id",
        "companyId",
        "connectionId",
        "dataType",
        "status",
        "requested",
        "progress",
        "isCompleted",
        "isErrored",
    ),
    id=_ID,
    companyId=_ID,
    connectionId=_ID,
    dataType=_TEXT,
    status=_STATUS,
    statusDescription=_TEXT,
    errorMessage=_TEXT,
    requested=_MOMENT,
    completed=_MOMENT,
    progress={"type": "integer", "minimum": 0, "maximum": 100},
    isCompleted={"type": "boolean"},
    isErrored={"type": "boolean"},
)
_STANDING = thing(
    ("dataType", "currentStatus"),
    dataType={"type": "string", "enum": list(WIRE_DATA_TYPES)},
    currentStatus=_STATUS,
    lastSuccessfulSync=_MOMENT,
    latestSyncId=_ID,
    latestSuccessfulSyncId=_ID,
)
_ISSUES = {
    "type": "array",
    "items": thing(ruleId=_TEXT, itemId=_TEXT, message=_TEXT, validatorName=_TEXT),
}
_COMPANY = "/companies/{companyId}"
_ASKING = (400, 401, 404, 409, 429, 503)

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        method="POST",
        path=f"{_COMPANY}/data/all",
        handler=queue_all,
        summary="Read everything again that is read at a first link",
        status=204,
        errors=_ASKING,
    ),
    Endpoint(
        method="POST",
        path=f"{_COMPANY}/data/queue/{{dataType}}",
        handler=queue_one,
        summary="Read one data type again",
        answer=PULL_OPERATION,
        query=("connectionId", "acceptDeletions"),
        errors=_ASKING,
    ),
    Endpoint(
        method="POST",
        path=f"{_COMPANY}/data/info",
        handler=queue_info,
        summary="Read the company information again",
        answer=PULL_OPERATION,
        errors=_ASKING,
    ),
    Endpoint(
        method="GET",
        path=f"{_COMPANY}/dataStatus",
        handler=status,
        summary="How the reads of each data type stand",
        answer={"type": "object", "additionalProperties": _STANDING},
    ),
    Endpoint(
        method="GET",
        path=f"{_COMPANY}/data/history",
        handler=list_history,
        summary="List the reads of a company",
        answer=page_of(PULL_OPERATION),
        query=("page", "pageSize", "query", "orderBy"),
        errors=(400, 401, 404, 429, 503),
    ),
    Endpoint(
        method="GET",
        path=f"{_COMPANY}/data/history/{{datasetId}}",
        handler=show,
        summary="Get one read",
        answer=PULL_OPERATION,
    ),
    Endpoint(
        method="GET",
        path=f"{_COMPANY}/sync/{{datasetId}}/validation",
        handler=validation,
        summary="What was odd in a read",
        answer=thing(("errors", "warnings"), errors=_ISSUES, warnings=_ISSUES),
    ),
)
