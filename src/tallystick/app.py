"""The only place where things are wired together: settings become a house, its web, its worker."""

import asyncio
import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from tallystick.access import idempotency
from tallystick.companies.reach import Reach
from tallystick.connectors.contract import Connector
from tallystick.connectors.registry import CONNECTORS
from tallystick.db.pool import Database
from tallystick.http.app import create_app
from tallystick.http.house import House
from tallystick.http.protocol import BoundedProtocol
from tallystick.jobs import worker
from tallystick.jobs.calendar import Tick
from tallystick.jobs.worker import Task
from tallystick.lib import egress
from tallystick.lib.clock import Clock, OffsetClock, SystemClock
from tallystick.lib.secrets import Vault
from tallystick.link.flow import Flow
from tallystick.link_web.routes import routes as link_routes
from tallystick.push.jobs import PushJobs
from tallystick.push.operations import PERFORM
from tallystick.settings import Settings
from tallystick.sync.jobs import SyncJobs
from tallystick.webhooks import posting
from tallystick.webhooks.jobs import WebhookJobs

_PLATFORM_TIMEOUT_S = 60.0
_WEB_POOL = 20
# Database connections of a worker for what is no job: the calendar, and webhooks.
_BESIDE_JOBS = 4
_STOP_WITHIN_S = 5
_HOUR_S = 3600.0
_GC_THRESHOLDS = (20_000, 10, 10)


def clock_of(settings: Settings) -> Clock:
    return OffsetClock(settings.clock_file) if settings.clock_file else SystemClock()


@asynccontextmanager
async def open_house(
    settings: Settings,
    database_url: str,
    vault: Vault,
    *,
    pool_size: int,
    connectors: Mapping[str, Connector[Any, Any]] = CONNECTORS,
) -> AsyncIterator[House]:
    """Everything the rooms share, open until the block ends."""
    clock = clock_of(settings)
    async with (
        Database(database_url, size=pool_size) as database,
        egress.client(
            _platform_policy(settings, connectors), timeout_s=_PLATFORM_TIMEOUT_S, keep_open=True
        ) as http,
    ):
        reach = Reach(
            database=database,
            vault=vault,
            clock=clock,
            connectors=connectors,
            apps=settings.platforms,
            http=http,
        )
        yield House(
            database=database,
            clock=clock,
            vault=vault,
            settings=settings,
            connectors=connectors,
            reach=reach,
            egress=egress.Policy(allowed=settings.allowed_networks),
        )


def serve_web(settings: Settings, database_url: str, vault: Vault, *, socket_number: int) -> None:
    """The API and Link on a socket that listens already, until SIGTERM."""

    async def serve() -> None:
        async with open_house(settings, database_url, vault, pool_size=_WEB_POOL) as house:
            config = uvicorn.Config(
                web(house),
                fd=socket_number,
                http=BoundedProtocol,
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_STOP_WITHIN_S,
            )
            await uvicorn.Server(config).serve()

    with asyncio.Runner(loop_factory=_event_loop) as runner:
        runner.run(serve())


def web(house: House) -> Any:
    """The web application: API and Link."""
    flow = Flow(
        database=house.database,
        vault=house.vault,
        clock=house.clock,
        settings=house.settings,
        reach=house.reach,
    )
    return create_app(house, extra=link_routes(flow=flow))


async def work(settings: Settings, database_url: str, vault: Vault) -> None:
    """One worker, until SIGTERM."""
    # Mapping makes and drops many small objects; looking for cycles less often is worth a tenth.
    gc.set_threshold(*_GC_THRESHOLDS)
    size = settings.worker_concurrency + _BESIDE_JOBS
    async with (
        open_house(settings, database_url, vault, pool_size=size) as house,
        egress.client(house.egress, timeout_s=posting.TIMEOUT_S) as webhook_http,
    ):
        webhooks = _webhook_jobs(house, webhook_http)
        rooms = Rooms(house, webhooks=webhooks)
        async with webhooks.delivering():
            await worker.run(
                database_url,
                tasks=rooms.tasks,
                calendar=rooms.ticks,
                concurrency=settings.worker_concurrency,
                poll_s=settings.job_poll_s,
                stalled_s=settings.worker_stalled_s,
            )


class Rooms:
    """What a worker does, room by room."""

    def __init__(self, house: House, *, webhooks: WebhookJobs) -> None:
        public_url = house.settings.public_url
        self._database = house.database
        self._clock = house.clock
        self._webhooks = webhooks
        self._push = PushJobs(database=house.database, reach=house.reach, clock=house.clock)
        self._sync = SyncJobs(
            database=house.database, clock=house.clock, reach=house.reach, public_url=public_url
        )

    @property
    def tasks(self) -> dict[str, Task]:
        """Job names, and what does them."""
        return {PERFORM: self._push.perform, **self._sync.tasks()}

    @property
    def ticks(self) -> tuple[Tick, ...]:
        """What is done again and again."""
        return (
            *self._sync.ticks(),
            *self._push.ticks(),
            *self._webhooks.ticks(),
            Tick("access.forget_expired", _HOUR_S, self._forget_expired),
        )

    async def _forget_expired(self) -> None:
        more = True
        while more:
            async with self._database.transaction() as tx:
                more = await idempotency.forget_expired(tx, now=self._clock.now())


def _webhook_jobs(house: House, http: Any) -> WebhookJobs:
    return WebhookJobs(database=house.database, http=http, vault=house.vault, clock=house.clock)


def _platform_policy(
    settings: Settings, connectors: Mapping[str, Connector[Any, Any]]
) -> egress.Policy:
    """Platforms are called at their own addresses and where the operator's settings say."""
    own = [address for connector in connectors.values() for address in connector.origins]
    set_by_operator = [app.base_url for app in settings.platforms.values() if app.base_url]
    return egress.Policy(
        trusted_origins=frozenset(egress.origin(url) for url in [*own, *set_by_operator])
    )


def _event_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop  # noqa: PLC0415 - absent where it has no wheel
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
