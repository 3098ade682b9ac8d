"""Every setting is documented, and a wrong one is refused by name."""

import re
from pathlib import Path

import pytest

from tallystick import settings
from tallystick.settings import SettingsError, from_env

_ROOT = Path(__file__).parents[2]
_NAMES = sorted(set(re.findall(r"TALLYSTICK_[A-Z_]+", Path(settings.__file__).read_text())))


@pytest.mark.parametrize("name", _NAMES)
def test_a_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in (_ROOT / "docs" / "settings.md").read_text()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TALLYSTICK_PORT", "0"),
        ("TALLYSTICK_PORT", "eighty"),
        ("TALLYSTICK_PORT", "70000"),
        ("TALLYSTICK_PUBLIC_URL", "tallystick.example"),
        ("TALLYSTICK_PUBLIC_URL", "https://user@tallystick.example"),
        ("TALLYSTICK_ALLOWED_NETWORKS", "10.0.0.0/33"),
        ("TALLYSTICK_LOG_LEVEL", "loud"),
        ("TALLYSTICK_JOB_POLL_S", "-1"),
        ("TALLYSTICK_XERO_CLIENT_ID", "only-half"),
        ("TALLYSTICK_WORKER_CONCURRENCY", "1000"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        from_env({name: value})


def test_secrets_of_the_settings_are_not_shown() -> None:
    chosen = from_env(
        {
            "TALLYSTICK_DATABASE_URL": "postgresql://u:hidden-1@h/d",
            "TALLYSTICK_ENCRYPTION_KEY": "hidden-2",
            "TALLYSTICK_XERO_CLIENT_ID": "me",
            "TALLYSTICK_XERO_CLIENT_SECRET": "hidden-3",
        }
    )

    assert "hidden" not in repr(chosen)
