from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import urllib3
from tests.oracles import requires_oracles
from tests.oracles.xero_client import accounting_api, identity_api
from tests.oracles.xero_examples import examples

pytestmark = [requires_oracles, pytest.mark.enable_socket]

TENANT = "3f1c7f4e-0d67-4d5e-9a51-7f2f6f1f0a11"


@contextmanager
def served(body: bytes | None) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A server giving one answer to everything, or hanging up; with the requests it got."""
    got: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            got.append((self.path, self.headers["Authorization"]))
            if body is None:
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keeps the test's output quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        running = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        running.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/xero", got
        finally:
            server.shutdown()
            running.join()


def test_xeros_client_reads_published_invoices_from_our_address() -> None:
    invoices = [one for name, one in examples() if name == "Invoices"]
    body = json.dumps({"Invoices": invoices}, default=float).encode()
    with served(body) as (base, got):
        read = accounting_api(f"{base}/api.xro/2.0", "token-one").get_invoices(TENANT)
    assert [one.invoice_id for one in read.invoices] == [one["InvoiceID"] for one in invoices]
    assert got == [("/xero/api.xro/2.0/Invoices", "Bearer token-one")]


def test_each_client_keeps_its_own_token() -> None:
    with served(b"[]") as (base, got):
        one, other = identity_api(base, "token-one"), identity_api(base, "token-two")
        one.get_connections()
        other.get_connections()
        one.get_connections()
    tokens = [token.removeprefix("Bearer token-") for _, token in got]
    assert tokens == ["one", "two", "one"]


def test_a_lost_answer_is_not_asked_for_again() -> None:
    with served(None) as (base, got):
        with pytest.raises(urllib3.exceptions.ProtocolError):
            accounting_api(f"{base}/api.xro/2.0", "token").get_invoices(TENANT)
        assert len(got) == 1


def test_xeros_client_refuses_a_status_xero_does_not_have() -> None:
    body = json.dumps({"Invoices": [{"InvoiceID": TENANT, "Status": "OPEN"}]}).encode()
    with served(body) as (base, _), pytest.raises(ValueError, match="OPEN"):
        accounting_api(f"{base}/api.xro/2.0", "token").get_invoices(TENANT)
