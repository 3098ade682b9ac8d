from __future__ import annotations

import gzip
import json
from collections.abc import Callable

import httpx
import pytest
from tests.oracles import requires_oracles
from tests.oracles.openapi_paths import SpecViolation
from tests.oracles.xero_checked import Checked
from tests.oracles.yaml_files import Raw

pytestmark = requires_oracles

ID = "3f1c7f4e-0d67-4d5e-9a51-7f2f6f1f0a11"
BASE = "http://xero.test/xero"
INVOICES = f"{BASE}/api.xro/2.0/Invoices"
HEADERS = {
    "Authorization": "Bearer token",
    "xero-tenant-id": ID,
    "Accept": "application/json",
}


def checked(answer: Callable[[httpx.Request], httpx.Response]) -> Checked:
    return Checked(httpx.MockTransport(answer))


def bill(**changes: Raw) -> Callable[[httpx.Request], httpx.Response]:
    record = {"InvoiceID": ID, "Type": "ACCPAY", "Total": 120.1, **changes}
    return lambda _: httpx.Response(200, json={"Invoices": [record]})


async def test_an_allowed_exchange_passes_and_is_kept() -> None:
    transport = checked(bill())
    async with httpx.AsyncClient(transport=transport, headers=HEADERS) as client:
        answer = await client.get(INVOICES, params={"page": 1})
    assert answer.json() == {"Invoices": [{"InvoiceID": ID, "Type": "ACCPAY", "Total": 120.1}]}
    seen = transport.seen[0]
    assert (seen.method, seen.template, seen.query) == ("GET", "/Invoices", (("page", "1"),))
    assert (seen.status, transport.violations) == (200, [])


async def test_an_unknown_query_parameter_is_refused_before_it_is_sent() -> None:
    def unreachable(request: httpx.Request) -> httpx.Response:
        pytest.fail(f"{request.url} was sent")

    transport = checked(unreachable)
    async with httpx.AsyncClient(transport=transport, headers=HEADERS) as client:
        with pytest.raises(SpecViolation, match="unknown query parameter 'colour'"):
            await client.get(INVOICES, params={"colour": "red"})
    assert transport.seen[0].status is None
    assert transport.violations == ["GET /Invoices: unknown query parameter 'colour'"]


async def test_a_wrong_body_is_refused_before_it_is_sent() -> None:
    transport = checked(bill())
    body = {"Invoices": [{"Type": "ACCPAY", "Status": "OPEN"}]}
    headers = {**HEADERS, "Idempotency-Key": "k"}
    async with httpx.AsyncClient(transport=transport, headers=headers) as client:
        with pytest.raises(SpecViolation, match="'OPEN' is not one of"):
            await client.put(INVOICES, json=body)
    assert transport.seen[0].idempotency_key == "k"


async def test_a_wrong_answer_is_refused_and_kept_with_its_status() -> None:
    transport = checked(bill(Colour="red"))
    async with httpx.AsyncClient(transport=transport, headers=HEADERS) as client:
        with pytest.raises(SpecViolation, match="'Colour' was unexpected"):
            await client.get(INVOICES)
    assert transport.seen[0].status == 200
    assert len(transport.violations) == 1


async def test_a_lost_answer_stays_a_transport_error() -> None:
    def lost(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("the peer hung up", request=request)

    transport = checked(lost)
    async with httpx.AsyncClient(transport=transport, headers=HEADERS) as client:
        with pytest.raises(httpx.ReadError):
            await client.get(INVOICES)
    assert (transport.seen[0].status, transport.violations) == (None, [])


async def test_a_compressed_answer_is_read_and_handed_on() -> None:
    packed = gzip.compress(json.dumps({"Invoices": []}).encode())
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    transport = checked(lambda _: httpx.Response(200, content=packed, headers=headers))
    async with httpx.AsyncClient(transport=transport, headers=HEADERS) as client:
        assert (await client.get(INVOICES)).json() == {"Invoices": []}


async def test_an_attachment_may_be_streamed() -> None:
    url = f"{INVOICES}/{ID}/Attachments/bill.pdf"
    transport = checked(lambda _: httpx.Response(200, content=b"%PDF-"))
    headers = {**HEADERS, "contentType": "application/pdf"}
    async with (
        httpx.AsyncClient(transport=transport, headers=headers) as client,
        client.stream("GET", url) as answer,
    ):
        assert b"".join([chunk async for chunk in answer.aiter_raw()]) == b"%PDF-"


async def test_connections_and_tokens_are_judged_too() -> None:
    tokens = {"access_token": "a", "expires_in": 1800, "token_type": "Bearer", "scope": "openid"}

    def answers(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=tokens if "token" in request.url.path else [])

    transport = checked(answers)
    form = {"grant_type": "refresh_token", "refresh_token": "r"}
    async with httpx.AsyncClient(transport=transport) as client:
        await client.post(f"{BASE}/identity/connect/token", data=form, auth=("id", "secret"))
        await client.get(f"{BASE}/connections", headers=HEADERS)
        with pytest.raises(SpecViolation, match="unknown query parameter"):
            await client.get(f"{BASE}/connections?colour=red", headers=HEADERS)
        wrong = {"grant_type": "password"}
        with pytest.raises(SpecViolation, match="unknown grant 'password'"):
            await client.post(f"{BASE}/identity/connect/token", data=wrong, auth=("id", "secret"))
    assert [one.api for one in transport.seen] == ["token", "identity", "identity", "token"]


async def test_other_addresses_pass_unjudged() -> None:
    transport = checked(lambda _: httpx.Response(418))
    async with httpx.AsyncClient(transport=transport) as client:
        assert (await client.get("http://xero.test/_simulator/health")).status_code == 418
    assert transport.seen == []
