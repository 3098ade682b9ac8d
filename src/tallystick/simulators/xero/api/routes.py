"""Which path and method leads to which handler."""

import re
from collections.abc import Callable
from urllib.parse import unquote

from tallystick.simulators.xero.api import attachments, lists, writes
from tallystick.simulators.xero.call import Answer, Call
from tallystick.simulators.xero.errors import Refusal, not_found

Handler = Callable[..., Answer]

READABLE = (
    "Invoices",
    "CreditNotes",
    "Payments",
    "BatchPayments",
    "Prepayments",
    "Overpayments",
    "Contacts",
    "Accounts",
    "Items",
    "TaxRates",
    "TrackingCategories",
    "Currencies",
)
_DOCUMENTS = "Invoices|CreditNotes"
_CREDITS = "CreditNotes|Prepayments|Overpayments"
_FILES = "|".join(attachments.ENTITIES)
_ALL = "|".join(READABLE)

# A named collection is handed on as the first argument, then the ids in their order.
_ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/Organisation", lists.organisation),
    ("GET", f"/({_ALL})", lists.list_collection),
    ("GET", f"/({_ALL})/([^/]+)", lists.one),
    ("GET", f"/({_DOCUMENTS})/([^/]+)/pdf", attachments.pdf),
    ("GET", f"/({_FILES})/([^/]+)/Attachments", attachments.list_files),
    ("GET", f"/({_FILES})/([^/]+)/Attachments/([^/]+)", attachments.download),
    ("PUT", f"/({_FILES})/([^/]+)/Attachments/([^/]+)", attachments.upload),
    ("POST", f"/({_FILES})/([^/]+)/Attachments/([^/]+)", attachments.upload),
    ("PUT", f"/({_DOCUMENTS})", writes.documents),
    ("POST", f"/({_DOCUMENTS})", writes.documents),
    ("POST", f"/({_DOCUMENTS})/([^/]+)", writes.documents),
    ("PUT", f"/({_CREDITS})/([^/]+)/Allocations", writes.allocations),
    ("DELETE", f"/({_CREDITS})/([^/]+)/Allocations/([^/]+)", writes.allocation_removal),
    ("PUT", "/Payments", writes.payments),
    ("POST", "/Payments", writes.payments),
    ("POST", "/Payments/([^/]+)", writes.payment_removal),
    ("PUT", "/BatchPayments", writes.batch_payments),
    ("POST", "/BatchPayments", writes.batch_payments),
    ("POST", "/BatchPayments/([^/]+)", writes.batch_payments),
    ("PUT", "/Contacts", writes.contacts),
    ("POST", "/Contacts", writes.contacts),
    ("POST", "/Contacts/([^/]+)", writes.contacts),
    ("PUT", "/Accounts", writes.accounts),
)
_COMPILED = tuple((method, re.compile(f"^{path}$"), handler) for method, path, handler in _ROUTES)


def handle(call: Call) -> Answer:
    known = False
    for method, pattern, handler in _COMPILED:
        found = pattern.match(call.path)
        if found and method == call.method:
            return handler(call, *(unquote(each) for each in found.groups()))
        known = known or bool(found)
    if known:
        text = b"The requested method is not supported for this resource"
        raise Refusal(405, text, media_type="text/plain; charset=utf-8")
    raise not_found()


def is_binary(path: str) -> bool:
    """Whether a path answers with a file, so that Accept need not ask for JSON."""
    return path.endswith("/pdf") or bool(re.match(r"^/\w+/[^/]+/Attachments/[^/]+$", path))


def listed(path: str) -> str | None:
    """The collection a path lists, if it lists one."""
    name = path.removeprefix("/")
    return name if name in READABLE else None
