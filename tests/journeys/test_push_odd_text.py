"""Texts that a database or a header cannot hold are no trouble of ours for a caller."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.journeys.api_ground import ApiGround, ground
from tests.journeys.test_push_api import SUPPLIER, payment

from tallystick.lib.clock import FixedClock
from tallystick.lib.secrets import Vault

NUL = "a\0b"


@pytest.fixture
async def api(
    shared_database_url: str, vault: Vault, clock: FixedClock
) -> AsyncIterator[ApiGround]:
    async with ground(shared_database_url, vault, clock) as api:
        yield api


@pytest.fixture
async def here(api: ApiGround) -> str:
    company = await api.company()
    connection = await api.linked(company["id"])
    return f"/companies/{company['id']}/connections/{connection.id}"


def _linked_to(target: str) -> dict[str, Any]:
    body = payment()
    body["lines"][0]["links"][0]["id"] = target
    return body


@pytest.mark.parametrize(
    ("data_type", "body"),
    [
        ("suppliers", {**SUPPLIER, "supplierName": NUL}),
        ("suppliers", {**SUPPLIER, NUL: 1}),
        ("billPayments", _linked_to(NUL)),
        ("billPayments", _linked_to("x" * 100_000)),
    ],
)
async def test_a_body_with_odd_text_is_answered(
    api: ApiGround, here: str, data_type: str, body: dict[str, Any]
) -> None:
    answer = await api.http.request("POST", f"{here}/push/{data_type}", json=body)
    assert answer.status_code in {200, 400}, answer.text


@pytest.mark.parametrize("step", ["a%00b", "%F0%9F%92%A9", "x" * 5000])
@pytest.mark.parametrize(
    "path",
    [
        "push/bills/{step}/attachments",
        "data/bills/{step}/attachments",
        "data/bills/{step}",
        "push/{step}",
    ],
)
async def test_a_path_with_odd_text_is_answered(
    api: ApiGround, here: str, path: str, step: str
) -> None:
    where = f"{here}/{path.format(step=step)}"
    file = {"file": ("a.pdf", b"1", "application/pdf")}
    sends = path.startswith("push/bills")
    answer = (
        await api.http.request("POST", where, files=file) if sends else await api.http.get(where)
    )
    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize("query", ["dataType=a%00b", "errorMessage~%00", "companyId=%00"])
async def test_a_query_with_odd_text_is_answered(api: ApiGround, here: str, query: str) -> None:
    company = here.partition("/connections/")[0]
    answer = await api.http.request("GET", f"{company}/push?query={query}")
    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize("kind", ["text/plaïn", "nonsense", "text/plain\x7f", "a/b; c=\u2019"])
async def test_a_file_of_an_odd_type_is_sent_as_plain_bytes(
    api: ApiGround, here: str, kind: str
) -> None:
    path = f"{here}/push/bills/11111111-2222-4333-8444-555555555555/attachments"
    content = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n'
        b"Content-Type: " + kind.encode() + b"\r\n\r\n1\r\n--x--\r\n"
    )
    answer = await api.http.request(
        "POST",
        path,
        content=content,
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert answer.status_code == 200, answer.text
    key = answer.json()["pushOperationKey"]
    rows = await api.rows("select content_type from operation_file where key = %(key)s", key=key)
    assert rows[0]["content_type"].isascii()
    assert rows[0]["content_type"] in {"application/octet-stream", "a/b"}
