"""When reads are queued by themselves: after a link, and as often as the settings say."""

from datetime import datetime
from typing import Any

from tallystick.companies import companies, connections
from tallystick.companies.connections import Connection
from tallystick.companies.reach import Reach
from tallystick.db.pool import Database, Tx, all_rows, one
from tallystick.db.sqlfile import beside
from tallystick.errors import TallystickError
from tallystick.lib.log import log
from tallystick.model import DATA_TYPES
from tallystick.sync import datasets, settings
from tallystick.sync.datasets import Dataset

_SQL = beside(__file__, "schedule.sql")

# So many at a tick: a thousand connections of one schedule do not all start in one second.
_CONNECTIONS_MAX = 50
_TYPES_MAX = 500


async def queue_initial(database: Database, reach: Reach, *, now: datetime) -> None:
    """After each authorisation: what is wanted at the first link, and what was read before."""
    async with database.transaction() as tx:
        rows = await all_rows(tx, _SQL["newly_linked"], {"most": _CONNECTIONS_MAX})
    for row in rows:
        try:
            async with database.transaction() as tx:
                await _queue_initial(tx, reach, str(row["id"]), now)
        except TallystickError as error:
            log.warning("initial_read_skipped", connection=str(row["id"]), reason=error.message)


async def _queue_initial(tx: Tx, reach: Reach, connection_id: str, now: datetime) -> None:
    if await one(tx, _SQL["hold"], {"id": connection_id}) is None:
        return
    connection = await connections.find(tx, connection_id)
    asked = await one(
        tx,
        _SQL["read_since_linked"],
        {"id": connection_id, "linked_at": connection.linked_at},
    )
    if asked is None or asked["found"]:
        return
    before = {
        row["data_type"]
        for row in await all_rows(
            tx,
            _SQL["completed_types"],
            {"company_id": connection.company_id, "id": connection_id},
        )
    }
    wanted = await wanted_at_link(tx, connection)
    data_types = [r.key for r in DATA_TYPES if r.key in before or r.key in wanted]
    await queue(tx, reach, connection, data_types, initial=True, now=now)


async def wanted_at_link(tx: Tx, connection: Connection) -> list[str]:
    """The data types that are read without being asked for one by one."""
    chosen = await settings.effective(
        tx, client_id=connection.client_id, company_id=connection.company_id
    )
    return [r.key for r in DATA_TYPES if r.key in chosen and chosen[r.key].fetch_on_first_link]


async def queue(
    tx: Tx,
    reach: Reach,
    connection: Connection,
    data_types: list[str],
    *,
    initial: bool,
    now: datetime,
) -> list[Dataset]:
    """Queue those that do not run already, in the order of the settings."""
    chosen = await settings.effective(
        tx, client_id=connection.client_id, company_id=connection.company_id
    )
    return await datasets.queue(
        tx,
        company=await companies.find(tx, connection.company_id),
        connection=connection,
        connector=reach.connector(connection.platform_key),
        data_types=settings.in_order(chosen, data_types),
        initial=initial,
        skip_running=True,
        now=now,
    )


async def queue_scheduled(database: Database, reach: Reach, *, now: datetime) -> None:
    """What is due by the clock, connection by connection."""
    async with database.transaction() as tx:
        rows = await all_rows(tx, _SQL["scheduled"], _due(reach, None, now))
    for connection_id in list(dict.fromkeys(str(row["id"]) for row in rows))[:_CONNECTIONS_MAX]:
        try:
            async with database.transaction() as tx:
                await _queue_scheduled(tx, reach, connection_id, now)
        except TallystickError as error:
            log.warning("schedule_skipped", connection=connection_id, reason=error.message)


def _due(reach: Reach, connection_id: str | None, now: datetime) -> dict[str, Any]:
    readable = reach.readable()
    return {
        "id": connection_id,
        "now": now,
        "most": _TYPES_MAX,
        "platform_keys": [platform_key for platform_key, _ in readable],
        "data_types": [data_type for _, data_type in readable],
    }


async def _queue_scheduled(tx: Tx, reach: Reach, connection_id: str, now: datetime) -> None:
    await one(tx, _SQL["hold"], {"id": connection_id})
    due = await all_rows(tx, _SQL["scheduled"], _due(reach, connection_id, now))
    asked = {row["data_type"] for row in due}
    connection = await connections.find(tx, connection_id)
    data_types = [r.key for r in DATA_TYPES if r.key in asked]
    if data_types:
        await queue(tx, reach, connection, data_types, initial=False, now=now)
