"""What can go wrong with the embedded PostgreSQL; every message is a sentence for the operator.

EmbeddedPostgresError          the embedded server cannot be used
├── AlreadyServed              another process owns this data directory
├── NotServed                  no server runs on this data directory
└── StoppedWhileStarting       stop() was called before start() had finished
"""


class EmbeddedPostgresError(Exception):
    """The embedded server cannot be used; the message says why and what to do."""


class AlreadyServed(EmbeddedPostgresError):
    """Another process owns this data directory."""


class NotServed(EmbeddedPostgresError):
    """No server of ours runs on this data directory."""


class StoppedWhileStarting(EmbeddedPostgresError):
    """Somebody, usually a signal handler, called stop() before start() had finished."""
