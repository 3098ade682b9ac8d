"""Writing: arrays of elements, each taken or refused on its own, or all of them together."""

from collections.abc import Callable
from typing import Any

from tallystick.simulators.xero.api.shapes import shaped
from tallystick.simulators.xero.api.views import Look, view
from tallystick.simulators.xero.books.accounts import add_account
from tallystick.simulators.xero.books.allocations import add_allocation, remove_allocation
from tallystick.simulators.xero.books.batches import add_batch, delete_batch
from tallystick.simulators.xero.books.books import Held
from tallystick.simulators.xero.books.contacts import save_contact
from tallystick.simulators.xero.books.documents import save_document
from tallystick.simulators.xero.books.payments import add_payment, delete_payment
from tallystick.simulators.xero.call import Answer, Call, answer
from tallystick.simulators.xero.errors import (
    ID_KEYS,
    Invalid,
    approved,
    bad_body,
    echo,
    not_found,
    validation_exception,
)
from tallystick.simulators.xero.wire import encode

Raw = Any
Take = Callable[[dict[str, Raw]], str]

_ELEMENTS_MAX = 500


def documents(call: Call, collection: str, id_: str | None = None) -> Answer:
    """PUT creates; POST creates or, where an id is given, changes."""

    def take(element: dict[str, Raw]) -> str:
        previous = _previous(call, collection, element, id_)
        places = call.places()
        return save_document(call.books, collection, element, previous=previous, places=places)

    return _each(call, collection, take)


def contacts(call: Call, id_: str | None = None) -> Answer:
    def take(element: dict[str, Raw]) -> str:
        previous = _previous(call, "Contacts", element, id_)
        return save_contact(call.books, element, previous=previous)

    return _each(call, "Contacts", take)


def payments(call: Call) -> Answer:
    def take(element: dict[str, Raw]) -> str:
        return add_payment(call.books, element)

    return _each(call, "Payments", take)


def batch_payments(call: Call, id_: str | None = None) -> Answer:
    """PUT makes batches; POST with Status DELETED takes one back."""

    def take(element: dict[str, Raw]) -> str:
        if call.method == "PUT":
            return add_batch(call.books, element)
        batch = _must_hold(call, "BatchPayments", id_ or element.get("BatchPaymentID"))
        _must_delete(element)
        delete_batch(call.books, batch)
        return batch.id

    return _each(call, "BatchPayments", take)


def payment_removal(call: Call, id_: str) -> Answer:
    payment = call.books.get("Payments", id_)
    if payment is None:
        raise not_found()

    def take(element: dict[str, Raw]) -> str:
        _must_delete(element)
        delete_payment(call.books, payment)
        return payment.id

    return _each(call, "Payments", take)


def accounts(call: Call) -> Answer:
    def take(element: dict[str, Raw]) -> str:
        return add_account(call.books, element)

    return _each(call, "Accounts", take)


def allocations(call: Call, collection: str, id_: str) -> Answer:
    credit = call.books.get(collection, id_)
    if credit is None:
        raise not_found()

    def take(element: dict[str, Raw]) -> str:
        return add_allocation(call.books, credit, element)

    return _each(call, "Allocations", take)


def allocation_removal(call: Call, collection: str, id_: str, allocation_id: str) -> Answer:
    found = call.books.get("Allocations", allocation_id)
    credit = call.books.get(collection, id_)
    if found is None or credit is None or found.status == "DELETED":
        raise not_found()
    element = {"AllocationID": found.id}
    try:
        remove_allocation(call.books, found)
    except Invalid as wrong:
        raise validation_exception([echo("Allocations", element, wrong.messages)]) from wrong
    # The OpenAPI file gives a bare Allocation here, no envelope.
    shown = {
        "AllocationID": found.id,
        "Amount": found.body["Amount"],
        "Date": found.body["Date"],
        "Invoice": found.body["Invoice"],
        "IsDeleted": True,
    }
    return Answer(body=encode(shown))


def _each(call: Call, collection: str, take: Take) -> Answer:
    """Every element in a savepoint of its own; without summarizeErrors=false one failure is all."""
    elements = _elements(call, collection)
    summarize = call.flag("summarizeErrors", otherwise=True)
    shown: list[Raw] = []
    failed: list[Raw] = []
    for element in elements:
        try:
            with call.books.tx.savepoint():
                id_ = take(element)
        except Invalid as wrong:
            failed.append(echo(collection, element, wrong.messages))
            shown.append(failed[-1])
        else:
            view_ = _written(call, collection, id_)
            shown.append(view_ if summarize else approved(collection, view_))
    if failed and summarize:
        raise validation_exception(failed)
    return answer(call, **{collection: shown})


def _written(call: Call, collection: str, id_: str) -> dict[str, Raw]:
    found = call.books.get(collection, id_)
    if found is None:
        raise LookupError(f"{collection} {id_} was written and cannot be read")
    return view(call.books, found, Look(whole=True, places=call.places()))


def _elements(call: Call, collection: str) -> list[dict[str, Raw]]:
    """The array under the collection's name; a bare array or a single object is taken too."""
    sent = call.json()
    if isinstance(sent, dict) and isinstance(sent.get(collection), list):
        sent = sent[collection]
    elements = sent if isinstance(sent, list) else [sent]
    if not elements:
        raise bad_body(f"The body must hold an array of {collection}")
    if len(elements) > _ELEMENTS_MAX:
        raise bad_body(f"The body must not hold more than {_ELEMENTS_MAX} elements")
    return [shaped(element) for element in elements]


def _previous(call: Call, collection: str, element: dict[str, Raw], id_: str | None) -> Held | None:
    wanted = id_ or element.get(ID_KEYS[collection])
    if call.method == "PUT":
        if wanted and call.books.get(collection, wanted):
            raise Invalid(
                "PUT creates; a record with this id already exists, use POST to change it"
            )
        return None
    if not wanted:
        return None
    return _must_hold(call, collection, wanted)


def _must_hold(call: Call, collection: str, id_: Raw) -> Held:
    found = call.books.get(collection, id_)
    if found is None:
        raise Invalid(f"{ID_KEYS[collection]} {id_} could not be found")
    return found


def _must_delete(element: dict[str, Raw]) -> None:
    if element.get("Status") != "DELETED":
        raise Invalid("The only change that can be made here is the status DELETED")
