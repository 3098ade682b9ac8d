"""Invented books: two organisations with a year of trade up to the day they are first made."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallystick.simulators.xero.api.attachments import upload
from tallystick.simulators.xero.api.pdf import one_page
from tallystick.simulators.xero.books.accounts import add_account
from tallystick.simulators.xero.books.books import Books
from tallystick.simulators.xero.books.contacts import save_contact
from tallystick.simulators.xero.books.rates import CURRENCIES
from tallystick.simulators.xero.call import Call
from tallystick.simulators.xero.seeds import chart, names
from tallystick.simulators.xero.seeds.story import tell
from tallystick.simulators.xero.seeds.trade import Trade
from tallystick.simulators.xero.wire import day_json, moment_json
from tallystick.simulators.xero.world import World

Raw = Any

_YEAR_DAYS = 365


@dataclass(frozen=True, kw_only=True)
class Size:
    bills: int
    invoices: int
    suppliers: int
    customers: int

    def part(self, divisor: int) -> "Size":
        return Size(
            bills=self.bills // divisor,
            invoices=self.invoices // divisor,
            suppliers=max(10, self.suppliers // divisor),
            customers=max(8, self.customers // divisor),
        )


SIZES = {
    "small": Size(bills=40, invoices=30, suppliers=15, customers=12),
    "medium": Size(bills=1_500, invoices=1_100, suppliers=120, customers=100),
    "large": Size(bills=20_000, invoices=15_000, suppliers=600, customers=500),
}


def seed_world(world: World, *, seed: int, size: str) -> None:
    """Make the organisations once; a world that has some is left alone."""
    if size == "none":
        return
    if size not in SIZES:
        raise ValueError(f"size must be none or one of {', '.join(SIZES)}")
    with world.store.transaction() as tx:
        if tx.all("organisations"):
            return
        rng = random.Random(seed)  # noqa: S311 - books that can be made again, nothing secret
        now = world.clock.now()

        def new_id() -> str:
            return str(UUID(int=rng.getrandbits(128), version=4))

        for name, base, country, divisor in (
            ("Harrow & Vale Joinery Ltd", "GBP", "GB", 1),
            ("Brú na Mara Café Teoranta", "EUR", "IE", 5),
        ):
            books = Books(tx, new_id(), now=now, new_id=new_id)
            _settle_in(books, name=name, base=base, country=country)
            _trade(books, rng, SIZES[size].part(divisor), home=base)
            _attach(books, world.xero_url)


def _settle_in(books: Books, *, name: str, base: str, country: str) -> None:
    """Everything an organisation sets up before it begins to trade, two years back."""
    books.keep_organisation(_organisation(books, name=name, base=base, country=country))
    early = books.at(books.now - timedelta(days=2 * _YEAR_DAYS))
    for code in ("GBP", "EUR", "USD"):
        early.save("Currencies", {"Code": code, "Description": CURRENCIES[code]}, moved=False)
    for account in (*chart.SYSTEM_ACCOUNTS, *chart.accounts(country=country, foreign_bank="USD")):
        add_account(early, account)
    for rate in chart.tax_rates():
        early.save("TaxRates", rate, moved=False)
    for category, options in chart.TRACKING.items():
        early.save("TrackingCategories", _tracking(early, category, options), moved=False)
    for item in chart.ITEMS:
        early.save("Items", _item(early, item))


def _organisation(books: Books, *, name: str, base: str, country: str) -> dict[str, Raw]:
    begun = datetime(books.today.year - 3, 4, 1, 9, tzinfo=UTC)
    locked = books.today - timedelta(days=_YEAR_DAYS + 30)
    return {
        "Name": name,
        "LegalName": name,
        "PaysTax": True,
        "Version": "UK" if country == "GB" else "GLOBAL",
        "OrganisationType": "COMPANY",
        "BaseCurrency": base,
        "CountryCode": country,
        "IsDemoCompany": False,
        "OrganisationStatus": "ACTIVE",
        "RegistrationNumber": "07841255",
        "TaxNumber": "GB 123 4567 89" if country == "GB" else "IE1234567T",
        "FinancialYearEndDay": 31,
        "FinancialYearEndMonth": 3,
        "SalesTaxBasis": "ACCRUALS",
        "SalesTaxPeriod": "QUARTERLY1",
        "DefaultSalesTax": "Tax Exclusive",
        "DefaultPurchasesTax": "Tax Exclusive",
        "PeriodLockDate": day_json(locked),
        "CreatedDateUTC": moment_json(begun).replace("+0000", ""),
        "OrganisationEntityType": "COMPANY",
        "Timezone": "GMTSTANDARDTIME",
        "ShortCode": f"!{books.organisation_id[:5]}",
        "OrganisationID": books.organisation_id,
        "Edition": "BUSINESS",
        "Class": "PREMIUM",
        "Addresses": [
            {
                "AddressType": "STREET",
                "AddressLine1": "Unit 4, Old Sawmill\r\nMill Lane",
                "City": "Harrow on the Vale",
                "PostalCode": "HV1 4QT",
                "Country": "United Kingdom" if country == "GB" else "Ireland",
            }
        ],
        "Phones": [{"PhoneType": "OFFICE", "PhoneNumber": "5550134", "PhoneAreaCode": "01632"}],
        "ExternalLinks": [],
        "PaymentTerms": {"Bills": {"Day": 30, "Type": "DAYSAFTERBILLDATE"}},
    }


def _tracking(books: Books, name: str, options: tuple[str, ...]) -> dict[str, Raw]:
    category = books.new_id()
    return {
        "Name": name,
        "Status": "ACTIVE",
        "TrackingCategoryID": category,
        "Options": [
            {
                "TrackingOptionID": books.new_id(),
                "Name": option,
                "Status": "ACTIVE",
                "TrackingCategoryID": category,
            }
            for option in options
        ],
    }


def _item(books: Books, item: dict[str, Raw]) -> dict[str, Raw]:
    buys: dict[str, Raw] = {}
    if item["buys"]:
        buys = {"UnitPrice": Decimal(item["buys"]), "AccountCode": "310", "TaxType": "INPUT2"}
    sells = {"UnitPrice": Decimal(item["sells"]), "AccountCode": "200", "TaxType": "OUTPUT2"}
    return {
        "ItemID": books.new_id(),
        "Code": item["Code"],
        "Name": item["Name"],
        "Description": item["Name"],
        "PurchaseDescription": item["Name"],
        "PurchaseDetails": buys,
        "SalesDetails": sells,
        "IsTrackedAsInventory": False,
        "IsSold": True,
        "IsPurchased": bool(buys),
    }


def _trade(books: Books, rng: random.Random, size: Size, *, home: str) -> None:
    trade = Trade(books, rng)
    begun = trade.today - timedelta(days=_YEAR_DAYS)
    suppliers = names.suppliers(rng, size.suppliers)
    customers = names.customers(rng, size.customers)
    early = books.at(trade.moment(begun))
    for name, currency in (*suppliers, *customers):
        save_contact(early, _contact(rng, name, currency), previous=None)
    for index in range(size.bills):
        day = begun + timedelta(days=index * (_YEAR_DAYS - 2) // size.bills)
        _plan_bill(trade, rng.choice(suppliers), day)
    for index in range(size.invoices):
        day = begun + timedelta(days=index * (_YEAR_DAYS - 2) // size.invoices)
        _plan_invoice(trade, rng.choice(customers), day)
    tell(trade, home=home, abroad="EUR" if home == "GBP" else "GBP")
    trade.run()


def _contact(rng: random.Random, name: str, currency: str) -> dict[str, Raw]:
    """Some are known well, some by nothing but their name."""
    sent: dict[str, Raw] = {"Name": name, "DefaultCurrency": currency}
    if rng.random() < 0.7:
        sent |= {
            "FirstName": "Aoife",
            "LastName": "O'Neill",
            "EmailAddress": f"accounts{rng.randrange(1000)}@example.com",
            "TaxNumber": f"GB{rng.randrange(10**8, 10**9)}",
            "Addresses": [
                {
                    "AddressType": "POBOX",
                    "AddressLine1": rng.choice(("Mill Road 7", "Unit 3\r\nThe Maltings")),
                    "City": names.town(rng),
                    "PostalCode": "LS1 4DY",
                }
            ],
            "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "5550199", "PhoneAreaCode": "0113"}],
        }
    return sent


def _plan_bill(trade: Trade, supplier: tuple[str, str], day: Any) -> None:
    rng = trade.rng
    fate = rng.choices(
        ("paid", "batch", "part", "credited", "open", "voided", "draft", "deleted"),
        weights=(42, 20, 6, 4, 16, 5, 4, 3),
    )[0]
    status = "DRAFT" if fate in ("draft", "deleted") else "AUTHORISED"
    sent = trade.bill(supplier, day, Status=status)

    def done(books: Books) -> None:
        id_ = trade.document(books, sent)
        pay_on = books.today + timedelta(days=rng.randrange(10, 40))
        if fate == "paid" or (fate == "batch" and supplier[1] != books.base):
            trade.on(pay_on, trade.pay(id_))
        elif fate == "batch":
            trade.on(pay_on, trade.pay_in_batch(id_))
        elif fate == "part":
            trade.on(pay_on, trade.pay(id_, share=Decimal("0.35")))
        elif fate == "credited":
            trade.on(pay_on, trade.credit(id_))
        elif fate in ("voided", "deleted"):
            trade.change(books, "Invoices", id_, {"Status": fate.upper()})

    trade.on(day, done)


def _plan_invoice(trade: Trade, customer: tuple[str, str], day: Any) -> None:
    rng = trade.rng
    fate = rng.choices(
        ("paid", "part", "credited", "open", "voided", "draft"), weights=(62, 8, 4, 17, 4, 5)
    )[0]
    sent = trade.invoice(customer, day, Status="DRAFT" if fate == "draft" else "AUTHORISED")

    def done(books: Books) -> None:
        id_ = trade.document(books, sent)
        pay_on = books.today + timedelta(days=rng.randrange(10, 50))
        if fate in ("paid", "part"):
            share = Decimal(1) if fate == "paid" else Decimal("0.5")
            trade.on(pay_on, trade.pay(id_, share=share))
        elif fate == "credited":
            trade.on(pay_on, trade.credit(id_))
        elif fate == "voided":
            trade.change(books, "Invoices", id_, {"Status": "VOIDED"})

    trade.on(day, done)


def _attach(books: Books, api_url: str) -> None:
    """The scan of a bill on the first two that are open."""
    found = books.rows("by_code", collection="Invoices", code="OPEN-1")
    found += books.rows("by_code", collection="Invoices", code="OPEN-3")
    for held in found:
        content = one_page([f"Scan of {held.body['InvoiceNumber']}", f"Total {held.body['Total']}"])
        call = Call(
            method="PUT",
            path="",
            query={},
            headers={"content-type": "application/pdf"},
            body=content,
            books=books,
            api_url=f"{api_url}/api.xro/2.0",
            now=books.now,
        )
        upload(call, "Invoices", held.id, f"Rechnung {held.body['InvoiceNumber']}.pdf")
