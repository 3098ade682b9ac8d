"""Limits, idempotency and the faults of the simulated Xero, each one exactly as switched."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.simulators.xero_session import Session, session

from tallystick.simulators.xero.limits import Limits

Raw = Any

NEW = {"Contacts": [{"Name": "Once Only Ltd"}]}


async def names(xero: Session) -> list[str]:
    return [each["Name"] for each in await xero.all("Contacts")]


async def test_a_lost_answer_is_committed_first(xero: Session) -> None:
    await xero.control("POST", "/faults", {"name": "loses_answers", "match": {"method": "PUT"}})
    with pytest.raises(httpx.TransportError):
        await xero.call("PUT", "/Contacts", NEW)
    assert (await names(xero)).count("Once Only Ltd") == 1
    assert (await xero.control("GET", "/faults"))["faults"] == []


async def test_the_same_key_answers_what_it_answered_before(xero: Session) -> None:
    key = {"idempotency-key": "k-1"}
    await xero.control("POST", "/faults", {"name": "loses_answers", "match": {"method": "PUT"}})
    with pytest.raises(httpx.TransportError):
        await xero.call("PUT", "/Contacts", NEW, headers=key)
    again = await xero.call("PUT", "/Contacts", NEW, headers=key)
    third = await xero.call("PUT", "/Contacts", NEW, headers=key)
    assert (again.status_code, again.content) == (200, third.content)
    assert (await names(xero)).count("Once Only Ltd") == 1
    other = {"Contacts": [{"Name": "Another"}]}
    assert (await xero.call("PUT", "/Contacts", other, headers=key)).status_code == 400
    xero.app.world.clock.advance(timedelta(hours=7))
    await xero.grant(xero.tenant)
    assert "already assigned" in await xero.refused("PUT", "/Contacts", NEW, headers=key)


async def test_a_server_error_writes_nothing(xero: Session) -> None:
    await xero.control("POST", "/faults", {"name": "server_errors", "status": 503})
    assert (await xero.call("PUT", "/Contacts", NEW)).status_code == 503
    assert "Once Only Ltd" not in await names(xero)


async def test_a_rate_limit_can_be_pretended(xero: Session) -> None:
    fault = {"name": "rate_limits", "times": 2, "problem": "day", "retry_after_s": 4000}
    await xero.control("POST", "/faults", {**fault, "match": {"path": "/Invoices"}})
    await xero.ok("GET", "/Accounts")
    for _ in range(2):
        answer = await xero.call("GET", "/Invoices")
        assert answer.status_code == 429
        assert answer.headers["x-rate-limit-problem"] == "day"
        assert answer.headers["retry-after"] == "4000"
    await xero.ok("GET", "/Invoices")


async def test_a_fault_may_let_some_calls_pass(xero: Session) -> None:
    await xero.control("POST", "/faults", {"name": "server_errors", "skip": 1})
    assert (await xero.call("GET", "/Accounts")).status_code == 200
    assert (await xero.call("GET", "/Accounts")).status_code == 500
    assert (await xero.call("GET", "/Accounts")).status_code == 200


async def test_a_fault_may_meet_every_third_call(xero: Session) -> None:
    await xero.control("POST", "/faults", {"name": "server_errors", "every": 3, "times": 2})
    statuses = [(await xero.call("GET", "/Accounts")).status_code for _ in range(8)]
    assert statuses == [200, 200, 500, 200, 200, 500, 200, 200]


async def test_a_token_can_be_made_to_expire(xero: Session) -> None:
    await xero.control("POST", "/faults", {"name": "expires_tokens"})
    for _ in range(2):
        answer = await xero.call("GET", "/Accounts")
        assert answer.status_code == 401, "an expired token stays expired"
        assert "TokenExpired" in answer.json()["Detail"]
    form = {"grant_type": "refresh_token", "refresh_token": xero.refresh_token}
    xero.access_token = (await xero.token(**form)).json()["access_token"]
    await xero.ok("GET", "/Accounts")


async def test_a_refresh_whose_answer_is_lost_can_be_asked_again(xero: Session) -> None:
    fault = {"name": "loses_answers", "match": {"path": "/connect/token"}}
    await xero.control("POST", "/faults", fault)
    form = {"grant_type": "refresh_token", "refresh_token": xero.refresh_token}
    with pytest.raises(httpx.TransportError):
        await xero.token(**form)
    assert (await xero.token(**form)).status_code == 200


@pytest.mark.parametrize("name", ["server_errors", "rate_limits", "loses_answers"])
async def test_the_identity_server_fails_when_it_is_named(xero: Session, name: str) -> None:
    fault = {"name": name, "status": 503, "retry_after_s": 9}
    await xero.control("POST", "/faults", {**fault, "match": {"path": "/connections"}})
    await xero.ok("GET", "/Accounts")
    bearer = {"authorization": f"Bearer {xero.access_token}", "accept": "application/json"}
    if name == "loses_answers":
        with pytest.raises(httpx.TransportError):
            await xero.plain.get("/xero/connections", headers=bearer)
    else:
        answer = await xero.plain.get("/xero/connections", headers=bearer)
        assert answer.status_code == {"server_errors": 503, "rate_limits": 429}[name]
        assert answer.headers["retry-after"] == "9"
    assert (await xero.plain.get("/xero/connections", headers=bearer)).status_code == 200


async def test_a_shifted_page_hides_a_record_from_a_naive_reader(xero: Session) -> None:
    whole = {each["InvoiceID"] for each in await xero.all("Invoices")}
    await xero.control("POST", "/faults", {"name": "pages_shift", "times": 3})
    seen = {each["InvoiceID"] for each in await xero.all("Invoices", pageSize=10)}
    assert len(whole - seen) >= 1


async def until_taken(xero: Session) -> None:
    """Wait until the fault that was switched on has met its call."""
    for _ in range(1_000):
        if not (await xero.control("GET", "/faults"))["faults"]:
            return
        await asyncio.sleep(0)
    pytest.fail("nobody met the fault")


async def test_a_slow_answer_holds_its_place(tmp_path: Path) -> None:
    limits = Limits(per_minute=None, per_day=None, app_per_minute=None, concurrent=1)
    async with session(tmp_path, limits=limits) as xero:
        fault = {"name": "slow", "delay_s": 0.3, "match": {"path": "/Accounts"}}
        await xero.control("POST", "/faults", fault)
        slow = asyncio.create_task(xero.call("GET", "/Accounts"))
        await until_taken(xero)
        second = await xero.call("GET", "/Items")
        assert second.headers["x-rate-limit-problem"] == "concurrent"
        assert (await slow).status_code == 200


async def test_the_minute_is_counted_on_the_simulated_clock(tmp_path: Path) -> None:
    async with session(tmp_path, limits=Limits(per_minute=3)) as xero:
        left = [
            (await xero.call("GET", "/Items")).headers["x-minlimit-remaining"] for _ in range(3)
        ]
        assert left == ["2", "1", "0"]
        refused = await xero.call("GET", "/Items")
        assert refused.status_code == 429
        assert refused.headers["x-rate-limit-problem"] == "minute"
        assert 1 <= int(refused.headers["retry-after"]) <= 61
        assert refused.headers["x-daylimit-remaining"] == "4997"
        await xero.control("POST", "/clock", {"advance_s": int(refused.headers["retry-after"])})
        assert (await xero.call("GET", "/Items")).status_code == 200


async def test_limits_can_be_set_while_running(xero: Session) -> None:
    await xero.control("POST", "/limits", {"per_day": 1})
    await xero.ok("GET", "/Items")
    refused = await xero.call("GET", "/Items")
    assert refused.headers["x-rate-limit-problem"] == "day"
    assert int(refused.headers["retry-after"]) > 80_000
    await xero.control("POST", "/limits", {"off": True})
    await xero.ok("GET", "/Items")


async def test_the_control_plane_listens_to_this_computer_alone(xero: Session) -> None:
    transport = httpx.ASGITransport(xero.app, client=("192.0.2.7", 4000))
    async with httpx.AsyncClient(transport=transport, base_url="http://sim") as stranger:
        assert (await stranger.get("/_simulator/health")).status_code == 403


async def test_the_clock_can_be_read_and_set(xero: Session) -> None:
    said = await xero.control("POST", "/clock", {"set": "2027-01-01T00:00:00+00:00"})
    assert str(said["now"]).startswith("2027-01-01T00:00")
    assert str((await xero.control("GET", "/health"))["now"]).startswith("2027-01-01")


async def test_requests_are_remembered(xero: Session) -> None:
    await xero.control("DELETE", "/requests")
    await xero.call("PUT", "/Contacts", NEW, headers={"idempotency-key": "k"})
    (seen,) = (await xero.control("GET", "/requests"))["requests"]
    assert (seen["method"], seen["status"], seen["idempotencyKey"]) == ("PUT", 200, "k")


@pytest.mark.parametrize(
    ("edit", "collection", "field", "value"),
    [
        ({"op": "rename_contact", "name": "New Name"}, "Contacts", "Name", "New Name"),
        ({"op": "archive_contact"}, "Contacts", "ContactStatus", "ARCHIVED"),
        ({"op": "archive_account"}, "Accounts", "Status", "ARCHIVED"),
    ],
)
async def test_people_edit_the_books_too(
    xero: Session, edit: Raw, collection: str, field: str, value: str
) -> None:
    key = f"{collection[:-1]}ID"
    record = (await xero.ok("GET", f"/{collection}"))[collection][-1]
    await xero.edit(**edit, id=record[key])
    assert (await xero.one(collection, record[key]))[field] == value


async def test_people_make_and_void_bills(xero: Session) -> None:
    line = {"Description": "x", "UnitAmount": 10, "AccountCode": "429"}
    bill = {"Status": "AUTHORISED", "Contact": {"Name": "Café Núñez"}, "DueDate": "2026-12-01"}
    id_ = await xero.edit(op="create_bill", bill={**bill, "LineItems": [line]})
    assert (await xero.one("Invoices", id_))["Total"] == 12
    await xero.edit(op="void_invoice", id=id_)
    assert (await xero.one("Invoices", id_))["Status"] == "VOIDED"


async def test_people_undo_payments_and_allocations(xero: Session) -> None:
    paid = await xero.all("Payments", where='PaymentType=="ACCPAYPAYMENT"&&Status=="AUTHORISED"')
    single = next(each for each in paid if "BatchPaymentID" not in each)
    await xero.edit(op="delete_payment", id=single["PaymentID"])
    assert (await xero.one("Payments", single["PaymentID"]))["Status"] == "DELETED"
    notes = await xero.all("CreditNotes", where='CreditNoteNumber=="CR-PART"')
    allocation = notes[0]["Allocations"][0]["AllocationID"]
    await xero.edit(op="remove_credit_allocation", id=allocation)
    assert (await xero.one("CreditNotes", notes[0]["CreditNoteID"]))["Allocations"] == []
