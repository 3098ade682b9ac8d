"""Paying bills: one, several in a batch, by a credit note; and taking a credit back in cash."""

from decimal import Decimal
from typing import Any

from tallystick.connectors.contract import Need, Raw, Write, Written
from tallystick.connectors.xero.books import XeroBooks
from tallystick.connectors.xero.client import XeroClient, step
from tallystick.connectors.xero.writes.bill_payment_looking import (
    batch_written,
    find,
    paid,
    picture,
    read_back,
)
from tallystick.connectors.xero.writes.bill_payment_plan import (
    Allocate,
    PayBatch,
    PayBill,
    Refund,
    check,
    planned,
)
from tallystick.connectors.xero.writes.checks import given
from tallystick.connectors.xero.writes.sending import (
    create,
    day_text,
    filled,
    new_id,
    number,
    rate_number,
)
from tallystick.errors import Unreachable
from tallystick.model.payables import BillPayment

NEEDS = (
    Need("date", required=True),
    Need("totalAmount", required=True, note="Must match the sum of the lines' amounts."),
    Need("currency", required=True, note="The base currency for a batch payment."),
    Need("currencyRate", note="The day's rate at Xero where it is left out."),
    Need("accountRef", note="Must be provided to pay from a bank account."),
    Need("accountRef.id", note="A bank account, or one opened for payments."),
    Need("supplierRef", note="Left out where a batch pays several suppliers."),
    Need("supplierRef.id"),
    Need("reference", length_max=255),
    Need("note", length_max=255, note="Sent where there is no reference."),
    Need("lines", required=True, note="More than one line makes a batch payment."),
    Need("lines.amount", required=True),
    Need("lines.allocatedOnDate", note="The day a credit note is used."),
    Need(
        "lines.links",
        required=True,
        note="One line: one Bill, one CreditNote (a refund), or one of each with amount 0. "
        "Several lines: exactly one Bill each.",
    ),
    Need("lines.links.id", required=True),
    Need("lines.links.type", required=True, choices=("Bill", "CreditNote")),
    Need("lines.links.amount", required=True, note="Below zero for bills, above for credit notes."),
    Need("lines.links.currencyRate"),
)


async def _create(client: XeroClient, key: str, payment: BillPayment, books: XeroBooks) -> Written:
    match planned(payment):
        case PayBill() as one:
            return await _pay(client, key, _bill_body(payment, one, books))
        case Refund() as refund:
            return await _pay(client, key, _refund_body(payment, refund, books))
        case PayBatch() as batch:
            return await _pay_batch(client, key, payment, batch)
        case Allocate() as use:
            return await _allocate(client, key, use)


async def _pay(client: XeroClient, key: str, body: Raw) -> Written:
    raw = await create(client, "/Payments", "Payments", key=key, body={"Payments": [body]})
    return paid(new_id(raw, "PaymentID"), raw)


def _movement(payment: BillPayment) -> dict[str, Any]:
    account = given(payment.account_ref, "AccountRef")
    return filled(
        Account={"AccountID": account.id},
        Date=day_text(payment.date),
        Reference=_reference(payment),
    )


def _reference(payment: BillPayment) -> str | None:
    return payment.reference or payment.note


def _bill_body(payment: BillPayment, one: PayBill, books: XeroBooks) -> Raw:
    return {
        "Invoice": {"InvoiceID": one.share.bill_id},
        **_movement(payment),
        "Amount": number(one.share.amount),
        **filled(CurrencyRate=_rate(payment, one.rate, books)),
    }


def _refund_body(payment: BillPayment, refund: Refund, books: XeroBooks) -> Raw:
    return {
        "CreditNote": {"CreditNoteID": refund.credit_note_id},
        **_movement(payment),
        "Amount": number(refund.amount),
        **filled(CurrencyRate=_rate(payment, None, books)),
    }


def _rate(payment: BillPayment, link_rate: Decimal | None, books: XeroBooks) -> Any:
    """Between the document's currency and the base one, where the caller names it.

    A link's rate says it where a foreign bill is paid in base currency, the header's where it is
    paid in its own.
    """
    if link_rate not in {None, Decimal(1)}:
        return rate_number(link_rate)
    foreign = payment.currency not in {None, books.base_currency}
    return rate_number(payment.currency_rate) if foreign else None


async def _pay_batch(
    client: XeroClient, key: str, payment: BillPayment, batch: PayBatch
) -> Written:
    shares = [
        {"Invoice": {"InvoiceID": share.bill_id}, "Amount": number(share.amount)}
        for share in batch.shares
    ]
    body = {"BatchPayments": [{**_movement(payment), "Payments": shares}]}
    raw = await create(client, "/BatchPayments", "BatchPayments", key=key, body=body)
    written = batch_written(raw, batch)
    if written is None:
        raise Unreachable("Xero's answer does not name the payments of the batch.", sent=True)
    return written


async def _allocate(client: XeroClient, key: str, use: Allocate) -> Written:
    path = f"/CreditNotes/{step(use.credit_note_id)}/Allocations"
    body = {
        "Allocations": [
            {
                "Invoice": {"InvoiceID": use.share.bill_id},
                "Amount": number(use.share.amount),
                "Date": day_text(use.on),
            }
        ]
    }
    raw = await create(client, path, "Allocations", key=key, body=body)
    # Some answers leave the id out; then the credit note itself is looked into.
    return paid(new_id(raw, "AllocationID"), raw)


BILL_PAYMENTS: Write[XeroClient, XeroBooks] = Write(
    type=BillPayment,
    needs=NEEDS,
    check=check,
    picture=picture,
    create=_create,
    find=find,
    read_back=read_back,
)
