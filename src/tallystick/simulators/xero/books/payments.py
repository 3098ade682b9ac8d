"""Payments of documents, and refunds of credits: one bank movement against one document."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from tallystick.simulators.xero.books import ledger
from tallystick.simulators.xero.books.books import TARGETS, Books, Held, reversed_legs
from tallystick.simulators.xero.books.ledger import KINDS
from tallystick.simulators.xero.books.rates import LOWEST_RATE
from tallystick.simulators.xero.errors import Invalid
from tallystick.simulators.xero.wire import (
    cents,
    day_json,
    day_of,
    from_cents,
    is_number,
    money,
    number,
)

Raw = Any

PAYMENT_TYPES = {
    "ACCPAY": "ACCPAYPAYMENT",
    "ACCREC": "ACCRECPAYMENT",
    "ACCPAYCREDIT": "APCREDITPAYMENT",
    "ACCRECCREDIT": "ARCREDITPAYMENT",
    "SPEND-PREPAYMENT": "APPREPAYMENTPAYMENT",
    "RECEIVE-PREPAYMENT": "ARPREPAYMENTPAYMENT",
    "SPEND-OVERPAYMENT": "APOVERPAYMENTPAYMENT",
    "RECEIVE-OVERPAYMENT": "AROVERPAYMENTPAYMENT",
}
_REFERENCE_LENGTH_MAX = 255


@dataclass(frozen=True, kw_only=True)
class Paying:
    """A payment that passed every check and is not yet made."""

    target: Held
    account: dict[str, Raw]
    day: date
    amount: Decimal
    rate: Decimal
    reference: str
    batch_id: str = ""


def add_payment(books: Books, sent: dict[str, Raw]) -> str:
    """Pay a document; answers the payment's id."""
    return make(books, plan(books, sent))


def plan(books: Books, sent: dict[str, Raw], *, batch_id: str = "") -> Paying:
    target = _target(books, sent)
    account = paying_account(books, sent.get("Account"))
    day = payment_day(books, sent)
    amount = _amount(sent, target)
    currency = str(target.body.get("CurrencyCode") or books.base)
    _check_currency(books, account, currency)
    reference = str(sent.get("Reference") or "")
    if len(reference) > _REFERENCE_LENGTH_MAX:
        raise Invalid("The field Reference exceeds its maximum length of 255 characters")
    return Paying(
        target=target,
        account=account,
        day=day,
        amount=amount,
        rate=_rate(books, sent, currency=currency, day=day),
        reference=reference,
        batch_id=batch_id,
    )


def make(books: Books, paying: Paying) -> str:
    """Move the document, the bank and the contact's balance by the payment."""
    id_ = books.new_id()
    body = dict(paying.target.body)
    control = ledger.settle(books, body, paying.amount, on=paying.day, field="AmountPaid")
    bank = ledger.bank_leg(
        books,
        paying.account,
        body=body,
        amount=paying.amount,
        rate=paying.rate,
        sign=KINDS[paying.target.kind].sign,
    )
    ledger.settlement(books, source=id_, day=paying.day, legs=[control, bank])
    books.save(paying.target.collection, body, native=paying.target.native)
    books.save("Payments", _body(id_, paying, bank_cents=abs(bank.account_cents or 0)))
    return id_


def delete_payment(books: Books, payment: Held, *, with_batch: bool = False) -> None:
    """Take a payment back: the document is open again, the bank has its money again."""
    body = dict(payment.body)
    if payment.status == "DELETED":
        raise Invalid("The payment has already been deleted")
    if body.get("IsReconciled") is True:
        raise Invalid("This payment has been reconciled and cannot be removed")
    if body.get("BatchPaymentID") and not with_batch:
        raise Invalid("This payment is part of a batch payment; delete the batch payment instead")
    day = day_of(body.get("Date")) or books.today
    ledger.check_unlocked(books, day, what="payment")
    _reopen(books, payment, day=day)
    body["Status"] = "DELETED"
    books.save("Payments", body, native=payment.native)


def _reopen(books: Books, payment: Held, *, day: date) -> None:
    target = target_of(books, payment.body)
    if target is None:
        return
    body = dict(target.body)
    amount = money(payment.body["Amount"])
    control = ledger.settle(books, body, -amount, on=day, field="AmountPaid")
    taken = ledger.without_control(books.posted(payment.id))
    if not taken:
        raise Invalid("This payment was not made in these books and cannot be removed")
    legs = [control, *reversed_legs(taken)]
    ledger.settlement(books, source=payment.id, day=day, legs=legs)
    books.save(target.collection, body, native=target.native)


def target_of(books: Books, body: dict[str, Raw]) -> Held | None:
    """The document a payment belongs to, where it is in the books."""
    for name, collection in TARGETS.items():
        ref = body.get(name)
        if isinstance(ref, dict) and ref.get(f"{name}ID"):
            return books.get(collection, ref[f"{name}ID"])
    return None


def _target(books: Books, sent: dict[str, Raw]) -> Held:
    target = target_of(books, sent)
    if target is None and isinstance(sent.get("Invoice"), dict):
        wanted = sent["Invoice"].get("InvoiceNumber")
        named = books.rows("by_code", collection="Invoices", code=wanted) if wanted else []
        target = named[0] if named else None
    if target is None:
        raise Invalid("Payment must reference a document that exists: Invoice could not be found")
    if target.status != "AUTHORISED":
        raise Invalid("Payments can only be made against Authorised documents")
    return target


def paying_account(books: Books, ref: Raw) -> dict[str, Raw]:
    account = books.account(ref)
    if account is None:
        raise Invalid("Account could not be found")
    if account.get("Status", "ACTIVE") != "ACTIVE":
        raise Invalid("The account is archived and cannot be used for payments")
    if account.get("Type") != "BANK" and account.get("EnablePaymentsToAccount") is not True:
        raise Invalid("Account type must be BANK, or the account must have payments enabled")
    return account


def payment_day(books: Books, sent: dict[str, Raw]) -> date:
    day = day_of(sent["Date"]) if sent.get("Date") else books.today
    if day is None:
        raise Invalid(f"Date is not a day: {sent['Date']}")
    ledger.check_unlocked(books, day, what="payment")
    return day


def _amount(sent: dict[str, Raw], target: Held) -> Decimal:
    if not is_number(sent.get("Amount")) or number(sent["Amount"]) <= 0:
        raise Invalid("The payment amount must be greater than zero")
    amount = money(sent["Amount"])
    if amount != number(sent["Amount"]):
        raise Invalid("The payment amount cannot have more than two decimal places")
    if amount > money(target.body[KINDS[target.kind].open_field]):
        raise Invalid("Payment amount exceeds the amount outstanding on this document")
    return amount


def _check_currency(books: Books, account: dict[str, Raw], currency: str) -> None:
    if account.get("Type") == "BANK":
        own = account.get("CurrencyCode") or books.base
        if own not in (books.base, currency):
            raise Invalid("The bank account's currency is neither the document's nor the base one")


def _rate(books: Books, sent: dict[str, Raw], *, currency: str, day: date) -> Decimal:
    given = sent.get("CurrencyRate")
    if currency == books.base or given is None:
        return books.rate(currency, day)
    if not is_number(given) or number(given) < LOWEST_RATE:
        raise Invalid("CurrencyRate must be a number above zero")
    return money(given, places=6)


def _body(id_: str, paying: Paying, *, bank_cents: int) -> dict[str, Raw]:
    name = next(key for key, value in TARGETS.items() if value == paying.target.collection)
    account = {"AccountID": paying.account["AccountID"]}
    if paying.account.get("Code"):
        account["Code"] = paying.account["Code"]
    body: dict[str, Raw] = {
        "PaymentID": id_,
        "Date": day_json(paying.day),
        "BankAmount": from_cents(bank_cents or cents(paying.amount)),
        "Amount": paying.amount,
        "Reference": paying.reference,
        "CurrencyRate": paying.rate,
        "PaymentType": PAYMENT_TYPES[paying.target.kind],
        "Status": "AUTHORISED",
        "HasAccount": True,
        "IsReconciled": False,
        "Account": account,
        name: {f"{name}ID": paying.target.id},
        "HasValidationErrors": False,
    }
    if paying.batch_id:
        body["BatchPaymentID"] = paying.batch_id
    return body
