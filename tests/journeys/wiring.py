"""The rooms put together for tests: what a worker does, with every address a parameter."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx

from tallystick.companies.reach import Reach
from tallystick.connectors.contract import Connector, Limits
from tallystick.connectors.registry import CONNECTORS
from tallystick.connectors.xero import XERO
from tallystick.db.pool import Database
from tallystick.jobs.calendar import Tick
from tallystick.jobs.worker import Task
from tallystick.lib.clock import Clock
from tallystick.lib.secrets import Vault
from tallystick.push.jobs import PushJobs
from tallystick.settings import PlatformApp
from tallystick.sync.jobs import SyncJobs
from tallystick.webhooks.jobs import WebhookJobs

PUBLIC_URL = "http://127.0.0.1:8400"


@dataclass(frozen=True, slots=True)
class Work:
    """The jobs a worker knows and the ticks it keeps."""

    tasks: Mapping[str, Task]
    ticks: tuple[Tick, ...]
    reach: Reach
    connectors: Mapping[str, Connector[Any, Any]]


def work(
    *,
    database: Database,
    clock: Clock,
    vault: Vault,
    http: httpx.AsyncClient,
    apps: Mapping[str, PlatformApp],
    limited: bool,
) -> Work:
    """All rooms on one database; without limits a test need not wait for the next minute."""
    connectors = CONNECTORS if limited else {XERO.key: replace(XERO, limits=Limits())}
    reach = Reach(
        database=database, vault=vault, clock=clock, connectors=connectors, apps=apps, http=http
    )
    sync = SyncJobs(database=database, clock=clock, reach=reach, public_url=PUBLIC_URL)
    webhooks = WebhookJobs(database=database, http=http, vault=vault, clock=clock)
    push = PushJobs(database=database, clock=clock, reach=reach)
    tasks = {**sync.tasks(), "push.perform": push.perform}
    ticks = (*sync.ticks(), *push.ticks(), Tick("webhooks.deliver", 0.3, webhooks.deliver_due))
    return Work(tasks, ticks, reach, connectors)
