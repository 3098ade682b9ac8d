"""A customer's browser, hosted Link and the simulated Xero, all in one process."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
from starlette.applications import Starlette

from tallystick.access import clients
from tallystick.companies import companies, connections
from tallystick.companies.companies import Company
from tallystick.companies.connections import Connection
from tallystick.companies.reach import Reach
from tallystick.connectors.registry import CONNECTORS
from tallystick.db.pool import Database, all_rows
from tallystick.lib import json
from tallystick.lib.clock import FixedClock
from tallystick.lib.secrets import Vault
from tallystick.link.flow import Flow
from tallystick.link_web.routes import routes
from tallystick.settings import PlatformApp, Settings
from tallystick.simulators.xero.app import XeroSimulator, create_app

PUBLIC = "http://127.0.0.1:8400"
XERO = "http://127.0.0.1:8500"
HOUSES = (PUBLIC, XERO)


@dataclass
class Form:
    """A form as a browser holds it: its address, its fields as they stand, its buttons."""

    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.text: list[str] = []
        self._href: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(action=held.get("action", "")))
        elif tag == "a":
            self._href = held.get("href", "")
        elif tag == "button" and self.forms:
            self.forms[-1].buttons.append((held.get("name", ""), held.get("value", "")))
        elif tag == "input" and self.forms:
            self._input(held)

    def _input(self, held: Mapping[str, str]) -> None:
        form, name, value = self.forms[-1], held["name"], held.get("value", "")
        if held.get("type") == "radio":
            form.choices.setdefault(name, []).append(value)
            if "checked" in held:
                form.fields[name] = value
        else:
            form.fields[name] = value

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        if words:
            self.text.append(words)
            if self._href is not None:
                self.links.setdefault(words, self._href)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._href = None


@dataclass
class Page:
    """What a browser shows; `away` is set where it left for an address outside."""

    url: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    html: str = ""
    away: str | None = None

    @property
    def _read(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.html)
        return reader

    @property
    def forms(self) -> list[Form]:
        return self._read.forms

    @property
    def links(self) -> dict[str, str]:
        return self._read.links

    @property
    def text(self) -> str:
        return " ".join(self._read.text)


class Browser:
    """Follows links and sends forms, with cookies of its own."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.trail: list[str] = []

    async def open(self, url: str) -> Page:
        return await self._arrive(await self.http.get(url))

    async def follow(self, page: Page, words: str) -> Page:
        return await self.open(urljoin(page.url, page.links[words]))

    async def press(self, page: Page, button: str = "", *, form: int = 0, **fields: str) -> Page:
        """Press the button of that value, with these fields changed."""
        sent = page.forms[form]
        pressed = dict([pair for pair in sent.buttons if pair[1] == button and pair[0]])
        assert pressed or not button, f"There is no button {button} among {sent.buttons}."
        data = {**sent.fields, **fields, **pressed}
        return await self._arrive(
            await self.http.post(urljoin(page.url, sent.action or page.url), data=data)
        )

    async def _arrive(self, response: httpx.Response) -> Page:
        while response.is_redirect:
            url = urljoin(str(response.url), response.headers["location"])
            self.trail.append(url)
            if not url.startswith(HOUSES):
                return Page(url=url, status=response.status_code, away=url)
            response = await self.http.get(url)
        return Page(str(response.url), response.status_code, response.headers, response.text)


class World:
    """Everything that one test of Link needs."""

    def __init__(
        self,
        *,
        database: Database,
        clock: FixedClock,
        vault: Vault,
        simulator: XeroSimulator,
        open_browser: Any,
        flow: Flow,
        company: Company,
    ) -> None:
        self.database = database
        self.clock = clock
        self.vault = vault
        self.simulator = simulator
        self.flow = flow
        self.company = company
        self._open_browser = open_browser

    async def browser(self) -> Browser:
        """Another browser, without a cookie."""
        opened: Browser = await self._open_browser()
        return opened

    async def connection(self, platform_key: str = "gbol") -> Connection:
        async with self.database.transaction() as tx:
            return await connections.create(
                tx,
                company=self.company,
                platform_key=platform_key,
                simulated=True,
                now=self.clock.now(),
            )

    async def profile(self, **profile: Any) -> None:
        async with self.database.transaction() as tx:
            await clients.save_profile(
                tx, self.company.client_id, name="Harbour Lending", profile=profile
            )

    async def now(self, connection: Connection) -> Connection:
        """The connection as it is now."""
        async with self.database.transaction() as tx:
            return await connections.find(tx, connection.id)

    async def events(self) -> list[str]:
        async with self.database.transaction() as tx:
            rows = await all_rows(tx, "select event_type from event order by ctid")
        return [row["event_type"] for row in rows if row["event_type"] != "company.created"]

    async def payload(self, event_type: str) -> dict[str, Any]:
        """What the last event of that type tells."""
        async with self.database.transaction() as tx:
            rows = await all_rows(
                tx, "select body from event where event_type = %(t)s", {"t": event_type}
            )
        told: dict[str, Any] = json.loads(rows[-1]["body"])["payload"]
        return told

    def organisations(self) -> dict[str, str]:
        """Ids by name at the simulated platform."""
        with self.simulator.world.store.transaction() as tx:
            return {json.loads(row["body"])["Name"]: row["id"] for row in tx.all("organisations")}

    def remove_app(self, organisation_id: str) -> None:
        """The customer takes the app away inside the platform."""
        with self.simulator.world.store.transaction() as tx:
            self.simulator.world.tokens(tx).disconnected_by_customer(organisation_id)

    def exchanges(self) -> int:
        """How often the platform was asked for tokens."""
        return sum(seen["path"].endswith("/token") for seen in self.simulator.world.requests)


def start_of(connection: Connection, query: str = "") -> str:
    return f"{PUBLIC}/companies/{connection.company_id}/connections/{connection.id}/start{query}"


@asynccontextmanager
async def world_of(
    database: Database, clock: FixedClock, vault: Vault, state_dir: Path, *, configured: bool = True
) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        simulator = create_app(state_dir, base_url=XERO)
        stack.callback(simulator.close)
        app = PlatformApp(
            client_id=simulator.world.client_id,
            client_secret=simulator.world.client_secret,
            base_url=f"{XERO}/xero",
            scopes=(),
            simulated=True,
        )
        settings = Settings(public_url=PUBLIC, platforms={"gbol": app} if configured else {})
        at_xero = httpx.ASGITransport(simulator, client=("127.0.0.1", 4000))
        outward = await stack.enter_async_context(httpx.AsyncClient(transport=at_xero))
        reach = Reach(
            database=database,
            vault=vault,
            clock=clock,
            connectors=CONNECTORS,
            apps=settings.platforms,
            http=outward,
        )
        flow = Flow(database=database, vault=vault, clock=clock, settings=settings, reach=reach)
        here = httpx.ASGITransport(Starlette(routes=list(routes(flow=flow))))

        async def open_browser() -> Browser:
            mounts = {PUBLIC: here, XERO: at_xero}
            return Browser(await stack.enter_async_context(httpx.AsyncClient(mounts=mounts)))

        yield World(
            database=database,
            clock=clock,
            vault=vault,
            simulator=simulator,
            open_browser=open_browser,
            flow=flow,
            company=await _company(database, clock),
        )


async def _company(database: Database, clock: FixedClock) -> Company:
    async with database.transaction() as tx:
        client = await clients.create(tx, name="Harbour Lending", now=clock.now())
        return await companies.create(
            tx,
            client_id=client.id,
            name="Harrow & Vale",
            description=None,
            tags={},
            created_by=None,
            now=clock.now(),
        )
