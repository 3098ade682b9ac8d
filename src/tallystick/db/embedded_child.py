"""A program as a child that dies with this process, and may be asked and stopped at any moment."""

import contextlib
import dataclasses
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

_EXEC = Path(__file__).with_name("embedded_exec.py")
_LOOK_EVERY_S = 0.01
_HELD_BACK = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STOP_STEPS = (
    (signal.SIGINT, 8.0),  # PostgreSQL's fast shutdown; container runtimes wait ten seconds
    (signal.SIGQUIT, 8.0),  # immediate: its own children get five seconds before they are killed
    (signal.SIGKILL, 5.0),
)


@dataclasses.dataclass(frozen=True)
class OsUser:
    """The operating system's user a program runs as."""

    name: str
    uid: int
    gid: int


class Child:
    """One child process.

    It waits by os.waitpid and holds no lock: subprocess.Popen guards its waiting with one, and a
    signal handler that stops the child while the main thread asks after it would wait for ever.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._exit_code: int | None = None

    def poll(self) -> int | None:
        """Give the exit code, or None while the child lives."""
        if self._exit_code is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                # Reaped by a signal handler between this call and its assignment, or by a stranger
                # who waits for any child: gone either way, and its pid may be somebody else's now.
                self._exit_code = -1
            else:
                self._exit_code = os.waitstatus_to_exitcode(status) if pid else None
        return self._exit_code

    def wait(self, within_s: float) -> int | None:
        until = time.monotonic() + within_s
        while self.poll() is None and time.monotonic() < until:
            time.sleep(_LOOK_EVERY_S)
        return self._exit_code

    def stop(self) -> None:
        """Ask politely, then less politely; a second call from a signal handler does no harm."""
        for sign, patience_s in _STOP_STEPS:
            if self.poll() is not None:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sign)
            self.wait(patience_s)


@contextlib.contextmanager
def signals_held_back() -> Iterator[None]:
    """A signal handler that raises between a fork and the assignment of its child loses the child.

    `with signals_held_back(): child = spawn(...)` makes the two one step.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD_BACK)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def spawn(
    program: Path,
    arguments: Sequence[str],
    *,
    user: OsUser,
    log: Path,
    stdin: Path = Path(os.devnull),
) -> Child:
    """Run the program as the user, with its output appended to the log."""
    if threading.current_thread() is not threading.main_thread():
        # Linux sends the parent-death signal when the *thread* that forked ends (prctl(2)).
        raise RuntimeError("the embedded server is started from the main thread only")
    argv = [sys.executable, "-I", "-S", str(_EXEC), str(os.getpid())]
    argv += [str(user.uid), str(user.gid), str(program), *arguments]
    pid = os.posix_spawn(
        sys.executable,
        argv,
        _environment(),
        file_actions=_redirections(stdin=stdin, log=log),
        setsigmask=(),
        setsigdef=(*_HELD_BACK, signal.SIGQUIT, signal.SIGPIPE, signal.SIGCHLD),
    )
    return Child(pid)


def _redirections(*, stdin: Path, log: Path) -> list[tuple[int, int, str, int, int]]:
    # Opened before the change of user, so the log can belong to the host.
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return [
        (os.POSIX_SPAWN_OPEN, 0, os.fspath(stdin), os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, os.fspath(log), append, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, os.fspath(log), append, 0o600),
    ]


def _environment() -> dict[str, str]:
    """Nothing of the host's PG* variables may steer the server; only the loader's path is kept."""
    kept = {k: v for k, v in os.environ.items() if k in {"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"}}
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **kept}
