"""Tallystick: the open, self-hosted unified accounting API."""

__version__ = "0.1.0"
