"""What the simulated Xero holds, asked by a client that shares no code with the connector."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import httpx
from tests.journeys.simulator import CLIENT_ID, REDIRECT, SECRET, Simulator
from tests.journeys.world import World

from tallystick.lib import json

Raw = Any

_SCOPES = (
    "offline_access accounting.transactions accounting.contacts accounting.settings "
    "accounting.attachments"
)
Figures = dict[str, tuple[Any, ...]]
"""By id: what must agree."""


async def _token(simulator: Simulator, http: httpx.AsyncClient, organisation: str) -> str:
    asked = f"response_type=code&client_id={CLIENT_ID}&redirect_uri={REDIRECT}&state=x"
    url = f"{simulator.base_url}/identity/connect/authorize?{asked}&scope={_SCOPES}"
    code = await simulator.consent(http, url, organisation)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    address = f"{simulator.base_url}/identity/connect/token"
    answer = await http.post(address, data=form, auth=(CLIENT_ID, SECRET))
    return str(answer.json()["access_token"])


async def collections(world: World, *names: str) -> dict[str, list[Raw]]:
    """Whole collections as Xero's API gives them."""
    token = await _token(world.simulator, world.http, world.organisation_id)
    headers = {
        "Authorization": f"Bearer {token}",
        "xero-tenant-id": world.organisation_id,
        "Accept": "application/json",
    }
    return {name: await _all(world, headers, name) for name in names}


async def _all(world: World, headers: Mapping[str, str], name: str) -> list[Raw]:
    found: list[Raw] = []
    page = 1
    while True:
        query: dict[str, str | int] = {
            "page": page,
            "pageSize": 1000,
            "includeArchived": "true",
            "unitdp": 4,
        }
        url = f"{world.simulator.base_url}/api.xro/2.0/{name}"
        answer = await world.http.get(url, params=query, headers=dict(headers))
        assert answer.status_code == 200, answer.text
        body = json.loads(answer.content)
        found += body[name]
        if page >= body.get("pagination", {}).get("pageCount", 1):
            return found
        page += 1


def _gone(raw: Raw) -> bool:
    return bool(raw.get("Status") == "DELETED")


def _documents(raws: list[Raw], of_type: str, key: str) -> Figures:
    return {
        raw[key]: (_gone(raw), Decimal(raw["Total"]), raw["Contact"]["ContactID"])
        for raw in raws
        if raw["Type"] == of_type
    }


def _owed(raws: list[Raw], of_type: str) -> Figures:
    return {
        raw["InvoiceID"]: (
            _gone(raw),
            Decimal(raw["Total"]),
            Decimal(raw["AmountDue"]) if raw["Status"] != "DELETED" else None,
        )
        for raw in raws
        if raw["Type"] == of_type
    }


async def differences(world: World) -> dict[str, dict[str, tuple[Any, Any]]]:
    """For each data type what the cache has otherwise than Xero, as (theirs, ours); {} is right."""
    theirs = await _theirs(world)
    found: dict[str, dict[str, tuple[Any, Any]]] = {}
    for data_type, figures in theirs.items():
        ours = await _ours(world, data_type)
        wrong = {
            id_: (figures.get(id_), ours.get(id_))
            for id_ in figures.keys() | ours.keys()
            if figures.get(id_) != ours.get(id_)
        }
        if wrong:
            found[data_type] = wrong
    return found


async def _theirs(world: World) -> dict[str, Figures]:
    raw = await collections(
        world, "Invoices", "CreditNotes", "Contacts", "Accounts", "Items", "Payments"
    )
    return {
        "bills": _owed(raw["Invoices"], "ACCPAY"),
        "invoices": _owed(raw["Invoices"], "ACCREC"),
        "billCreditNotes": _documents(raw["CreditNotes"], "ACCPAYCREDIT", "CreditNoteID"),
        "creditNotes": _documents(raw["CreditNotes"], "ACCRECCREDIT", "CreditNoteID"),
        "suppliers": {each["ContactID"]: (False, each["Name"]) for each in raw["Contacts"]},
        "chartOfAccounts": {each["AccountID"]: (False, each["Name"]) for each in raw["Accounts"]},
        "items": {each["ItemID"]: (False, each["Code"]) for each in raw["Items"]},
        "billPayments": _settled(raw, "ACCPAY", "AP"),
        "payments": _settled(raw, "ACCREC", "AR"),
    }


def _settled(raw: dict[str, list[Raw]], side: str, letters: str) -> Figures:
    """Payments and credit-note allocations; those on account are left to the connector's tests."""
    ids = {
        each["PaymentID"]: (False,)
        for each in raw["Payments"]
        if each["PaymentType"].startswith((f"{side}PAY", letters)) and not _gone(each)
    }
    for note in raw["CreditNotes"]:
        if note["Type"] == f"{side}CREDIT":
            ids |= {each["AllocationID"]: (False,) for each in note.get("Allocations", [])}
    return ids


async def _ours(world: World, data_type: str) -> Figures:
    shown = _SHOWN[data_type]
    bodies = await world.bodies(data_type)
    ours = {id_: (body["metadata"]["isDeleted"], *shown(body)) for id_, body in bodies.items()}
    if data_type in {"billPayments", "payments"}:
        # Money on account has ids of its own kinds; a vanished allocation stays, marked.
        ours = {id_: ours[id_] for id_ in ours if not _is_on_account(bodies[id_])}
    # What a hard deletion left behind here is marked and no longer there.
    return {
        id_: figures
        for id_, figures in ours.items()
        if not (figures[0] and data_type in {"items", "billPayments", "payments"})
    }


def _is_on_account(body: Raw) -> bool:
    links = [link for line in body.get("lines", []) for link in line.get("links", [])]
    return any(link["type"] == "PaymentOnAccount" for link in links)


def _owing(body: Raw) -> tuple[Any, ...]:
    gone = body["metadata"]["isDeleted"]
    return body["totalAmount"], None if gone else body["amountDue"]


_SHOWN: dict[str, Callable[[Raw], tuple[Any, ...]]] = {
    "bills": _owing,
    "invoices": _owing,
    "billCreditNotes": lambda body: (body["totalAmount"], body["supplierRef"]["id"]),
    "creditNotes": lambda body: (body["totalAmount"], body["customerRef"]["id"]),
    "suppliers": lambda body: (body["supplierName"],),
    "chartOfAccounts": lambda body: (body["name"],),
    "items": lambda body: (body["code"],),
    "billPayments": lambda _: (),
    "payments": lambda _: (),
}
