"""`tallystick serve`: one command that runs, watches and stops all the processes of Tallystick."""

import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType

import click
import httpx

from tallystick.cli.installation import Stop

READY_WITHIN_S = 60.0
# The books of a large simulated firm take half a minute to invent, on a slow machine minutes.
_ANSWERS_WITHIN_S = 600.0
_STOP_WITHIN_S = 10.0
_PREDECESSOR_GONE_WITHIN_S = 3.0
_RESTART_AFTER_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_STEADY_AFTER_S = 30.0


def listening(host: str, port: int, *, choose: str = "--port") -> socket.socket:
    """A socket that already listens, so that a taken port shows before anything is started.

    `choose` says by which option another port is chosen.
    """
    until = time.monotonic() + _PREDECESSOR_GONE_WITHIN_S
    while True:
        try:
            return _bound(host, port)
        except OSError as error:
            # The children of a `serve` that was killed need a moment to notice and go.
            if error.errno != errno.EADDRINUSE or time.monotonic() > until:
                reason = error.strerror or str(error)
                raise Stop(
                    f"Port {port} on {host} cannot be used: {reason}. Choose another by {choose}."
                ) from error
        time.sleep(0.1)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


@dataclass(slots=True)
class Child:
    """One process of ours: how to start it, and how it fares."""

    name: str
    arguments: Sequence[str]
    env: Mapping[str, str]
    handed_down: tuple[int, ...] = ()
    # An address that answers once the child is at work; those after it start only then.
    answers_at: str | None = None
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    falls: int = 0
    restart_at: float = 0.0

    def start(self) -> None:
        env = {**self.env, "TALLYSTICK_PARENT": str(os.getpid())}
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            [sys.executable, "-m", "tallystick", *self.arguments],
            env=env,
            stdin=subprocess.DEVNULL,
            pass_fds=self.handed_down,
            # A Ctrl-C in the terminal is for the parent, which then stops its children in order.
            start_new_session=True,
        )

    def look(self, now: float) -> None:
        """Start it again if it fell, later each time it falls soon."""
        if self.process is None:
            if now >= self.restart_at:
                self.start()
            return
        if self.process.poll() is None:
            return
        if now - self.started_at > _STEADY_AFTER_S:
            self.falls = 0
        delay = _RESTART_AFTER_S[min(self.falls, len(_RESTART_AFTER_S) - 1)]
        self.falls += 1
        click.echo(
            f"{self.name} ended with code {self.process.returncode}; again in {delay} s", err=True
        )
        self.process, self.restart_at = None, now + delay

    def lives(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask_to_stop(self) -> None:
        if self.process and self.lives():
            self.process.send_signal(signal.SIGTERM)

    def wait(self, until: float) -> None:
        """Wait for its end; what does not end in time is killed."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@dataclass(slots=True)
class Family:
    """All children, started in order and stopped in reverse order."""

    children: list[Child] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Start everyone; whatever happens inside, stop everyone."""
        try:
            for child in self.children:
                child.start()
                self._await_answer(child)
            yield
        finally:
            self.stop()

    def _await_answer(self, child: Child) -> None:
        """What falls at its very first start would fall again: that ends the start."""
        if child.answers_at is None or wait_until_ready(
            child.answers_at, self.stopping, within_s=_ANSWERS_WITHIN_S, worth_waiting=child.lives
        ):
            return
        if self.stopping.is_set():
            raise Stop("Stopped before it was ready.")
        raise Stop(f"The {child.name} did not start.")

    def stop(self) -> None:
        until = time.monotonic() + _STOP_WITHIN_S
        for child in reversed(self.children):
            child.ask_to_stop()
        for child in reversed(self.children):
            child.wait(until)

    def look(self) -> None:
        now = time.monotonic()
        for child in self.children:
            child.look(now)

    def await_health(self, url: str) -> bool:
        """Whether `/health` is content in time; a child that falls meanwhile is started again."""

        def tended() -> bool:
            self.look()
            return True

        return wait_until_ready(url, self.stopping, within_s=READY_WITHIN_S, worth_waiting=tended)


@contextlib.contextmanager
def stops_on_signals(stopping: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set the event; a second one does not cut the orderly stop short."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    before = {name: signal.signal(name, stop) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def wait_until_ready(
    url: str,
    stopping: threading.Event,
    *,
    within_s: float,
    worth_waiting: Callable[[], bool] = lambda: True,
) -> bool:
    """Whether the address said yes in time; between two looks it is asked whether to go on."""
    until = time.monotonic() + within_s
    with httpx.Client(trust_env=False, timeout=2) as http:
        while time.monotonic() < until and not stopping.is_set() and worth_waiting():
            with contextlib.suppress(httpx.HTTPError):
                if http.get(url).status_code == httpx.codes.OK:
                    return True
            stopping.wait(0.05)
    return False
