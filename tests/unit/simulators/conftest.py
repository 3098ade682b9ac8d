import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.simulators.xero_session import Session, begin_today, session

from tallystick.simulators.xero import create_app


@pytest.fixture(scope="session")
def seeded_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small world, seeded once and closed."""
    folder = tmp_path_factory.mktemp("seeded")
    begin_today(folder)
    create_app(folder).close()
    return folder


@pytest.fixture
async def xero(tmp_path: Path, seeded_dir: Path) -> AsyncIterator[Session]:
    """A copy of the small world, linked to its main organisation, without call limits."""
    shutil.copytree(seeded_dir, tmp_path, dirs_exist_ok=True)
    async with session(tmp_path) as linked:
        yield linked
