"""Everything one simulated Xero consists of while it runs."""

import secrets
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from tallystick.simulators.clock import Clock
from tallystick.simulators.store import Store, Tx, statements
from tallystick.simulators.xero.books.books import Books
from tallystick.simulators.xero.faults import Faults
from tallystick.simulators.xero.identity.tokens import Issuer, Tokens
from tallystick.simulators.xero.limits import Counters, Limits

Raw = Any

_HERE = Path(__file__).parent
_REQUESTS_KEPT = 2_000


@dataclass(frozen=True, kw_only=True)
class World:
    store: Store
    clock: Clock
    client_id: str
    client_secret: str
    signing_key: str
    base_url: str
    counters: Counters
    faults: Faults = field(default_factory=Faults)
    requests: deque[dict[str, Raw]] = field(default_factory=lambda: deque(maxlen=_REQUESTS_KEPT))

    @property
    def xero_url(self) -> str:
        return f"{self.base_url}/xero"

    def books(self, tx: Tx, organisation_id: str) -> Books:
        return Books(tx, organisation_id, now=self.clock.now(), new_id=lambda: str(uuid4()))

    def tokens(self, tx: Tx) -> Tokens:
        url = f"{self.xero_url}/identity"
        issuer = Issuer(signing_key=self.signing_key, client_id=self.client_id, url=url)
        return Tokens(tx, issuer, self.clock.now())

    @contextmanager
    def open_books(self, organisation_id: str) -> Iterator[Books]:
        with self.store.transaction() as tx:
            yield self.books(tx, organisation_id)


def open_world(
    state_dir: Path,
    *,
    base_url: str,
    client_id: str,
    client_secret: str | None,
    limits: Limits,
) -> World:
    """Open the state of a world, or begin a new and empty one."""
    state_dir.mkdir(parents=True, exist_ok=True)
    books, tokens = _sql("books/books.sql"), _sql("identity/tokens.sql")
    schemas = {"books_schema": books.pop("schema"), "tokens_schema": tokens.pop("schema")}
    store = Store(state_dir / "xero.sqlite3", sql={**books, **tokens, **schemas})
    store.create(*schemas)
    return World(
        store=store,
        clock=Clock(state_dir / "clock.json"),
        client_id=client_id,
        client_secret=_secret(state_dir / "client_secret", client_secret),
        signing_key=_secret(state_dir / "signing_key", None),
        base_url=base_url.rstrip("/"),
        counters=Counters(limits),
    )


def _sql(name: str) -> dict[str, str]:
    return dict(statements(_HERE / name))


def _secret(path: Path, given: str | None) -> str:
    """The given secret, or the one made at first start and kept for its owner alone."""
    if given is not None:
        return given
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(32))
    return path.read_text().strip()
