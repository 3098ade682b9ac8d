"""Judges of what we send and answer, written by others: specifications, clients, fixtures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VARIABLE = "TALLYSTICK_ORACLES"
NEEDS_ORACLES = "needs TALLYSTICK_ORACLES"

requires_oracles = pytest.mark.skipif(VARIABLE not in os.environ, reason=NEEDS_ORACLES)


def oracles() -> Path:
    """The directory the oracle files lie in; a caller without one is skipped, aloud."""
    directory = os.environ.get(VARIABLE)
    if directory is None:
        pytest.skip(NEEDS_ORACLES)
    return Path(directory)
