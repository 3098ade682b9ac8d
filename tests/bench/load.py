"""A small load: some connections that ask, read the answer, and ask again."""

import asyncio
import time
from dataclasses import dataclass

import uvloop


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it."""

    per_s: float
    p99_ms: float


def load(port: int, path: str, token: str, *, connections: int, seconds: float) -> Load:
    """Ask as fast as answers come."""
    request = (
        f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Basic {token}\r\n\r\n"
    ).encode()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_load(port, request, connections, seconds))


async def _load(port: int, request: bytes, connections: int, seconds: float) -> Load:
    began = time.perf_counter()
    until = began + seconds
    taken = await asyncio.gather(*(_ask(port, request, until) for _ in range(connections)))
    passed = time.perf_counter() - began
    every = sorted(one for each in taken for one in each)
    return Load(len(every) / passed, every[int(len(every) * 0.99)] * 1000 if every else 0.0)


async def _ask(port: int, request: bytes, until: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4_000_000)
    taken = []
    try:
        while (began := time.perf_counter()) < until:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.split(b"\r\n", 1)[0] and b"/health" not in request:
                raise RuntimeError(head.decode())
            length = next(
                int(line.split(b":")[1])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length")
            )
            await reader.readexactly(length)
            taken.append(time.perf_counter() - began)
    finally:
        writer.close()
    return taken
