"""The data of the embedded server: made once, whole or not at all, and checked at every start."""

import os
import shutil
import tempfile
from pathlib import Path

from tallystick.db.embedded_child import Child, signals_held_back, spawn
from tallystick.db.embedded_errors import EmbeddedPostgresError
from tallystick.db.embedded_place import USER, Place
from tallystick.db.embedded_programs import Programs

_MADE_WITHIN_S = 120.0

# Only a beginning: an operator may change this file, and no later start writes it again.
_SETTINGS = """
# Tallystick's choices, made when the data were made; yours to change.
max_connections = 100
shared_buffers = 128MB
max_wal_size = 1GB
fsync = on
synchronous_commit = on
jit = off                      # pages of records are short queries; compiling them costs more
timezone = 'UTC'
log_timezone = 'UTC'
log_error_verbosity = terse    # details quote rows, and statements quote what people wrote
log_min_error_statement = panic
"""


def ensure(place: Place, programs: Programs, *, durable: bool) -> None:
    """Make the data unless they are there; refuse data these programs cannot read."""
    made_by = place.pgdata / "PG_VERSION"
    if not made_by.exists():
        _make(place, programs, durable=durable)
    major = made_by.read_text().strip()
    if major != str(programs.major):
        raise EmbeddedPostgresError(
            f"The data in {place.pgdata} were made by PostgreSQL {major} and the programs in"
            f" {programs.bin_dir} are {programs.version}: point TALLYSTICK_PG_BIN at PostgreSQL"
            f" {major}, or dump them with it and restore into a new data directory."
        )


def _make(place: Place, programs: Programs, *, durable: bool) -> None:
    for unfinished in place.data_dir.glob(".postgres-*"):
        shutil.rmtree(unfinished, ignore_errors=True)
    if place.pgdata.exists() and any(place.pgdata.iterdir()):
        raise EmbeddedPostgresError(
            f"The directory {place.pgdata} holds something that is not PostgreSQL's data: choose"
            " another data directory."
        )
    new = Path(tempfile.mkdtemp(prefix=".postgres-", dir=place.data_dir))
    os.chown(new, place.user.uid, place.user.gid)
    haste = () if durable else ("--no-sync",)
    # The C locale orders by bytes, the same on every machine and for ever: a change of the system's
    # collations would silently break every index over text.
    initdb = ("--no-locale", "--encoding=UTF8", f"--username={USER}", "--data-checksums")
    _run(place, programs.bin_dir / "initdb", (f"--pgdata={new}", *initdb, "--auth=peer", *haste))
    with (new / "postgresql.conf").open("a") as settings:
        settings.write(_SETTINGS)
    single = ("--single", "-D", str(new), "-c", f"fsync={'on' if durable else 'off'}", "template1")
    sql = Path(__file__).with_name("embedded.sql")
    _run(place, programs.bin_dir / "postgres", single, stdin=sql)
    if place.pgdata.exists():
        place.pgdata.rmdir()
    new.rename(place.pgdata)


def _run(
    place: Place, program: Path, arguments: tuple[str, ...], *, stdin: Path = Path(os.devnull)
) -> None:
    child: Child | None = None
    try:
        with signals_held_back():
            child = spawn(program, arguments, user=place.user, log=place.log, stdin=stdin)
        exit_code = child.wait(_MADE_WITHIN_S)
    finally:
        if child:
            child.stop()
    if exit_code != 0:
        raise EmbeddedPostgresError(
            f"{program.name} could not make the data in {place.data_dir}: {place.log} says why."
        )
