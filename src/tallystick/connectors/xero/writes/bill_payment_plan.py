"""Which of Xero's four calls a bill payment means, or why it means none. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tallystick.connectors.xero.books import XeroBooks
from tallystick.connectors.xero.writes.checks import (
    currency_problems,
    id_problems,
    paying_account_problems,
    rate_problems,
    saying,
    too_fine,
)
from tallystick.errors import Problem, Refused
from tallystick.model.payables import (
    BillPayment,
    BillPaymentLine,
    BillPaymentLink,
    BillPaymentLinkType,
)

_say = saying("BillPayment")
_BILL = BillPaymentLinkType.Bill
_CREDIT = BillPaymentLinkType.CreditNote


@dataclass(frozen=True, slots=True)
class Share:
    """Money for one bill, in the bill's currency."""

    bill_id: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class PayBill:
    """PUT Payments: one bill, whole or in part. `rate`: payment currency for one of the bill's."""

    share: Share
    rate: Decimal | None


@dataclass(frozen=True, slots=True)
class PayBatch:
    """PUT BatchPayments: several bills, of one supplier or many, in one movement at the bank."""

    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Allocate:
    """PUT CreditNotes/{id}/Allocations: a credit note used on a bill; no money moves."""

    credit_note_id: str
    share: Share
    on: date


@dataclass(frozen=True, slots=True)
class Refund:
    """PUT Payments with a credit note: the supplier pays it back."""

    credit_note_id: str
    amount: Decimal


Plan = PayBill | PayBatch | Allocate | Refund


def plan(payment: BillPayment) -> Plan | None:
    """The call that is meant; None where the lines and links fit none of the four."""
    lines = payment.lines
    if len(lines) == 1:
        return _single(payment, lines[0])
    shares = tuple(_share(line.links[0]) for line in lines if _types(line) == [_BILL])
    return PayBatch(shares) if len(shares) == len(lines) > 1 else None


def planned(payment: BillPayment) -> Plan:
    """The plan of a payment that was checked.

    Raises:
        Refused: it was not, and nothing was sent.
    """
    meant = plan(payment)
    if meant is None:
        problems = tuple(_shape_problems(payment))
        raise Refused(problems[0].message, problems=problems)
    return meant


def _single(payment: BillPayment, line: BillPaymentLine) -> Plan | None:
    match _types(line):
        case [BillPaymentLinkType.Bill]:
            return PayBill(_share(line.links[0]), line.links[0].currency_rate)
        case [BillPaymentLinkType.CreditNote]:
            link = line.links[0]
            return Refund(link.id or "", link.amount or Decimal(0))
        case [BillPaymentLinkType.Bill, BillPaymentLinkType.CreditNote] if line.amount == 0:
            bill, note = sorted(line.links, key=lambda link: link.type)
            on = line.allocated_on_date or payment.date
            return Allocate(note.id or "", _share(bill), on)
    return None


def _types(line: BillPaymentLine) -> list[BillPaymentLinkType]:
    return sorted(link.type for link in line.links)


def _share(link: BillPaymentLink) -> Share:
    return Share(link.id or "", -(link.amount or Decimal(0)))


# --- checking ---


def check(payment: BillPayment, books: XeroBooks) -> Sequence[Problem]:
    found = [*_money_problems(payment), *_line_problems(payment)]
    meant = plan(payment)
    if meant is None:
        found.extend(_shape_problems(payment))
    elif not isinstance(meant, Allocate):
        account_id = payment.account_ref.id if payment.account_ref else None
        found.extend(paying_account_problems(_say, account_id, books))
    if isinstance(meant, PayBatch):
        found.extend(_batch_problems(payment, meant, books))
    if isinstance(meant, Allocate | Refund):
        found.extend(_credit_problems(payment))
    return tuple(dict.fromkeys(found))


def _money_problems(payment: BillPayment) -> Iterator[Problem]:
    yield from currency_problems(_say, payment.currency, payment.currency_rate)
    yield from too_fine(_say, "TotalAmount", payment.total_amount)
    if payment.total_amount != sum((line.amount for line in payment.lines), Decimal(0)):
        yield _say("TotalAmount", "Total Amount must match the sum of the lines' amounts.")


def _line_problems(payment: BillPayment) -> Iterator[Problem]:
    for position, line in enumerate(payment.lines):
        at = f"Lines[{position}]"
        yield from too_fine(_say, f"{at}.Amount", line.amount)
        for place, link in enumerate(line.links):
            yield from _link_problems(f"{at}.Links[{place}]", link)
        linked = sum((_in_payment_currency(link) for link in line.links), Decimal(0))
        # A rate of many digits leaves fractions of a cent over.
        if line.links and abs(line.amount + linked) >= Decimal("0.01"):
            yield _say(f"{at}.Links", "Amount and the links' amounts must add up to zero.")


def _in_payment_currency(link: BillPaymentLink) -> Decimal:
    rate = Decimal(1) if link.currency_rate is None else link.currency_rate
    return (link.amount or Decimal(0)) * rate


def _link_problems(at: str, link: BillPaymentLink) -> Iterator[Problem]:
    if not link.id:
        yield _say(f"{at}.Id", "Links.Id must be provided.")
    yield from id_problems(_say, f"{at}.Id", link.id or None)
    yield from too_fine(_say, f"{at}.Amount", link.amount)
    if link.type == _BILL and (link.amount is None or link.amount >= 0):
        yield _say(f"{at}.Amount", "The amount of a link to a bill must be below zero.")
    if link.type == _CREDIT and (link.amount is None or link.amount <= 0):
        yield _say(f"{at}.Amount", "The amount of a link to a credit note must be above zero.")
    if link.type not in {_BILL, _CREDIT}:
        yield _say(f"{at}.Type", f"Xero takes no link of type {link.type} in a bill payment.")
    yield from rate_problems(_say, f"{at}.CurrencyRate", link.currency_rate)


def _shape_problems(payment: BillPayment) -> Iterator[Problem]:
    types = {link.type for line in payment.lines for link in line.links}
    if not payment.lines:
        yield _say("Lines", "Lines must be provided.")
    elif types == {_BILL, _CREDIT}:
        yield _say(
            "Lines.Links",
            "Xero takes a credit note and cash in two separate operations: one of total 0 that "
            "links one CreditNote and one Bill, and one for the cash.",
        )
    elif len(payment.lines) > 1:
        yield _say(
            "Lines.Links", "Where there are several lines, each must hold one link of type Bill."
        )
    else:
        yield _say(
            "Lines.Links",
            "A single line must hold one link of type Bill or CreditNote, or one of each.",
        )


def _batch_problems(payment: BillPayment, batch: PayBatch, books: XeroBooks) -> Iterator[Problem]:
    base = books.base_currency
    if payment.currency not in {None, base}:
        yield _say("Currency", f"A batch payment must be in the base currency, {base}.")
    if any(_rate_matters(link) for line in payment.lines for link in line.links):
        yield _say("Lines.Links.CurrencyRate", "A batch payment pays bills in one currency.")
    bills = [share.bill_id.lower() for share in batch.shares]
    if len(bills) != len(set(bills)):
        yield _say("Lines.Links.Id", "A bill may be paid by one line of a batch only.")
    account = books.account(payment.account_ref.id if payment.account_ref else None, None)
    if account and account.currency not in {"", base}:
        yield _say("AccountRef.Id", f"A batch payment needs an account in {base}.")


def _credit_problems(payment: BillPayment) -> Iterator[Problem]:
    """A credit is used, or paid back, in its own currency: what is not sent must not be meant."""
    if any(_rate_matters(link) for line in payment.lines for link in line.links):
        yield _say(
            "Lines.Links.CurrencyRate",
            "Xero takes no rate where a credit note is used or paid back: leave it out, or make "
            "it 1.",
        )


def _rate_matters(link: BillPaymentLink) -> bool:
    return link.currency_rate not in {None, Decimal(1)}
