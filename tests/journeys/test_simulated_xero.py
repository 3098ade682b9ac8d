"""The simulated Xero as a process of its own: Xero's client reads it, a kill leaves it whole."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.oracles.xero_client import accounting_api, identity_api

from tallystick.simulators.clock import Clock

Raw = Any

_SERVE = """
import sys
from pathlib import Path
from tallystick.simulators.server import serve
serve(Path(sys.argv[1]), port=int(sys.argv[2]), limited=False, parent_death=True)
"""
_STARTER = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", sys.argv[3], sys.argv[1], sys.argv[2]])
print(child.pid, flush=True)
sys.stdin.read()
"""
_TODAY = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
_BACK = "http://127.0.0.1:9/back"
_SCOPE = (
    "offline_access accounting.transactions accounting.contacts"
    " accounting.settings accounting.attachments"
)


@dataclass(frozen=True)
class Running:
    process: subprocess.Popen[bytes]
    url: str

    @property
    def api(self) -> str:
        return f"{self.url}/xero/api.xro/2.0"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(state_dir: Path, port: int) -> Iterator[Running]:
    clock = Clock(state_dir / "clock.json")
    if not clock.offset():
        clock.set(_TODAY)
    command = [sys.executable, "-c", _SERVE, str(state_dir), str(port)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until_up(url, process)
        yield Running(process=process, url=url)
    finally:
        process.kill()
        process.wait()


def wait_until_up(url: str, process: subprocess.Popen[bytes]) -> None:
    """Connect again until the port answers; a process that ended will never."""
    for _ in range(2_000):
        if process.poll() is not None:
            pytest.fail(f"the simulator ended with {process.returncode}")
        if is_up(url):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.01)
    pytest.fail("the simulator did not come up")


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/_simulator/health").status_code == 200
    except httpx.TransportError:
        return False


def linked(server: Running, state_dir: Path) -> tuple[str, str, str]:
    """Tenant, access token and refresh token after a consent."""
    found = httpx.get(f"{server.url}/_simulator/organisations").json()["organisations"][0]["id"]
    asked = {"response_type": "code", "client_id": "simulated-xero", "redirect_uri": _BACK}
    form = {**asked, "scope": _SCOPE, "organisation": found, "decision": "allow"}
    allowed = httpx.post(f"{server.url}/xero/identity/connect/authorize", data=form)
    code = parse_qs(urlsplit(allowed.headers["location"]).query)["code"][0]
    tokens = httpx.post(
        f"{server.url}/xero/identity/connect/token",
        data={"grant_type": "authorization_code", "code": code, "redirect_uri": _BACK},
        auth=("simulated-xero", (state_dir / "client_secret").read_text()),
    ).json()
    return found, tokens["access_token"], tokens["refresh_token"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path, free_port()) as started:
        yield started


def test_xeros_own_client_reads_every_collection(server: Running, tmp_path: Path) -> None:
    tenant, access, _ = linked(server, tmp_path)
    api = accounting_api(server.api, access)
    for name in (
        "invoices",
        "credit_notes",
        "payments",
        "prepayments",
        "overpayments",
        "contacts",
    ):
        answer = getattr(api, f"get_{name}")(tenant, page=1, page_size=50)
        assert getattr(answer, name), name
        assert answer.pagination.item_count > 0
    for name in ("accounts", "items", "tax_rates", "tracking_categories", "currencies"):
        assert getattr(getattr(api, f"get_{name}")(tenant), name), name
    assert api.get_batch_payments(tenant).batch_payments
    organisation = api.get_organisations(tenant).organisations[0]
    assert organisation.name == "Harrow & Vale Joinery Ltd"
    connections = identity_api(f"{server.url}/xero", access).get_connections()
    assert [str(each.tenant_id) for each in connections] == [tenant]


def test_xeros_own_client_writes_a_payment(server: Running, tmp_path: Path) -> None:
    tenant, access, _ = linked(server, tmp_path)
    api = accounting_api(server.api, access)
    bill = api.get_invoices(tenant, invoice_numbers=["OPEN-1"], page=1).invoices[0]
    bank = next(each for each in api.get_accounts(tenant).accounts if each.code == "090")
    sent = {
        "Payments": [
            {
                "Invoice": {"InvoiceID": bill.invoice_id},
                "Account": {"AccountID": bank.account_id},
                "Date": "2026-11-20",
                "Amount": 10.5,
            }
        ]
    }
    made = api.create_payments(tenant, sent, idempotency_key="one").payments[0]
    again = api.create_payments(tenant, sent, idempotency_key="one").payments[0]
    assert made.payment_id == again.payment_id
    after = api.get_invoice(tenant, bill.invoice_id).invoices[0]
    assert after.amount_paid == 10.5
    pdf = api.get_invoices(tenant, where='Type=="ACCREC"', page=1).invoices[0]
    assert Path(api.get_invoice_as_pdf(tenant, pdf.invoice_id)).read_bytes()[:4] == b"%PDF"


def test_xeros_own_client_reads_a_refusal(server: Running, tmp_path: Path) -> None:
    tenant, access, _ = linked(server, tmp_path)
    api = accounting_api(server.api, access)
    bill = {"Type": "ACCPAY", "Status": "AUTHORISED", "Contact": {"Name": "New"}, "LineItems": []}
    sent = {"Invoices": [{**bill, "Date": "2026-11-20", "DueDate": "2026-12-20"}]}
    (refused,) = api.create_invoices(tenant, sent, summarize_errors=False).invoices
    assert refused.has_errors
    assert refused.status_attribute_string == "ERROR"
    assert "line items" in refused.validation_errors[0].message


def test_a_killed_simulator_comes_back_with_the_same_books(tmp_path: Path) -> None:
    port = free_port()
    with running(tmp_path, port) as first:
        tenant, access, refresh = linked(first, tmp_path)
        headers = bearer(tenant, access)
        moved = httpx.post(f"{first.url}/_simulator/clock", json={"advance_s": 60}).json()
        body = {"Contacts": [{"Name": "Written, then lost"}]}
        fault = {"name": "loses_answers", "match": {"method": "PUT"}}
        httpx.post(f"{first.url}/_simulator/faults", json=fault)
        with pytest.raises(httpx.TransportError):
            httpx.put(f"{first.api}/Contacts", json=body, headers=headers)
        ledger = httpx.get(f"{first.url}/_simulator/organisations/{tenant}/ledger").json()
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
    with running(tmp_path, port) as second:
        named = {"where": 'Name=="Written, then lost"', "page": "1"}
        found = httpx.get(f"{second.api}/Contacts", params=named, headers=headers).json()
        assert len(found["Contacts"]) == 1
        books = httpx.get(f"{second.url}/_simulator/organisations/{tenant}/ledger").json()
        assert books == ledger
        clock = httpx.get(f"{second.url}/_simulator/clock").json()
        assert clock["offset_s"] == moved["offset_s"]
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        secret = (tmp_path / "client_secret").read_text()
        url = f"{second.url}/xero/identity/connect/token"
        renewed = httpx.post(url, data=form, auth=("simulated-xero", secret))
        assert renewed.status_code == 200


def bearer(tenant: str, access: str) -> dict[str, str]:
    return {
        "authorization": f"Bearer {access}",
        "xero-tenant-id": tenant,
        "accept": "application/json",
    }


def test_a_lost_answer_is_a_dead_line_without_a_byte(server: Running, tmp_path: Path) -> None:
    tenant, access, _ = linked(server, tmp_path)
    fault = {"name": "loses_answers", "match": {"path": "/Accounts"}}
    httpx.post(f"{server.url}/_simulator/faults", json=fault)
    with socket.create_connection(("127.0.0.1", int(server.url.rsplit(":", 1)[1]))) as line:
        words = "".join(f"{name}: {value}\r\n" for name, value in bearer(tenant, access).items())
        request = f"GET /xero/api.xro/2.0/Accounts HTTP/1.1\r\nhost: x\r\n{words}\r\n"
        line.sendall(request.encode())
        assert received(line) == b""


def received(line: socket.socket) -> bytes:
    try:
        return line.recv(1024)
    except ConnectionResetError:
        return b""


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_the_simulator_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-c", _STARTER, str(tmp_path), str(port), _SERVE]
    starter = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert starter.stdout
    child = int(starter.stdout.readline())
    wait_until_up(f"http://127.0.0.1:{port}", starter)
    starter.kill()
    starter.communicate()
    watched = os.pidfd_open(child) if is_alive(child) else None
    if watched is not None:
        import select

        assert select.select([watched], [], [], 10)[0], "the child outlived its parent"
        os.close(watched)


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True
