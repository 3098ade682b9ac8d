"""From an operation to its deed: the connection it was meant for, and the connector's own words."""

from datetime import datetime, timedelta

from tallystick.companies import connections
from tallystick.companies.connections import Connection, Status
from tallystick.companies.reach import Reach
from tallystick.connectors.contract import SETTLES_AFTER
from tallystick.db.pool import Database
from tallystick.errors import NotPermitted, TallystickError, Unauthorized
from tallystick.lib import json
from tallystick.model import BY_KEY, Record
from tallystick.push import operations
from tallystick.push.check import without_nulls
from tallystick.push.deeds import CreateRecord, Deed, UploadFile
from tallystick.push.operations import UPLOAD, File, Operation

_FORGETS_EVERY = timedelta(minutes=1)


class Plans:
    """Opens what an operation needs at its platform; no call there changes anything."""

    def __init__(self, *, database: Database, reach: Reach) -> None:
        self._database = database
        self._reach = reach
        self._forgot_at: dict[str, datetime] = {}

    async def deed(self, operation: Operation) -> Deed:
        """What the operation is to do.

        Raises:
            PlatformError: it cannot be done now, or not through this connection.
        """
        connection, file = await self._load(operation)
        _must_be_the_one(connection, operation)
        try:
            client = self._reach.client(connection)
            connector = self._reach.connector(connection.platform_key)
        except TallystickError as error:
            raise NotPermitted(error.message) from error
        if operation.kind == UPLOAD:
            if connector.attachments is None or file is None or operation.record_id is None:
                raise NotPermitted(f"{connector.name} takes no files.")
            return UploadFile(
                connector.attachments, client, operation.data_type, operation.record_id, file
            )
        write = connector.write_of(operation.data_type)
        if write is None:
            raise NotPermitted(f"{connector.name} takes no {operation.data_type}.")
        books = await self._reach.books(connection, client)
        return CreateRecord(write, client, books, record_of(operation))

    async def settles_after(self, operation: Operation) -> timedelta:
        """How long the platform may take until it shows a write."""
        try:
            connection, _ = await self._load(operation)
            write = self._reach.connector(connection.platform_key).write_of(operation.data_type)
        except (TallystickError, Unauthorized):
            return SETTLES_AFTER
        return SETTLES_AFTER if write is None else write.settles_after

    def forget_books(self, operation: Operation, *, now: datetime) -> bool:
        """Have the reference data read anew; no more than once a minute, for it costs calls."""
        key, last = operation.connection_id, self._forgot_at.get(operation.connection_id)
        if last is not None and now - last < _FORGETS_EVERY:
            return False
        self._forgot_at[key] = now
        self._reach.forget_books(key)
        return True

    async def _load(self, operation: Operation) -> tuple[Connection, File | None]:
        async with self._database.transaction() as tx:
            file = await operations.file(tx, operation.key) if operation.kind == UPLOAD else None
            try:
                return await connections.find(tx, operation.connection_id), file
            except TallystickError as error:
                raise Unauthorized(error.message) from error


def record_of(operation: Operation) -> Record:
    """What it is to create."""
    body = without_nulls(json.loads(operation.request))
    return BY_KEY[operation.data_type].from_wire(body)


def _must_be_the_one(connection: Connection, operation: Operation) -> None:
    if connection.status is not Status.Linked:
        raise Unauthorized(f"The connection is {connection.status}.")
    if connection.organisation_id != operation.organisation_id:
        raise NotPermitted(
            "The connection was linked to other books after the write was accepted. Nothing is "
            "written into these."
        )
