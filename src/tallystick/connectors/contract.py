"""The words a connector is written in: what it reads, what it writes, how a customer lets us in."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, Protocol, TypeVar

import httpx

from tallystick.connectors.fields import Fields
from tallystick.errors import Problem
from tallystick.lib.clock import Clock
from tallystick.model.base import Record

Raw = Any
"""One JSON value as a platform sent it."""

C = TypeVar("C")
"""A connector's own client."""


class Books(Protocol):
    """Reference data of one company, read before its records: currency, account codes, tracking.

    `version` changes whenever the mapping of an unchanged raw record could change.
    """

    @property
    def version(self) -> str: ...


B = TypeVar("B", bound=Books)

# --- how a customer lets us in ---


class Tokens(Protocol):
    """The access token of one connection; whoever holds it never sees the refresh token."""

    async def current(self) -> str:
        """A token that is not known to be stale.

        Raises:
            Unauthorized: the customer has to link again.
        """
        ...

    async def renewed(self, stale: str) -> str:
        """Another token than `stale`, which the platform has just refused."""
        ...


class Permit(Protocol):
    """Leave to make one call within the platform's limits, shared by all processes."""

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Held while a call is under way: so many at once, and no more.

        Raises:
            RateLimited: none frees up in a while.
        """
        ...

    async def take(self) -> None:
        """Wait a moment if that is enough.

        Raises:
            RateLimited: the limit frees up later than is worth waiting for.
        """
        ...

    async def refused(self, *, until: datetime, limit: str) -> None:
        """The platform itself said that the limit is used up until then."""
        ...


@dataclass(frozen=True, slots=True)
class Access:
    """What a connector's client is made of. `base_url` None means the platform's own addresses."""

    http: httpx.AsyncClient
    tokens: Tokens
    permit: Permit
    clock: Clock
    organisation_id: str
    base_url: str | None = None


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """The operator's registration at the platform; `base_url` None means its own addresses."""

    client_id: str
    client_secret: str = field(repr=False)
    base_url: str | None = None
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What a token endpoint answered."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Organisation:
    """One set of books the customer may choose. `grant_id` is what a disconnect must name."""

    id: str
    name: str
    grant_id: str


@dataclass(frozen=True, slots=True)
class OAuth:
    """The platform's OAuth 2, as pure exchanges: nothing here stores anything."""

    authorize_url: Callable[[AppCredentials, str, str], str]
    """(app, redirect_uri, state) -> the address the customer's browser is sent to."""
    exchange: Callable[
        [httpx.AsyncClient, AppCredentials, str, str, datetime], Awaitable[TokenPair]
    ]
    """(http, app, code, redirect_uri, now) -> tokens; Unauthorized where the code is refused."""
    renew: Callable[[httpx.AsyncClient, AppCredentials, str, datetime], Awaitable[TokenPair]]
    """(http, app, refresh_token, now) -> tokens; Unauthorized where the refresh token is dead."""
    organisations: Callable[
        [httpx.AsyncClient, AppCredentials, str], Awaitable[tuple[Organisation, ...]]
    ]
    """(http, app, access_token) -> the organisations of this grant, those just granted first."""
    disconnect: Callable[[httpx.AsyncClient, AppCredentials, TokenPair, str], Awaitable[None]]
    """(http, app, tokens, grant_id) -> the grant is ended at the platform."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the platform allows for one organisation; None means not limited."""

    per_minute: int | None = None
    per_day: int | None = None
    concurrent: int | None = None


# --- reading ---


@dataclass(frozen=True, slots=True)
class Page:
    """Some records as they came. `cursor` goes on after this page; None where the feed ends.

    `requested_at` is the moment the request was sent; `total` what the platform says there are.
    `gaps` says why records may be missing although the feed ends here; empty where none are.
    """

    raws: tuple[Raw, ...]
    cursor: str | None
    requested_at: datetime
    total: int | None = None
    gaps: str = ""


@dataclass(frozen=True, slots=True)
class Feed(Generic[C, B]):
    """One endpoint that brings records of one data type.

    `pages(client, since, cursor)`: `since` None reads everything; `cursor` is a Page's.
    `records(fields, books)`: pure, tolerant: 0..n records of one raw one.
    `parent(raw)`: set where one raw record holds several of ours; names it, so that one that
    vanished inside it is noticed.
    """

    name: str
    pages: Callable[[C, datetime | None, str | None], AsyncIterator[Page]]
    records: Callable[[Fields, B], Sequence[Record]]
    ignores: frozenset[str] = frozenset()
    incremental: bool = True
    parent: Callable[[Raw], str] | None = None


@dataclass(frozen=True, slots=True)
class Read(Generic[C, B]):
    """How one data type is read: its feeds one after another.

    `overlap` is taken off the last read's start, against clocks that differ and late commits.
    """

    type: type[Record]
    feeds: tuple[Feed[C, B], ...]
    overlap: timedelta = timedelta(minutes=5)


# --- writing ---


@dataclass(frozen=True, slots=True)
class Need:
    """One property a platform takes: dotted wire path, `lineItems.accountRef.id` for each line."""

    path: str
    required: bool = False
    length_max: int | None = None
    choices: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the target held before we wrote: ids per list, and what was still open per record.

    Keys of `balances` are `bills/{id}` and `billCreditNotes/{id}`.
    """

    seen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    balances: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One record a write made, altered or took away; `type` is a word of the wire."""

    data_type: str
    id: str
    type: str = "Created"


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did; the first change is the record that was asked for."""

    changes: tuple[Change, ...]
    warnings: tuple[Problem, ...] = ()


SETTLES_AFTER = timedelta(seconds=15)
"""A connection may break while the platform is still at work on what came through it: whoever
looks sooner finds nothing, and sends again what is about to be written."""


@dataclass(frozen=True, slots=True)
class Write(Generic[C, B]):
    """How one data type is created.

    `check(record, books)`: pure rules across fields; problems refuse before anything is sent.
    `picture(client, record, books)`: read right before sending.
    `create(client, key, record, books)`: one call that changes something, key = operation key.
    `find(client, key, record, books, picture)`: did it arrive? 0, 1 or several candidates.
    `read_back(client, record, written, books)`: what was written and what it touched, as it now is.
    `settles_after`: how long the platform may take until `find` sees a write.
    """

    type: type[Record]
    needs: tuple[Need, ...]
    check: Callable[[Any, B], Sequence[Problem]]
    picture: Callable[[C, Any, B], Awaitable[Picture]]
    create: Callable[[C, str, Any, B], Awaitable[Written]]
    find: Callable[[C, str, Any, B, Picture], Awaitable[Sequence[Written]]]
    read_back: Callable[[C, Any, Written, B], Awaitable[Sequence[Record]]]
    settles_after: timedelta = SETTLES_AFTER
    not_searchable: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that hangs on a record."""

    id: str
    name: str
    content_type: str
    size_bytes: int | None = None
    include_when_sent: bool = False


@dataclass(frozen=True, slots=True)
class Attachments(Generic[C]):
    """Files of records, read and written live. `holders` are the data types that may hold some."""

    holders: tuple[str, ...]
    size_bytes_max: int
    extensions: frozenset[str]
    list: Callable[[C, str, str], Awaitable[Sequence[Attachment]]]
    """(client, data_type, record_id)"""
    download: Callable[[C, str, str, Attachment], Awaitable[bytes]]
    """(client, data_type, record_id, attachment)"""
    upload: Callable[[C, str, str, str, str, str, bytes], Awaitable[Attachment]]
    """(client, key, data_type, record_id, name, content_type, content)"""


@dataclass(frozen=True, slots=True)
class Connector(Generic[C, B]):
    """A platform's identity card: everything the rooms need to know about it.

    `origins` are the platform's own addresses, the only ones that are called without asking where
    a name points.
    """

    key: str
    name: str
    oauth: OAuth
    limits: Limits
    client: Callable[[Access], C]
    books: Callable[[C], Awaitable[B]]
    reads: tuple[Read[C, B], ...]
    writes: tuple[Write[C, B], ...]
    attachments: Attachments[C] | None = None
    origins: tuple[str, ...] = ()

    def read_of(self, data_type: str) -> Read[C, B] | None:
        return next((read for read in self.reads if read.type.key == data_type), None)

    def write_of(self, data_type: str) -> Write[C, B] | None:
        return next((write for write in self.writes if write.type.key == data_type), None)
