"""Routes of files that hang on records: sent by the same engine as writes, read live."""

import re
from collections.abc import AsyncIterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import Response

from tallystick.companies.connections import Connection
from tallystick.connectors.contract import Attachment, Attachments
from tallystick.errors import BadRequest, Missing, NotFound, Problem
from tallystick.http.endpoint import Call, Endpoint, answer
from tallystick.http.scope import connection_of
from tallystick.http.write_schemas import OPERATION
from tallystick.http.writes import WRITE_ERRORS, known_type, platform_name
from tallystick.model import BY_KEY
from tallystick.push import endings, operations, verdicts, wire
from tallystick.push.operations import UPLOAD, File, Request

_CONNECTION = "/companies/{companyId}/connections/{connectionId}"
FILE_BYTES_MAX = 8 * 1024 * 1024
"""Of a whole upload; more than any platform that is built takes."""
_NAME_MAX = 255
_CONTENT_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*", re.ASCII)


async def upload(call: Call) -> Response:
    """Take one file, whatever the name of its part."""
    async with call.house.database.transaction() as tx:
        connection = await connection_of(call, tx)
    data_type, record_id = known_type(call), call.path("recordId")
    files = _attachments(call, connection, data_type)
    connection.must_be_linked()
    file = await _file(call)
    request = Request(
        company_id=connection.company_id,
        client_id=connection.client_id,
        connection_id=connection.id,
        organisation_id=connection.organisation_id,
        data_type=data_type,
        body="{}",
        kind=UPLOAD,
        record_id=record_id,
        targets=(f"{data_type}/{record_id}",),
    )
    problems = _problems(files, file, data_type)
    async with call.house.database.transaction() as tx:
        now = call.house.clock.now()
        if problems:
            refusal = verdicts.invalid(BY_KEY[data_type].__name__, problems)
            operation = await operations.refuse(tx, request, refusal, now=now)
            await endings.tell(tx, operation, now=now)
        else:
            operation = await operations.accept(tx, request, now=now, file=file)
        return await call.keep(tx, answer(wire.operation(operation)))


async def list_attachments(call: Call) -> Response:
    _, _, found = await _held(call)
    return answer({"attachments": [_shown(one) for one in found]})


async def get_attachment(call: Call) -> Response:
    _, _, found = await _held(call)
    return answer(_shown(_one_of(call, found)))


async def download(call: Call) -> Response:
    files, client, found = await _held(call)
    wanted = _one_of(call, found)
    content = await files.download(client, known_type(call), call.path("recordId"), wanted)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(wanted.name, safe='')}",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, headers=headers, media_type="application/octet-stream")


async def refuse_removal(call: Call) -> Response:
    async with call.house.database.transaction() as tx:
        connection = await connection_of(call, tx)
    raise BadRequest(f"{platform_name(connection)} does not support deleting attachments yet.")


async def _held(call: Call) -> tuple[Attachments[Any], Any, list[Attachment]]:
    """The files of the record in the path, asked of the platform now."""
    async with call.house.database.transaction() as tx:
        connection = await connection_of(call, tx)
    data_type, record_id = known_type(call), call.path("recordId")
    files = _attachments(call, connection, data_type)
    connection.must_be_linked()
    client = call.house.reach.client(connection)
    try:
        return files, client, list(await files.list(client, data_type, record_id))
    except Missing as error:
        raise NotFound(f"No record was found with ID {record_id[:100]}.") from error


def _one_of(call: Call, found: list[Attachment]) -> Attachment:
    wanted = call.path("attachmentId")
    for one in found:
        if one.id == wanted:
            return one
    raise NotFound(f"No attachment was found with ID {wanted[:100]}.")


def _attachments(call: Call, connection: Connection, data_type: str) -> Attachments[Any]:
    files = call.house.reach.connector(connection.platform_key).attachments
    if files is None or data_type not in files.holders:
        name = platform_name(connection)
        raise BadRequest(f"{name} does not support attachments of {data_type} yet.")
    return files


async def _file(call: Call) -> File:
    """The only file of a multipart body."""
    body = await call.body(size_bytes_max=FILE_BYTES_MAX)
    if not call.request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise BadRequest("The body must be multipart/form-data with one file.")
    form = await _form(call, body)
    try:
        parts = [part for _, part in form.multi_items() if isinstance(part, UploadFile)]
        if len(parts) != 1:
            raise BadRequest(f"The body must hold one file; it holds {len(parts)}.")
        [part] = parts
        name = PurePosixPath((part.filename or "").replace("\\", "/")).name
        if not name or len(name) > _NAME_MAX:
            raise BadRequest(f"The file must have a name of up to {_NAME_MAX} characters.")
        return File(name, _content_type(part.content_type or ""), await part.read())
    finally:
        await form.close()


def _content_type(given: str) -> str:
    """What may stand in a header on the way to a platform; anything else says nothing."""
    plain = given.partition(";")[0].strip().lower()
    return plain if _CONTENT_TYPE.fullmatch(plain) else "application/octet-stream"


async def _form(call: Call, body: bytes) -> FormData:
    async def once() -> AsyncIterator[bytes]:
        yield body

    try:
        return await MultiPartParser(call.request.headers, once()).parse()  # type: ignore[arg-type] # any async iterator will do
    except MultiPartException as error:
        raise BadRequest(f"The body is not valid multipart/form-data: {error.message}") from error
    except (KeyError, LookupError, UnicodeError) as error:
        raise BadRequest("The body is not valid multipart/form-data.") from error


def _problems(files: Attachments[Any], file: File, data_type: str) -> tuple[Problem, ...]:
    name = BY_KEY[data_type].__name__
    found: list[str] = []
    extension = PurePosixPath(file.name).suffix.removeprefix(".")
    allowed = {one.casefold() for one in files.extensions}
    if allowed and extension.casefold() not in allowed:
        found.append(f"files of the type {extension or 'without an extension'} are not accepted")
    if len(file.content) > files.size_bytes_max:
        found.append(f"the file must not be larger than {files.size_bytes_max} bytes")
    if not file.content:
        found.append("the file is empty")
    return tuple(
        Problem("Attachment", f"Failed to push to {name} as {text}.", name) for text in found
    )


def _shown(shown: Attachment) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": shown.id,
        "name": shown.name,
        "contentType": shown.content_type,
        "includeWhenSent": shown.include_when_sent,
    }
    return body if shown.size_bytes is None else body | {"fileSize": shown.size_bytes}


_ATTACHMENT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "name": {"type": "string"},
        "contentType": {"type": "string"},
        "fileSize": {"type": "integer"},
        "includeWhenSent": {"type": "boolean"},
    },
}
_PUSHED = f"{_CONNECTION}/push/{{dataType}}/{{recordId}}/attachment"
_READ = f"{_CONNECTION}/data/{{dataType}}/{{recordId}}/attachments"
_ERRORS = (400, 401, 404, 429, 503)

ENDPOINTS = (
    Endpoint(
        "POST",
        _PUSHED,
        upload,
        "Attach a file to a record",
        answer=OPERATION,
        errors=WRITE_ERRORS,
        aliases=(f"{_PUSHED}s",),
        writes=True,
        size_bytes_max=FILE_BYTES_MAX,
    ),
    Endpoint(
        "DELETE",
        f"{_PUSHED}s/{{attachmentId}}",
        refuse_removal,
        "Refuse to delete an attachment",
        answer=OPERATION,
        errors=_ERRORS,
    ),
    Endpoint(
        "GET",
        _READ,
        list_attachments,
        "List the attachments of a record",
        answer={
            "type": "object",
            "properties": {"attachments": {"type": "array", "items": _ATTACHMENT}},
        },
        errors=_ERRORS,
    ),
    Endpoint(
        "GET",
        f"{_READ}/{{attachmentId}}",
        get_attachment,
        "Get an attachment's description",
        answer=_ATTACHMENT,
        errors=_ERRORS,
    ),
    Endpoint(
        "GET",
        f"{_READ}/{{attachmentId}}/download",
        download,
        "Download an attachment",
        errors=_ERRORS,
    ),
)
