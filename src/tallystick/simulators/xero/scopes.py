"""Which scopes open which part of the Accounting API, classic and granular ones alike."""

_TRANSACTIONS = ("accounting.transactions",)
_BY_COLLECTION = {
    "Invoices": (*_TRANSACTIONS, "accounting.invoices"),
    "CreditNotes": (*_TRANSACTIONS, "accounting.invoices"),
    "Payments": (*_TRANSACTIONS, "accounting.payments"),
    "BatchPayments": (*_TRANSACTIONS, "accounting.payments"),
    "Prepayments": (*_TRANSACTIONS, "accounting.payments"),
    "Overpayments": (*_TRANSACTIONS, "accounting.payments"),
    "Contacts": ("accounting.contacts",),
    "Items": ("accounting.settings", "accounting.invoices"),
}


def is_allowed(scope: str, *, method: str, path: str) -> bool:
    """Whether the granted scopes let this call through; .read opens reading only."""
    pieces = path.strip("/").split("/")
    wanted = _BY_COLLECTION.get(pieces[0], ("accounting.settings",))
    if "Attachments" in pieces:
        wanted = ("accounting.attachments",)
    granted = scope.split()
    if any(each in granted for each in wanted):
        return True
    return method == "GET" and any(f"{each}.read" in granted for each in wanted)
