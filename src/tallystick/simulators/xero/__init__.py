"""The simulated Xero: identity server, Accounting API 2.0 and the books behind them."""

from tallystick.simulators.xero.app import create_app

__all__ = ["create_app"]
