"""A real worker process for journeys: `python worker_main.py`, everything from the environment."""

import asyncio
import os
from pathlib import Path

import httpx
from tests.journeys.wiring import work

from tallystick.db.pool import Database
from tallystick.jobs import worker
from tallystick.lib import log, process, secrets
from tallystick.lib.clock import OffsetClock
from tallystick.settings import from_env


async def main() -> None:
    settings = from_env(os.environ)
    url, clock_file = settings.database_url or "", settings.clock_file or Path("clock")
    async with Database(url, size=5) as database, httpx.AsyncClient() as http:
        wired = work(
            database=database,
            clock=OffsetClock(clock_file),
            vault=secrets.vault(settings.encryption_key or ""),
            http=http,
            apps=settings.platforms,
            limited="JOURNEY_LIMITED" in os.environ,
        )
        await worker.run(
            url,
            tasks=wired.tasks,
            calendar=wired.ticks,
            concurrency=4,
            poll_s=settings.job_poll_s,
            stalled_s=settings.worker_stalled_s,
        )


if __name__ == "__main__":
    process.die_with(int(os.environ["TALLYSTICK_PARENT"]))
    log.configure(as_json=True)
    asyncio.run(main())
