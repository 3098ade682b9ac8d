"""What an operation does at the platform: create a record, or hang a file on one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from tallystick.connectors.contract import (
    SETTLES_AFTER,
    Attachments,
    Books,
    Change,
    Picture,
    Write,
    Written,
)
from tallystick.errors import Problem
from tallystick.model import Record
from tallystick.push.operations import File
from tallystick.push.outcomes import Outcome

_FILES = "attachments"


class Deed(Protocol):
    """One thing to be done once. Nothing but `perform` changes anything."""

    @property
    def record(self) -> Record | None:
        """What is to be created."""
        ...

    @property
    def settles_after(self) -> timedelta: ...

    @property
    def not_searchable(self) -> str:
        """Why it cannot be known whether it arrived; empty where it can."""
        ...

    def check(self) -> Sequence[Problem]: ...

    async def picture(self) -> Picture: ...

    async def perform(self, key: str) -> Outcome: ...

    async def find(self, key: str, picture: Picture) -> Sequence[Outcome]: ...

    async def read_back(self, outcome: Outcome) -> Sequence[Record]: ...


@dataclass(frozen=True, slots=True)
class CreateRecord:
    """A new record."""

    write: Write[Any, Any]
    client: Any
    books: Books
    record: Record

    @property
    def settles_after(self) -> timedelta:
        return self.write.settles_after

    @property
    def not_searchable(self) -> str:
        return self.write.not_searchable

    def check(self) -> Sequence[Problem]:
        return self.write.check(self.record, self.books)

    async def picture(self) -> Picture:
        return await self.write.picture(self.client, self.record, self.books)

    async def perform(self, key: str) -> Outcome:
        return _outcome(await self.write.create(self.client, key, self.record, self.books))

    async def find(self, key: str, picture: Picture) -> Sequence[Outcome]:
        found = await self.write.find(self.client, key, self.record, self.books, picture)
        return [_outcome(written) for written in found]

    async def read_back(self, outcome: Outcome) -> Sequence[Record]:
        written = Written(outcome.changes, outcome.warnings)
        return await self.write.read_back(self.client, self.record, written, self.books)


def _outcome(written: Written) -> Outcome:
    return Outcome(written.changes, warnings=written.warnings)


@dataclass(frozen=True, slots=True)
class UploadFile:
    """A file hung on a record that exists."""

    attachments: Attachments[Any]
    client: Any
    data_type: str
    record_id: str
    file: File
    record: None = None
    settles_after: timedelta = SETTLES_AFTER
    not_searchable: str = ""

    def check(self) -> Sequence[Problem]:
        return ()

    async def picture(self) -> Picture:
        held = await self.attachments.list(self.client, self.data_type, self.record_id)
        return Picture(seen={_FILES: tuple(one.id for one in held)})

    async def perform(self, key: str) -> Outcome:
        file = self.file
        made = await self.attachments.upload(
            self.client,
            key,
            self.data_type,
            self.record_id,
            file.name,
            file.content_type,
            file.content,
        )
        return self._uploaded(made.id)

    async def find(self, key: str, picture: Picture) -> Sequence[Outcome]:  # noqa: ARG002 - files carry no marker
        """The new file of that name and size."""
        held = await self.attachments.list(self.client, self.data_type, self.record_id)
        known = set(picture.seen.get(_FILES, ()))
        return [
            self._uploaded(one.id)
            for one in held
            if one.id not in known
            and one.name == self.file.name
            and one.size_bytes in {None, len(self.file.content)}
        ]

    async def read_back(self, outcome: Outcome) -> Sequence[Record]:  # noqa: ARG002 - files are read live
        return ()

    def _uploaded(self, attachment_id: str) -> Outcome:
        change = Change(self.data_type, self.record_id, "AttachmentUploaded")
        return Outcome((change,), attachment_id)
