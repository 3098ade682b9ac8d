"""What every handler may use: wired once by the application, never looked up."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tallystick.companies.reach import Reach
from tallystick.connectors.contract import Connector
from tallystick.db.pool import Database
from tallystick.lib.clock import Clock
from tallystick.lib.egress import Policy
from tallystick.lib.secrets import Vault
from tallystick.settings import Settings


@dataclass(frozen=True, slots=True)
class House:
    """The rooms' common ground."""

    database: Database
    clock: Clock
    vault: Vault
    settings: Settings
    connectors: Mapping[str, Connector[Any, Any]]
    reach: Reach
    egress: Policy
