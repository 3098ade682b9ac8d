"""PostgreSQL as a child of `tallystick serve`: started, watched, brought back and stopped."""

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from tallystick.db import (
    embedded_cluster,
    embedded_log,
    embedded_pidfile,
    embedded_place,
    embedded_programs,
)
from tallystick.db.embedded_child import Child, signals_held_back, spawn
from tallystick.db.embedded_errors import (
    AlreadyServed,
    EmbeddedPostgresError,
    NotServed,
    StoppedWhileStarting,
)
from tallystick.db.embedded_place import PORT, USER, Place, default_data_dir
from tallystick.db.embedded_programs import Programs

__all__ = [
    "AlreadyServed",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "NotServed",
    "StoppedWhileStarting",
    "default_data_dir",
    "temporary",
]

_PREDECESSOR_GONE_WITHIN_S = 20.0
_READY_WITHIN_S = 600.0
"""A server that replays its log after a crash is slow, not stuck."""
_LOOK_EVERY_S = 0.01


class EmbeddedPostgres:
    """The server of one data directory, owned by this process until it stops or dies.

    Only the main thread starts it: Linux stops the server when the thread that started it ends.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.data_dir = data_dir.expanduser().resolve()
        self._durable = durable
        self._wanted = False
        self._starting = False
        self._lock: int | None = None
        self._child: Child | None = None
        self._place: Place | None = None
        self._socket_dir: Path | None = None

    @property
    def url(self) -> str:
        """The address of Tallystick's own database."""
        return self._address(USER)

    @property
    def admin_url(self) -> str:
        """The address of a database from which others can be made and dropped."""
        return self._address("postgres")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Return when the server takes connections; an interruption leaves nothing behind."""
        self._wanted = self._starting = True
        ready = False
        try:
            self._start()
            ready = True
        except EmbeddedPostgresError:
            # A server stopped while it starts fails in one way or another; that is no news.
            if self._wanted:
                raise
        finally:
            self._starting = False
            if not (ready and self._wanted):
                self._abandon()
        self._check_wanted()

    def stop(self) -> None:
        """Stop the server and give the data directory back; a signal handler may call it."""
        self._wanted = False
        if not self._starting:
            self._abandon()
        elif self._child:
            # The start that was interrupted goes on after the handler, so it keeps the lock until
            # it notices.
            self._child.stop()

    def poll(self) -> int | None:
        """Give the exit code of a server that died, None while it runs; keeps the log small."""
        if self._place:
            embedded_log.keep_small(self._place.log)
        return self._child.poll() if self._child else None

    def is_running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def ensure_running(self) -> bool:
        """Bring back a server that died and say whether that was needed; one stopped stays so."""
        if not self._wanted or (self._child and self.poll() is None):
            return False
        self.start()
        return True

    @classmethod
    def attach(cls, data_dir: Path) -> str:
        """Give the address of the server another process owns, or say that there is none."""
        url = cls.find(data_dir)
        if url is None:
            raise NotServed(
                f"No server runs on the data directory {data_dir}: start `tallystick serve` first,"
                " or set TALLYSTICK_DATABASE_URL."
            )
        return url

    @classmethod
    def find(cls, data_dir: Path) -> str | None:
        """Give the address of the server another process owns, None when there is none."""
        found = cls(data_dir)
        pgdata = found.data_dir / "postgres"
        try:
            entry = embedded_pidfile.read(pgdata)
        except PermissionError:
            raise EmbeddedPostgresError(
                f"The data directory {data_dir} is closed to this user: run as the user who runs"
                " `tallystick serve`, or as root."
            ) from None
        if not (entry and entry.ready and embedded_pidfile.listens(entry, port=PORT)):
            return None
        found._socket_dir = entry.socket_dir
        return found.url

    def _address(self, database: str) -> str:
        if self._socket_dir is None:
            raise NotServed(f"The server of {self.data_dir} has not been started.")
        # The port is named because libpq would take another one from PGPORT.
        return f"postgresql://{USER}@/{database}?host={quote(str(self._socket_dir))}&port={PORT}"

    def _start(self) -> None:
        if self.is_running():
            return
        if self._lock is None:
            with signals_held_back():
                self._lock = embedded_place.take_lock(self.data_dir)
        self._place = place = embedded_place.prepare(self.data_dir)
        programs = embedded_programs.reachable(
            embedded_programs.find(), user=place.user, copies=self.data_dir
        )
        embedded_cluster.ensure(place, programs, durable=self._durable)
        self._socket_dir = embedded_place.socket_dir(place)
        embedded_log.keep_small(place.log)
        self._run_after_predecessor(place, programs)

    def _run_after_predecessor(self, place: Place, programs: Programs) -> None:
        """Start until it works: what is left of a server that died may hold the data a while."""
        until = time.monotonic() + _PREDECESSOR_GONE_WITHIN_S
        while True:
            said_before = place.log.stat().st_size
            self._make_way(place)
            with signals_held_back():
                self._check_wanted()
                self._child = spawn(
                    programs.bin_dir / "postgres",
                    self._arguments(place),
                    user=place.user,
                    log=place.log,
                )
            if self._becomes_ready(place, self._child):
                return
            said = embedded_log.said(place.log, since=said_before)
            if not embedded_log.is_held(said) or time.monotonic() > until:
                raise EmbeddedPostgresError(embedded_log.why(said, place))
            time.sleep(5 * _LOOK_EVERY_S)

    def _make_way(self, place: Place) -> None:
        """Ask a predecessor whose host is gone to leave, and undo what a dead one left behind."""
        entry = embedded_pidfile.read(place.pgdata)
        # Only one of ours is asked: its command line names the access file we wrote.
        if entry and f"hba_file={place.hba}" in embedded_pidfile.arguments_of(entry.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(entry.pid, signal.SIGINT)
            return
        embedded_pidfile.bury(place.pgdata / "postmaster.pid", pgdata=place.pgdata)
        if self._socket_dir:
            lock_file = self._socket_dir / f".s.PGSQL.{PORT}.lock"
            embedded_pidfile.bury(lock_file, pgdata=place.pgdata)

    def _becomes_ready(self, place: Place, child: Child) -> bool:
        until = time.monotonic() + _READY_WITHIN_S
        while child.poll() is None:
            self._check_wanted()
            # The file of a server that died may still say "ready": only our child's word counts.
            entry = embedded_pidfile.read(place.pgdata)
            if entry and entry.pid == child.pid and entry.ready:
                return True
            if time.monotonic() > until:
                raise EmbeddedPostgresError(
                    f"PostgreSQL was not ready within {_READY_WITHIN_S:.0f} seconds:"
                    f" {place.log} says why."
                )
            time.sleep(_LOOK_EVERY_S)
        return False

    def _arguments(self, place: Place) -> list[str]:
        # A list of directories, in which a name with a space or a comma is quoted.
        quoted = str(self._socket_dir).replace('"', '""')
        fixed = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": f'"{quoted}"',
            "unix_socket_permissions": "0700",
            "hba_file": str(place.hba),
            "ident_file": str(place.ident),
            "logging_collector": "off",
            "log_destination": "stderr",
        }
        if not self._durable:
            fixed |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings = [part for name, value in fixed.items() for part in ("-c", f"{name}={value}")]
        return ["-D", str(place.pgdata), *settings]

    def _check_wanted(self) -> None:
        if not self._wanted:
            raise StoppedWhileStarting("The server was stopped before it had started.")

    def _abandon(self) -> None:
        if self._child:
            self._child.stop()
        self._child = None
        if self._socket_dir and self.data_dir not in self._socket_dir.parents:
            with contextlib.suppress(OSError):
                self._socket_dir.rmdir()
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


@contextlib.contextmanager
def temporary(directory: Path) -> Iterator[str]:
    """Give the administrator's address of a throw-away server, fast because it forgets on a crash.

    Its data are removed at the end. As root the server is another user, and one who cannot come
    into the directory is given one under the system's temporary directory instead.
    """
    user = embedded_place.server_user()
    with contextlib.ExitStack() as at_end:
        if embedded_place.closed_to(user, directory.parent):
            directory = Path(tempfile.mkdtemp(prefix="tallystick-"))
            at_end.callback(shutil.rmtree, directory, ignore_errors=True)
        server = EmbeddedPostgres(directory, durable=False)
        at_end.callback(shutil.rmtree, server.data_dir / "postgres", ignore_errors=True)
        with server:
            yield server.admin_url
