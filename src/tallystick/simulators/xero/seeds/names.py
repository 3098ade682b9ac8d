"""Names for invented suppliers and customers."""

import random

_KNOWN_SUPPLIERS = (
    ("O'Brien Timber Merchants", "GBP"),
    ("Łukasz Wójcik Stolarstwo", "EUR"),
    ("Kestrel Fixings & Ironmongery", "GBP"),
    ("Sägewerk Grünwald GmbH", "EUR"),
    ("Blue Ridge Hardwoods Inc.", "USD"),
    ("D'Arcy & Søn Freight", "GBP"),
    ("Café Núñez", "GBP"),
    ("Northmoor Energy", "GBP"),
    ("Pritchard's Tool Hire", "GBP"),
    ("Ateliers François Bénard", "EUR"),
    ("Wetherby Insurance Brokers", "GBP"),
    ('Ferris "Fast" Print', "GBP"),
    ("Old Mill Properties", "GBP"),
    ("Quill & Ledger Accountants", "GBP"),
    ("Straße & Weg Logistik", "EUR"),
)
_KNOWN_CUSTOMERS = (
    ("Bramble Cottage Interiors", "GBP"),
    ("St Mary's School", "GBP"),
    ("Zoë Fitzgerald", "GBP"),
    ("Hôtel de la Côte", "EUR"),
    ("Riverside Housing Association", "GBP"),
    ("Ng & Daughters Builders", "GBP"),
    ("Brooklyn Loft Company", "USD"),
    ("Mhairi MacLeòd", "GBP"),
    ("Tŷ Coch Developments", "GBP"),
    ("O'Connell Shopfitters", "GBP"),
    ("Åse Lindqvist Design", "EUR"),
    ("The Pantry, Vale", "GBP"),
)
_FIRST = ("Ashdown", "Brandt", "Calder", "Dubois", "Eriksson", "Fenwick", "Gómez", "Hale", "İnci")
_SECOND = ("Joinery", "Mills", "Supplies", "Haulage", "Coatings", "Glass", "Joiners", "Metals")
_THIRD = ("Ltd", "& Sons", "Partners", "Group", "Cooperative")
_TOWNS = ("Leeds", "Bristol", "Kraków", "Köln", "Boston", "Cardiff", "Perth", "Norwich")


def suppliers(rng: random.Random, count: int) -> list[tuple[str, str]]:
    return _named(rng, _KNOWN_SUPPLIERS, count, word="Supply")


def customers(rng: random.Random, count: int) -> list[tuple[str, str]]:
    return _named(rng, _KNOWN_CUSTOMERS, count, word="Sales")


def town(rng: random.Random) -> str:
    return rng.choice(_TOWNS)


def _named(
    rng: random.Random, known: tuple[tuple[str, str], ...], count: int, *, word: str
) -> list[tuple[str, str]]:
    """The known ones first, then as many made-up ones as are still wanted, each name once."""
    named = list(known[:count])
    for index in range(len(named), count):
        name = f"{rng.choice(_FIRST)} {rng.choice(_SECOND)} {rng.choice(_THIRD)} {word} {index}"
        named.append((name, rng.choice(("GBP", "GBP", "GBP", "EUR", "USD"))))
    return named
