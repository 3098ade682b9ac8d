"""Runs every measurement and prints one table."""

import asyncio
import os
import platform
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from tests.bench import reading, starting, taking_in, writing
from tests.bench.figure import Figure, shown

from tallystick.db import migrate
from tallystick.db.embedded import temporary


def main() -> None:
    """A throw-away PostgreSQL, then each measurement in turn."""
    print(f"{os.cpu_count()} processors, Python {platform.python_version()}, {platform.platform()}")
    figures: list[Figure] = []
    with TemporaryDirectory(prefix="tally-bench-") as folder, temporary(Path(folder)) as admin_url:
        with psycopg.connect(admin_url, autocommit=True) as db:
            db.execute("create database bench")
        url = psycopg.conninfo.make_conninfo(admin_url, dbname="bench")
        asyncio.run(migrate.migrate(url))
        for measure in (taking_in.measure, reading.measure):
            figures += measure(url)
    figures += starting.measure()
    figures += writing.measure()
    print(shown(figures))


main()
