"""A TCP server that behaves until it is told not to, and knows what came to it.

It works on bare sockets, because a stream reader would take a request off the wire before the test
can reset the connection under it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from itertools import chain, repeat

RESET_ON_CLOSE = struct.pack("ii", 1, 0)
END_OF_HEAD = b"\r\n\r\n"
BODY = b'{"answer": "all of it"}'


class Line:
    """Serves each connection in a task of its own.

    ``arrived`` counts requests whose first byte came, ``read`` those that were read to their end.
    """

    def __init__(self) -> None:
        self.fault: str | None = None
        self.hold: asyncio.Event | None = None
        self.arrived = 0
        self.read = 0
        self.connections = 0
        self._news = asyncio.Event()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._socket.setblocking(False)
        self.port: int = self._socket.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/path"

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(self._socket)
            self.connections += 1
            if self.fault == "end_on_accept":
                connection.close()
                continue
            self._open.add(connection)
            task = asyncio.create_task(self._converse(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def until_read(self, count: int) -> None:
        """Wait until so many requests were read."""
        async with asyncio.timeout(5):
            while self.read < count:
                self._news.clear()
                await self._news.wait()

    async def until_open(self, count: int) -> None:
        """Wait until no more than so many connections are open."""
        async with asyncio.timeout(5):
            while len(self._open) > count:
                self._news.clear()
                await self._news.wait()

    def hang_up(self) -> None:
        """Close every connection that is open; its own task sees that and ends."""
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """Listen no more."""
        self._socket.close()
        self.hang_up()

    async def aclose(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.stop()

    def _close(self, connection: socket.socket, *, reset: bool = False) -> None:
        self._open.discard(connection)
        self._news.set()
        with contextlib.suppress(OSError):
            if reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            else:
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    async def _converse(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            while connection in self._open and await self._one(connection, loop):
                pass
        finally:
            self._close(connection)

    async def _one(self, connection: socket.socket, loop: asyncio.AbstractEventLoop) -> bool:
        """Serve one request; say whether another may follow."""
        await _readable(connection, loop)
        if _peek(connection) == b"":
            return False
        self.arrived += 1
        if self.fault == "reset_before_read":
            self._close(connection, reset=True)
            return False
        if not await _read_request(connection, loop):
            return False
        self.read += 1
        self._news.set()
        if self.hold is not None:
            await self.hold.wait()
        return await self._answer(connection, loop)

    async def _answer(self, connection: socket.socket, loop: asyncio.AbstractEventLoop) -> bool:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BODY)
        match self.fault:
            case "reset_after_read":
                self._close(connection, reset=True)
            case "end_after_read":
                self._close(connection)
            case "half_body":
                await loop.sock_sendall(connection, head + BODY[:5])
                self._close(connection)
            case "half_body_then_reset":
                await loop.sock_sendall(connection, head + BODY[:5])
                self._close(connection, reset=True)
            case "half_head":
                await loop.sock_sendall(connection, head[:30])
                self._close(connection)
            case "no_http":
                await loop.sock_sendall(connection, b"220 mail.example ESMTP\r\n\r\n")
                self._close(connection)
            case "silence":
                await asyncio.Event().wait()
            case "drip":
                for byte in chain(head[:30], repeat(ord("x"))):  # a header that has no end
                    await loop.sock_sendall(connection, bytes([byte]))
                    await asyncio.sleep(0.02)
            case _:
                await loop.sock_sendall(connection, head + BODY)
                return True
        return False


async def _readable(connection: socket.socket, loop: asyncio.AbstractEventLoop) -> None:
    ready = asyncio.Event()
    loop.add_reader(connection, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(connection)


def _peek(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return b""


async def _read_request(connection: socket.socket, loop: asyncio.AbstractEventLoop) -> bool:
    """Take one request off the wire; say whether it came whole."""
    data, wanted = b"", None
    while wanted is None or len(data) < wanted:
        part = await loop.sock_recv(connection, 65536)
        if not part:
            return False
        data += part
        if wanted is None and END_OF_HEAD in data:
            head, _, _ = data.lower().partition(END_OF_HEAD)
            _, _, after = head.partition(b"content-length:")
            wanted = len(head) + len(END_OF_HEAD) + int(after.partition(b"\r\n")[0] or b"0")
    return True


@contextlib.asynccontextmanager
async def a_line() -> AsyncIterator[Line]:
    """Run a server for the length of a block."""
    line = Line()
    serving = asyncio.create_task(line.serve())
    try:
        yield line
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        await line.aclose()
