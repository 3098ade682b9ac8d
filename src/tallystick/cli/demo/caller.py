"""A developer's program that calls the API: one method for each thing it wants."""

import base64
from typing import Any

import httpx

from tallystick.lib import json

Answer = Any
"""JSON as the API answered it, numbers exact."""


class Unexpected(RuntimeError):
    """The API answered something else than the demo counts on."""


class Caller:
    """Calls one installation with one key."""

    def __init__(self, base_url: str, key: str) -> None:
        token = base64.b64encode(key.encode()).decode()
        self._http = httpx.Client(
            base_url=base_url,
            headers={"authorization": f"Basic {token}"},
            timeout=30,
            trust_env=False,
        )

    def close(self) -> None:
        self._http.close()

    def _ask(self, method: str, path: str, body: Any = None, **params: Any) -> Answer:
        content = None if body is None else json.dumps(body)
        headers = {"content-type": "application/json"} if content else {}
        answer = self._http.request(
            method, path, content=content, headers=headers, params=params or None
        )
        if answer.is_error:
            raise Unexpected(f"{method} {path} answered {answer.status_code}: {answer.text[:600]}")
        return json.loads(answer.content) if answer.content else None

    def register(self, url: str) -> str:
        """Register a webhook consumer for everything; returns its secret."""
        body = {"url": url, "eventTypes": ["*"]}
        return str(self._ask("POST", "/webhooks", body)["secret"])

    def create_company(self, name: str) -> Answer:
        return self._ask("POST", "/companies", {"name": name, "tags": {"made-by": "demo"}})

    def connect(self, company_id: str, platform_key: str) -> Answer:
        return self._ask(
            "POST", f"/companies/{company_id}/connections", {"platformKey": platform_key}
        )

    def data_status(self, company_id: str) -> dict[str, Any]:
        return dict(self._ask("GET", f"/companies/{company_id}/dataStatus"))

    def records(self, company_id: str, data_type: str, **params: Any) -> Answer:
        return self._ask("GET", f"/companies/{company_id}/data/{data_type}", **params)

    def record(self, company_id: str, data_type: str, record_id: str) -> Answer:
        return self._ask("GET", f"/companies/{company_id}/data/{data_type}/{record_id}")

    def info(self, company_id: str) -> Answer:
        return self._ask("GET", f"/companies/{company_id}/data/info")

    def bank_accounts(self, company_id: str, connection_id: str) -> Answer:
        return self._ask(
            "GET", f"/companies/{company_id}/connections/{connection_id}/data/bankAccounts"
        )

    def push(self, company_id: str, connection_id: str, data_type: str, body: Any) -> Answer:
        path = f"/companies/{company_id}/connections/{connection_id}/push/{data_type}"
        return self._ask("POST", path, body)

    def operation(self, company_id: str, key: str) -> Answer:
        return self._ask("GET", f"/companies/{company_id}/push/{key}")
