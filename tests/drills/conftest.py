"""Long rehearsals of bad days: run by name (`make drill`), never along with all other tests."""

from pathlib import Path

import pytest
from tests.journeys.conftest import seeded_books, world, xero

__all__ = ["seeded_books", "world", "xero"]


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Left out unless asked for: they take minutes."""
    here = Path(__file__).parent
    asked = [config.invocation_params.dir / argument.partition("::")[0] for argument in config.args]
    return None if any(path.resolve().is_relative_to(here) for path in asked) else True
