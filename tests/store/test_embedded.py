"""The embedded PostgreSQL keeps what it acknowledged, and never outlives or loses its host."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tallystick.db import embedded_pidfile, embedded_place, embedded_programs
from tallystick.db.embedded import (
    AlreadyServed,
    EmbeddedPostgres,
    EmbeddedPostgresError,
    NotServed,
    temporary,
)
from tallystick.db.embedded_child import OsUser

ROOT = os.geteuid() == 0
Process = contextlib.AbstractContextManager[subprocess.Popen[str]]
as_root = pytest.mark.skipif(not ROOT, reason="only root runs the server as another user")

HOST = """
import contextlib, signal, sys, threading
from pathlib import Path
from tallystick.db.embedded import EmbeddedPostgres, StoppedWhileStarting
server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
on_sigterm = sys.argv[2]
def stop(*_):
    if "stops" in on_sigterm:
        server.stop()
    if "exits" in on_sigterm:
        sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("starting", flush=True)
with contextlib.suppress(StoppedWhileStarting):
    server.start()
    print("ready", flush=True)
while server.is_running():
    threading.Event().wait(0.01)
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # pytest's own directories are closed to the user the server runs as under root.
    directory = Path(tempfile.mkdtemp(prefix="tallystick-test-"))
    directory.chmod(0o755)
    yield directory / "data"
    shutil.rmtree(directory)


@pytest.fixture
def server(data_dir: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(data_dir, durable=False) as running:
        yield running


@contextlib.contextmanager
def process(*command: str, user: OsUser | None = None) -> Iterator[subprocess.Popen[str]]:
    """Another process, gone at the end whatever the test found."""
    switch = {"user": user.uid, "group": user.gid} if ROOT and user else {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **switch) as started:  # type: ignore[call-overload]
        try:
            yield started
        finally:
            started.kill()


def host(data_dir: Path, *, on_sigterm: str = "stops and exits") -> Process:
    """Another process that owns a server."""
    return process(sys.executable, "-c", HOST, str(data_dir), on_sigterm)


def told(by: subprocess.Popen[str]) -> str:
    assert by.stdout
    return by.stdout.readline().strip()


def until(happens: Callable[[], bool], *, within_s: float = 10.0) -> None:
    for _ in range(int(within_s * 100)):
        if happens():
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"did not happen within {within_s} seconds")


def asked(url: str, question: str) -> str:
    with psycopg.connect(url, autocommit=True) as db:
        return str((db.execute(question.encode()).fetchone() or ("",))[0])


def told_to(url: str, command: str) -> None:
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(command.encode())


def postmaster(data_dir: Path) -> int:
    entry = embedded_pidfile.read(data_dir / "postgres")
    assert entry
    return entry.pid


def lives(pid: int) -> bool:
    return bool(embedded_pidfile.arguments_of(pid))


def test_the_first_start_makes_a_durable_database_that_only_a_socket_reaches(
    data_dir: Path,
) -> None:
    with EmbeddedPostgres(data_dir) as server:
        for setting, value in {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "jit": "off",
            "listen_addresses": "",
            "server_encoding": "UTF8",
            "data_checksums": "on",
            "max_connections": "100",
        }.items():
            assert asked(server.url, f"SHOW {setting}") == value
        assert asked(server.url, "SELECT current_database()") == "tallystick"
        assert asked(server.admin_url, "SELECT current_database()") == "postgres"
        assert (data_dir / "run").stat().st_mode & 0o777 == 0o700
    assert not server.is_running()


def test_a_second_start_finds_what_the_first_one_kept(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir) as first:
        told_to(first.url, "CREATE TABLE kept AS SELECT 1 AS one")
    with EmbeddedPostgres(data_dir) as second:
        assert asked(second.url, "SELECT one FROM kept") == "1"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of such a death")
def test_the_server_ends_when_its_host_is_killed(data_dir: Path) -> None:
    with host(data_dir) as killed:
        assert [told(killed), told(killed)] == ["starting", "ready"]
        orphan = postmaster(data_dir)
        killed.kill()
        until(lambda: not lives(orphan))


def test_a_new_host_starts_at_once_after_the_last_one_was_killed(data_dir: Path) -> None:
    with host(data_dir) as killed:
        assert [told(killed), told(killed)] == ["starting", "ready"]
        orphan = postmaster(data_dir)
        killed.kill()
        killed.wait()
        with EmbeddedPostgres(data_dir, durable=False) as server:
            assert postmaster(data_dir) != orphan
            assert asked(server.url, "SELECT 1") == "1"
            assert not lives(orphan)


def test_a_server_whose_host_is_gone_makes_way_for_a_new_one(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, durable=False):
        command = embedded_pidfile.arguments_of(postmaster(data_dir))
    with process(*command, user=embedded_place.server_user()) as hostless:
        until(lambda: EmbeddedPostgres.find(data_dir) is not None)
        with EmbeddedPostgres(data_dir, durable=False) as server:
            assert hostless.wait(10) == 0
            assert postmaster(data_dir) != hostless.pid
            assert asked(server.url, "SELECT 1") == "1"


def test_a_killed_server_comes_back_without_losing_an_acknowledged_commit(data_dir: Path) -> None:
    acknowledged: list[int] = []

    def insert(url: str) -> None:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url) as db:
            for number in range(1_000_000):
                db.execute("INSERT INTO kept VALUES (%s)", (number,))
                db.commit()
                acknowledged.append(number)

    with EmbeddedPostgres(data_dir) as server:
        told_to(server.url, "CREATE TABLE kept (number int)")
        inserting = threading.Thread(target=insert, args=(server.url,))
        inserting.start()
        until(lambda: len(acknowledged) > 100)
        os.kill(postmaster(data_dir), signal.SIGKILL)
        until(lambda: not server.is_running())
        assert server.ensure_running()
        inserting.join()
        with psycopg.connect(server.url) as db:
            kept = {row[0] for row in db.execute("SELECT number FROM kept")}
        assert set(acknowledged) <= kept
        assert not server.ensure_running()


def test_a_restart_waits_for_orphans_that_still_hold_the_memory(
    server: EmbeddedPostgres, data_dir: Path
) -> None:
    with contextlib.closing(psycopg.connect(server.url)) as db:
        orphan = db.info.backend_pid
        os.kill(orphan, signal.SIGSTOP)
        os.kill(postmaster(data_dir), signal.SIGKILL)
        until(lambda: not server.is_running())
        log = data_dir / "postgres.log"

        def release() -> None:
            with contextlib.suppress(AssertionError):
                until(lambda: "is still in use" in log.read_text())
            os.kill(orphan, signal.SIGCONT)

        releasing = threading.Thread(target=release)
        releasing.start()
        assert server.ensure_running()
        releasing.join()
    assert "is still in use" in log.read_text()
    assert asked(server.url, "SELECT 1") == "1"


@pytest.mark.parametrize("stranger_is_root", [pytest.param(True, marks=as_root), False])
def test_a_pid_that_now_belongs_to_another_process_does_not_stop_the_start(
    server: EmbeddedPostgres, data_dir: Path, *, stranger_is_root: bool
) -> None:
    os.kill(postmaster(data_dir), signal.SIGKILL)
    until(lambda: not server.is_running())
    user = None if stranger_is_root else embedded_place.server_user()
    with process("sleep", "60", user=user) as stranger:
        for lock_file in (
            data_dir / "postgres/postmaster.pid",
            data_dir / "run/.s.PGSQL.5432.lock",
        ):
            old = lock_file.read_text()
            lock_file.write_text(re.sub(r"\A\d+", str(stranger.pid), old))
        assert EmbeddedPostgres.find(data_dir) is None
        assert server.ensure_running()
        assert asked(server.url, "SELECT 1") == "1"
        assert stranger.poll() is None


def test_a_stranger_who_listens_on_the_socket_is_not_attached_to(
    server: EmbeddedPostgres, data_dir: Path
) -> None:
    path = data_dir / "run" / ".s.PGSQL.5432"
    path.unlink()
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.bind(str(path))
        stranger.listen()
        assert server.is_running()
        assert EmbeddedPostgres.find(data_dir) is None


def test_other_commands_attach_to_the_server_of_another_process(data_dir: Path) -> None:
    with host(data_dir) as owner:
        assert [told(owner), told(owner)] == ["starting", "ready"]
        assert asked(EmbeddedPostgres.attach(data_dir), "SELECT 1") == "1"
        with pytest.raises(AlreadyServed, match=rf"\(pid {owner.pid}\) already serves"):
            EmbeddedPostgres(data_dir).start()
        owner.terminate()
        assert owner.wait(10) == 0
    with pytest.raises(NotServed, match="start `tallystick serve` first"):
        EmbeddedPostgres.attach(data_dir)


def test_two_owners_in_one_process_are_refused_as_well(
    server: EmbeddedPostgres, data_dir: Path
) -> None:
    with pytest.raises(AlreadyServed):
        EmbeddedPostgres(data_dir).start()
    assert asked(server.url, "SELECT 1") == "1"


@pytest.mark.parametrize(
    "name", ['with spaces, a comma and "quotes"', "x" * 120], ids=["odd", "long"]
)
def test_a_path_may_be_odd_or_longer_than_a_socket_may_be(data_dir: Path, name: str) -> None:
    with EmbeddedPostgres(data_dir / name, durable=False) as server:
        assert asked(server.url, "SELECT 1") == "1"
        assert EmbeddedPostgres.attach(data_dir / name) == server.url


@pytest.mark.parametrize("on_sigterm", ["stops", "exits", "stops and exits"])
def test_a_sigterm_at_any_moment_of_the_start_ends_host_and_server(
    data_dir: Path, on_sigterm: str
) -> None:
    with EmbeddedPostgres(data_dir, durable=False):
        pass
    for delay_ms in (0, 10, 20, 30, 50):
        with host(data_dir, on_sigterm=on_sigterm) as interrupted:
            assert told(interrupted) == "starting"
            threading.Event().wait(delay_ms / 1000)
            interrupted.terminate()
            assert interrupted.wait(10) == 0
        until(lambda: EmbeddedPostgres.find(data_dir) is None)
    until(lambda: not (data_dir / "postgres" / "postmaster.pid").exists())


def test_a_sigterm_during_the_first_start_leaves_a_directory_that_starts(data_dir: Path) -> None:
    with host(data_dir) as interrupted:
        assert told(interrupted) == "starting"
        until(lambda: any(data_dir.glob(".postgres-*/PG_VERSION")))
        interrupted.terminate()
        assert interrupted.wait(10) == 0
    assert not (data_dir / "postgres").exists()
    with EmbeddedPostgres(data_dir, durable=False) as server:
        assert asked(server.url, "SELECT 1") == "1"
    assert not list(data_dir.glob(".postgres-*"))


def test_a_stopped_server_is_not_brought_back(server: EmbeddedPostgres) -> None:
    server.stop()
    server.stop()
    assert not server.ensure_running()
    assert not server.is_running()


def test_only_the_main_thread_starts_a_server(data_dir: Path) -> None:
    refused: list[BaseException] = []

    def start() -> None:
        try:
            EmbeddedPostgres(data_dir, durable=False).start()
        except RuntimeError as error:
            refused.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread only" in str(refused[0])


def test_the_variables_of_postgresql_do_not_lead_astray(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGPORT", "PGHOST", "PGDATA", "PGUSER", "PGDATABASE"):
        monkeypatch.setenv(name, "1")
    with EmbeddedPostgres(data_dir, durable=False) as server:
        assert asked(server.url, "SELECT current_user") == "tallystick"


def test_the_log_is_kept_small_while_the_server_writes_it(
    server: EmbeddedPostgres, data_dir: Path
) -> None:
    log = data_dir / "postgres.log"
    with log.open("a") as file:
        file.write("a line\n" * 1_000_000)
    assert server.poll() is None
    assert log.stat().st_size < 1_000
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(server.url.replace("/tallystick?", "/nothing?"))
    until(lambda: b"nothing" in log.read_bytes())
    assert b"\0" not in log.read_bytes()
    assert (data_dir / "postgres.log.1").stat().st_size > 5_000_000


def test_a_read_only_data_directory_is_explained_in_one_sentence(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o555)
    user = embedded_place.server_user()
    attempt = """
import os, sys
from pathlib import Path
from tallystick.db.embedded import EmbeddedPostgres, EmbeddedPostgresError
if os.geteuid() == 0:
    os.setgid(int(sys.argv[3]))
    os.setuid(int(sys.argv[2]))
try:
    EmbeddedPostgres(Path(sys.argv[1])).start()
except EmbeddedPostgresError as error:
    print(error)
"""
    command = [sys.executable, "-c", attempt, str(data_dir), str(user.uid), str(user.gid)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == (
        f"The data directory {data_dir} cannot be written (Permission denied): make it writable or"
        " choose another.\n"
    )


def test_data_of_another_major_version_are_explained(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedPostgresError, match="were made by PostgreSQL 9 and the programs"):
        EmbeddedPostgres(data_dir).start()


def test_what_is_not_a_database_is_not_touched(data_dir: Path) -> None:
    (data_dir / "postgres").mkdir(parents=True)
    (data_dir / "postgres" / "letter.txt").write_text("mine")
    with pytest.raises(EmbeddedPostgresError, match="not PostgreSQL's data"):
        EmbeddedPostgres(data_dir).start()
    assert (data_dir / "postgres" / "letter.txt").read_text() == "mine"


def test_a_server_that_cannot_start_says_why(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, durable=False):
        pass
    with (data_dir / "postgres" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")
    with pytest.raises(EmbeddedPostgresError, match=r"configuration file .* contains errors"):
        EmbeddedPostgres(data_dir, durable=False).start()


def test_programs_named_wrongly_are_explained(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLYSTICK_PG_BIN", "/nowhere")
    with pytest.raises(EmbeddedPostgresError, match="TALLYSTICK_PG_BIN names /nowhere"):
        EmbeddedPostgres(data_dir).start()


def test_a_temporary_server_stands_anywhere_and_makes_databases(tmp_path: Path) -> None:
    with temporary(tmp_path / "server") as admin_url:
        told_to(admin_url, "CREATE DATABASE another")
        assert asked(admin_url, "SHOW fsync") == "off"
        data = Path(asked(admin_url, "SHOW data_directory"))
        assert data.exists()
    assert not data.exists()


@as_root
def test_programs_in_a_closed_directory_are_copied_to_where_the_user_can_run_them(
    data_dir: Path,
) -> None:
    found = embedded_programs.find()
    if not found.trees:
        pytest.skip("PostgreSQL here is not the wheel's")
    closed = data_dir.parent / "closed"
    closed.mkdir(mode=0o700)
    trees = tuple(closed / tree.name for tree in found.trees)
    for tree, moved in zip(found.trees, trees, strict=True):
        shutil.copytree(tree, moved, ignore=shutil.ignore_patterns("include"))
    hidden = embedded_programs.Programs(
        bin_dir=closed / found.bin_dir.relative_to(found.trees[0].parent),
        version=found.version,
        trees=trees,
    )
    copies = data_dir.parent
    copies.chmod(0o711)
    user = embedded_place.server_user()
    nearer = embedded_programs.reachable(hidden, user=user, copies=copies)
    assert closed not in nearer.bin_dir.parents
    assert embedded_programs.reachable(nearer, user=user, copies=copies) == nearer


@as_root
def test_a_data_directory_the_system_user_cannot_reach_is_explained(data_dir: Path) -> None:
    data_dir.parent.chmod(0o700)
    with pytest.raises(EmbeddedPostgresError, match=f"{data_dir.parent} is closed to them"):
        EmbeddedPostgres(data_dir).start()


@as_root
def test_another_user_is_refused_even_where_the_directory_was_opened(
    server: EmbeddedPostgres, data_dir: Path
) -> None:
    for path in (data_dir.parent, data_dir / "run", data_dir / "run" / ".s.PGSQL.5432"):
        path.chmod(0o777)
    attempt = """
import os, pwd, sys
import psycopg
os.setgid(pwd.getpwnam("nobody").pw_gid)
os.setuid(pwd.getpwnam("nobody").pw_uid)
try:
    psycopg.connect(sys.argv[1])
except psycopg.OperationalError as error:
    print(error)
"""
    command = [sys.executable, "-c", attempt, server.url]
    refused = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "Peer authentication failed" in refused
