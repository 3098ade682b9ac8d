"""Invoices, bills and credit notes: what may be written, and what a change does to the ledger."""

from datetime import date
from typing import Any

from tallystick.simulators.xero.books import ledger
from tallystick.simulators.xero.books.books import Books, Held
from tallystick.simulators.xero.books.contacts import contact_for
from tallystick.simulators.xero.books.ledger import KINDS, Kind
from tallystick.simulators.xero.books.lines import line, totals
from tallystick.simulators.xero.books.rates import LOWEST_RATE
from tallystick.simulators.xero.errors import ID_KEYS, Invalid
from tallystick.simulators.xero.wire import (
    ZERO,
    day_json,
    day_of,
    day_string,
    is_number,
    money,
    number,
)

Raw = Any

_LENGTHS = {"InvoiceNumber": 255, "CreditNoteNumber": 255, "Reference": 255, "Url": 500}
_NEXT = {
    "": {"DRAFT", "SUBMITTED", "AUTHORISED"},
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "VOIDED"},
}
_PLAIN = ("Url", "SentToContact", "BrandingThemeID")
_DAYS = ("DueDate", "ExpectedPaymentDate", "PlannedPaymentDate")
# A change of these alone does not move UpdatedDateUTC once a part is paid
# (Xero developer documentation, Requests and responses, If-Modified-Since).
_UNNOTICED = {"DueDate", "ExpectedPaymentDate", "PlannedPaymentDate", "SentToContact"}


def save_document(
    books: Books, collection: str, sent: dict[str, Raw], *, previous: Held | None, places: int
) -> str:
    """Create or change a document; answers its id."""
    if previous is None:
        return _create(books, collection, sent, places=places)
    status = previous.status
    wanted = str(sent.get("Status") or status)
    noun = "Invoice" if collection == "Invoices" else "Credit note"
    if wanted not in _NEXT.get(status, set()):
        raise Invalid(f"{noun} not of valid status for modification")
    if wanted in ("VOIDED", "DELETED"):
        _take_back(books, previous, wanted)
    elif status == "AUTHORISED" and _is_touched(previous.body):
        _edit_settled(books, previous, sent)
    else:
        _rewrite(books, previous, sent, wanted=wanted, places=places)
    return previous.id


def _create(books: Books, collection: str, sent: dict[str, Raw], *, places: int) -> str:
    kind = KINDS.get(str(sent.get("Type")))
    if kind is None or kind.collection != collection:
        raise Invalid("The Type of the document is missing or not known")
    wanted = str(sent.get("Status") or "DRAFT")
    if wanted not in _NEXT[""]:
        raise Invalid(f"A new document cannot have the status {wanted}")
    id_ = books.new_id()
    body: dict[str, Raw] = {"Type": kind.name, ID_KEYS[collection]: id_}
    body |= {"HasAttachments": False, "SentToContact": False, "BrandingThemeID": books.new_id()}
    _fill(books, kind, body, sent, wanted=wanted, places=places)
    if wanted == "AUTHORISED":
        ledger.raise_document(books, source=id_, body=body)
    books.save(collection, body)
    return id_


def _rewrite(
    books: Books, previous: Held, sent: dict[str, Raw], *, wanted: str, places: int
) -> None:
    body = dict(previous.body)
    kind = KINDS[previous.kind]
    if previous.status == "AUTHORISED":
        ledger.check_unlocked(books, day_of(body["Date"]) or books.today, what="document")
        ledger.withdraw(books, source=previous.id, day=books.today)
    _fill(books, kind, body, sent, wanted=wanted, places=places)
    if wanted == "AUTHORISED":
        ledger.raise_document(books, source=previous.id, body=body)
    books.save(previous.collection, body, native=previous.native)


def _fill(
    books: Books,
    kind: Kind,
    body: dict[str, Raw],
    sent: dict[str, Raw],
    *,
    wanted: str,
    places: int,
) -> None:
    """Lay what was sent over what is there, and reckon the document anew."""
    approved = wanted == "AUTHORISED"
    _check_lengths(sent)
    body["Status"] = wanted
    if "Contact" in sent or "Contact" not in body:
        body["Contact"] = {"ContactID": contact_for(books, sent.get("Contact"))}
    _fill_days(books, kind, body, sent, approved=approved)
    _fill_words(books, kind, body, sent)
    _fill_currency(books, body, sent)
    mode = str(sent.get("LineAmountTypes") or body.get("LineAmountTypes") or "Exclusive")
    if mode not in ("Exclusive", "Inclusive", "NoTax"):
        raise Invalid(f"LineAmountTypes {mode} is not known")
    body["LineAmountTypes"] = mode
    _fill_lines(books, body, sent, approved=approved, places=places)
    _fill_totals(kind, body)


def _fill_lines(
    books: Books, body: dict[str, Raw], sent: dict[str, Raw], *, approved: bool, places: int
) -> None:
    """Lines that are sent replace the whole set; lines that are not stay as they are."""
    if "LineItems" in sent:
        body["LineItems"] = [
            line(item, books, mode=body["LineAmountTypes"], places=places, strict=approved)
            for item in sent["LineItems"] or []
        ]
    items = body.setdefault("LineItems", [])
    if approved and not items:
        raise Invalid("One or more line items must be specified")
    if approved and any(
        number(each.get("LineAmount")) and not each.get("AccountID") for each in items
    ):
        raise Invalid("Account code must be specified for each line of an approved document")


def _fill_totals(kind: Kind, body: dict[str, Raw]) -> None:
    reckoned = totals(body["LineItems"], mode=body["LineAmountTypes"])
    if not is_number(reckoned.total) or not is_number(reckoned.sub_total):
        raise Invalid("The document total is too large")
    if reckoned.total < 0:
        raise Invalid("The document total cannot be negative")
    body |= {
        "SubTotal": money(reckoned.sub_total),
        "TotalTax": money(reckoned.total_tax),
        "Total": money(reckoned.total),
        kind.open_field: money(reckoned.total),
    }
    if not kind.is_credit:
        body |= {"AmountPaid": ZERO, "AmountCredited": ZERO}
    if body["Status"] == "AUTHORISED" and body["Total"] == 0:
        body |= {"Status": "PAID", "FullyPaidOnDate": body["Date"]}


def _fill_days(
    books: Books, kind: Kind, body: dict[str, Raw], sent: dict[str, Raw], *, approved: bool
) -> None:
    day = _sent_day(sent, "Date") or day_of(body.get("Date")) or books.today
    body["Date"], body["DateString"] = day_json(day), day_string(day)
    for name in _DAYS:
        if when := _sent_day(sent, name):
            body[name] = day_json(when)
    due_on = day_of(body.get("DueDate"))
    if due_on:
        body["DueDateString"] = day_string(due_on)
    if approved:
        ledger.check_unlocked(books, day, what="document")
        if due_on is None and not kind.is_credit:
            raise Invalid("The DueDate must be specified for an approved invoice")


def _sent_day(sent: dict[str, Raw], name: str) -> date | None:
    if not sent.get(name):
        return None
    day = day_of(sent[name])
    if day is None:
        raise Invalid(f"{name} is not a day: {sent[name]}")
    return day


def _fill_words(books: Books, kind: Kind, body: dict[str, Raw], sent: dict[str, Raw]) -> None:
    key = "CreditNoteNumber" if kind.is_credit else "InvoiceNumber"
    wanted = sent.get(key)
    if wanted and wanted != body.get(key) and kind.side == "AR":
        _check_unused(books, kind, str(wanted))
    if wanted is not None:
        body[key] = str(wanted)
    elif not body.get(key):
        body[key] = _next_number(books, kind) if kind.side == "AR" else ""
    # Reference belongs to sales documents only (Xero OpenAPI, Invoice.Reference).
    body["Reference"] = (
        "" if kind.side == "AP" else sent.get("Reference", body.get("Reference", ""))
    )
    for name in _PLAIN:
        if name in sent:
            body[name] = sent[name]


def _check_unused(books: Books, kind: Kind, wanted: str) -> None:
    for other in books.rows("by_code", collection=kind.collection, code=wanted):
        if other.kind == kind.name and other.status not in ("DELETED", "VOIDED"):
            noun = "Credit Note" if kind.is_credit else "Invoice"
            raise Invalid(f"{noun} # must be unique.")


def _next_number(books: Books, kind: Kind) -> str:
    name = f"{books.organisation_id}/{kind.name}"
    row = books.tx.one("meta", name=name)
    following = int(row["value"]) + 1 if row else 1
    books.tx.run("keep_meta", name=name, value=str(following))
    return f"{'CN' if kind.is_credit else 'INV'}-{following:04d}"


def _fill_currency(books: Books, body: dict[str, Raw], sent: dict[str, Raw]) -> None:
    currency = str(sent.get("CurrencyCode") or body.get("CurrencyCode") or books.base)
    enabled = {held.id for held in books.all_of("Currencies")}
    if currency.lower() not in enabled:
        raise Invalid(f"Organisation is not subscribed to currency {currency}")
    rate = sent.get("CurrencyRate")
    if rate is not None and (not is_number(rate) or number(rate) < LOWEST_RATE):
        raise Invalid("CurrencyRate must be a number above zero")
    day = day_of(body["Date"]) or books.today
    if currency == books.base:
        body["CurrencyRate"] = books.rate(currency, day)
    elif rate is not None:
        body["CurrencyRate"] = money(rate, places=6)
    elif body.get("CurrencyCode") != currency or "CurrencyRate" not in body:
        body["CurrencyRate"] = books.rate(currency, day)
    body["CurrencyCode"] = currency


def _check_lengths(sent: dict[str, Raw]) -> None:
    over = [
        f"The field {name} exceeds its maximum length of {limit} characters"
        for name, limit in _LENGTHS.items()
        if len(str(sent.get(name) or "")) > limit
    ]
    if over:
        raise Invalid(*over)


def _is_touched(body: dict[str, Raw]) -> bool:
    kind = KINDS[body["Type"]]
    return bool(money(body[kind.open_field]) != money(body["Total"]))


def _take_back(books: Books, previous: Held, wanted: str) -> None:
    body = dict(previous.body)
    if previous.status == "AUTHORISED":
        if _is_touched(body):
            raise Invalid("You cannot void a document that has payments or credits applied to it")
        ledger.check_unlocked(books, day_of(body.get("Date")) or books.today, what="document")
        ledger.withdraw(books, source=previous.id, day=books.today)
    body["Status"] = wanted
    # A voided document keeps its Total, but nothing is due of it any more.
    kind = KINDS[previous.kind]
    body[kind.open_field] = ZERO
    books.save(previous.collection, body, native=previous.native)


def _edit_settled(books: Books, previous: Held, sent: dict[str, Raw]) -> None:
    """A part is paid: words and planned days may still change, amounts may not."""
    if {"LineItems", "Contact", "CurrencyCode", "CurrencyRate"} & sent.keys():
        raise Invalid("A document with payments or credits applied cannot be changed")
    body = dict(previous.body)
    _check_lengths(sent)
    changed = {name for name in (*_DAYS, "SentToContact", "Url", "Reference") if name in sent}
    for name in changed:
        day = _sent_day(sent, name) if name in _DAYS else None
        body[name] = day_json(day) if day else sent[name]
        if day and name == "DueDate":
            body["DueDateString"] = day_string(day)
    moved = not changed or bool(changed - _UNNOTICED)
    books.save(previous.collection, body, moved=moved, native=previous.native)
