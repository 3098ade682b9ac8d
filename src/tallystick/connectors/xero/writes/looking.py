"""Reading single records for a write: before it, to see whether it arrived, and after it."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeVar

from tallystick.connectors.contract import Raw
from tallystick.connectors.fields import Fields
from tallystick.connectors.xero.books import XeroBooks
from tallystick.connectors.xero.client import Pages, XeroClient, paged, records_of, step
from tallystick.connectors.xero.values import day
from tallystick.errors import Missing, Problem, Refused

R = TypeVar("R")
Mapper = Callable[[Fields, XeroBooks], Sequence[R]]

_UNITS = {"unitdp": "4"}
# Ids in one address: far below the 8 kB that servers commonly take.
_IDS_AT_ONCE = 40


async def invoice(client: XeroClient, invoice_id: str) -> Raw:
    return await _one(client, f"/Invoices/{step(invoice_id)}", "Invoices", _UNITS)


async def credit_note(client: XeroClient, note_id: str) -> Raw:
    return await _one(client, f"/CreditNotes/{step(note_id)}", "CreditNotes", _UNITS)


async def payment(client: XeroClient, payment_id: str) -> Raw:
    return await _one(client, f"/Payments/{step(payment_id)}", "Payments", {})


async def batch_payment(client: XeroClient, batch_id: str) -> Raw:
    return await _one(client, f"/BatchPayments/{step(batch_id)}", "BatchPayments", {})


async def contact(client: XeroClient, contact_id: str) -> Raw:
    return await _one(client, f"/Contacts/{step(contact_id)}", "Contacts", {})


async def account(client: XeroClient, account_id: str) -> Raw:
    return await _one(client, f"/Accounts/{step(account_id)}", "Accounts", {})


async def _one(client: XeroClient, path: str, collection: str, params: dict[str, str]) -> Raw:
    records = records_of((await client.get(path, params)).json(), collection)
    if not records:
        raise Missing(f"Xero has no such record among its {collection}.")
    return records[0]


async def invoices(client: XeroClient, ids: Sequence[str]) -> dict[str, Raw]:
    """Several at once, by id; those Xero lacks are left out."""
    found: dict[str, Raw] = {}
    for start in range(0, len(ids), _IDS_AT_ONCE):
        pages = paged(
            "/Invoices",
            "Invoices",
            id_field="InvoiceID",
            IDs=",".join(ids[start : start + _IDS_AT_ONCE]),
            includeArchived="true",
            unitdp="4",
        )
        for raw in await every(client, pages):
            found[str(raw.get("InvoiceID"))] = raw
    return found


async def every(client: XeroClient, pages: Pages) -> list[Raw]:
    """All records of a short list."""
    return [raw async for page in pages(client, None, None) for raw in page.raws]


def mapped(raw: Raw, mapper: Mapper[R], books: XeroBooks) -> Sequence[R]:
    return mapper(Fields(raw), books)


def quoted(text: str) -> str:
    """Text inside a `where`; its language has no public word on how to escape a quote."""
    return f'"{text}"'


def where_day(field: str, on: date) -> str:
    return f"{field}==DateTime({on.year},{on.month:02},{on.day:02})"


def number_of(raw: Raw, key: str) -> Decimal:
    return Fields(raw).number(key) or Decimal(0)


def text_of(raw: Raw, *path: str) -> str:
    fields = Fields(raw)
    for part in path[:-1]:
        fields = fields.part(part)
    return fields.text(path[-1]) or ""


def day_of(raw: Raw, key: str = "Date") -> date | None:
    return day(Fields(raw), key)


def not_found(item_id: str, what: str, validator: str) -> Refused:
    """A record that the caller points at is not there."""
    problem = Problem(item_id, f"{what} was not found in Xero.", validator)
    return Refused(problem.message, problems=(problem,))
