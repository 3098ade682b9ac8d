"""Files on documents and contacts, and the PDF of a sales document."""

import mimetypes
from typing import Any
from urllib.parse import quote

from tallystick.simulators.xero.api.pdf import one_page
from tallystick.simulators.xero.books.books import Held
from tallystick.simulators.xero.call import Answer, Call, answer
from tallystick.simulators.xero.errors import ID_KEYS, bad_body, not_found, validation_exception

Raw = Any

ENTITIES = ("Invoices", "CreditNotes", "Contacts", "Accounts", "Prepayments", "Overpayments")
_FILES_MAX = 10
_SIZE_BYTES_MAX = 10 * 1024 * 1024


def list_files(call: Call, collection: str, id_: str) -> Answer:
    record = _record(call, collection, id_)
    rows = call.books.tx.all("attachments", **_key(call, record))
    return answer(call, Attachments=[_shown(call, record, row, row["size_bytes"]) for row in rows])


def download(call: Call, collection: str, id_: str, name: str) -> Answer:
    record = _record(call, collection, id_)
    row = call.books.tx.one("attachment", name=name, **_key(call, record))
    if row is None:
        raise not_found()
    return Answer(body=bytes(row["content"]), media_type=row["mime_type"])


def upload(call: Call, collection: str, id_: str, name: str) -> Answer:
    """PUT and POST alike; a file of the same name is replaced and keeps its id."""
    record = _record(call, collection, id_)
    key = _key(call, record)
    _check(
        call, names=[row["file_name"] for row in call.books.tx.all("attachments", **key)], new=name
    )
    call.books.tx.run(
        "keep_attachment",
        id=call.books.new_id(),
        file_name=name,
        mime_type=_mime_type(call, name),
        include_online=int(call.flag("includeOnline") or call.flag("IncludeOnline")),
        content=call.body,
        **key,
    )
    if not record.body.get("HasAttachments"):
        call.books.save(collection, {**record.body, "HasAttachments": True}, native=record.native)
    row = call.books.tx.one("attachment", name=name, **key)
    return answer(call, Attachments=[_shown(call, record, row, len(call.body))])


def pdf(call: Call, collection: str, id_: str) -> Answer:
    record = _record(call, collection, id_)
    if record.kind not in ("ACCREC", "ACCRECCREDIT"):
        raise not_found()
    number = record.body.get("InvoiceNumber") or record.body.get("CreditNoteNumber") or ""
    body = one_page([f"Simulated Xero: {number}", f"Total {record.body['Total']}"])
    return Answer(body=body, media_type="application/pdf")


def _record(call: Call, collection: str, id_: str) -> Held:
    record = call.books.get(collection, id_)
    if record is None:
        raise not_found()
    return record


def _key(call: Call, record: Held) -> dict[str, Raw]:
    return {
        "organisation": call.books.organisation_id,
        "collection": record.collection,
        "record": record.id,
    }


def _check(call: Call, *, names: list[str], new: str) -> None:
    wrong = ""
    if not call.body:
        raise bad_body("The attachment is empty")
    if len(call.body) > _SIZE_BYTES_MAX:
        wrong = "The attachment is larger than 10 MB"
    elif new not in names and len(names) >= _FILES_MAX:
        wrong = "A document cannot hold more than 10 attachments"
    if wrong:
        raise validation_exception([{"FileName": new, "ValidationErrors": [{"Message": wrong}]}])


def _mime_type(call: Call, name: str) -> str:
    sent = call.headers.get("content-type", "").split(";")[0].strip()
    if sent and sent != "application/octet-stream":
        return sent
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _shown(call: Call, record: Held, row: Raw, size_bytes: int) -> dict[str, Raw]:
    owner = record.body.get(ID_KEYS[record.collection], record.id)
    path = f"{record.collection}/{owner}/Attachments/{quote(row['file_name'], safe='')}"
    return {
        "AttachmentID": row["id"],
        "FileName": row["file_name"],
        "Url": f"{call.api_url}/{path}",
        "MimeType": row["mime_type"],
        "ContentLength": size_bytes,
        "IncludeOnline": bool(row["include_online"]),
    }
