"""Records as Xero shows them: whole on their own, narrower in lists and inside other records."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.simulators.xero.api.trading import Trading, trading
from tallystick.simulators.xero.books.books import TARGETS, Books, Held
from tallystick.simulators.xero.errors import ID_KEYS
from tallystick.simulators.xero.wire import (
    ZERO,
    is_number,
    moment_of,
    money,
    number,
)

Raw = Any

_HIDDEN = {"Allocations": ("Status", "UpdatedDateUTC")}
_OF_CONTACT = (
    "Addresses",
    "Phones",
    "ContactGroups",
    "ContactPersons",
)


@dataclass(frozen=True, kw_only=True)
class Look:
    """How much of a record is shown."""

    whole: bool
    places: int = 2
    with_lines: bool = True
    summary: bool = False
    # What the documents say about all contacts, read once for a list of them.
    trading: Trading | None = None


def view(books: Books, held: Held, look: Look) -> dict[str, Raw]:
    if held.native:
        return _native(books, held)
    shown = _VIEWS.get(held.collection, _plain)(books, held, look)
    for name in _HIDDEN.get(held.collection, ()):
        shown.pop(name, None)
    return shown


def _plain(_books: Books, held: Held, _look: Look) -> dict[str, Raw]:
    return dict(held.body)


def _native(books: Books, held: Held) -> dict[str, Raw]:
    """A published record as it was published, with what our writes have added to it since."""
    body = dict(held.body)
    added = [_nested_payment(each) for each in _payments(books, held) if not each.native]
    if added:
        body["Payments"] = [*(body.get("Payments") or []), *added]
    if held.collection == "CreditNotes":
        laid = [_nested_allocation(books, each) for each in _allocations_of(books, held)]
        if laid:
            body["Allocations"] = [*(body.get("Allocations") or []), *laid]
    return body


def _invoice(books: Books, held: Held, look: Look) -> dict[str, Raw]:
    body = _document(books, held, look)
    if look.summary:
        return {name: value for name, value in body.items() if name != "LineItems"}
    body["Payments"] = [_nested_payment(each) for each in _payments(books, held)]
    body |= {"CreditNotes": [], "Prepayments": [], "Overpayments": []}
    for each in books.rows("by_target", collection="Allocations", target=held.id):
        name = next(key for key in TARGETS if key != "Invoice" and key in each.body)
        body[f"{name}s"].append(_nested_credit(books, each, name))
    body |= {"HasErrors": False, "IsDiscounted": False}
    return body


def _credit(books: Books, held: Held, look: Look) -> dict[str, Raw]:
    body = _document(books, held, look)
    body["Payments"] = [_nested_payment(each) for each in _payments(books, held)]
    body["Allocations"] = [_nested_allocation(books, each) for each in _allocations_of(books, held)]
    if held.collection == "CreditNotes":
        # A second name of the id, undocumented but in the examples of Xero's OpenAPI file.
        body["ID"] = held.id
        body["HasErrors"] = False
    return body


def _document(books: Books, held: Held, look: Look) -> dict[str, Raw]:
    body = dict(held.body)
    body["Contact"] = contact_inside(books, held.contact, whole=look.whole)
    if moment := moment_of(body.get("UpdatedDateUTC")):
        body["UpdatedDateUTCString"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    items = body.get("LineItems") or []
    body["LineItems"] = [_line(item, look) for item in items] if look.with_lines else []
    return body


def _line(item: dict[str, Raw], look: Look) -> dict[str, Raw]:
    shown = dict(item)
    if "UnitAmount" in shown:
        shown["UnitAmount"] = money(shown["UnitAmount"], places=look.places)
    if not look.whole:
        # Lists name the option but do not give its id (answers of a demo company, April 2026,
        # published in github.com/NangoHQ/integration-templates under integrations/xero/tests).
        shown["Tracking"] = [
            {key: value for key, value in each.items() if key != "TrackingOptionID"}
            for each in shown.get("Tracking", [])
        ]
    return shown


def contact_inside(books: Books, contact_id: str, *, whole: bool) -> dict[str, Raw]:
    """A contact inside a document: name and id in lists, most of it on its own."""
    found = books.get("Contacts", contact_id)
    if found is None:
        return {"ContactID": contact_id}
    empty: dict[str, Raw] = {name: [] for name in _OF_CONTACT}
    if found.native or not whole:
        return {
            "ContactID": found.body["ContactID"],
            "Name": found.body.get("Name", ""),
            **empty,
            "HasValidationErrors": False,
        }
    return {name: value for name, value in found.body.items() if name != "HasAttachments"}


def _payments(books: Books, held: Held) -> list[Held]:
    return books.rows("by_target", collection="Payments", target=held.id)


def _allocations_of(books: Books, held: Held) -> list[Held]:
    return books.rows("by_owner", collection="Allocations", owner=held.id)


def _nested_payment(payment: Held) -> dict[str, Raw]:
    body = payment.body
    shown: dict[str, Raw] = {"PaymentID": payment.id}
    if body.get("BatchPaymentID"):
        shown["BatchPaymentID"] = body["BatchPaymentID"]
    shown |= {name: body[name] for name in ("Date", "Amount", "CurrencyRate") if name in body}
    if body.get("Reference"):
        shown["Reference"] = body["Reference"]
    return {**shown, "HasAccount": False, "HasValidationErrors": False}


def _nested_allocation(books: Books, allocation: Held) -> dict[str, Raw]:
    invoice = books.get("Invoices", allocation.body["Invoice"]["InvoiceID"])
    number_ = invoice.body.get("InvoiceNumber", "") if invoice else ""
    ref = {**allocation.body["Invoice"], "InvoiceNumber": number_}
    return {
        "AllocationID": allocation.id,
        "Amount": allocation.body["Amount"],
        "Date": allocation.body["Date"],
        "Invoice": ref,
        "IsDeleted": False,
    }


def _nested_credit(books: Books, allocation: Held, name: str) -> dict[str, Raw]:
    id_ = allocation.body[name][f"{name}ID"]
    held = books.get(TARGETS[name], id_)
    shown: dict[str, Raw] = {f"{name}ID": id_}
    if held and name == "CreditNote":
        shown |= {"CreditNoteNumber": held.body.get("CreditNoteNumber", ""), "ID": id_}
    shown |= {"AppliedAmount": allocation.body["Amount"], "Date": allocation.body["Date"]}
    shown |= {"Total": held.body["Total"] if held else ZERO, "LineItems": []}
    return {**shown, "HasErrors": False} if name == "CreditNote" else shown


def _payment(books: Books, held: Held, look: Look) -> dict[str, Raw]:
    body = dict(held.body)
    for name, collection in TARGETS.items():
        if name in body:
            target = books.get(collection, body[name][f"{name}ID"])
            if target:
                body[name] = _target_inside(books, target, whole=look.whole)
    if not look.whole and _is_base(books, body):
        # Lists of organisations in one currency say 0 where single answers say 1.
        body["CurrencyRate"] = Decimal("0.000000")
    if look.whole:
        account = books.account(body.get("Account")) or {}
        body["Account"] = {**body["Account"], "Name": account.get("Name", "")}
    if batch_id := body.get("BatchPaymentID"):
        batch = books.get("BatchPayments", batch_id)
        if batch:
            body["BatchPayment"] = {
                name: batch.body[name]
                for name in (
                    "Account",
                    "BatchPaymentID",
                    "Date",
                    "Type",
                    "Status",
                    "TotalAmount",
                    "UpdatedDateUTC",
                    "IsReconciled",
                )
            }
    if moment := moment_of(body.get("UpdatedDateUTC")):
        body["UpdatedDateUTCString"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    return body


def _is_base(books: Books, body: dict[str, Raw]) -> bool:
    rate = body.get("CurrencyRate")
    return is_number(rate) and number(rate) == 1 and bool(books.base)


def _target_inside(books: Books, target: Held, *, whole: bool) -> dict[str, Raw]:
    """A document inside its payment: some of its words, none of its lines."""
    key = ID_KEYS[target.collection]
    names = ["Type", key, "InvoiceNumber", "CreditNoteNumber", "CurrencyCode"]
    if whole:
        names += ["Reference", "Status", "Date", "DueDate", "LineAmountTypes", "SubTotal"]
        names += ["TotalTax", "Total", "AmountDue", "AmountPaid", "AmountCredited", "CurrencyRate"]
        names += ["RemainingCredit", "UpdatedDateUTC"]
    shown = {name: target.body[name] for name in names if name in target.body}
    shown["Contact"] = contact_inside(books, target.contact, whole=False)
    shown["LineItems"] = []
    if target.collection == "Invoices":
        shown |= {"CreditNotes": [], "Prepayments": [], "Overpayments": []}
        paid = _payments(books, target) if whole else []
        shown["Payments"] = [_under_batch_id(_nested_payment(each)) for each in paid]
        shown |= {"HasErrors": False, "IsDiscounted": False}
    return shown


def _under_batch_id(payment: dict[str, Raw]) -> dict[str, Raw]:
    """Give the batch's id as PaymentID, as Xero does at this place.

    So in the answers of a demo company, April 2026, published in
    github.com/NangoHQ/integration-templates under integrations/xero/tests.
    """
    return {**payment, "PaymentID": payment.get("BatchPaymentID", payment["PaymentID"])}


def _batch(books: Books, held: Held, _look: Look) -> dict[str, Raw]:
    body = dict(held.body)
    body["Payments"] = [
        _inside_batch(each, currency=body["Account"].get("CurrencyCode", books.base))
        for each in books.rows("by_owner", collection="Payments", owner=held.id)
    ]
    return body


def _inside_batch(payment: Held, *, currency: str) -> dict[str, Raw]:
    ref = payment.body.get("Invoice") or {}
    nested: dict[str, Raw] = {**ref, "CurrencyCode": currency, "LineItems": []}
    nested |= {"Payments": [], "CreditNotes": [], "Prepayments": [], "Overpayments": []}
    nested |= {"HasErrors": False, "IsDiscounted": False}
    return {
        "Invoice": nested,
        "PaymentID": payment.id,
        "Amount": payment.body["Amount"],
        "BankAmount": payment.body["BankAmount"],
    }


def _contact(books: Books, held: Held, look: Look) -> dict[str, Raw]:
    facts = look.trading or trading(books, held.id)
    body = {**held.body, **facts.roles(held.id)}
    if look.summary:
        left_out = ("Addresses", "Phones", "ContactPersons", "PaymentTerms")
        return {name: value for name, value in body.items() if name not in left_out}
    return {**body, **facts.balances(held.id)}


def _allocation(_books: Books, held: Held, _look: Look) -> dict[str, Raw]:
    return {**held.body, "IsDeleted": held.status == "DELETED"}


_VIEWS: dict[str, Callable[[Books, Held, Look], dict[str, Raw]]] = {
    "Invoices": _invoice,
    "CreditNotes": _credit,
    "Prepayments": _credit,
    "Overpayments": _credit,
    "Payments": _payment,
    "BatchPayments": _batch,
    "Contacts": _contact,
    "Allocations": _allocation,
}
