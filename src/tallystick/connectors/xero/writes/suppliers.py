"""Suppliers: contacts at Xero, found again by their name, which is unique there."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from tallystick.connectors.contract import (
    Change,
    Need,
    Picture,
    Raw,
    Write,
    Written,
)
from tallystick.connectors.xero.books import XeroBooks
from tallystick.connectors.xero.client import XeroClient, paged
from tallystick.connectors.xero.reads.contacts import customers, suppliers
from tallystick.connectors.xero.refusals import warnings
from tallystick.connectors.xero.writes import looking
from tallystick.connectors.xero.writes.checks import given, saying
from tallystick.connectors.xero.writes.sending import create, filled, new_id
from tallystick.errors import Problem
from tallystick.model.base import Address, AddressType, Record
from tallystick.model.payables import Supplier

NEEDS = (
    Need("supplierName", required=True, length_max=255, note="Unique among active contacts."),
    Need("contactName", length_max=255),
    Need("emailAddress", length_max=255),
    Need("phone", length_max=50, note="Country, area and number with a space between them."),
    Need("registrationNumber", length_max=50),
    Need("taxNumber", length_max=50),
    Need("defaultCurrency", length_max=3),
    Need("status", choices=("Active",)),
    Need("addresses"),
    Need("addresses.type", required=True, note="Billing and Delivery; Unknown means Delivery."),
    Need("addresses.line1", length_max=500),
    Need("addresses.line2", length_max=500),
    Need("addresses.city", length_max=255),
    Need("addresses.region", length_max=255),
    Need("addresses.country", length_max=50),
    Need("addresses.postalCode", length_max=50),
)

_AREA_LENGTH_MAX = 10
_COUNTRY_LENGTH_MAX = 20


def check(supplier: Supplier, books: XeroBooks) -> Sequence[Problem]:
    del books
    say = saying("Supplier")
    kinds = [_address_type(address) for address in supplier.addresses]
    if len(kinds) != len(set(kinds)):
        return (say("Addresses", "Xero keeps one address for billing and one for delivery."),)
    return ()


def _body(supplier: Supplier) -> Raw:
    first, _, last = (supplier.contact_name or "").strip().partition(" ")
    return {
        "Contacts": [
            filled(
                Name=supplier.supplier_name,
                FirstName=first,
                LastName=last.strip(),
                EmailAddress=supplier.email_address,
                CompanyNumber=supplier.registration_number,
                TaxNumber=supplier.tax_number,
                DefaultCurrency=supplier.default_currency,
                Phones=_phones(supplier.phone),
                Addresses=[_address(address) for address in supplier.addresses],
            )
        ]
    }


def _phones(phone: str | None) -> list[dict[str, Any]]:
    parts = (phone or "").split()
    if not parts:
        return []
    if len(parts) < 3 or len(parts[0]) > _COUNTRY_LENGTH_MAX or len(parts[1]) > _AREA_LENGTH_MAX:
        return [{"PhoneType": "DEFAULT", "PhoneNumber": " ".join(parts)}]
    return [
        {
            "PhoneType": "DEFAULT",
            "PhoneCountryCode": parts[0],
            "PhoneAreaCode": parts[1],
            "PhoneNumber": " ".join(parts[2:]),
        }
    ]


def _address_type(address: Address) -> str:
    return "POBOX" if address.type is AddressType.Billing else "STREET"


def _address(address: Address) -> Raw:
    return filled(
        AddressType=_address_type(address),
        AddressLine1=address.line1,
        AddressLine2=address.line2,
        City=address.city,
        Region=address.region,
        Country=address.country,
        PostalCode=address.postal_code,
    )


async def _create(client: XeroClient, key: str, supplier: Supplier, books: XeroBooks) -> Written:
    del books
    raw = await create(client, "/Contacts", "Contacts", key=key, body=_body(supplier))
    return _written(raw)


def _written(raw: Raw) -> Written:
    return Written(changes=(Change("suppliers", new_id(raw, "ContactID")),), warnings=warnings(raw))


async def _namesakes(client: XeroClient, supplier: Supplier) -> list[Raw]:
    """Contacts of that name, archived ones included; Xero's unique name ignores case."""
    name = given(supplier.supplier_name, "SupplierName").strip()
    named = partial(paged, "/Contacts", "Contacts", id_field="ContactID", includeArchived="true")
    # Neither a quote nor a backslash can be written inside a `where`; the search finds such a
    # name, and more.
    if set(name) & {'"', "\\"}:
        pages = named(searchTerm=name)
    else:
        pages = named(where=f"Name=={looking.quoted(name)}")
    return [
        raw
        for raw in await looking.every(client, pages)
        if looking.text_of(raw, "Name").casefold() == name.casefold()
    ]


async def _picture(client: XeroClient, supplier: Supplier, books: XeroBooks) -> Picture:
    del books
    known = await _namesakes(client, supplier)
    return Picture(seen={"suppliers": tuple(looking.text_of(raw, "ContactID") for raw in known)})


async def _find(
    client: XeroClient, key: str, supplier: Supplier, books: XeroBooks, picture: Picture
) -> Sequence[Written]:
    """A contact that had the name before is somebody else's."""
    del key, books
    seen = picture.seen["suppliers"]
    return [
        _written(raw)
        for raw in await _namesakes(client, supplier)
        if looking.text_of(raw, "ContactID") not in seen
    ]


async def _read_back(
    client: XeroClient, supplier: Supplier, written: Written, books: XeroBooks
) -> Sequence[Record]:
    del supplier
    raw = await looking.contact(client, written.changes[0].id)
    return (
        *looking.mapped(raw, suppliers, books),
        *looking.mapped(raw, customers, books),
    )


SUPPLIERS: Write[XeroClient, XeroBooks] = Write(
    type=Supplier,
    needs=NEEDS,
    check=check,
    picture=_picture,
    create=_create,
    find=_find,
    read_back=_read_back,
)
