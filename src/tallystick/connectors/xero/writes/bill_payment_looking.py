"""A bill payment seen at Xero: what was there before it, whether it arrived, what became of it."""

from collections.abc import Awaitable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from tallystick.connectors.contract import Change, Picture, Raw, Written
from tallystick.connectors.xero.books import XeroBooks
from tallystick.connectors.xero.client import XeroClient, paged
from tallystick.connectors.xero.reads.payables import (
    bill_credit_notes,
    bill_payments,
    bills,
    credit_allocations,
)
from tallystick.connectors.xero.refusals import warnings
from tallystick.connectors.xero.writes import looking
from tallystick.connectors.xero.writes.bill_payment_plan import (
    Allocate,
    PayBatch,
    PayBill,
    Plan,
    Refund,
    Share,
    planned,
)
from tallystick.connectors.xero.writes.checks import given
from tallystick.connectors.xero.writes.sending import is_id, new_id
from tallystick.errors import Missing, Problem, Refused, Unreachable
from tallystick.model.base import Record
from tallystick.model.payables import BillPayment

# How far back a written payment is looked for in the list of changed ones.
_RECENTLY = timedelta(minutes=10)
# Fewer than this many payments are cheaper read one by one.
_FEW = 3


def paid(payment_id: str, raw: Raw) -> Written:
    return Written(changes=(Change("billPayments", payment_id),), warnings=warnings(raw))


def batch_written(raw: Raw, batch: PayBatch) -> Written | None:
    """One bill payment for each line, in the order of the lines, and the movement at the bank."""
    paid = {bill_id: payment_id for bill_id, payment_id, _ in _payments_of(raw)}
    ids = [paid.get(share.bill_id.lower()) for share in batch.shares]
    if not all(map(is_id, ids)):
        return None
    return Written(
        changes=(
            *(Change("billPayments", str(payment_id)) for payment_id in ids),
            Change("accountTransactions", new_id(raw, "BatchPaymentID")),
        ),
        warnings=warnings(raw),
    )


def _payments_of(raw: Raw) -> Iterator[tuple[str, str, Decimal]]:
    """(bill, payment, amount) of a batch."""
    for payment in raw.get("Payments") or ():
        yield (
            looking.text_of(payment, "Invoice", "InvoiceID").lower(),
            looking.text_of(payment, "PaymentID"),
            looking.number_of(payment, "Amount"),
        )


@dataclass(frozen=True, slots=True)
class _Targets:
    """The documents a payment is about, as Xero has them now."""

    bills: dict[str, Raw]
    notes: dict[str, Raw]


def _bill_shares(meant: Plan) -> tuple[Share, ...]:
    match meant:
        case PayBatch():
            return meant.shares
        case PayBill() | Allocate():
            return (meant.share,)
        case Refund():
            return ()


async def _targets(client: XeroClient, meant: Plan) -> _Targets:
    ids = [share.bill_id for share in _bill_shares(meant)]
    found = (
        {ids[0]: await _or_none(looking.invoice(client, ids[0]))}
        if len(ids) == 1
        else await looking.invoices(client, ids)
    )
    notes: dict[str, Raw] = {}
    if isinstance(meant, Allocate | Refund):
        note_id = meant.credit_note_id
        notes[note_id] = await _or_none(looking.credit_note(client, note_id))
    return _Targets(bills={_folded(key): raw for key, raw in found.items()}, notes=notes)


async def _or_none(asked: Awaitable[Raw]) -> Raw | None:
    try:
        return await asked
    except Missing:
        return None


def _folded(record_id: str) -> str:
    """A GUID means the same in either case."""
    return record_id.lower()


async def picture(client: XeroClient, payment: BillPayment, books: XeroBooks) -> Picture:
    meant = planned(payment)
    targets = await _targets(client, meant)
    _refuse_strangers(payment, meant, targets, books)
    seen: dict[str, tuple[str, ...]] = {}
    balances: dict[str, Decimal] = {}
    for share in _bill_shares(meant):
        raw = targets.bills[_folded(share.bill_id)]
        seen[f"bills/{share.bill_id}/payments"] = _ids(raw, "Payments", "PaymentID")
        balances[f"bills/{share.bill_id}"] = looking.number_of(raw, "AmountDue")
    for note_id, raw in targets.notes.items():
        seen[f"billCreditNotes/{note_id}/payments"] = _ids(raw, "Payments", "PaymentID")
        uses = raw.get("Allocations") or ()
        seen[f"billCreditNotes/{note_id}/allocations"] = tuple(map(_allocation_id, uses))
        balances[f"billCreditNotes/{note_id}"] = looking.number_of(raw, "RemainingCredit")
    return Picture(seen=seen, balances=balances)


def _ids(raw: Raw, held: str, id_field: str) -> tuple[str, ...]:
    return tuple(looking.text_of(one, id_field) for one in raw.get(held) or ())


def _refuse_strangers(
    payment: BillPayment, meant: Plan, targets: _Targets, books: XeroBooks
) -> None:
    """Refuse what can only be seen at Xero: no such document, another kind, another currency."""
    for place, share in enumerate(_bill_shares(meant)):
        raw = targets.bills.get(_folded(share.bill_id))
        if raw is None or looking.text_of(raw, "Type") != "ACCPAY":
            raise looking.not_found(f"Lines[{place}].Links[0].Id", "Bill", "BillPayment")
        _refuse_currency(payment, meant, looking.text_of(raw, "CurrencyCode"), books)
    for raw in targets.notes.values():
        if raw is None or looking.text_of(raw, "Type") != "ACCPAYCREDIT":
            raise looking.not_found("Lines[0].Links[0].Id", "Bill Credit Note", "BillPayment")
        _refuse_currency(payment, meant, looking.text_of(raw, "CurrencyCode"), books)


def _refuse_currency(payment: BillPayment, meant: Plan, theirs: str, books: XeroBooks) -> None:
    """Amounts go out in the document's currency: another one meant would be money paid wrongly."""
    ours = payment.currency or books.base_currency
    theirs = theirs or books.base_currency
    converted = isinstance(meant, PayBill) and meant.rate not in {None, Decimal(1)}
    if converted and ours == theirs:
        message = f"Document and payment are both in {ours}, and yet a link names a rate."
    elif ours == theirs or (converted and ours == books.base_currency):
        return
    else:
        message = f"The document is in {theirs}, the payment in {ours}, and no link names the rate."
    raise Refused(message, problems=(Problem("Currency", message, "BillPayment"),))


# --- looking afterwards ---


async def find(
    client: XeroClient, key: str, payment: BillPayment, books: XeroBooks, picture: Picture
) -> Sequence[Written]:
    del key, books
    match planned(payment):
        case PayBill(share=share):
            raw = await looking.invoice(client, share.bill_id)
            seen = picture.seen[f"bills/{share.bill_id}/payments"]
            return await _new_payments(client, payment, raw, seen, share.amount)
        case Refund(credit_note_id=note_id, amount=amount):
            raw = await looking.credit_note(client, note_id)
            seen = picture.seen[f"billCreditNotes/{note_id}/payments"]
            return await _new_payments(client, payment, raw, seen, amount)
        case Allocate() as use:
            return await _new_allocations(client, use, picture)
        case PayBatch() as batch:
            return await _new_batches(client, payment, batch, picture)


async def _new_payments(
    client: XeroClient,
    payment: BillPayment,
    holder: Raw,
    seen: Sequence[str],
    amount: Decimal,
) -> list[Written]:
    """Payments the document did not hold before, of our amount, day and account."""
    return [
        paid(looking.text_of(raw, "PaymentID"), raw)
        for raw in await _fresh(client, holder, seen)
        if looking.number_of(raw, "Amount") == amount and _same_movement(raw, payment)
    ]


async def _fresh(client: XeroClient, holder: Raw, seen: Sequence[str]) -> list[Raw]:
    fresh = [one for one in _ids(holder, "Payments", "PaymentID") if one not in seen]
    found = [await looking.payment(client, payment_id) for payment_id in fresh]
    return [raw for raw in found if looking.text_of(raw, "Status") != "DELETED"]


def _same_movement(raw: Raw, payment: BillPayment) -> bool:
    account = given(payment.account_ref, "AccountRef")
    same_account = _folded(looking.text_of(raw, "Account", "AccountID")) == _folded(
        account.id or ""
    )
    return same_account and looking.day_of(raw) == payment.date


async def _new_allocations(client: XeroClient, use: Allocate, picture: Picture) -> list[Written]:
    raw = await looking.credit_note(client, use.credit_note_id)
    seen = picture.seen[f"billCreditNotes/{use.credit_note_id}/allocations"]
    alike = [
        one
        for one in raw.get("Allocations") or ()
        if _folded(looking.text_of(one, "Invoice", "InvoiceID")) == _folded(use.share.bill_id)
        and looking.number_of(one, "Amount") == use.share.amount
        and looking.day_of(one) == use.on
    ]
    if "" in seen and any(not _allocation_id(one) for one in alike):
        # An old one and ours look the same.
        raise Unreachable("Xero names no ids of the credit note's allocations.", sent=True)
    unnamed = f"{use.credit_note_id}-{use.share.bill_id}"  # as it is read, see settlements
    return [
        paid(found or unnamed, one) for one in alike if (found := _allocation_id(one)) not in seen
    ]


def _allocation_id(raw: Raw) -> str:
    """The id of a use of a credit note; empty where Xero names none."""
    found = looking.text_of(raw, "AllocationID")
    return found if is_id(found) else ""


async def _new_batches(
    client: XeroClient, payment: BillPayment, batch: PayBatch, picture: Picture
) -> list[Written]:
    """The batches behind new payments of the first bill, where they pay what ours pays."""
    first = batch.shares[0]
    holder = await looking.invoice(client, first.bill_id)
    seen = picture.seen[f"bills/{first.bill_id}/payments"]
    behind = [looking.text_of(raw, "BatchPaymentID") for raw in await _fresh(client, holder, seen)]
    found = []
    for batch_id in dict.fromkeys(one for one in behind if one):
        raw = await looking.batch_payment(client, batch_id)
        written = batch_written(raw, batch)
        if not _same_movement(raw, payment):
            continue
        if written and _same_batch(raw, batch):
            found.append(written)
        elif _pays_some(raw, batch):
            # Neither there nor not there: sent again, some bills would be paid twice.
            raise Unreachable("Xero shows a part of the batch.", sent=True)
    return found


def _pays_some(raw: Raw, batch: PayBatch) -> bool:
    """Whether it pays nothing but bills of ours, each with our amount, though not all of them."""
    ours = {_folded(share.bill_id): share.amount for share in batch.shares}
    theirs = [(bill_id, amount) for bill_id, _, amount in _payments_of(raw)]
    return all(ours.get(bill_id) == amount for bill_id, amount in theirs)


def _same_batch(raw: Raw, batch: PayBatch) -> bool:
    theirs = {bill_id: amount for bill_id, _, amount in _payments_of(raw)}
    return theirs == {_folded(share.bill_id): share.amount for share in batch.shares}


# --- reading back ---


async def read_back(
    client: XeroClient, payment: BillPayment, written: Written, books: XeroBooks
) -> Sequence[Record]:
    """The payments, the bills they paid and the credit note they used, as they now are."""
    meant = planned(payment)
    ids = [change.id for change in written.changes if change.data_type == "billPayments"]
    found = await _targets(client, meant)
    records: list[Record] = []
    for note in found.notes.values():
        if isinstance(meant, Allocate):
            uses = looking.mapped(note, credit_allocations, books)
            records += [use for use in uses if use.id in ids]
        records += looking.mapped(note, bill_credit_notes, books)
    if not isinstance(meant, Allocate):
        for raw in await _payments(client, ids):
            records += looking.mapped(raw, bill_payments, books)
    for raw in found.bills.values():
        records += looking.mapped(raw, bills, books)
    return records


async def _payments(client: XeroClient, ids: Sequence[str]) -> list[Raw]:
    """Those of a batch come from the list of what changed just now; the rest one by one."""
    found: dict[str, Raw] = {}
    if len(ids) > _FEW:
        pages = paged("/Payments", "Payments", id_field="PaymentID")
        async for page in pages(client, client.now - _RECENTLY, None):
            found.update((looking.text_of(raw, "PaymentID"), raw) for raw in page.raws)
            if found.keys() >= set(ids):
                break
    return [found[one] if one in found else await looking.payment(client, one) for one in ids]
