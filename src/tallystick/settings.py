"""Every setting, read once from the environment; the comment above a field documents it."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_TRUE = {"1", "true", "yes", "on"}


class SettingsError(ValueError):
    """A setting cannot be used; the message names it and the way out."""


@dataclass(frozen=True, slots=True)
class PlatformApp:
    """The operator's registration at one accounting platform."""

    client_id: str
    client_secret: str = field(repr=False)
    base_url: str | None
    scopes: tuple[str, ...]
    simulated: bool = False
    calls_per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator chose."""

    # TALLYSTICK_DATABASE_URL: a PostgreSQL 15+ to use instead of the embedded one.
    database_url: str | None = field(default=None, repr=False)
    # TALLYSTICK_DATA_DIR: where the embedded database, the key file and simulated books live.
    data_dir: Path | None = None
    # TALLYSTICK_ENCRYPTION_KEY: Base64 of 32 bytes; needed with an outside database, else a file
    # `encryption.key` in the data directory is made at the first start.
    encryption_key: str | None = field(default=None, repr=False)
    # TALLYSTICK_PUBLIC_URL: the address customers and callers use, without a final slash.
    public_url: str = "http://127.0.0.1:8400"
    # TALLYSTICK_HOST: the address `serve` listens on.
    host: str = "127.0.0.1"
    # TALLYSTICK_PORT: the port `serve` listens on.
    port: int = 8400
    # TALLYSTICK_ALLOWED_NETWORKS: networks (CIDR, comma separated) inside that webhooks may be
    # sent to; without it every private, loopback and link-local address is refused.
    allowed_networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    # TALLYSTICK_LOG_LEVEL: debug, info, warning or error.
    log_level: str = "info"
    # TALLYSTICK_LOG_JSON: true writes one JSON object a line.
    log_json: bool = False
    # TALLYSTICK_WORKER_CONCURRENCY: jobs one worker runs at a time.
    worker_concurrency: int = 8
    # TALLYSTICK_JOB_POLL_S: how often a worker looks for jobs that nobody announced.
    job_poll_s: float = 0.1
    # TALLYSTICK_WORKER_STALLED_S: after this silence a worker counts as dead; others take over.
    worker_stalled_s: float = 30.0
    # TALLYSTICK_CLOCK_FILE: a file holding seconds to add to the clock (for rehearsals).
    clock_file: Path | None = None
    # TALLYSTICK_XERO_CLIENT_ID, TALLYSTICK_XERO_CLIENT_SECRET: the app registered at Xero.
    # TALLYSTICK_XERO_BASE_URL: where Xero is, if not at its own addresses (a simulator).
    # TALLYSTICK_XERO_SCOPES: scopes to ask for, space separated.
    # TALLYSTICK_XERO_CALLS_PER_MINUTE: what the platform allows this app for one set of books,
    # where that is not what it allows everybody.
    # TALLYSTICK_SIMULATED: keys of the platforms that are simulated; set by `serve --simulate`.
    platforms: Mapping[str, PlatformApp] = field(default_factory=dict)


PLATFORM_PREFIXES = {"gbol": "XERO"}
"""Platform key to the middle of its settings' names."""


def from_env(env: Mapping[str, str]) -> Settings:
    """The settings of an environment.

    Raises:
        SettingsError: names the variable that cannot be used.
    """
    default = Settings()
    data_dir, clock_file = env.get("TALLYSTICK_DATA_DIR"), env.get("TALLYSTICK_CLOCK_FILE")
    port = _whole(env, "TALLYSTICK_PORT", default.port, most=65535)
    return Settings(
        database_url=env.get("TALLYSTICK_DATABASE_URL") or None,
        data_dir=Path(data_dir).absolute() if data_dir else None,
        encryption_key=env.get("TALLYSTICK_ENCRYPTION_KEY") or None,
        public_url=_url(env, "TALLYSTICK_PUBLIC_URL") or f"http://127.0.0.1:{port}",
        host=env.get("TALLYSTICK_HOST") or default.host,
        port=port,
        allowed_networks=_networks(env, "TALLYSTICK_ALLOWED_NETWORKS"),
        log_level=_choice(env, "TALLYSTICK_LOG_LEVEL", ("debug", "info", "warning", "error"), 1),
        log_json=env.get("TALLYSTICK_LOG_JSON", "").lower() in _TRUE,
        worker_concurrency=_whole(
            env, "TALLYSTICK_WORKER_CONCURRENCY", default.worker_concurrency, most=100
        ),
        job_poll_s=_seconds(env, "TALLYSTICK_JOB_POLL_S", default.job_poll_s),
        worker_stalled_s=_seconds(env, "TALLYSTICK_WORKER_STALLED_S", default.worker_stalled_s),
        clock_file=Path(clock_file) if clock_file else None,
        platforms=_platforms(env),
    )


def _platforms(env: Mapping[str, str]) -> dict[str, PlatformApp]:
    apps: dict[str, PlatformApp] = {}
    for key, prefix in PLATFORM_PREFIXES.items():
        start = f"TALLYSTICK_{prefix}"
        client_id, secret = env.get(f"{start}_CLIENT_ID"), env.get(f"{start}_CLIENT_SECRET")
        if bool(client_id) != bool(secret):
            raise SettingsError(f"Set both {start}_CLIENT_ID and {start}_CLIENT_SECRET, or none.")
        if client_id and secret:
            apps[key] = PlatformApp(
                client_id=client_id,
                client_secret=secret,
                base_url=_url(env, f"{start}_BASE_URL"),
                scopes=tuple(env.get(f"{start}_SCOPES", "").split()),
                simulated=key in env.get("TALLYSTICK_SIMULATED", "").split(","),
                calls_per_minute=_whole_or_none(env, f"{start}_CALLS_PER_MINUTE", most=100_000),
            )
    return apps


def _url(env: Mapping[str, str], name: str) -> str | None:
    text = (env.get(name) or "").rstrip("/")
    if not text:
        return None
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
        raise SettingsError(f"{name} must be an http or https address without a query.")
    return text


def _whole(env: Mapping[str, str], name: str, default: int, *, most: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise SettingsError(f"{name} must be a whole number from 1 to {most}.")
    return int(text)


def _whole_or_none(env: Mapping[str, str], name: str, *, most: int) -> int | None:
    return _whole(env, name, 1, most=most) if env.get(name) else None


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name)
    try:
        value = float(text) if text else default
    except ValueError:
        value = 0
    if not 0 < value <= 3600:
        raise SettingsError(f"{name} must be a number of seconds above 0 and up to 3600.")
    return value


def _choice(env: Mapping[str, str], name: str, words: tuple[str, ...], default: int) -> str:
    word = env.get(name, "").lower() or words[default]
    if word not in words:
        raise SettingsError(f"{name} must be one of {', '.join(words)}.")
    return word


def _networks(
    env: Mapping[str, str], name: str
) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    try:
        return tuple(ipaddress.ip_network(p.strip()) for p in env.get(name, "").split(",") if p)
    except ValueError as error:
        raise SettingsError(
            f"{name} must be networks such as 10.0.0.0/8,fd00::/8: {error}."
        ) from error
