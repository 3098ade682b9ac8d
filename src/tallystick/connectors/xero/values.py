"""Xero's way of writing days, moments, rates, contacts and statuses, in our words. All pure."""

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal

from tallystick.connectors.fields import Fields
from tallystick.connectors.xero.books import XeroBooks
from tallystick.model.base import (
    AccountRef,
    Address,
    AddressType,
    CustomerRef,
    Metadata,
    SupplierRef,
)

ZERO = Decimal(0)
ONE = Decimal(1)
_RATE = Decimal("0.000000001")
_EAST_MOST = timedelta(hours=14)
_EAST_FROM = time(10)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS_DATE = re.compile(r"/Date\((-?\d+)(?:([+-])(\d\d)(\d\d))?\)/")

NO_DAY = date(1, 1, 1)
"""Stands where the model needs a day and Xero gives none; always noted as odd."""


def moment(fields: Fields, key: str) -> datetime | None:
    """An instant: `/Date(1705276800000+0000)/`, with or without the offset, or ISO in UTC."""
    return fields.value(key, _moment, "a moment")


def _moment(text: str) -> datetime:
    found = _MS_DATE.fullmatch(text)
    if found:
        # The milliseconds count in UTC whatever offset is written behind them.
        return _EPOCH + timedelta(milliseconds=int(found[1]))
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _day(text: str) -> date:
    found = _MS_DATE.fullmatch(text)
    if not found:
        return date.fromisoformat(text[:10])
    at = _EPOCH + timedelta(milliseconds=int(found[1]))
    if found[2]:
        offset = timedelta(hours=int(found[3]), minutes=int(found[4]))
        at += offset if found[2] == "+" else -offset
    # Midnight of a local day told in UTC: east of Greenwich, by up to 14 hours, that is a moment of
    # the day before; west of it one of the early hours of the day itself.
    return (at + _EAST_MOST).date() if at.time() >= _EAST_FROM else at.date()


def day(fields: Fields, key: str) -> date | None:
    """A calendar day; its text twin (`DateString`) says it without a zone to get wrong."""
    plain, given = fields.iso_day(f"{key}String"), fields.has(key)
    return fields.value(key, _day, "a date") if plain is None and given else plain


def needed_day(fields: Fields, key: str, *others: str) -> date:
    """A day the model cannot do without: the field's, else the first of the others there is."""
    found = day(fields, key)
    if found is not None:
        return found
    fields.note(key, "a date")
    rest = (day(fields, other) for other in others)
    return next((other for other in rest if other is not None), NO_DAY)


def amount(fields: Fields, key: str) -> Decimal:
    """Money that the model cannot do without."""
    return fields.number(key) or ZERO


def currency(fields: Fields, books: XeroBooks) -> str | None:
    return fields.text("CurrencyCode") or books.base_currency or None


def rate(fields: Fields, of: str | None, books: XeroBooks) -> Decimal | None:
    """Base units for one foreign unit. Xero's CurrencyRate counts the other way round.

    The direction is the best reading of public material, see NOTES.md. Payments in lists carry 0.
    """
    theirs = fields.number("CurrencyRate")
    if of is None or of == books.base_currency:
        return ONE
    if theirs is None or theirs <= 0:
        return None
    return (ONE / theirs).quantize(_RATE, rounding=ROUND_HALF_UP)


def deleted(*, when: bool) -> Metadata:
    return Metadata(is_deleted=when)


def supplier_ref(contact: Fields) -> SupplierRef | None:
    contact_id, name = contact.text("ContactID"), contact.text("Name")
    return SupplierRef(id=contact_id, supplier_name=name) if contact_id else None


def customer_ref(contact: Fields) -> CustomerRef | None:
    contact_id, name = contact.text("ContactID"), contact.text("Name")
    return CustomerRef(id=contact_id, company_name=name) if contact_id else None


def account_ref(account_id: str | None, code: str | None, books: XeroBooks) -> AccountRef | None:
    """The account of that id, else of that code; unknown ones keep the id they came with."""
    known = books.account(account_id, code)
    if known:
        return AccountRef(id=known.id, name=known.name)
    return AccountRef(id=account_id) if account_id else None


_ADDRESS_TYPES = {"POBOX": AddressType.Billing, "STREET": AddressType.Delivery}


def addresses(owner: Fields) -> tuple[Address, ...]:
    """The addresses that hold more than their type, which is all an empty one says."""
    found = (_address(fields) for fields in owner.each("Addresses"))
    return tuple(address for address in found if address is not None)


def _address(fields: Fields) -> Address | None:
    lines = [fields.text(f"AddressLine{number}") for number in (1, 2, 3, 4)]
    parts = {
        "line1": _one_line(lines[0]),
        "line2": _one_line(", ".join(line for line in lines[1:] if line)),
        "city": fields.text("City"),
        "region": fields.text("Region"),
        "country": fields.text("Country"),
        "postal_code": fields.text("PostalCode"),
    }
    of_type = fields.word("AddressType", _ADDRESS_TYPES, AddressType.Unknown)
    return Address(type=of_type, **parts) if any(parts.values()) else None


def _one_line(text: str | None) -> str | None:
    """Line breaks occur inside one line of an address."""
    return ", ".join(part.strip() for part in (text or "").splitlines() if part.strip()) or None


def phone_number(fields: Fields) -> str | None:
    parts = (fields.text(f"Phone{part}") for part in ("CountryCode", "AreaCode", "Number"))
    return " ".join(part for part in parts if part) or None


def full_name(fields: Fields) -> str | None:
    parts = (fields.text("FirstName"), fields.text("LastName"))
    return " ".join(part for part in parts if part) or None
