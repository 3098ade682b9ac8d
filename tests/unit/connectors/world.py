"""Our Xero connector, linked to a simulated organisation, each exchange judged where it can be."""

from __future__ import annotations

import atexit
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from tests.oracles import VARIABLE
from tests.oracles.xero_checked import Checked

from tallystick.connectors.contract import Access, AppCredentials, TokenPair
from tallystick.connectors.fields import Fields
from tallystick.connectors.registry import CONNECTORS
from tallystick.connectors.xero.books import XeroBooks
from tallystick.connectors.xero.client import XeroClient
from tallystick.lib import json
from tallystick.lib.clock import Clock, SystemClock
from tallystick.model.base import Record
from tallystick.simulators.xero import create_app
from tallystick.simulators.xero.app import XeroSimulator
from tallystick.simulators.xero.limits import UNLIMITED

Raw = Any

XERO = CONNECTORS["gbol"]
HOST = "http://127.0.0.1:8500"
BACK = "http://127.0.0.1:9/callback"


@dataclass(slots=True)
class Keyring:
    """The tokens of one connection, kept in memory."""

    http: httpx.AsyncClient
    app: AppCredentials
    pair: TokenPair
    renewals: int = 0

    async def current(self) -> str:
        return self.pair.access_token

    async def renewed(self, stale: str) -> str:
        if self.pair.access_token == stale:
            self.renewals += 1
            now = datetime.now(UTC)
            self.pair = await XERO.oauth.renew(self.http, self.app, self.pair.refresh_token, now)
        return self.pair.access_token


@dataclass(slots=True)
class OpenPermit:
    """Leave for everything, which remembers what the platform said."""

    taken: int = 0
    refusals: list[tuple[datetime, str]] = field(default_factory=list)

    def slot(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def take(self) -> None:
        self.taken += 1

    async def refused(self, *, until: datetime, limit: str) -> None:
        self.refusals.append((until, limit))


@dataclass(slots=True)
class Linked:
    """One linked organisation, and the hands of a person who works in it."""

    simulator: XeroSimulator
    http: httpx.AsyncClient
    plain: httpx.AsyncClient
    app: AppCredentials
    keyring: Keyring
    permit: OpenPermit
    client: XeroClient
    # The same without the judge, whose reading of long lists takes most of a test's time.
    unjudged: XeroClient
    tenant: str
    grant_id: str
    checked: Checked | None
    _books: XeroBooks | None = None

    async def books(self) -> XeroBooks:
        """Read once, as an engine does for one dataset."""
        if self._books is None:
            self._books = await XERO.books(self.unjudged)
        return self._books

    async def read(
        self, data_type: str, *, since: datetime | None = None, client: XeroClient | None = None
    ) -> list[Record]:
        """All records of one data type; none may come with a field left unaccounted."""
        books = await self.books()
        read = XERO.read_of(data_type)
        assert read is not None
        found: list[Record] = []
        for feed in read.feeds:
            async for page in feed.pages(client or self.client, since, None):
                for raw in page.raws:
                    fields = Fields(raw)
                    found += feed.records(fields, books)
                    left = fields.unread(feed.ignores)
                    assert not left, f"{feed.name}: {left}"
        return found

    async def by_id(self, data_type: str) -> dict[str, Any]:
        found = await self.read(data_type, client=self.unjudged)
        return {record.id: record for record in found}

    async def control(self, method: str, path: str, body: Raw = None) -> Raw:
        answer = await self.plain.request(method, f"/_simulator{path}", json=body)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.content)

    async def fault(self, name: str, **more: Raw) -> None:
        await self.control("POST", "/faults", {"name": name, **more})

    async def edit(self, **edit: Raw) -> str:
        said = await self.control("POST", f"/organisations/{self.tenant}/edit", edit)
        return str(said["id"])

    async def ledger(self) -> Raw:
        return await self.control("GET", f"/organisations/{self.tenant}/ledger")

    async def calls(self, method: str, path: str) -> Sequence[Raw]:
        """The requests that reached the simulator, of that method and end of path."""
        seen = (await self.control("GET", "/requests"))["requests"]
        return [one for one in seen if one["method"] == method and str(one["path"]).endswith(path)]


def simulated(state_dir: Path) -> XeroSimulator:
    """The small world as it was seeded, in a directory of the test's own."""
    copytree(_seeded(), state_dir, dirs_exist_ok=True)
    return _open(state_dir)


@cache
def _seeded() -> Path:
    """Seeded once for the process, and thrown away with it."""
    holder = TemporaryDirectory(prefix="tally-xero-")
    atexit.register(holder.cleanup)
    _open(Path(holder.name)).close()
    return Path(holder.name)


def _open(state_dir: Path) -> XeroSimulator:
    return create_app(
        state_dir, seed=7, size="small", base_url=HOST, client_secret="s3cret", limits=UNLIMITED
    )


@asynccontextmanager
async def linked(
    state_dir: Path, *, organisation: int = 0, clock: Clock | None = None
) -> AsyncIterator[Linked]:
    """Consent as a person would, exchange the code, and hold the connector's client."""
    simulator = simulated(state_dir)
    inner = httpx.ASGITransport(app=simulator)
    checked = Checked(inner) if VARIABLE in os.environ else None
    app = AppCredentials("simulated-xero", "s3cret", base_url=f"{HOST}/xero")
    async with (
        httpx.AsyncClient(transport=checked or inner) as http,
        httpx.AsyncClient(transport=inner, base_url=HOST) as plain,
    ):
        wanted = (await plain.get("/_simulator/organisations")).json()["organisations"]
        tenant = wanted[organisation]["tenantId"]
        code = await consent(plain, app, tenant)
        pair = await XERO.oauth.exchange(http, app, code, BACK, datetime.now(UTC))
        granted = (await XERO.oauth.organisations(http, app, pair.access_token))[0]
        keyring, permit = Keyring(http, app, pair), OpenPermit()
        clients = [
            XERO.client(
                Access(
                    http=each,
                    tokens=keyring,
                    permit=permit,
                    clock=clock or SystemClock(),
                    organisation_id=granted.id,
                    base_url=app.base_url,
                )
            )
            for each in (http, plain)
        ]
        yield Linked(
            simulator=simulator,
            http=http,
            plain=plain,
            app=app,
            keyring=keyring,
            permit=permit,
            client=clients[0],
            unjudged=clients[1],
            tenant=tenant,
            grant_id=granted.grant_id,
            checked=checked,
        )
        if checked:
            assert not checked.violations
    simulator.close()


async def consent(plain: httpx.AsyncClient, app: AppCredentials, tenant: str) -> str:
    """The code in the redirect after the person allowed it."""
    page = urlsplit(XERO.oauth.authorize_url(app, BACK, "st4te"))
    form = {key: values[0] for key, values in parse_qs(page.query).items()}
    answer = await plain.post(page.path, data={**form, "organisation": tenant, "decision": "allow"})
    assert answer.status_code == 302, answer.text
    back = parse_qs(urlsplit(answer.headers["location"]).query)
    assert back["state"] == ["st4te"]
    return back["code"][0]
