"""What a person working inside Xero does to the books while we are not looking."""

from collections.abc import Callable
from typing import Any

from tallystick.simulators.xero.books.allocations import remove_allocation
from tallystick.simulators.xero.books.batches import delete_batch
from tallystick.simulators.xero.books.books import Books, Held
from tallystick.simulators.xero.books.contacts import save_contact
from tallystick.simulators.xero.books.documents import save_document
from tallystick.simulators.xero.books.payments import add_payment, delete_payment
from tallystick.simulators.xero.errors import ID_KEYS, Invalid
from tallystick.simulators.xero.wire import day_json, day_of

Raw = Any


def edit(books: Books, sent: dict[str, Raw]) -> dict[str, Raw]:
    """Carry out one edit; answers the id of what was touched."""
    operation = _EDITS.get(str(sent.get("op")))
    if operation is None:
        raise Invalid(f"op must be one of: {', '.join(sorted(_EDITS))}")
    return {"op": sent["op"], "id": operation(books, sent)}


def _find(books: Books, collection: str, sent: dict[str, Raw]) -> Held:
    found = books.get(collection, sent.get("id"))
    if found is None:
        raise Invalid(f"{ID_KEYS[collection]} {sent.get('id')} could not be found")
    return found


def _change(books: Books, collection: str, sent: dict[str, Raw], change: dict[str, Raw]) -> str:
    previous = _find(books, collection, sent)
    return save_document(books, collection, change, previous=previous, places=4)


def _void_invoice(books: Books, sent: dict[str, Raw]) -> str:
    return _change(books, "Invoices", sent, {"Status": "VOIDED"})


def _delete_invoice(books: Books, sent: dict[str, Raw]) -> str:
    return _change(books, "Invoices", sent, {"Status": "DELETED"})


def _approve_invoice(books: Books, sent: dict[str, Raw]) -> str:
    return _change(books, "Invoices", sent, {"Status": "AUTHORISED"})


def _edit_due_date(books: Books, sent: dict[str, Raw]) -> str:
    return _change(books, "Invoices", sent, {"DueDate": sent["due_on"]})


def _edit_invoice(books: Books, sent: dict[str, Raw]) -> str:
    return _change(books, "Invoices", sent, sent["change"])


def _create_bill(books: Books, sent: dict[str, Raw]) -> str:
    return save_document(
        books, "Invoices", {"Type": "ACCPAY", **sent["bill"]}, previous=None, places=4
    )


def _create_credit_note(books: Books, sent: dict[str, Raw]) -> str:
    note = {"Type": "ACCPAYCREDIT", **sent["credit_note"]}
    return save_document(books, "CreditNotes", note, previous=None, places=4)


def _create_payment(books: Books, sent: dict[str, Raw]) -> str:
    return add_payment(books, sent["payment"])


def _delete_payment(books: Books, sent: dict[str, Raw]) -> str:
    payment = _find(books, "Payments", sent)
    delete_payment(books, payment)
    return payment.id


def _delete_batch(books: Books, sent: dict[str, Raw]) -> str:
    batch = _find(books, "BatchPayments", sent)
    delete_batch(books, batch)
    return batch.id


def _reconcile_payment(books: Books, sent: dict[str, Raw]) -> str:
    payment = _find(books, "Payments", sent)
    books.save("Payments", {**payment.body, "IsReconciled": True}, native=payment.native)
    return payment.id


def _remove_credit_allocation(books: Books, sent: dict[str, Raw]) -> str:
    allocation = _find(books, "Allocations", sent)
    remove_allocation(books, allocation)
    return allocation.id


def _rename_contact(books: Books, sent: dict[str, Raw]) -> str:
    return save_contact(books, {"Name": sent["name"]}, previous=_find(books, "Contacts", sent))


def _archive_contact(books: Books, sent: dict[str, Raw]) -> str:
    change = {"ContactStatus": "ARCHIVED"}
    return save_contact(books, change, previous=_find(books, "Contacts", sent))


def _archive_account(books: Books, sent: dict[str, Raw]) -> str:
    account = _find(books, "Accounts", sent)
    books.save("Accounts", {**account.body, "Status": "ARCHIVED"}, native=account.native)
    return account.id


def _delete_item(books: Books, sent: dict[str, Raw]) -> str:
    item = _find(books, "Items", sent)
    books.drop("Items", item.id)
    return item.id


def _lock_period(books: Books, sent: dict[str, Raw]) -> str:
    day = day_of(sent.get("until"))
    changed = {k: v for k, v in books.organisation.items() if k != "PeriodLockDate"}
    books.keep_organisation({**changed, "PeriodLockDate": day_json(day)} if day else changed)
    return books.organisation_id


def _touch(books: Books, sent: dict[str, Raw]) -> str:
    """Open a record and save it unchanged: only its UpdatedDateUTC moves."""
    collection = str(sent.get("collection"))
    if collection not in ID_KEYS:
        raise Invalid(f"collection must be one of: {', '.join(ID_KEYS)}")
    found = _find(books, collection, sent)
    books.save(collection, dict(found.body), native=found.native)
    return found.id


_EDITS: dict[str, Callable[[Books, dict[str, Raw]], str]] = {
    "approve_invoice": _approve_invoice,
    "archive_account": _archive_account,
    "archive_contact": _archive_contact,
    "create_bill": _create_bill,
    "create_credit_note": _create_credit_note,
    "create_payment": _create_payment,
    "delete_batch": _delete_batch,
    "delete_invoice": _delete_invoice,
    "delete_item": _delete_item,
    "delete_payment": _delete_payment,
    "edit_due_date": _edit_due_date,
    "edit_invoice": _edit_invoice,
    "lock_period": _lock_period,
    "reconcile_payment": _reconcile_payment,
    "remove_credit_allocation": _remove_credit_allocation,
    "rename_contact": _rename_contact,
    "touch": _touch,
    "void_invoice": _void_invoice,
}
