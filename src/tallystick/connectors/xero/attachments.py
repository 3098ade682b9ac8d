"""Files that hang on Xero's records: listed, fetched and added live."""

from collections.abc import Sequence

from tallystick.connectors.contract import Attachment, Attachments, Raw
from tallystick.connectors.fields import Fields
from tallystick.connectors.xero.client import XeroClient, records_of, step
from tallystick.connectors.xero.writes.sending import new_id, refuse_errors
from tallystick.errors import Unreachable

_HOLDERS = {
    "bills": "Invoices",
    "billCreditNotes": "CreditNotes",
    "invoices": "Invoices",
    "suppliers": "Contacts",
    "customers": "Contacts",
}

# What Xero says of one file differs by page; this is the smallest figure it was seen to take.
_SIZE_BYTES_MAX = 4 * 1024 * 1024
# A file that was put there by hand may be larger than what we may upload.
_DOWNLOAD_BYTES_MAX = 32 * 1024 * 1024

_DOCUMENTS = {"doc", "docx", "eml", "msg", "odf", "odt", "pages", "pdf", "rtf", "txt"}
_SHEETS = {"csv", "keynote", "numbers", "ods", "ppt", "pptx", "xls", "xlsx"}
_PICTURES = {"bmp", "gif", "jpeg", "jpg", "png", "tif", "tiff"}
_ARCHIVES = {"7z", "rar", "zip"}


def _path(data_type: str, record_id: str) -> str:
    return f"/{_HOLDERS[data_type]}/{step(record_id)}/Attachments"


async def _list(client: XeroClient, data_type: str, record_id: str) -> Sequence[Attachment]:
    answer = await client.get(_path(data_type, record_id))
    return tuple(_attachment(raw) for raw in records_of(answer.json(), "Attachments"))


def _attachment(raw: Raw) -> Attachment:
    fields = Fields(raw)
    size_bytes = fields.number("ContentLength")
    return Attachment(
        id=new_id(raw, "AttachmentID"),
        name=fields.text("FileName") or "",
        content_type=fields.text("MimeType") or "application/octet-stream",
        size_bytes=None if size_bytes is None else int(size_bytes),
        include_when_sent=fields.truth("IncludeOnline") or False,
    )


async def _download(
    client: XeroClient, data_type: str, record_id: str, attachment: Attachment
) -> bytes:
    return await client.download(
        f"{_path(data_type, record_id)}/{step(attachment.id)}",
        content_type=attachment.content_type,
        size_bytes_max=_DOWNLOAD_BYTES_MAX,
    )


async def _upload(
    client: XeroClient,
    key: str,
    data_type: str,
    record_id: str,
    name: str,
    content_type: str,
    content: bytes,
) -> Attachment:
    """Add a file. POST would replace one of the same name; PUT is for new ones."""
    body = await client.upload(
        f"{_path(data_type, record_id)}/{step(name)}",
        key=key,
        content_type=content_type,
        content=content,
    )
    records = records_of(body, "Attachments")
    if len(records) != 1:
        raise Unreachable("Xero's answer does not name the file.", sent=True)
    refuse_errors(records[0])
    return _attachment(records[0])


ATTACHMENTS: Attachments[XeroClient] = Attachments(
    holders=tuple(_HOLDERS),
    size_bytes_max=_SIZE_BYTES_MAX,
    extensions=frozenset(_DOCUMENTS | _SHEETS | _PICTURES | _ARCHIVES),
    list=_list,
    download=_download,
    upload=_upload,
)
