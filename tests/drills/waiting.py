"""Waiting for minutes without being in the way."""

import asyncio
from collections.abc import Awaitable, Callable

_LOOK_EVERY_S = 0.25


async def until(condition: Callable[[], Awaitable[bool]], *, within_s: float) -> None:
    """Look four times a second whether something has become true."""
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110 - other processes set no event of ours
            await asyncio.sleep(_LOOK_EVERY_S)
