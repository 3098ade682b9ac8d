"""The arithmetic of line items: amounts, discounts, tax inside and outside the price."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tallystick.simulators.xero.books.books import Books
from tallystick.simulators.xero.errors import Invalid
from tallystick.simulators.xero.wire import ZERO, is_number, money, number

Raw = Any

_NUMBERS = ("Quantity", "UnitAmount", "LineAmount", "TaxAmount", "DiscountRate", "DiscountAmount")
_DESCRIPTION_LENGTH_MAX = 4000


@dataclass(frozen=True, kw_only=True)
class Totals:
    sub_total: Decimal
    total_tax: Decimal

    @property
    def total(self) -> Decimal:
        return self.sub_total + self.total_tax


def totals(items: list[dict[str, Raw]], *, mode: str) -> Totals:
    amounts = sum((number(item.get("LineAmount")) for item in items), ZERO)
    tax = sum((number(item.get("TaxAmount")) for item in items), ZERO)
    return Totals(sub_total=amounts - tax if mode == "Inclusive" else amounts, total_tax=tax)


def net(item: Mapping[str, Raw], *, mode: str) -> Decimal:
    """What a line adds to its account, tax left out."""
    amount = number(item.get("LineAmount"))
    return amount - number(item.get("TaxAmount")) if mode == "Inclusive" else amount


def line(sent: Raw, books: Books, *, mode: str, places: int, strict: bool) -> dict[str, Raw]:
    """A line as the books keep it; `strict` is for documents that reach the ledger."""
    if not isinstance(sent, dict):
        raise Invalid("A line item must be an object")
    for name in _NUMBERS:
        if sent.get(name) is not None and not is_number(sent[name]):
            raise Invalid(f"{name} is not a number")
    if len(str(sent.get("Description") or "")) > _DESCRIPTION_LENGTH_MAX:
        raise Invalid("Description is longer than 4000 characters")
    kept: dict[str, Raw] = {"LineItemID": sent.get("LineItemID") or books.new_id()}
    kept["Description"] = sent.get("Description") or ""
    if _is_description_only(sent):
        return {**kept, "Tracking": []}
    kept |= _amounts(sent, places=places)
    kept |= _account(sent, books, strict=strict)
    kept |= _tax(sent, kept, books, mode=mode)
    kept["Tracking"] = [_tracking(element, books) for element in _two(sent.get("Tracking"))]
    kept |= _item(sent, books)
    return kept


def _is_description_only(sent: dict[str, Raw]) -> bool:
    return not any(sent.get(name) is not None for name in (*_NUMBERS, "AccountCode", "ItemCode"))


def _amounts(sent: dict[str, Raw], *, places: int) -> dict[str, Raw]:
    quantity = money(sent.get("Quantity", 1), places=4)
    unit = money(sent.get("UnitAmount", 0), places=places)
    if sent.get("UnitAmount") is None and sent.get("LineAmount") is not None and quantity:
        unit = money(number(sent["LineAmount"]) / quantity, places=places)
    kept: dict[str, Raw] = {"Quantity": quantity, "UnitAmount": unit}
    gross = quantity * unit
    if sent.get("DiscountRate"):
        kept["DiscountRate"] = money(sent["DiscountRate"])
        gross = gross * (100 - kept["DiscountRate"]) / 100
    elif sent.get("DiscountAmount"):
        kept["DiscountAmount"] = money(sent["DiscountAmount"])
        gross -= kept["DiscountAmount"]
    if not is_number(gross):
        raise Invalid("The line total is too large")
    amount = money(gross)
    if sent.get("UnitAmount") is None and sent.get("LineAmount") is not None:
        amount = money(sent["LineAmount"])
    elif sent.get("LineAmount") is not None and money(sent["LineAmount"]) != amount:
        raise Invalid(
            f"The line total {sent['LineAmount']} does not match the expected line total {amount}"
        )
    return {**kept, "LineAmount": amount}


def _account(sent: dict[str, Raw], books: Books, *, strict: bool) -> dict[str, Raw]:
    code = sent.get("AccountCode")
    if not code and not sent.get("AccountID"):
        if strict:
            raise Invalid("Account code must be specified for each line of an approved document")
        return {}
    ref = {"Code": code} if code else {"AccountID": sent["AccountID"]}
    account = books.account(ref)
    if account is None or account.get("Type") == "BANK" or _is_control(account):
        raise Invalid(f"Account code '{code or ''}' is not a valid code for this document.")
    if account.get("Status", "ACTIVE") != "ACTIVE":
        raise Invalid(f"Account code '{code or ''}' has been archived, or deleted.")
    return {"AccountCode": account.get("Code", ""), "AccountID": account["AccountID"]}


def _is_control(account: dict[str, Raw]) -> bool:
    return account.get("SystemAccount") in ("DEBTORS", "CREDITORS")


def _tax(sent: dict[str, Raw], kept: dict[str, Raw], books: Books, *, mode: str) -> dict[str, Raw]:
    account = books.account({"AccountID": kept.get("AccountID")}) or {}
    kind = "NONE" if mode == "NoTax" else sent.get("TaxType") or account.get("TaxType") or "NONE"
    rate = effective_rate(books, str(kind))
    if rate is None:
        raise Invalid(f"The TaxType code '{kind}' does not exist or cannot be used here.")
    if mode == "NoTax":
        return {"TaxType": "NONE", "TaxAmount": ZERO}
    if sent.get("TaxAmount") is not None:
        return {"TaxType": kind, "TaxAmount": money(sent["TaxAmount"])}
    amount = number(kept["LineAmount"])
    tax = amount * rate / (100 + rate) if mode == "Inclusive" else amount * rate / 100
    return {"TaxType": kind, "TaxAmount": money(tax)}


def effective_rate(books: Books, kind: str) -> Decimal | None:
    if kind == "NONE":
        return ZERO
    for rate in books.all_of("TaxRates"):
        if rate.id == kind.lower() and rate.status == "ACTIVE":
            return number(rate.body.get("EffectiveRate"))
    return None


def _two(tracking: Raw) -> list[Raw]:
    elements = tracking if isinstance(tracking, list) else []
    if len(elements) > 2:
        raise Invalid("A line item can carry no more than two tracking elements")
    return elements


def _tracking(sent: Raw, books: Books) -> dict[str, Raw]:
    for category in books.all_of("TrackingCategories"):
        if not _names(sent, category.body, id_key="TrackingCategoryID", name_key="Name"):
            continue
        for option in category.body["Options"]:
            chosen = {"TrackingOptionID": sent.get("TrackingOptionID"), "Name": sent.get("Option")}
            if _names(chosen, option, id_key="TrackingOptionID", name_key="Name"):
                return {
                    "Name": category.body["Name"],
                    "Option": option["Name"],
                    "TrackingCategoryID": category.id,
                    "TrackingOptionID": option["TrackingOptionID"],
                }
    raise Invalid("The tracking category or the tracking option could not be found")


def _names(sent: dict[str, Raw], owned: dict[str, Raw], *, id_key: str, name_key: str) -> bool:
    if sent.get(id_key):
        return bool(sent[id_key] == owned[id_key])
    return bool(sent.get(name_key)) and sent[name_key] == owned[name_key]


def _item(sent: dict[str, Raw], books: Books) -> dict[str, Raw]:
    code = sent.get("ItemCode")
    if not code:
        return {}
    for item in books.all_of("Items"):
        if item.body["Code"] == code:
            named = {"ItemID": item.id, "Name": item.body.get("Name", ""), "Code": code}
            return {"ItemCode": code, "Item": named}
    raise Invalid(f"Item code '{code}' is not valid")
