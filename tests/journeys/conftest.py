"""What journeys share: books seeded once for a run, and a world of its own for each test."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.journeys import serving, simulator
from tests.journeys.serving import Served
from tests.journeys.simulator import Simulator
from tests.journeys.world import World, world_of

from tallystick.db.pool import Database
from tallystick.lib.secrets import Vault


@pytest.fixture(scope="session")
def seeded_books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory of the simulator, seeded."""
    state = tmp_path_factory.mktemp("books") / "state"
    with simulator.running(state):
        return state


@pytest.fixture
def xero(seeded_books: Path, tmp_path: Path) -> Iterator[Simulator]:
    """A simulated Xero without limits, with books of its own."""
    state = tmp_path / "xero"
    shutil.copytree(seeded_books, state)
    with simulator.running(state) as running:
        yield running


@pytest.fixture
async def world(
    database: Database, vault: Vault, tmp_path: Path, xero: Simulator
) -> AsyncIterator[World]:
    async with world_of(database, vault, tmp_path, xero) as world:
        yield world


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    """A whole installation with simulated platforms, as a process of its own."""
    with serving.served() as running:
        yield running
