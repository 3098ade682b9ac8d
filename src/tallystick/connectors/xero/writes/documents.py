"""Bills and bill credit notes: checked, sent, and looked for again by what they say."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.connectors.contract import (
    Change,
    Need,
    Picture,
    Raw,
    Write,
    Written,
)
from tallystick.connectors.xero.books import XeroBooks
from tallystick.connectors.xero.client import Pages, XeroClient, paged
from tallystick.connectors.xero.reads.payables import bill_credit_notes, bills
from tallystick.connectors.xero.refusals import warnings
from tallystick.connectors.xero.writes import looking
from tallystick.connectors.xero.writes.checks import given
from tallystick.connectors.xero.writes.document_rules import (
    TOLERANCE,
    Document,
    DocumentLine,
    check_bill,
    check_credit_note,
    item_code,
    lines_total,
)
from tallystick.connectors.xero.writes.sending import (
    WITH_UNITS,
    create,
    day_text,
    filled,
    new_id,
    number,
    rate_number,
)
from tallystick.errors import Problem
from tallystick.model.base import Record
from tallystick.model.payables import Bill, BillCreditNote

_STATUSES = {
    "Draft": "DRAFT",
    # A draft cannot be paid, so what is open must be approved.
    "Open": "AUTHORISED",
    "Submitted": "AUTHORISED",
    "Paid": "PAID",
}

_LINE_NEEDS = (
    Need("lineItems", required=True),
    Need("lineItems.quantity", required=True, note="At most 4 decimal places."),
    Need("lineItems.unitAmount", required=True, note="At most 4 decimal places, without tax."),
    Need(
        "lineItems.taxAmount",
        note="Needs a tax rate where it is not zero; worked out from the rate where left out.",
    ),
    Need("lineItems.subTotal"),
    Need("lineItems.totalAmount"),
    Need("lineItems.accountRef", note="Must be provided where there is no item."),
    Need("lineItems.accountRef.id", note="Must be the id of an account with a code."),
    Need("lineItems.taxRateRef"),
    Need("lineItems.taxRateRef.id"),
    Need("lineItems.itemRef"),
    Need("lineItems.itemRef.id"),
    Need("lineItems.trackingCategoryRefs", note="At most 2, of different parents."),
    Need("lineItems.trackingCategoryRefs.id", note="Must be an option, no category."),
)

BILL_NEEDS = (
    Need("supplierRef", required=True),
    Need("supplierRef.id", required=True, note="Must be the id of a supplier."),
    Need("issueDate", required=True),
    Need("dueDate", required=True),
    Need("reference", length_max=255),
    Need("currency", note="The base currency where it is left out."),
    Need("currencyRate", note="The day's rate at Xero where it is left out."),
    Need("status", required=True, choices=("Open", "Draft")),
    Need("subTotal"),
    Need("taxAmount"),
    Need("totalAmount", note="Must equal the sum of the lines."),
    Need("lineItems.description", required=True, length_max=4000),
    *_LINE_NEEDS,
)

CREDIT_NOTE_NEEDS = (
    Need("supplierRef", required=True),
    Need("supplierRef.id", required=True, note="Must be the id of a supplier."),
    Need("issueDate", required=True),
    Need("billCreditNoteNumber", length_max=255),
    Need("currency", note="The base currency where it is left out."),
    Need("currencyRate", note="The day's rate at Xero where it is left out."),
    Need("status", required=True, choices=("Draft", "Submitted", "Paid")),
    Need("subTotal"),
    Need("totalTaxAmount"),
    Need("totalAmount", note="Must be above zero and equal the sum of the lines."),
    Need("lineItems.description", length_max=4000),
    *_LINE_NEEDS,
)


@dataclass(frozen=True, slots=True)
class _Kind:
    """What tells a bill from a bill credit note on Xero's side."""

    data_type: str
    validator: str
    path: str
    collection: str
    id_field: str
    number_field: str
    of_type: str
    pages: Callable[[str, str], Pages]


def _invoice_pages(contact_id: str, on: str) -> Pages:
    return paged(
        "/Invoices",
        "Invoices",
        id_field="InvoiceID",
        ContactIDs=contact_id,
        where=f'Type=="ACCPAY" AND {on}',
        includeArchived="true",
        unitdp="4",
    )


def _credit_note_pages(contact_id: str, on: str) -> Pages:
    return paged(
        "/CreditNotes",
        "CreditNotes",
        id_field="CreditNoteID",
        where=f'Type=="ACCPAYCREDIT" AND Contact.ContactID==Guid("{contact_id}") AND {on}',
        unitdp="4",
    )


_BILLS = _Kind(
    data_type="bills",
    validator="Bill",
    path="/Invoices",
    collection="Invoices",
    id_field="InvoiceID",
    number_field="InvoiceNumber",
    of_type="ACCPAY",
    pages=_invoice_pages,
)
_CREDIT_NOTES = _Kind(
    data_type="billCreditNotes",
    validator="BillCreditNote",
    path="/CreditNotes",
    collection="CreditNotes",
    id_field="CreditNoteID",
    number_field="CreditNoteNumber",
    of_type="ACCPAYCREDIT",
    pages=_credit_note_pages,
)


# --- sending ---


def _body(kind: _Kind, document: Document, books: XeroBooks) -> Raw:
    supplier = given(document.supplier_ref, "SupplierRef")
    return {
        kind.collection: [
            filled(
                Type=kind.of_type,
                Status=_STATUSES[document.status],
                Contact={"ContactID": supplier.id},
                **{kind.number_field: _number(document)},
                Date=day_text(given(document.issue_date, "IssueDate")),
                DueDate=_due_date(document),
                LineAmountTypes="Exclusive",
                CurrencyCode=document.currency or books.base_currency,
                CurrencyRate=_rate(document, books),
                LineItems=[_line(line, books) for line in document.line_items],
            )
        ]
    }


def _number(document: Document) -> str | None:
    return document.reference if isinstance(document, Bill) else document.bill_credit_note_number


def _due_date(document: Document) -> str | None:
    due = document.due_date if isinstance(document, Bill) else None
    return day_text(due) if due else None


def _rate(document: Document, books: XeroBooks) -> Any:
    foreign = document.currency not in {None, books.base_currency}
    return rate_number(document.currency_rate) if foreign else None


def _line(line: DocumentLine, books: XeroBooks) -> Raw:
    """AccountCode, as whether an AccountID is taken on writing is not documented."""
    account = books.account(line.account_ref.id, None) if line.account_ref else None
    return filled(
        Description=line.description,
        Quantity=number(line.quantity),
        UnitAmount=number(line.unit_amount),
        AccountCode=account.code if account else None,
        ItemCode=item_code(line, books),
        TaxType=line.tax_rate_ref.id if line.tax_rate_ref else None,
        TaxAmount=_tax_amount(line),
        Tracking=[_tracking(ref.id, books) for ref in line.tracking_category_refs],
    )


def _tax_amount(line: DocumentLine) -> Any:
    """Stated; left to Xero where only the rate is; and none, or the account's own would apply."""
    if line.tax_amount is None and line.tax_rate_ref:
        return None
    return number(line.tax_amount or Decimal(0))


def _tracking(option_id: str, books: XeroBooks) -> Raw:
    option = given(books.option(option_id, None, None), "TrackingCategoryRefs.Id")
    return {"TrackingCategoryID": option.category_id, "TrackingOptionID": option.id}


async def _create(
    kind: _Kind, client: XeroClient, key: str, document: Document, books: XeroBooks
) -> Written:
    body = _body(kind, document, books)
    raw = await create(client, kind.path, kind.collection, key=key, body=body, params=WITH_UNITS)
    return _written(kind, raw, extra=_total_warning(kind, raw, document))


def _written(kind: _Kind, raw: Raw, extra: tuple[Problem, ...] = ()) -> Written:
    return Written(
        changes=(Change(kind.data_type, new_id(raw, kind.id_field)),),
        warnings=(*warnings(raw), *extra),
    )


def _total_warning(kind: _Kind, raw: Raw, document: Document) -> tuple[Problem, ...]:
    """Xero works the total out anew; the caller's may differ by what rounding leaves over."""
    theirs = looking.number_of(raw, "Total")
    if document.total_amount in {Decimal(0), theirs}:
        return ()
    text = f"Xero's total is {theirs:f}, the one sent was {document.total_amount:f}."
    return (Problem("TotalAmount", text, kind.validator),)


# --- looking ---


async def _alike(kind: _Kind, client: XeroClient, document: Document) -> list[Raw]:
    """Records of the same contact and day, whatever their number: short enough to look through."""
    supplier = given(document.supplier_ref, "SupplierRef")
    on = looking.where_day("Date", given(document.issue_date, "IssueDate"))
    return await looking.every(client, kind.pages(supplier.id, on))


async def _picture(kind: _Kind, client: XeroClient, document: Document) -> Picture:
    alike = await _alike(kind, client, document)
    return Picture(
        seen={kind.data_type: tuple(looking.text_of(raw, kind.id_field) for raw in alike)}
    )


async def _find(
    kind: _Kind, client: XeroClient, document: Document, books: XeroBooks, picture: Picture
) -> list[Written]:
    seen = picture.seen[kind.data_type]
    return [
        _written(kind, raw)
        for raw in await _alike(kind, client, document)
        if looking.text_of(raw, kind.id_field) not in seen and _is_same(kind, raw, document, books)
    ]


def _is_same(kind: _Kind, raw: Raw, document: Document, books: XeroBooks) -> bool:
    off = abs(looking.number_of(raw, "Total") - lines_total(document, books))
    # Xero may round each line another way; one wrongly missed would be written twice.
    allowed = TOLERANCE + len(document.line_items) * Decimal("0.02")
    # A credit note's or bill's number may be left out, and Xero then makes none up.
    same_number = looking.text_of(raw, kind.number_field) == (_number(document) or "").strip()
    return same_number and off <= allowed


def _write(
    kind: _Kind,
    of: type[Record],
    *,
    needs: tuple[Need, ...],
    check: Callable[[Any, XeroBooks], Sequence[Problem]],
    one: Callable[[XeroClient, str], Awaitable[Raw]],
    mapper: looking.Mapper[Record],
) -> Write[XeroClient, XeroBooks]:
    async def picture(client: XeroClient, document: Document, books: XeroBooks) -> Picture:
        del books
        return await _picture(kind, client, document)

    async def create_it(
        client: XeroClient, key: str, document: Document, books: XeroBooks
    ) -> Written:
        return await _create(kind, client, key, document, books)

    async def find(
        client: XeroClient, key: str, document: Document, books: XeroBooks, before: Picture
    ) -> Sequence[Written]:
        del key
        return await _find(kind, client, document, books, before)

    async def read_back(
        client: XeroClient, document: Document, written: Written, books: XeroBooks
    ) -> Sequence[Record]:
        del document
        return looking.mapped(await one(client, written.changes[0].id), mapper, books)

    return Write(
        type=of,
        needs=needs,
        check=check,
        picture=picture,
        create=create_it,
        find=find,
        read_back=read_back,
    )


BILLS = _write(
    _BILLS,
    Bill,
    needs=BILL_NEEDS,
    check=check_bill,
    one=looking.invoice,
    mapper=bills,
)
BILL_CREDIT_NOTES = _write(
    _CREDIT_NOTES,
    BillCreditNote,
    needs=CREDIT_NOTE_NEEDS,
    check=check_credit_note,
    one=looking.credit_note,
    mapper=bill_credit_notes,
)
