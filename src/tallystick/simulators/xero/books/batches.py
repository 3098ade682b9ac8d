"""Batch payments: several documents of one side, settled by one movement of the bank."""

from typing import Any

from tallystick.simulators.xero.books import payments
from tallystick.simulators.xero.books.books import Books, Held
from tallystick.simulators.xero.books.ledger import KINDS
from tallystick.simulators.xero.errors import Invalid
from tallystick.simulators.xero.wire import ZERO, day_json, day_string, money

Raw = Any

_LENGTHS = {"Reference": 255, "Particulars": 12, "Code": 12, "Narrative": 18}
_WORDS = ("Reference", "Particulars", "Code", "Narrative", "Details")


def add_batch(books: Books, sent: dict[str, Raw]) -> str:
    """Pay several documents at once; answers the batch's id."""
    for name, limit in _LENGTHS.items():
        if len(str(sent.get(name) or "")) > limit:
            raise Invalid(f"The field {name} exceeds its maximum length of {limit} characters")
    account = payments.paying_account(books, sent.get("Account"))
    _check_base(books, account.get("CurrencyCode") or books.base)
    day = payments.payment_day(books, sent)
    elements = sent.get("Payments")
    if not isinstance(elements, list) or not elements:
        raise Invalid("A batch payment must hold at least one payment")
    id_ = books.new_id()
    side, total = "", ZERO
    for element in elements:
        ref = {"AccountID": account["AccountID"]}
        whole = {"Reference": sent.get("Reference"), **element, "Account": ref}
        paying = payments.plan(books, {**whole, "Date": day_json(day)}, batch_id=id_)
        _check_base(books, paying.target.body.get("CurrencyCode") or books.base)
        kind = KINDS[paying.target.kind]
        if kind.is_credit or (side and kind.side != side):
            raise Invalid("A batch payment settles either bills or invoices, not both")
        side, total = kind.side, total + paying.amount
        payments.make(books, paying)
    books.save(
        "BatchPayments",
        {
            "Account": {"AccountID": account["AccountID"], "CurrencyCode": books.base},
            **{name: sent[name] for name in _WORDS if sent.get(name)},
            "BatchPaymentID": id_,
            "DateString": day_string(day),
            "Date": day_json(day),
            "Type": "PAYBATCH" if side == "AP" else "RECBATCH",
            "Status": "AUTHORISED",
            "TotalAmount": money(total),
            "IsReconciled": False,
        },
    )
    return id_


def delete_batch(books: Books, batch: Held) -> None:
    """Take back every payment of a batch, and the batch with them."""
    if batch.status == "DELETED":
        raise Invalid("The batch payment has already been deleted")
    if batch.body.get("IsReconciled") is True:
        raise Invalid("This batch payment has been reconciled and cannot be removed")
    for payment in books.rows("by_owner", collection="Payments", owner=batch.id):
        payments.delete_payment(books, payment, with_batch=True)
    books.save("BatchPayments", {**batch.body, "Status": "DELETED"}, native=batch.native)


def _check_base(books: Books, currency: str) -> None:
    if currency != books.base:
        raise Invalid("Batch payments can only be made in the organisation's base currency")
