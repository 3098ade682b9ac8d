"""Whatever is sent, the simulated Xero answers in Xero's shapes and never falls over."""

import copy
import random
from typing import Any

from tests.unit.simulators.test_xero_writes import bank, bill_named, new_bill, one_payment
from tests.unit.simulators.xero_session import Session

Raw = Any

GHOST = "11111111-1111-4111-8111-111111111111"
ODD: tuple[Raw, ...] = (
    None,
    "",
    "x",
    -1,
    0,
    10**30,
    1.005,
    True,
    [],
    {},
    [1],
    [[]],
    {"a": 1},
    GHOST,
    "/Date(99999999999999999999)/",
    "0000-00-00",
    "NaN",
    "é" * 600,
)


def spoiled(body: Raw, rng: random.Random) -> Raw:
    """The body with one value somewhere in it replaced, dropped or added."""
    body = copy.deepcopy(body)
    places = list(_places(body))
    holder, key = rng.choice(places)
    if rng.random() < 0.2 and isinstance(holder, dict):
        del holder[key]
    else:
        holder[key] = copy.deepcopy(rng.choice(ODD))
    return body


def _places(value: Raw) -> list[tuple[Raw, Raw]]:
    found: list[tuple[Raw, Raw]] = []
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in items:
        found.append((value, key))
        if isinstance(inner, dict | list):
            found += _places(inner)
    return found


async def test_a_spoiled_write_is_answered_and_leaves_the_ledger_balanced(xero: Session) -> None:
    bill, account = await bill_named(xero, "OPEN-1"), await bank(xero)
    notes = await xero.all("CreditNotes", where='CreditNoteNumber=="CR-UNUSED"')
    payment = one_payment(bill, account, 5)
    batch = {"Account": {"AccountID": account}, "Date": "2026-11-20"}
    element = {"Invoice": {"InvoiceID": bill["InvoiceID"]}, "Amount": 5, "Date": "2026-11-20"}
    address = {"AddressType": "STREET", "City": "Leeds"}
    contact = {"Name": "Spoiled", "Addresses": [address], "Phones": [{"PhoneType": "DDI"}]}
    tracked = new_bill()
    tracked["Invoices"][0]["LineItems"][0]["Tracking"] = [{"Name": "Workshop", "Option": "Vale"}]
    writes = (
        ("PUT", "/Invoices", tracked),
        ("POST", f"/Invoices/{bill['InvoiceID']}", tracked),
        ("PUT", "/Payments", payment),
        ("PUT", "/BatchPayments", {"BatchPayments": [{**batch, "Payments": [element]}]}),
        (
            "PUT",
            f"/CreditNotes/{notes[0]['CreditNoteID']}/Allocations",
            {"Allocations": [element]},
        ),
        ("PUT", "/Contacts", {"Contacts": [contact]}),
        ("PUT", "/Accounts", {"Code": "777", "Name": "Odd", "Type": "EXPENSE"}),
    )
    rng = random.Random(7)  # noqa: S311
    for _ in range(600):
        method, path, body = rng.choice(writes)
        answer = await xero.call(method, path, spoiled(body, rng), checked=False)
        assert answer.status_code in (200, 400), answer.text
    assert (await xero.ledger())["trialBalanceTotal"] == 0
    assert (await xero.ok("GET", "/Invoices", page=1, checked=False))["Invoices"]


async def test_spoiled_queries_are_query_exceptions(xero: Session) -> None:
    for where in (
        'Type="',
        "(((",
        "Date>=DateTime(1)",
        "Total==abc",
        "== 1",
        'Name=="x" AND',
        "💥",
    ):
        answer = await xero.call("GET", "/Contacts", where=where, checked=False)
        assert (answer.status_code, answer.json()["ErrorNumber"]) == (400, 16), where
    queries: tuple[Raw, ...] = ({"page": "0"}, {"page": "x"}, {"order": "Date SIDEWAYS"})
    for query in queries:
        answer = await xero.call("GET", "/Invoices", checked=False, **query)
        assert answer.status_code == 400
    answer = await xero.call("PUT", "/Invoices", b"{", checked=False)
    assert answer.json()["ErrorNumber"] == 17
    assert (await xero.call("GET", "/Nothing", checked=False)).status_code == 404
    assert (await xero.call("DELETE", "/Invoices", checked=False)).status_code == 405
