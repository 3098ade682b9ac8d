"""Writes as callers of the API meet them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.journeys.api_ground import ApiGround, ground

from tallystick.companies import connections
from tallystick.http.write_schemas import OPERATION, OPTION
from tallystick.lib import json
from tallystick.lib.clock import FixedClock
from tallystick.lib.ids import new_id
from tallystick.lib.secrets import Vault
from tallystick.push.jobs import PushJobs

BILL_ID = "11111111-2222-4333-8444-555555555555"
SUPPLIER = {"supplierName": "Łukasz & Søn", "status": "Active"}


def payment(**more: Any) -> dict[str, Any]:
    link = {"type": "Bill", "id": BILL_ID, "amount": -10.1}
    return {
        "date": "2026-11-20",
        "totalAmount": 10.1,
        "currency": "GBP",
        "accountRef": {"id": new_id()},
        "lines": [{"amount": 10.1, "links": [link]}],
        **more,
    }


@pytest.fixture
async def api(
    shared_database_url: str, vault: Vault, clock: FixedClock
) -> AsyncIterator[ApiGround]:
    async with ground(shared_database_url, vault, clock) as api:
        yield api


@pytest.fixture
async def here(api: ApiGround) -> str:
    """The address of a linked connection."""
    company = await api.company()
    connection = await api.linked(company["id"])
    return f"/companies/{company['id']}/connections/{connection.id}"


def company_of(here: str) -> str:
    return here.partition("/connections/")[0]


async def push(api: ApiGround, path: str, body: Any, **request: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await api.json("POST", path, json=body, **request)
    Draft202012Validator(OPERATION).validate(json.loads(json.dumps(answer)))
    return answer


async def test_an_accepted_write_is_pending(api: ApiGround, here: str) -> None:
    answer = await push(api, f"{here}/push/billPayments", payment())
    assert answer == {
        "changes": [],
        "dataType": "billPayments",
        "companyId": company_of(here).rpartition("/")[2],
        "pushOperationKey": answer["pushOperationKey"],
        "dataConnectionKey": here.rpartition("/")[2],
        "requestedOnUtc": "2026-11-20T09:00:00Z",
        "status": "Pending",
        "statusCode": 202,
    }
    path = f"{company_of(here)}/push/{answer['pushOperationKey']}"
    assert await api.json("GET", path) == answer
    jobs = await api.rows("select lock from procrastinate_jobs where task_name = 'push.perform'")
    assert [job["lock"] for job in jobs] == [f"push:{here.rpartition('/')[2]}"]


async def test_money_is_kept_exactly(api: ApiGround, here: str) -> None:
    content = json.dumps({**payment(), "totalAmount": 0})
    content = content.replace(b'"totalAmount":0', b'"totalAmount":10.10000000000000000000001')
    await api.json("POST", f"{here}/push/billPayments", content=content)
    [row] = await api.rows("select request from operation")
    assert '"totalAmount":10.10000000000000000000001' in row["request"]


async def test_what_can_be_seen_to_be_wrong_fails_at_once_with_its_event(
    api: ApiGround, here: str
) -> None:
    answer = await push(api, f"{here}/push/billPayments", {"date": "2026-11-20"})
    assert (answer["status"], answer["statusCode"]) == ("Failed", 400)
    assert answer["completedOnUtc"] == answer["requestedOnUtc"]
    assert "TotalAmount" in [one["itemId"] for one in answer["validation"]["errors"]]
    [told] = [one for one in await api.events() if ".write." in one[0]]
    assert told[0] == "billPayments.write.unsuccessful"
    assert told[1]["id"] == answer["pushOperationKey"]
    assert (
        await api.rows("select id from procrastinate_jobs where task_name = 'push.perform'") == []
    )


async def test_what_is_left_out_is_said(api: ApiGround, here: str) -> None:
    answer = await push(api, f"{here}/push/suppliers", {**SUPPLIER, "colour": "red"})
    assert answer["status"] == "Pending"
    assert [one["itemId"] for one in answer["validation"]["warnings"]] == ["Colour"]


@pytest.mark.parametrize("path", ["push/billPayments", "push/billPayment", "PUSH/BILLPAYMENTS"])
async def test_paths_are_met_in_every_accepted_spelling(
    api: ApiGround, here: str, path: str
) -> None:
    assert (await push(api, f"{here}/{path}", payment()))["dataType"] == "billPayments"


async def test_bank_accounts_are_also_met_below_data(api: ApiGround, here: str) -> None:
    answer = await push(api, f"{here}/data/bankAccounts", {"accountName": "Reserve"})
    assert answer["dataType"] == "bankAccounts"


@pytest.mark.parametrize(
    ("method", "path", "text"),
    [
        ("POST", "push/journalEntries", "Xero does not support creating journalEntries yet."),
        ("POST", "push/accounts", "Xero does not support creating chartOfAccounts yet."),
        ("POST", "push/invoices", "Xero does not support creating invoices yet."),
        ("POST", "push/nonsense", "There is no data type nonsense."),
        (
            "POST",
            "push/bankAccounts/1/bankTransactions",
            "Xero does not support creating bankTransactions yet.",
        ),
        ("PUT", "push/bills/1", "Xero does not support updating bills yet."),
        ("DELETE", "push/bills/1", "Xero does not support deleting bills yet."),
        (
            "DELETE",
            "push/bills/1/attachments/2",
            "Xero does not support deleting attachments yet.",
        ),
        ("POST", "push/items/1/attachment", "Xero does not support attachments of items yet."),
    ],
)
async def test_a_write_the_platform_lacks_is_refused_without_an_operation(
    api: ApiGround, here: str, method: str, path: str, text: str
) -> None:
    answer = await api.http.request(method, f"{here}/{path}", json={})
    assert answer.status_code == 400
    assert (answer.json()["error"], answer.json()["canBeRetried"]) == (text, "False")
    assert await api.rows("select key from operation") == []


@pytest.mark.parametrize(
    "query",
    [
        "timeoutInMinutes=0",
        "timeoutInMinutes=1.5",
        "timeoutInMinutes=9999999999",
        "allowSyncOnPushComplete=maybe",
    ],
)
async def test_a_parameter_that_makes_no_sense_is_refused(
    api: ApiGround, here: str, query: str
) -> None:
    answer = await api.http.post(f"{here}/push/suppliers?{query}", json=SUPPLIER)
    assert answer.status_code == 400


@pytest.mark.parametrize("content", [b"{", b"[]", b"", b'"text"'])
async def test_what_is_no_json_object_is_refused(api: ApiGround, here: str, content: bytes) -> None:
    answer = await api.http.post(f"{here}/push/suppliers", content=content)
    assert answer.status_code == 400


async def test_a_connection_that_is_not_linked_takes_no_writes(api: ApiGround, here: str) -> None:
    async with api.house.database.transaction() as tx:
        connection = await connections.find(tx, here.rpartition("/")[2])
        await connections.unlinked(tx, connection, now=api.clock.now())
    answer = await api.http.post(f"{here}/push/suppliers", json=SUPPLIER)
    assert answer.status_code == 400
    assert "Unlinked" in answer.json()["error"]


async def test_strangers_find_nothing(api: ApiGround, here: str) -> None:
    made = await push(api, f"{here}/push/suppliers", SUPPLIER)
    async with api.stranger() as stranger:
        for method, path in (
            ("POST", f"{here}/push/suppliers"),
            ("GET", f"{here}/options/suppliers"),
            ("GET", f"{company_of(here)}/push"),
            ("GET", f"{company_of(here)}/push/{made['pushOperationKey']}"),
            ("GET", f"{here}/data/bills/1/attachments"),
        ):
            answer = await stranger.request(method, path, json=SUPPLIER)
            assert answer.status_code == 404, path


async def test_another_company_of_the_same_client_has_other_writes(
    api: ApiGround, here: str
) -> None:
    made = await push(api, f"{here}/push/suppliers", SUPPLIER)
    other = await api.company("Other")
    path = f"/companies/{other['id']}/push/{made['pushOperationKey']}"
    assert (await api.http.get(path)).status_code == 404


async def test_the_timeout_is_shown_and_kept(api: ApiGround, here: str) -> None:
    answer = await push(api, f"{here}/push/suppliers?timeoutInMinutes=5", SUPPLIER)
    assert answer["timeoutInMinutes"] == 5
    api.clock.advance(seconds=301)
    jobs = PushJobs(database=api.house.database, reach=api.house.reach, clock=api.clock)
    await jobs.fence_overdue()
    late = await api.json("GET", f"{company_of(here)}/push/{answer['pushOperationKey']}")
    assert (late["status"], late["statusCode"]) == ("TimedOut", 408)


# --- lists ---


async def test_writes_are_listed_newest_first_and_can_be_asked_about(
    api: ApiGround, here: str
) -> None:
    keys = []
    for body in (SUPPLIER, {}, {**SUPPLIER, "phone": "1"}):
        keys.append((await push(api, f"{here}/push/suppliers", body))["pushOperationKey"])
        api.clock.advance(seconds=1)
    path = f"{company_of(here)}/push"

    async def found(**query: str) -> list[str]:
        listed = await api.json("GET", path, params=query)
        assert listed["totalResults"] >= len(listed["results"])
        return [one["pushOperationKey"] for one in listed["results"]]

    assert await found() == keys[::-1]
    assert await found(query="status=Failed") == [keys[1]]
    assert await found(query="status=pending") == [keys[2], keys[0]]
    assert await found(query="dataType=suppliers&&statusCode>300") == [keys[1]]
    assert await found(query="requestedOnUtc>2026-11-20T09:00:00Z") == [keys[2], keys[1]]
    assert await found(query="dataType=bills") == []
    assert await found(orderBy="requestedOnUtc", pageSize="2") == keys[:2]
    assert await found(pageSize="2", page="2") == [keys[0]]
    assert (await api.http.get(path, params={"query": "colour=red"})).status_code == 400


@pytest.mark.parametrize("key", ["00000000-0000-4000-8000-000000000000", "nonsense", "%00"])
async def test_an_unknown_write_is_not_found(api: ApiGround, here: str, key: str) -> None:
    answer = await api.http.get(f"{company_of(here)}/push/{key}")
    assert answer.status_code == 404


# --- options ---


@pytest.mark.parametrize("name", ["billPayments", "bills", "suppliers", "bankaccounts"])
async def test_options_show_what_the_platform_takes(api: ApiGround, here: str, name: str) -> None:
    shown = await api.json("GET", f"{here}/options/{name}")
    Draft202012Validator(OPTION).validate(json.loads(json.dumps(shown)))
    assert shown["properties"]


async def test_options_of_what_cannot_be_written_are_not_found(api: ApiGround, here: str) -> None:
    answer = await api.http.get(f"{here}/options/journalEntries")
    assert answer.status_code == 404
    assert answer.json()["error"] == "Datatype journalEntries not supported by platform(s) Xero"


# --- repetitions ---


async def test_many_equal_requests_with_one_key_are_one_write(api: ApiGround, here: str) -> None:
    headers = {"Idempotency-Key": new_id()}
    answers = await asyncio.gather(
        *(
            api.http.post(f"{here}/push/billPayments", json=payment(), headers=headers)
            for _ in range(20)
        )
    )
    assert {answer.status_code for answer in answers} <= {200, 409, 422}
    assert len(await api.rows("select key from operation")) == 1


async def test_a_repetition_without_a_key_is_the_same_write(api: ApiGround, here: str) -> None:
    body = payment()
    first, second = [await push(api, f"{here}/push/billPayments", body) for _ in range(2)]
    assert first["pushOperationKey"] == second["pushOperationKey"]
    meant = await push(
        api, f"{here}/push/billPayments", body, headers={"Tallystick-Duplicate": "allow"}
    )
    assert meant["pushOperationKey"] != first["pushOperationKey"]


# --- files ---


async def upload(api: ApiGround, path: str, **files: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await api.json("POST", path, files=files)
    Draft202012Validator(OPERATION).validate(json.loads(json.dumps(answer)))
    return answer


@pytest.mark.parametrize("path", ["attachment", "attachments"])
@pytest.mark.parametrize("part", ["file", "fileName", "anything"])
async def test_one_file_is_taken_whatever_its_part_is_called(
    api: ApiGround, here: str, path: str, part: str
) -> None:
    file = ("../folder/bill ü.pdf", b"%PDF-1.4", "application/pdf")
    answer = await upload(api, f"{here}/push/bills/{BILL_ID}/{path}", **{part: file})
    assert (answer["status"], answer["dataType"]) == ("Pending", "bills")
    [row] = await api.rows("select name, content_type, content from operation_file")
    assert row == {
        "name": "bill ü.pdf",
        "content_type": "application/pdf",
        "content": b"%PDF-1.4",
    }


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("virus.exe", b"MZ", "files of the type exe are not accepted"),
        ("README", b"x", "without an extension"),
        ("empty.pdf", b"", "the file is empty"),
        ("large.pdf", b"x" * (4 * 1024 * 1024 + 1), "must not be larger than 4194304 bytes"),
    ],
)
async def test_a_file_the_platform_does_not_take_fails_at_once(
    api: ApiGround, here: str, name: str, content: bytes, text: str
) -> None:
    answer = await upload(
        api, f"{here}/push/bills/{BILL_ID}/attachment", file=(name, content, "text/plain")
    )
    assert answer["status"] == "Failed"
    assert text in answer["validation"]["errors"][0]["message"]
    [told] = [one for one in await api.events() if ".write." in one[0]]
    assert (told[1]["type"], told[1]["record"]) == ("UploadAttachment", {"id": BILL_ID})


async def test_not_exactly_one_file_is_refused(api: ApiGround, here: str) -> None:
    path = f"{here}/push/bills/{BILL_ID}/attachment"
    two = [("file", ("a.pdf", b"1")), ("file", ("b.pdf", b"2"))]
    answers = [
        await api.http.post(path, files=two),
        await api.http.post(path, json={}),
        await api.http.post(path, data={"file": "text"}),
        await api.http.post(
            path, content=b"--x\r\nnonsense", headers={"Content-Type": "multipart/form-data"}
        ),
        await api.http.post(
            path,
            content=b"--x\r\nnonsense",
            headers={"Content-Type": "multipart/form-data; boundary=x"},
        ),
    ]
    assert [answer.status_code for answer in answers] == [400] * 5


async def test_a_body_over_the_limit_is_refused(api: ApiGround, here: str) -> None:
    path = f"{here}/push/bills/{BILL_ID}/attachment"
    answer = await api.http.post(path, files={"file": ("a.pdf", b"x" * (9 * 1024 * 1024))})
    assert answer.status_code == 413
