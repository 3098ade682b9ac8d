"""Currencies and the exchange rate of a day.

Every rate is foreign units for one unit of the base currency, which is how we read Xero's
CurrencyRate: an amount of a document divided by its rate is the amount in base currency.
"""

from datetime import date
from decimal import Decimal

CURRENCIES = {
    "GBP": "British Pound",
    "EUR": "Euro",
    "USD": "United States Dollar",
    "PLN": "Polish Zloty",
    "AUD": "Australian Dollar",
    "NZD": "New Zealand Dollar",
    "CHF": "Swiss Franc",
}
# Invented mid-market values of one pound.
_POUND = {
    "GBP": Decimal(1),
    "EUR": Decimal("1.1725"),
    "USD": Decimal("1.2710"),
    "PLN": Decimal("5.0420"),
    "AUD": Decimal("1.9330"),
    "NZD": Decimal("2.1040"),
    "CHF": Decimal("1.1120"),
}
LOWEST_RATE = Decimal("0.0001")
_SIX_PLACES = Decimal("0.000001")


def rate_on(day: date, *, currency: str, base: str) -> Decimal:
    """A rate that wanders by up to one per cent around its middle, the same each time asked."""
    if currency == base:
        return Decimal("1.000000")
    middle = _POUND.get(currency, Decimal(1)) / _POUND.get(base, Decimal(1))
    wobble = Decimal(day.toordinal() * 7919 % 401 - 200) / 20000
    return (middle * (1 + wobble)).quantize(_SIX_PLACES)


def base_cents(amount: Decimal, rate: Decimal) -> int:
    """An amount of a document in base currency, in cents, rounded half up."""
    scaled = amount * 100 / (rate or Decimal(1))
    whole = int(abs(scaled) + Decimal("0.5"))
    return whole if scaled >= 0 else -whole
