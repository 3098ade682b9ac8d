"""A head that is too long or too slow costs its sender the connection, not us the memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from tallystick.http.protocol import HEAD_BYTES_MAX, BoundedProtocol

_PIECE = b"a" * 4096


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with how long the body was."""
    assert scope["type"] == "http"
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = str(length).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _Hasty(BoundedProtocol):
    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(0.2, self._head_is_late)


@asynccontextmanager
async def _connected(
    protocol: type[BoundedProtocol] = BoundedProtocol,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = uvicorn.Config(
        _echo, port=0, http=protocol, ws="none", lifespan="off", log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    config.load()
    made = await asyncio.get_running_loop().create_server(
        lambda: protocol(config, server.server_state, {}), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*made.sockets[0].getsockname())
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        made.close()


@pytest.mark.parametrize(
    ("beginning", "piece"),
    [
        (b"GET /", _PIECE),
        (b"GET / HTTP/1.1\r\nx-long: ", _PIECE),
        (b"GET / HTTP/1.1\r\n", b"x-many: 1\r\n" * 300),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-trailer: ", _PIECE),
        (b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"x-trailer: 1\r\n" * 300),
    ],
    ids=["path", "header", "headers", "trailer", "trailers"],
)
async def test_a_head_without_end_is_cut_off(beginning: bytes, piece: bytes) -> None:
    sent = 0
    async with _connected() as (reader, writer), asyncio.timeout(10):
        writer.write(beginning)
        while not reader.at_eof() and sent < 100 * HEAD_BYTES_MAX:
            try:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            except ConnectionError:
                break
            sent += len(piece)

    assert sent < 20 * HEAD_BYTES_MAX


async def test_a_long_body_is_no_long_head() -> None:
    length = 10 * HEAD_BYTES_MAX
    async with _connected() as (reader, writer), asyncio.timeout(10):
        for _ in range(2):
            writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % length)
            writer.write(b"b" * length)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(len(str(length))) == str(length).encode()


async def test_a_body_in_small_pieces_is_no_long_head() -> None:
    pieces = 30_000
    async with _connected() as (reader, writer), asyncio.timeout(20):
        writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(pieces // 100):
            writer.write(b"1\r\nb\r\n" * 100)
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert await reader.readexactly(5) == str(pieces).encode()


@pytest.mark.parametrize("beginning", [b"", b"GET", b"GET / HTTP/1.1\r\nhost: a\r\n"])
async def test_who_does_not_come_to_the_end_of_a_head_is_sent_away(beginning: bytes) -> None:
    async with _connected(_Hasty) as (reader, writer), asyncio.timeout(10):
        writer.write(beginning)

        assert await reader.read() == b""


async def test_a_slow_answer_is_no_slow_head() -> None:
    async with _connected(_Hasty) as (reader, writer), asyncio.timeout(10):
        writer.write(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n")
        await asyncio.sleep(0.4)
        writer.write(b"b")

        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
