"""Workers that are killed again and again, each replaced at once."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.journeys.world import World


@dataclass(slots=True)
class Workers:
    """Those that live, the eldest first; `killed` counts the others."""

    world: World
    env: dict[str, str]
    alive: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    killed: int = 0

    def start(self) -> None:
        self.alive.append(self.world.start_worker(**self.env))

    def kill_eldest(self) -> None:
        process = self.alive.pop(0)
        assert process.poll() is None, f"it ended by itself: {self.world.worker_log()[-4000:]}"
        process.kill()
        process.wait()
        self.killed += 1


@asynccontextmanager
async def killed_workers(
    world: World, *, count: int, every_s: float, **env: str
) -> AsyncIterator[Workers]:
    """`count` workers for as long as the block lasts; the eldest is killed every so often."""
    workers = Workers(world, env)
    for _ in range(count):
        workers.start()
    killing = asyncio.create_task(_kill(workers, every_s))
    try:
        yield workers
        assert not killing.done(), killing.exception()
    finally:
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)
        for process in workers.alive:
            process.kill()
            process.wait()


async def _kill(workers: Workers, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        workers.kill_eldest()
        workers.start()
