"""Logging: static event names, variables as fields, never a secret and never a body."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog

_FRAMES_LOGGED = 12
_SECRET_FIELDS = {"token", "access_token", "refresh_token", "secret", "password", "authorization"}


def _without_secrets(
    _logger: Any, _method: str, fields: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """A belt for the braces: a field named like a secret is never written."""
    for name in fields.keys() & _SECRET_FIELDS:
        fields[name] = "***"
    return fields


def configure(*, as_json: bool, level: str = "info") -> None:
    """Send log lines to standard error, for people or as one JSON object a line."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_secrets,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def configure_libraries() -> None:
    """Let what libraries say through the standard logging appear only where it is a warning."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s %(message)s")


def where(error: BaseException) -> list[str]:
    """Where it happened, without its message: that may quote a customer's data."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES_LOGGED:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


log: structlog.stdlib.BoundLogger = structlog.get_logger()
"""The logger of the house."""

# Whoever forgets to configure must not get structlog's own default: it prints local variables.
configure(as_json=False)
