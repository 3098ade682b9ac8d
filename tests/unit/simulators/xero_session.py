"""A client of the simulated Xero for tests, judged by Xero's OpenAPI file where it is at hand."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from tests.oracles import VARIABLE
from tests.oracles.xero_checked import Checked

from tallystick.simulators.clock import Clock
from tallystick.simulators.xero import create_app
from tallystick.simulators.xero.app import XeroSimulator
from tallystick.simulators.xero.limits import UNLIMITED, Limits
from tallystick.simulators.xero.wire import decode

Raw = Any

TODAY = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
BASE = "http://127.0.0.1:8500"
API = "/xero/api.xro/2.0"
BACK = "http://127.0.0.1:9/oauth/callback"
SCOPE = (
    "offline_access accounting.transactions accounting.contacts"
    " accounting.settings accounting.attachments"
)


class Unexpected(AssertionError):
    """An answer with another status than the test asked for."""


@dataclass(slots=True)
class Session:
    app: XeroSimulator
    http: httpx.AsyncClient
    plain: httpx.AsyncClient
    tenant: str = ""
    access_token: str = ""
    refresh_token: str = ""

    async def grant(self, tenant: str, *, scope: str = SCOPE) -> None:
        """Go through consent as a person would and keep the tokens."""
        code = await self.consent(tenant, scope=scope)
        tokens = await self.token(grant_type="authorization_code", code=code, redirect_uri=BACK)
        body = tokens.json()
        self.tenant, self.access_token = tenant, body["access_token"]
        self.refresh_token = body.get("refresh_token", "")

    async def consent(self, tenant: str, *, scope: str = SCOPE, decision: str = "allow") -> str:
        asked = {"response_type": "code", "client_id": "simulated-xero", "redirect_uri": BACK}
        form = {**asked, "scope": scope, "state": "abc", "organisation": tenant}
        answer = await self.plain.post(
            "/xero/identity/connect/authorize", data={**form, "decision": decision}
        )
        assert answer.status_code == 302, answer.text
        back = parse_qs(urlsplit(answer.headers["location"]).query)
        assert back["state"] == ["abc"]
        return back["code"][0] if "code" in back else ""

    async def token(self, **form: str) -> httpx.Response:
        auth = (self.app.world.client_id, self.app.world.client_secret)
        return await self.plain.post("/xero/identity/connect/token", data=form, auth=auth)

    async def call(
        self,
        method: str,
        path: str,
        body: Raw = None,
        *,
        headers: dict[str, str] | None = None,
        checked: bool = True,
        **query: Raw,
    ) -> httpx.Response:
        client = self.http if checked else self.plain
        sent = {
            "authorization": f"Bearer {self.access_token}",
            "xero-tenant-id": self.tenant,
            "accept": "application/json",
            **(headers or {}),
        }
        params = {name: str(value) for name, value in query.items()}
        if isinstance(body, bytes):
            return await client.request(
                method, f"{API}{path}", content=body, headers=sent, params=params
            )
        return await client.request(method, f"{API}{path}", json=body, headers=sent, params=params)

    async def ok(self, method: str, path: str, body: Raw = None, **more: Raw) -> Raw:
        answer = await self.call(method, path, body, **more)
        if answer.status_code != 200:
            raise Unexpected(f"{answer.status_code}: {answer.text}")
        return decode(answer.content)

    async def refused(self, method: str, path: str, body: Raw, **more: Raw) -> str:
        """The message of a write that must be refused with a ValidationException."""
        answer = await self.call(method, path, body, **more)
        if answer.status_code != 400:
            raise Unexpected(f"{answer.status_code}: {answer.text}")
        elements = answer.json()["Elements"]
        return "; ".join(each["Message"] for each in elements[0]["ValidationErrors"])

    async def one(self, collection: str, id_: str) -> Raw:
        query = {"unitdp": 4} if collection in ("Invoices", "CreditNotes") else {}
        return (await self.ok("GET", f"/{collection}/{id_}", **query))[collection][0]

    async def all(self, collection: str, **query: Raw) -> list[Raw]:
        page, found = 1, []
        while True:
            answer = await self.ok("GET", f"/{collection}", page=page, **query)
            found += answer[collection]
            if page >= answer["pagination"]["pageCount"]:
                return found
            page += 1

    async def control(self, method: str, path: str, body: Raw = None) -> Raw:
        answer = await self.plain.request(method, f"/_simulator{path}", json=body)
        if answer.status_code != 200:
            raise Unexpected(f"{answer.status_code}: {answer.text}")
        return decode(answer.content)

    async def edit(self, **edit: Raw) -> str:
        said = await self.control("POST", f"/organisations/{self.tenant}/edit", edit)
        return str(said["id"])

    async def ledger(self) -> Raw:
        return await self.control("GET", f"/organisations/{self.tenant}/ledger")

    async def organisations(self) -> list[Raw]:
        return list((await self.control("GET", "/organisations"))["organisations"])


def begin_today(state_dir: Path) -> None:
    """A new world begins on one day for ever, whenever the test runs."""
    clock = Clock(state_dir / "clock.json")
    if not clock.offset():
        state_dir.mkdir(parents=True, exist_ok=True)
        clock.set(TODAY)


@asynccontextmanager
async def session(
    state_dir: Path,
    *,
    grant: bool = True,
    limits: Limits = UNLIMITED,
    seed: int = 1,
    size: str = "small",
    books: Path | None = None,
) -> AsyncIterator[Session]:
    begin_today(state_dir)
    app = create_app(state_dir, seed=seed, size=size, books=books, base_url=BASE, limits=limits)
    inner = httpx.ASGITransport(app)
    judged = Checked(inner) if VARIABLE in os.environ else inner
    async with (
        httpx.AsyncClient(transport=judged, base_url=BASE) as http,
        httpx.AsyncClient(transport=inner, base_url=BASE) as plain,
    ):
        one = Session(app=app, http=http, plain=plain)
        if grant:
            await one.grant((await one.organisations())[0]["id"])
        yield one
    app.close()
