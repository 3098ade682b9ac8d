"""What the embedded server says: kept small, and read when it does not start."""

import os
import shutil
from pathlib import Path

from tallystick.db.embedded_place import Place

_LOG_BYTES_MAX = 5_000_000


def keep_small(log: Path) -> None:
    """Keep the last full log beside the current one.

    The server holds the file open, so it is copied and emptied; whatever is written between the two
    is lost, which a log can bear.
    """
    if log.exists() and log.stat().st_size > _LOG_BYTES_MAX:
        shutil.copy2(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)


def said(log: Path, *, since: int) -> str:
    with log.open("rb") as file:
        file.seek(since)
        return file.read().decode(errors="replace")


def is_held(words: str) -> bool:
    """Do processes of an earlier server still hold the data (PostgreSQL's miscinit.c)?"""
    return "is still in use" in words or ("lock file" in words and "already exists" in words)


def why(words: str, place: Place) -> str:
    fatal = [line.partition("FATAL:")[2].strip() for line in words.splitlines() if "FATAL:" in line]
    reason = fatal[-1] if fatal else "it ended without a word"
    return f"PostgreSQL could not start on {place.data_dir}: {reason} (more in {place.log})."
