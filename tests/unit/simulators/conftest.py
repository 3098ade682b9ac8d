from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.simulators.xero_session import Session, session


@pytest.fixture
async def xero(tmp_path: Path) -> AsyncIterator[Session]:
    """The small world, linked to its main organisation, without call limits."""
    async with session(tmp_path) as linked:
        yield linked
