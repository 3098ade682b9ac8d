"""What has to be known of an organisation before its records can be read or written."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from tallystick.connectors.contract import Raw
from tallystick.connectors.fields import Fields
from tallystick.connectors.xero.client import XeroClient, records_of
from tallystick.lib import json

# Raised by hand when the mapping itself changes, so that unchanged records are mapped anew.
_MAPPING = "1"


@dataclass(frozen=True, slots=True)
class BookAccount:
    id: str
    code: str
    name: str
    kind: str
    currency: str
    takes_payments: bool
    active: bool


@dataclass(frozen=True, slots=True)
class BookTaxRate:
    name: str
    effective: Decimal | None


@dataclass(frozen=True, slots=True)
class BookOption:
    """A choice of a tracking category; only these, never the category, can be written."""

    id: str
    name: str
    category_id: str
    category_name: str


@dataclass(frozen=True, slots=True)
class BookItem:
    id: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class XeroBooks:
    """Reference data of one organisation, each kind by what others name it by."""

    version: str
    base_currency: str
    accounts: Mapping[str, BookAccount]
    accounts_by_code: Mapping[str, BookAccount]
    tax_rates: Mapping[str, BookTaxRate]
    options: Mapping[str, BookOption]
    options_by_name: Mapping[tuple[str, str], BookOption]
    items: Mapping[str, BookItem]
    items_by_code: Mapping[str, BookItem]

    def account(self, account_id: str | None, code: str | None) -> BookAccount | None:
        if account_id:
            return self.accounts.get(account_id)
        return self.accounts_by_code.get(code) if code else None

    def item(self, item_id: str | None, code: str | None) -> BookItem | None:
        if item_id:
            return self.items.get(item_id)
        return self.items_by_code.get(code) if code else None

    def option(
        self, option_id: str | None, category_id: str | None, name: str | None
    ) -> BookOption | None:
        if option_id:
            return self.options.get(option_id)
        return self.options_by_name.get((category_id or "", name or ""))


async def read_books(client: XeroClient) -> XeroBooks:
    organisations = records_of((await client.get("/Organisation")).json(), "Organisations")
    return books_of(
        organisation=organisations[0] if organisations else {},
        accounts=records_of((await client.get("/Accounts")).json(), "Accounts"),
        tax_rates=records_of((await client.get("/TaxRates")).json(), "TaxRates"),
        categories=records_of(
            (await client.get("/TrackingCategories", {"includeArchived": "true"})).json(),
            "TrackingCategories",
        ),
        items=records_of((await client.get("/Items", {"unitdp": "4"})).json(), "Items"),
    )


def books_of(
    *,
    organisation: Raw,
    accounts: tuple[Raw, ...] = (),
    tax_rates: tuple[Raw, ...] = (),
    categories: tuple[Raw, ...] = (),
    items: tuple[Raw, ...] = (),
) -> XeroBooks:
    """Pure: the same lists give the same books and the same version."""
    base_currency = Fields(organisation).text("BaseCurrency") or ""
    known_accounts = _accounts(accounts)
    known_rates = dict(_tax_rate(Fields(raw)) for raw in tax_rates)
    known_options = [option for raw in categories for option in _options(Fields(raw))]
    known_items = [_item(Fields(raw)) for raw in items]
    return XeroBooks(
        version=_digest(base_currency, known_accounts, known_rates, known_options, known_items),
        base_currency=base_currency,
        accounts={account.id: account for account in known_accounts},
        accounts_by_code={account.code: account for account in known_accounts if account.code},
        tax_rates=known_rates,
        options={option.id: option for option in known_options},
        options_by_name={(option.category_id, option.name): option for option in known_options},
        items={item.id: item for item in known_items},
        items_by_code={item.code: item for item in known_items if item.code},
    )


def _accounts(raws: tuple[Raw, ...]) -> list[BookAccount]:
    """Active ones last: where a code was used again, it means the account in use."""
    return sorted((_account(Fields(raw)) for raw in raws), key=lambda account: account.active)


def _account(fields: Fields) -> BookAccount:
    return BookAccount(
        id=fields.text("AccountID") or "",
        code=fields.text("Code") or "",
        name=fields.text("Name") or "",
        kind=fields.text("Type") or "",
        currency=fields.text("CurrencyCode") or "",
        takes_payments=fields.truth("EnablePaymentsToAccount") or False,
        active=fields.text("Status") in {"ACTIVE", None},
    )


def _tax_rate(fields: Fields) -> tuple[str, BookTaxRate]:
    return (
        fields.text("TaxType") or "",
        BookTaxRate(name=fields.text("Name") or "", effective=fields.number("EffectiveRate")),
    )


def _options(category: Fields) -> list[BookOption]:
    return [
        BookOption(
            id=option.text("TrackingOptionID") or "",
            name=option.text("Name") or "",
            category_id=category.text("TrackingCategoryID") or "",
            category_name=category.text("Name") or "",
        )
        for option in category.each("Options")
    ]


def _item(fields: Fields) -> BookItem:
    return BookItem(
        id=fields.text("ItemID") or "",
        code=fields.text("Code") or "",
        name=fields.text("Name") or "",
    )


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.canonical([_MAPPING, *parts])).hexdigest()[:32]
