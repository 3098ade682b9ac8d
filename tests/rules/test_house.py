"""The house inspects itself: rules that no type checker and no import rule can hold."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_SOURCE = _ROOT / "src" / "tallystick"
_MODULES = sorted(_SOURCE.rglob("*.py"))

_SQL = re.compile(
    r"\b(select\s.+\sfrom|insert\s+into|update\s+\w+\s+set|delete\s+from|create\s+table)\b",
    re.IGNORECASE | re.DOTALL,
)
# The query compiler is SQL's one home in Python; `migrate` keeps the book of migrations; a
# simulator stands outside the house and keeps its own books.
_MAY_HOLD_SQL = {"query/sql.py", "query/fields.py", "query/order.py", "db/migrate.py"}
_EMPTY_NAMES = {"utils", "util", "helpers", "common", "manager", "service", "services", "misc"}
_LINES_MAX = 500


def _name(path: Path) -> str:
    return path.relative_to(_SOURCE).as_posix()


def _texts(tree: ast.AST) -> Iterator[ast.Constant]:
    """Literals that are not documentation."""
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in documentation:
            yield node


@pytest.mark.parametrize("path", _MODULES, ids=_name)
def test_sql_stands_in_sql_files(path: Path) -> None:
    if _name(path) in _MAY_HOLD_SQL or _name(path).startswith("simulators/"):
        return

    found = [t.lineno for t in _texts(ast.parse(path.read_text())) if _SQL.search(str(t.value))]

    assert found == []


@pytest.mark.parametrize("path", _MODULES, ids=_name)
def test_every_module_says_what_lives_in_it(path: Path) -> None:
    text = path.read_text()
    if not text.strip():
        return

    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", _MODULES, ids=_name)
def test_a_file_reads_in_one_sitting(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= _LINES_MAX


@pytest.mark.parametrize("path", _MODULES, ids=_name)
def test_a_name_says_what_it_holds(path: Path) -> None:
    assert path.stem not in _EMPTY_NAMES


@pytest.mark.parametrize("path", _MODULES, ids=_name)
def test_money_is_never_a_float(path: Path) -> None:
    if not _name(path).startswith(("model/", "push/", "connectors/", "records/")):
        return
    calls = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "float"
    ]

    assert calls == []


@pytest.mark.parametrize("path", _MODULES, ids=_name)
def test_only_the_clock_asks_the_machine_for_the_time(path: Path) -> None:
    """A moment that was not injected cannot be moved by a test."""
    # The command line stands outside; a simulator has a clock of its own.
    if _name(path) == "lib/clock.py" or _name(path).startswith(("cli/", "simulators/")):
        return
    asked = [
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    ]

    assert not {"datetime.now", "datetime.datetime.now", "time.time", "datetime.utcnow"} & {*asked}


def test_nothing_is_left_for_later() -> None:
    files = [*_MODULES, *sorted((_ROOT / "tests").rglob("*.py"))]
    words = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")

    assert [f.name for f in files if words.search(f.read_text())] == []


def test_each_sql_file_lies_beside_its_store() -> None:
    homes = {path.parent for path in _SOURCE.rglob("*.sql") if path.parent.name != "migrations"}

    assert all(any(home.glob("*.py")) for home in homes)
