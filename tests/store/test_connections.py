"""The moves of a connection's status: the table and the SQL agree, and events tell of each."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from tallystick.access import clients
from tallystick.companies import companies, connections
from tallystick.companies.connections import MOVES, Connection, ConnectionFault, Status
from tallystick.connectors.contract import Organisation
from tallystick.db.pool import Tx, one
from tallystick.errors import BadRequest, Conflict, NotFound

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
BOOKS = Organisation(id="org", name="Books", grant_id="grant")

_FROM = re.compile(r"status in \(([^)]*)\)")
_TO = re.compile(r"set status = '(\w+)'")


async def _linked(tx: Tx, connection: Connection) -> Connection:
    return await connections.linked(
        tx, connection, organisation=BOOKS, base_url=None, simulated=False, now=LATER
    )


async def _failed(tx: Tx, connection: Connection) -> Connection:
    error = ConnectionFault(403, "User cancelled", "access_denied")
    return await connections.failed(tx, connection, error=error, now=LATER)


async def _unlinked(tx: Tx, connection: Connection) -> Connection:
    return await connections.unlinked(tx, connection, now=LATER)


async def _deauthorised(tx: Tx, connection: Connection) -> Connection:
    return await connections.deauthorised(tx, connection, reason="revoked", now=LATER)


STEPS: dict[str, Callable[[Tx, Connection], Awaitable[Connection]]] = {
    "linked": _linked,
    "failed": _failed,
    "unlinked": _unlinked,
    "deauthorised": _deauthorised,
}
EVENTS = {
    ("linked", Status.PendingAuth): "connection.connected",
    ("linked", Status.Linked): "connection.reconnected",
    ("linked", Status.Unlinked): "connection.reconnected",
    ("linked", Status.Deauthorized): "connection.reconnected",
    ("failed", Status.PendingAuth): "connection.failed",
    ("failed", Status.Unlinked): "connection.failed",
    ("failed", Status.Deauthorized): "connection.failed",
    ("unlinked", Status.Linked): "connection.disconnected",
    ("deauthorised", Status.Linked): "connection.disconnected",
}


async def _company(tx: Tx) -> companies.Company:
    client = await clients.create(tx, name="Buyer", now=NOW)
    return await companies.create(
        tx,
        client_id=client.id,
        name="Acme",
        description=None,
        tags={},
        created_by=None,
        now=NOW,
    )


async def _at(tx: Tx, status: Status) -> Connection:
    made = await connections.create(
        tx, company=await _company(tx), platform_key="gbol", simulated=False, now=NOW
    )
    await tx.execute(
        "update connection set status = %(status)s where id = %(id)s",
        {"status": status.value, "id": made.id},
    )
    return await connections.find(tx, made.id)


async def _last_event(tx: Tx) -> str:
    row = await one(tx, "select event_type from event order by ctid desc limit 1")
    assert row is not None
    return str(row["event_type"])


@pytest.mark.parametrize("name", MOVES)
def test_the_table_of_moves_and_the_sql_agree(name: str) -> None:
    statement = connections._SQL[name]

    named = _FROM.findall(statement)
    assert {frozenset(re.findall(r"\w+", one)) for one in named} == {
        frozenset(status.value for status in MOVES[name].come_from)
    }
    assert _TO.findall(statement) == ([] if MOVES[name].to is None else [MOVES[name].to])


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("name", MOVES)
async def test_a_move_is_made_from_where_the_table_allows_and_told(
    tx: Tx, name: str, status: Status
) -> None:
    connection = await _at(tx, status)
    allowed = status in MOVES[name].come_from

    if name == "unlinked" and not allowed:
        with pytest.raises(BadRequest, match=status.value):
            await STEPS[name](tx, connection)
        return
    moved = await STEPS[name](tx, connection)

    assert moved.status == ((MOVES[name].to or status) if allowed else status)
    assert await _last_event(tx) == EVENTS.get((name, status), "connection.created")


async def test_linking_notes_where_and_when(tx: Tx) -> None:
    linked = await _linked(tx, await _at(tx, Status.PendingAuth))

    assert (linked.organisation_id, linked.organisation_name) == ("org", "Books")
    assert (linked.grant_id, linked.linked_at) == ("grant", LATER)


async def test_one_accounting_connection_is_linked_at_a_time(tx: Tx) -> None:
    first = await _linked(tx, await _at(tx, Status.PendingAuth))
    company = await companies.find(tx, first.company_id)
    second = await connections.create(
        tx, company=company, platform_key="gbol", simulated=False, now=NOW
    )

    with pytest.raises(Conflict):
        await _linked(tx, second)
    await clients.allow_several_connections(tx, company.client_id, allowed=True)

    assert (await _linked(tx, second)).status is Status.Linked


async def test_the_newest_twenty_faults_are_kept(tx: Tx) -> None:
    connection = await _at(tx, Status.PendingAuth)
    for number in range(25):
        error = ConnectionFault(500, f"fault {number}", "Unknown error occurred")
        connection = await connections.failed(tx, connection, error=error, now=NOW)

    texts = [fault["statusText"] for fault in connection.errors]
    assert texts == [f"fault {number}" for number in range(24, 4, -1)]


async def test_a_deleted_connection_takes_what_it_read_with_it(tx: Tx) -> None:
    connection = await _linked(tx, await _at(tx, Status.PendingAuth))
    await tx.execute(
        "insert into record (company_id, connection_id, data_type, id, body, fields, hash,"
        " modified_at, read_at, change)"
        " values (%(company)s, %(id)s, 'bills', 'b', '{}', '{}', '', now(), now(), 1)",
        {"company": connection.company_id, "id": connection.id},
    )

    await connections.delete(tx, connection, now=LATER)

    assert await one(tx, "select 1 from record where connection_id = %s", [connection.id]) is None
    assert await _last_event(tx) == "connection.deleted"
    with pytest.raises(NotFound):
        await connections.find(tx, connection.id)


async def test_a_grant_that_another_connection_lives_off_is_known(tx: Tx) -> None:
    alone = await _linked(tx, await _at(tx, Status.PendingAuth))
    assert not await connections.shares_grant(tx, alone)

    await _linked(tx, await _at(tx, Status.PendingAuth))

    assert await connections.shares_grant(tx, alone)


async def test_a_read_moves_the_moment_of_the_last_one_forward_only(tx: Tx) -> None:
    connection = await _at(tx, Status.Linked)

    await companies.touch_sync(tx, connection.company_id, connection.id, LATER)
    await companies.touch_sync(tx, connection.company_id, connection.id, NOW)

    assert (await connections.find(tx, connection.id)).last_sync_at == LATER
    assert (await companies.find(tx, connection.company_id)).last_sync_at == LATER
