"""The table of moves, and the statements that make them."""

import re
from pathlib import Path

import pytest

from tallystick.db.sqlfile import queries
from tallystick.push import states
from tallystick.push.states import MOVES, STATUS_CODES, State, public

_SQL = queries(Path(states.__file__).with_name("operation.sql"))
_STARTS = re.compile(r"where .*?\bstate in \(([^)]*)\)", re.DOTALL)
_ENDS = re.compile(r"set state = '(\w+)'")


@pytest.mark.parametrize("name", MOVES)
def test_each_move_is_one_statement_that_starts_and_ends_where_the_table_says(name: str) -> None:
    statement, move = _SQL[name], MOVES[name]
    starts = _STARTS.search(statement)
    assert starts is not None
    assert {word.strip(" '\n") for word in starts[1].split(",")} == {
        state.value for state in move.starts
    }
    assert _ENDS.findall(statement) == [move.ends.value]
    assert statement.count(";") == 1


def test_no_statement_moves_an_operation_beside_the_table() -> None:
    moving = {name for name, statement in _SQL.items() if "set state =" in statement}
    assert moving == set(MOVES)


@pytest.mark.parametrize("name", sorted(set(MOVES) - {"time_out"}))
def test_a_move_asks_for_the_attempt_it_was_decided_on(name: str) -> None:
    assert "attempt = %(attempt)s" in _SQL[name].split("where", 1)[1]


def test_what_has_ended_never_moves_again() -> None:
    ended = set(State) - states.OPEN
    assert all(not move.starts & ended for move in MOVES.values())


def test_nothing_is_sent_that_was_not_pending_or_looked_for() -> None:
    into_sending = [move for move in MOVES.values() if move.ends is State.Sending]
    assert {state for move in into_sending for state in move.starts} == {
        State.Pending,
        State.Checking,
    }


def test_callers_see_four_words() -> None:
    assert {public(state) for state in State} == set(STATUS_CODES)
    assert {state for state in State if public(state) == "Pending"} == states.OPEN
