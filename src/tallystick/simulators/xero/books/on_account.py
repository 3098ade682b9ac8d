"""Money paid before there was a document for it: prepayments and overpayments."""

from typing import Any

from tallystick.simulators.xero.books import ledger
from tallystick.simulators.xero.books.books import Books
from tallystick.simulators.xero.books.contacts import contact_for
from tallystick.simulators.xero.books.ledger import KINDS
from tallystick.simulators.xero.books.lines import line, totals
from tallystick.simulators.xero.books.payments import paying_account, payment_day
from tallystick.simulators.xero.errors import ID_KEYS
from tallystick.simulators.xero.wire import day_json, day_string, money

Raw = Any


def add_on_account(books: Books, sent: dict[str, Raw]) -> str:
    """Spend or receive money on account; answers its id.

    The whole sum stands in the control account until it is allocated; its tax is left there too.
    """
    kind = KINDS[sent["Type"]]
    id_ = books.new_id()
    day = payment_day(books, sent)
    bank = paying_account(books, sent["Account"])
    currency = bank.get("CurrencyCode") or books.base
    items = [line(item, books, mode="NoTax", places=4, strict=False) for item in sent["LineItems"]]
    total = money(totals(items, mode="NoTax").total)
    body: dict[str, Raw] = {
        ID_KEYS[kind.collection]: id_,
        "Type": kind.name,
        "Reference": sent.get("Reference", ""),
        "RemainingCredit": total,
        "HasAttachments": False,
        "Contact": {"ContactID": contact_for(books, sent["Contact"])},
        "DateString": day_string(day),
        "Date": day_json(day),
        "Status": "AUTHORISED",
        "LineAmountTypes": "NoTax",
        "LineItems": items,
        "SubTotal": total,
        "TotalTax": money(0),
        "Total": total,
        "CurrencyCode": currency,
        "CurrencyRate": books.rate(currency, day),
    }
    ledger.raise_on_account(books, source=id_, body=body, bank=bank)
    books.save(kind.collection, body)
    return id_
