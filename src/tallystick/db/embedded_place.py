"""Where the embedded server lives: its directory, its user, its socket, and who may come in."""

import contextlib
import dataclasses
import fcntl
import hashlib
import os
import pwd
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tallystick.db.embedded_child import OsUser
from tallystick.db.embedded_errors import AlreadyServed, EmbeddedPostgresError

USER = "tallystick"
PORT = 5432
"""No TCP port: only a part of the socket's file name."""

# sockaddr_un.sun_path holds 108 bytes on Linux and 104 on macOS, the final NUL among them.
_SOCKET_PATH_BYTES_MAX = 107 if sys.platform == "linux" else 103


@dataclasses.dataclass(frozen=True)
class Place:
    """The files of one embedded server, and the user it runs as.

    data_dir/           the host's own; open to be walked through when the server is another user
      postgres/         PostgreSQL's data directory, the server's own
      run/              the socket, closed to everyone but the server's user and root
      postgres.log(.1)  what the server says
      pg_hba.conf       who may come in, written at every start
      pg_ident.conf
      serve.lock        held by the process that owns the server
    """

    data_dir: Path
    user: OsUser

    @property
    def pgdata(self) -> Path:
        return self.data_dir / "postgres"

    @property
    def log(self) -> Path:
        return self.data_dir / "postgres.log"

    @property
    def hba(self) -> Path:
        return self.data_dir / "pg_hba.conf"

    @property
    def ident(self) -> Path:
        return self.data_dir / "pg_ident.conf"


def default_data_dir() -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/tallystick")
    home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "tallystick"


def prepare(data_dir: Path) -> Place:
    """Make the place fit for its user; one sentence when the two do not get on."""
    place = Place(data_dir=data_dir, user=server_user())
    with _writing(data_dir):
        if os.geteuid() == 0:
            data_dir.chmod(data_dir.stat().st_mode & 0o7777 | 0o011)
        place.log.touch(mode=0o600)
        _write_access(place)
    closed = closed_to(place.user, data_dir)
    if closed:
        raise EmbeddedPostgresError(
            f"The data directory {data_dir} cannot be reached by the system user"
            f" {place.user.name}, as {closed} is closed to them: choose another, such as"
            " /var/lib/tallystick."
        )
    _hand_over(place)
    return place


def server_user() -> OsUser:
    """Give the user the server runs as; root makes one, as PostgreSQL refuses to run as root.

    Never nobody: whatever else runs as nobody could then read the books.
    """
    if os.geteuid() != 0:
        try:
            own = pwd.getpwuid(os.geteuid())
        except KeyError:
            raise EmbeddedPostgresError(
                f"The user id {os.geteuid()} has no name on this machine, and PostgreSQL needs one:"
                " add it to /etc/passwd or run as root."
            ) from None
        return OsUser(name=own.pw_name, uid=own.pw_uid, gid=own.pw_gid)
    for _ in range(20):
        with contextlib.suppress(KeyError):
            made = pwd.getpwnam(USER)
            return OsUser(name=made.pw_name, uid=made.pw_uid, gid=made.pw_gid)
        # Two starts at once: the password file is locked by the other, or the user is there now.
        if not _add_user():
            time.sleep(0.1)
    raise EmbeddedPostgresError(
        f"PostgreSQL cannot run as root and the system user {USER} could not be made: make it with"
        f" `useradd --system {USER}`, or run as an ordinary user."
    )


def closed_to(user: OsUser, directory: Path) -> Path | None:
    """Give the outermost directory on the way that the user cannot enter."""
    if os.geteuid() != 0 or _enters(user, directory):
        return None
    on_the_way = (*reversed(directory.parents), directory)
    return next(step for step in on_the_way if not _enters(user, step))


def take_lock(data_dir: Path) -> int:
    """Make the data directory and own it until the descriptor is closed or this process ends."""
    with _writing(data_dir):
        data_dir.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        lock = os.open(data_dir / "serve.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(lock, 20).decode().strip() or "unknown"
        os.close(lock)
        raise AlreadyServed(
            f"Another process (pid {owner}) already serves the data directory {data_dir}: stop it"
            " or choose another directory."
        ) from None
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


def socket_dir(place: Place) -> Path:
    """Give the directory of the socket, elsewhere when the data directory cannot be addressed."""
    near = place.data_dir / "run"
    if _addressable(near):
        return _private(near, place)
    mark = hashlib.sha256(os.fsencode(place.data_dir)).hexdigest()[:12]
    asked = os.environ.get("XDG_RUNTIME_DIR") if os.geteuid() else "/run"
    for short in (Path(home) / f"tallystick-{mark}" for home in (asked, "/tmp") if home):  # noqa: S108 - checked by _private
        if _addressable(short) and os.access(short.parent, os.W_OK):
            return _private(short, place)
    raise EmbeddedPostgresError(
        f"A socket in {place.data_dir} has a comma in its path or more than"
        f" {_SOCKET_PATH_BYTES_MAX} bytes, and neither /run nor /tmp can hold it: choose another"
        " data directory."
    )


@contextlib.contextmanager
def _writing(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EmbeddedPostgresError(
            f"The data directory {data_dir} cannot be written ({error.strerror}): make it writable"
            " or choose another."
        ) from error


def _addressable(directory: Path) -> bool:
    # libpq takes a comma in a host for the end of the first of several hosts, and knows no escape.
    if "," in str(directory):
        return False
    return len(os.fsencode(directory / f".s.PGSQL.{PORT}")) <= _SOCKET_PATH_BYTES_MAX


def _private(directory: Path, place: Place) -> Path:
    """Make the directory the server's alone; in /tmp somebody else may have been there first."""
    try:
        directory.mkdir(mode=0o700)
        os.chown(directory, place.user.uid, place.user.gid)
    except FileExistsError:
        found = directory.lstat()
        if found.st_uid != place.user.uid or found.st_mode & 0o170777 != 0o040700:
            raise EmbeddedPostgresError(
                f"The directory {directory} for the socket is not private to {place.user.name}:"
                " remove it."
            ) from None
    return directory


def _write_access(place: Place) -> None:
    # The kernel tells PostgreSQL which user is at the other end of the socket (auth-peer), so there
    # is no password that a process list, a backup or an environment could give away. The directory
    # alone would not do: a root process is let through any mode, and a mode is easily loosened.
    place.hba.write_text("local all,replication all peer map=tallystick\n")
    root = pwd.getpwuid(0).pw_name
    names = dict.fromkeys((root, place.user.name))
    place.ident.write_text("".join(f'tallystick "{name}" {USER}\n' for name in names))
    for path in (place.hba, place.ident):
        path.chmod(0o644)


def _hand_over(place: Place) -> None:
    """Data that another user made: root hands them over, anyone else is told."""
    if not place.pgdata.exists() or place.pgdata.stat().st_uid == place.user.uid:
        return
    if os.geteuid() != 0:
        raise EmbeddedPostgresError(
            f"The data in {place.pgdata} belong to the user {owner_name(place.pgdata)}: run as"
            " that user or as root."
        )
    # A volume made by an image in which the system user had another number, or data made before
    # the first start as root.
    for found in (place.data_dir / "run", place.pgdata, *place.pgdata.rglob("*")):
        with contextlib.suppress(FileNotFoundError):
            os.chown(found, place.user.uid, place.user.gid, follow_symlinks=False)


def owner_name(path: Path) -> str:
    uid = path.stat().st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _add_user() -> bool:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin")
    if useradd is None:
        return False
    command = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir"]
    command += ["/nonexistent", "--shell", "/usr/sbin/nologin", USER]
    made = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - fixed words
    return made.returncode == 0


def _enters(user: OsUser, directory: Path) -> bool:
    # Asked of the system, as that user, since access lists and mounts have a say besides the mode.
    asked = subprocess.run(  # noqa: S603 - the path is an argument, not a part of the script
        ["/bin/sh", "-c", 'test -x "$1"', "sh", directory],
        user=user.uid,
        group=user.gid,
        extra_groups=[],
        cwd="/",
        check=False,
    )
    return asked.returncode == 0
