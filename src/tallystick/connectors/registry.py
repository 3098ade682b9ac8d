"""Which platforms there are, and our connectors for them."""

from dataclasses import dataclass
from typing import Any

from tallystick.connectors.contract import Connector
from tallystick.connectors.xero import XERO

CONNECTORS: dict[str, Connector[Any, Any]] = {connector.key: connector for connector in (XERO,)}


@dataclass(frozen=True, slots=True)
class Platform:
    """An accounting platform the API lists. `offline` ones run on a customer's own computer."""

    key: str
    name: str
    source_type: str = "Accounting"
    offline: bool = False

    @property
    def built(self) -> bool:
        """Whether a connector for it exists; the others are listed and refused by name."""
        return self.key in CONNECTORS


PLATFORMS: dict[str, Platform] = {
    platform.key: platform
    for platform in (
        Platform("gbol", "Xero"),
        Platform("qhyg", "QuickBooks Online"),
        Platform("pqsw", "QuickBooks Desktop", offline=True),
        Platform("akxx", "Oracle NetSuite"),
        Platform("knfz", "Sage Intacct"),
        Platform("pdvj", "MYOB Business"),
        Platform("mqjo", "Sandbox"),
    )
}
