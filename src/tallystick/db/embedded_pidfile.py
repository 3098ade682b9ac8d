"""Who runs on a data directory: PostgreSQL's postmaster.pid, and whether it tells the truth."""

import dataclasses
import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

# One more than Linux ever gives a process (PID_MAX_LIMIT in linux/threads.h), and far above what
# macOS gives, so it is the pid of nobody.
_NOBODYS_PID = 4_194_305

# SOL_LOCAL and LOCAL_PEERPID of macOS's sys/un.h; Python has no names for them.
_MACOS_PEER_PID = (0, 2)


@dataclasses.dataclass(frozen=True)
class PidFile:
    """What postmaster.pid says (PostgreSQL's miscadmin.h, LOCK_FILE_LINE_*)."""

    pid: int
    socket_dir: Path
    ready: bool


def read(pgdata: Path) -> PidFile | None:
    """Give what the file says; None when there is none or it is not written to its end yet."""
    try:
        lines = (pgdata / "postmaster.pid").read_text().splitlines()
        return PidFile(
            pid=int(lines[0]),
            socket_dir=Path(lines[4]),
            ready=len(lines) > 7 and lines[7].strip() == "ready",
        )
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
        return None


def arguments_of(pid: int) -> tuple[str, ...]:
    """Give the command line of a living process, () when it is dead or a zombie."""
    if sys.platform == "linux":
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ()
        return tuple(os.fsdecode(part) for part in line.split(b"\0") if part)
    ps = shutil.which("ps") or "/bin/ps"
    told = subprocess.run(  # noqa: S603 - a number, without a shell
        [ps, "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return (told.stdout.strip(),) if told.stdout.strip() else ()


def bury(lock_file: Path, *, pgdata: Path) -> None:
    """Give a lock file left behind by a dead server the pid of nobody.

    PostgreSQL refuses to start while *any* process of its user has the pid in its lock file, and
    pids come again, in containers at every restart. The file is rewritten and never removed: its
    other lines let PostgreSQL see whether processes of the dead server still hold its memory.
    """
    try:
        first, _, rest = lock_file.read_text().partition("\n")
    except FileNotFoundError:
        return
    pid = abs(int(first)) if first.strip().lstrip("-").isdigit() else 0
    if any(str(pgdata) in argument for argument in arguments_of(pid)):
        return
    # The directory belongs to the server's user, who must not lead root's pen through a link.
    with os.fdopen(os.open(lock_file, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW), "w") as file:
        file.write(f"{_NOBODYS_PID}\n{rest or pgdata}")


def listens(entry: PidFile, *, port: int) -> bool:
    """Is it really the process of the pid file that listens on the socket?"""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(os.fspath(entry.socket_dir / f".s.PGSQL.{port}"))
            return _peer_pid(probe) == entry.pid
        except OSError:
            return False


def _peer_pid(connected: socket.socket) -> int:
    """The kernel's word on who called listen()."""
    if sys.platform == "linux":
        size = struct.calcsize("3i")
        told = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
        return int(struct.unpack("3i", told)[0])
    return connected.getsockopt(*_MACOS_PEER_PID)
