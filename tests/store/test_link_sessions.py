"""Visits as they are stored: their moves, their end, and what is never kept."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tallystick.access import clients
from tallystick.companies import companies, connections
from tallystick.db.pool import Tx, one
from tallystick.db.sqlfile import beside
from tallystick.lib.clock import FixedClock
from tallystick.lib.secrets import new_token
from tallystick.link import sessions
from tallystick.link.sessions import MOVES, Session, State, VisitOver

_SQL = beside(sessions.__file__, "link.sql")


async def _visit(tx: Tx, clock: FixedClock, browser: str) -> Session:
    now = clock.now()
    client = await clients.create(tx, name="A", now=now)
    company = await companies.create(
        tx, client_id=client.id, name="B", description=None, tags={}, created_by=None, now=now
    )
    connection = await connections.create(
        tx, company=company, platform_key="gbol", simulated=False, now=now
    )
    return await sessions.open_visit(
        tx,
        client_id=client.id,
        company_id=company.id,
        connection_id=connection.id,
        browser=browser,
        parameters={"a": "b c"},
        now=now,
    )


_STEPS: dict[str, Callable[[Tx, Session, FixedClock], Awaitable[Session]]] = {
    "consented": lambda tx, s, c: sessions.consented(tx, s, oauth_state=new_token(), now=c.now()),
    "returned": lambda tx, s, c: sessions.returned(tx, s, now=c.now()),
    "choosing": lambda tx, s, c: sessions.choosing(tx, s, sealed=b"x", now=c.now()),
    "connected": lambda tx, s, c: sessions.connected(tx, s, outcome={}, now=c.now()),
    "failed": lambda tx, s, c: sessions.failed(tx, s, outcome={}, now=c.now()),
}


@pytest.mark.parametrize("name", list(MOVES))
def test_the_table_of_moves_and_the_statements_agree(name: str) -> None:
    statement = _SQL[name]
    listed = re.search(r"state in \(([^)]*)\)", statement)
    target = re.search(r"set state = '(\w+)'", statement)
    assert listed
    assert target
    assert set(re.findall(r"'(\w+)'", listed[1])) == {s.value for s in MOVES[name].come_from}
    assert target[1] == MOVES[name].to.value


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("name", list(MOVES))
async def test_a_visit_moves_only_as_the_table_says(
    tx: Tx, clock: FixedClock, name: str, state: State
) -> None:
    visit = await _visit(tx, clock, new_token())
    await tx.execute("update link_session set state = %(state)s", {"state": state.value})

    if state in MOVES[name].come_from:
        moved = await _STEPS[name](tx, visit, clock)
        assert moved.state is MOVES[name].to
    else:
        with pytest.raises(VisitOver):
            await _STEPS[name](tx, visit, clock)


@pytest.mark.parametrize("name", list(MOVES))
async def test_an_expired_visit_does_not_move(tx: Tx, clock: FixedClock, name: str) -> None:
    visit = await _visit(tx, clock, new_token())
    state = min(MOVES[name].come_from)
    await tx.execute("update link_session set state = %(state)s", {"state": state.value})
    clock.advance(seconds=sessions.READING.total_seconds())
    with pytest.raises(VisitOver):
        await _STEPS[name](tx, visit, clock)


async def test_a_visit_is_found_by_its_own_browser_only(tx: Tx, clock: FixedClock) -> None:
    browser, state, now = new_token(), new_token(), clock.now()
    visit = await _visit(tx, clock, browser)
    await sessions.consented(tx, visit, oauth_state=state, now=now)

    assert (await sessions.get(tx, session_id=visit.id, browser=browser, now=now)).id == visit.id
    found = await sessions.by_oauth_state(tx, oauth_state=state, browser=browser, now=now)
    assert found.id == visit.id
    for other in ("", new_token()):
        with pytest.raises(VisitOver) as refused:
            await sessions.get(tx, session_id=visit.id, browser=other, now=now)
        assert refused.value.start is None
        with pytest.raises(VisitOver):
            await sessions.by_oauth_state(tx, oauth_state=state, browser=other, now=now)


async def test_a_late_visitor_is_told_where_to_begin_anew(tx: Tx, clock: FixedClock) -> None:
    browser = new_token()
    visit = await _visit(tx, clock, browser)
    late = clock.now() + sessions.READING
    with pytest.raises(VisitOver) as refused:
        await sessions.get(tx, session_id=visit.id, browser=browser, now=late)
    assert refused.value.start == (
        f"/companies/{visit.company_id}/connections/{visit.connection_id}/start?a=b+c"
    )


async def test_agreeing_again_makes_the_state_before_worthless(tx: Tx, clock: FixedClock) -> None:
    browser, first, second, now = new_token(), new_token(), new_token(), clock.now()
    visit = await _visit(tx, clock, browser)
    await sessions.consented(tx, visit, oauth_state=first, now=now)
    await sessions.consented(tx, visit, oauth_state=second, now=now)
    with pytest.raises(VisitOver):
        await sessions.by_oauth_state(tx, oauth_state=first, browser=browser, now=now)


async def test_neither_cookie_nor_state_is_stored(tx: Tx, clock: FixedClock) -> None:
    browser, state = new_token(), new_token()
    visit = await _visit(tx, clock, browser)
    await sessions.consented(tx, visit, oauth_state=state, now=clock.now())
    row = await one(tx, "select link_session::text as text from link_session")
    assert row
    assert browser not in row["text"]
    assert state not in row["text"]


@pytest.mark.parametrize("text", ["", "x", "{}", "%00"])
async def test_what_is_no_id_is_no_visit(tx: Tx, clock: FixedClock, text: str) -> None:
    with pytest.raises(VisitOver):
        await sessions.get(tx, session_id=text, browser=new_token(), now=clock.now())


async def test_visits_are_forgotten_a_day_after_their_end(tx: Tx, clock: FixedClock) -> None:
    await _visit(tx, clock, new_token())
    end = clock.now() + sessions.READING
    await sessions.tidy(tx, now=end + timedelta(hours=23))
    assert await one(tx, "select 1 from link_session")
    await sessions.tidy(tx, now=end + timedelta(days=1))
    assert not await one(tx, "select 1 from link_session")


def test_every_heading_is_used() -> None:
    source = Path(sessions.__file__).read_text()
    for name in _SQL:
        assert f'"{name}"' in source
