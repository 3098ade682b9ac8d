"""Contacts: one record for a customer and a supplier alike, unique by name among the active."""

from typing import Any

from tallystick.simulators.xero.books.books import Books, Held
from tallystick.simulators.xero.errors import Invalid

Raw = Any

_LENGTHS = {
    "Name": 255,
    "FirstName": 255,
    "LastName": 255,
    "EmailAddress": 255,
    "ContactNumber": 50,
    "AccountNumber": 50,
    "CompanyNumber": 50,
    "TaxNumber": 50,
}
_PLAIN = (
    *_LENGTHS,
    "BankAccountDetails",
    "AccountsReceivableTaxType",
    "AccountsPayableTaxType",
    "DefaultCurrency",
    "PaymentTerms",
    "PurchasesDefaultAccountCode",
    "SalesDefaultAccountCode",
    "ContactPersons",
)
_ADDRESS_PARTS = ("City", "Region", "PostalCode", "Country")
_PHONE_PARTS = ("PhoneNumber", "PhoneAreaCode", "PhoneCountryCode")


def save_contact(books: Books, sent: dict[str, Raw], *, previous: Held | None) -> str:
    """Create or change a contact; answers its id."""
    if previous and previous.status == "ARCHIVED" and sent.get("ContactStatus") != "ACTIVE":
        raise Invalid("The contact is archived and cannot be changed")
    _check(books, sent, previous)
    body: dict[str, Raw] = dict(previous.body) if previous else _blank(books)
    body |= {name: sent[name] for name in _PLAIN if name in sent}
    if "Addresses" in sent:
        body["Addresses"] = _addresses(sent["Addresses"])
    if "Phones" in sent:
        body["Phones"] = _phones(sent["Phones"])
    if status := sent.get("ContactStatus"):
        if status not in ("ACTIVE", "ARCHIVED"):
            raise Invalid(f"ContactStatus {status} cannot be set")
        body["ContactStatus"] = status
    books.save("Contacts", body, native=bool(previous and previous.native))
    return str(body["ContactID"])


def contact_for(books: Books, ref: Raw) -> str:
    """The contact a document names: by id, or by name, which creates it where it is new."""
    if not isinstance(ref, dict) or not (ref.get("ContactID") or ref.get("Name")):
        raise Invalid("A Contact must be specified for this type of transaction")
    if ref.get("ContactID"):
        found = books.get("Contacts", ref["ContactID"])
        if found is None:
            raise Invalid("The Contact could not be found")
    else:
        found = named(books, str(ref["Name"]))
        if found is None:
            return save_contact(books, ref, previous=None)
    if found.status != "ACTIVE":
        raise Invalid("The contact is archived and cannot be used on new documents")
    return found.id


def named(books: Books, name: str) -> Held | None:
    """The active contact of a name; capital letters make no difference."""
    for found in books.rows("by_label", collection="Contacts", label=name.casefold()):
        if found.status == "ACTIVE":
            return found
    return None


def _check(books: Books, sent: dict[str, Raw], previous: Held | None) -> None:
    name = sent.get("Name", previous.body["Name"] if previous else None)
    if not name or not str(name).strip():
        raise Invalid("The contact name must be specified.")
    over = [
        f"The field {field} exceeds its maximum length of {limit} characters"
        for field, limit in _LENGTHS.items()
        if len(str(sent.get(field) or "")) > limit
    ]
    if over:
        raise Invalid(*over)
    other = named(books, str(name))
    if other and (previous is None or other.id != previous.id):
        raise Invalid(
            f"The contact name {name} is already assigned to another contact."
            " The contact name must be unique across all active contacts."
        )
    currency = sent.get("DefaultCurrency")
    if currency and books.get("Currencies", currency) is None:
        raise Invalid(f"Organisation is not subscribed to currency {currency}")


def _blank(books: Books) -> dict[str, Raw]:
    return {
        "ContactID": books.new_id(),
        "ContactStatus": "ACTIVE",
        "Name": "",
        "EmailAddress": "",
        "BankAccountDetails": "",
        "Addresses": _addresses([]),
        "Phones": _phones([]),
        "ContactGroups": [],
        "ContactPersons": [],
        "HasAttachments": False,
        "HasValidationErrors": False,
    }


def _addresses(sent: Raw) -> list[Raw]:
    """Both kinds are always there, an unknown one with empty words."""
    by_type = {item.get("AddressType", "POBOX"): item for item in sent or []}
    return [
        {"AddressType": kind, **dict.fromkeys(_ADDRESS_PARTS, ""), **by_type.get(kind, {})}
        for kind in ("STREET", "POBOX")
    ]


def _phones(sent: Raw) -> list[Raw]:
    by_type = {item.get("PhoneType", "DEFAULT"): item for item in sent or []}
    return [
        {"PhoneType": kind, **dict.fromkeys(_PHONE_PARTS, ""), **by_type.get(kind, {})}
        for kind in ("DDI", "DEFAULT", "FAX", "MOBILE")
    ]
