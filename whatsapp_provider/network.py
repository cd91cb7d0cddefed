"""What httpcore reads from and writes to, on asyncio's own transports.

Its default goes through anyio, for which each read and each write is a step more of the event loop, and which tells
the system anew, twice for each answer, whether the socket is of interest. That is a third of a message's work.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import httpcore

HAPPY_EYEBALLS_SECONDS = 0.25  #: until the next address of a host is tried beside the one before (RFC 8305)
MANY_BYTES = 262_144  #: that came and were not read; the server waits meanwhile


async def connect(
    host: str, port: int, context: ssl.SSLContext | None, seconds: float | None
) -> httpcore.AsyncNetworkStream:
    """Connect to the first of a host's addresses that answers.

    :param context: for TLS; ``None`` goes without.
    :param seconds: for all of it, TLS included.
    :raises httpcore.ConnectTimeout: if that was too short.
    :raises httpcore.ConnectError: if nobody answers, or TLS is not agreed on.
    """
    async with _bounded(seconds, httpcore.ConnectTimeout, httpcore.ConnectError):
        try:
            _, stream = await asyncio.get_running_loop().create_connection(
                _Stream, host, port, ssl=context, happy_eyeballs_delay=HAPPY_EYEBALLS_SECONDS
            )
        except UnicodeError:
            raise OSError("no name that could be looked up") from None
    return stream


class _Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One connection.

    What is written leaves as one when an answer is asked for: a request's head and its body at once, or neither.
    """

    def __init__(self) -> None:
        self._came, self._leaves = bytearray(), bytearray()
        self._error: Exception | None = None
        self._is_over = self._is_held_back = self._is_paused = False
        self._waiting: asyncio.Future[None] | None = None

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way to write."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Keep what came."""
        self._came += data
        if len(self._came) > MANY_BYTES and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """Note the end; without an error it is the end of what the server had to say."""
        self._is_over, self._error = True, error
        self._wake()

    def pause_writing(self) -> None:
        """Note that the system takes no more for now."""
        self._is_held_back = True

    def resume_writing(self) -> None:
        """Note that it does again."""
        self._is_held_back = False
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def _wait(self) -> None:
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    # What httpcore calls.

    async def write(
        self,
        buffer: bytes,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own name
    ) -> None:
        """Let this leave with the rest of its request; much of it leaves at once.

        :param timeout: seconds.
        """
        self._leaves += buffer
        if len(self._leaves) > MANY_BYTES:
            await self._flush(timeout)

    async def _flush(self, seconds: float | None) -> None:
        if self._is_over or self._transport.is_closing():
            raise httpcore.WriteError("The connection is closed.")
        self._transport.write(bytes(self._leaves))
        self._leaves.clear()
        if self._is_held_back:
            async with _bounded(seconds, httpcore.WriteTimeout, httpcore.WriteError):
                while self._is_held_back and not self._is_over:
                    await self._wait()

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own name
    ) -> bytes:
        """Return what comes next, nothing at the end.

        :param timeout: seconds.
        """
        if self._leaves:
            await self._flush(timeout)
        if not (self._came or self._is_over):
            async with _bounded(timeout, httpcore.ReadTimeout, httpcore.ReadError):
                while not (self._came or self._is_over):
                    await self._wait()
        if not self._came and self._error is not None:
            raise httpcore.ReadError(str(self._error))
        data = bytes(self._came[:max_bytes])
        del self._came[:max_bytes]
        if self._is_paused and len(self._came) <= MANY_BYTES:
            self._is_paused = False
            self._transport.resume_reading()
        return data

    async def aclose(self) -> None:
        """Close it at once, without a word to the server."""
        self._transport.abort()

    def get_extra_info(self, info: str) -> Any:
        """Tell whether something came that nobody asked for, such as the end; and what the transport knows."""
        if info == "is_readable":
            return bool(self._came) or self._transport.is_closing() or _has_news(self._transport)
        return self._transport.get_extra_info(info)


@asynccontextmanager
async def _bounded(
    seconds: float | None, late: type[Exception], failed: type[Exception]
) -> AsyncIterator[None]:
    """Bound what is done, and raise what httpcore raises."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except OSError as error:
        raise failed(str(error)) from error


def _has_news(transport: asyncio.Transport) -> bool:
    """Return whether the system has something that the event loop has not come to yet."""
    poll = select.poll()
    poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(poll.poll(0))
