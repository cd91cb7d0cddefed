"""One TCP connection, with TLS or without, on asyncio's own transports.

httpx's engine goes through anyio, for which each read and each write is a step more of the event loop, and which tells
the system anew, twice for each answer, whether the socket is of interest. That is a third of a message's work.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import httpx

HAPPY_EYEBALLS_SECONDS = 0.25  #: until the next address of a host is tried beside the one before (RFC 8305)
MANY_BYTES = 262_144  #: that came and were not read; the server waits meanwhile


async def connect(host: str, port: int, context: ssl.SSLContext | None, seconds: float) -> Stream:
    """Connect to the first of a host's addresses that answers.

    :param context: for TLS; ``None`` goes without.
    :param seconds: for all of it, TLS included.
    :raises httpx.ConnectTimeout: if that was too short.
    :raises httpx.ConnectError: if nobody answers, or TLS is not agreed on.
    """
    async with _bounded(seconds, httpx.ConnectTimeout, httpx.ConnectError):
        try:
            _, stream = await asyncio.get_running_loop().create_connection(
                Stream, host, port, ssl=context, happy_eyeballs_delay=HAPPY_EYEBALLS_SECONDS
            )
        except UnicodeError:
            raise OSError("no name that could be looked up") from None
    return stream


class Stream(asyncio.Protocol):
    """What a connection's two ends say: what came and was not read yet, and who waits for more."""

    def __init__(self) -> None:
        self._came = bytearray()
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

    # What its user calls.

    async def write(self, data: bytes, seconds: float) -> None:
        """Hand this to the system, before anything else is done, and wait where it takes no more for now.

        :raises httpx.WriteTimeout: if that lasts longer than ``seconds``.
        :raises httpx.WriteError: if the connection is closed.
        """
        if self._is_over or self._transport.is_closing():
            raise httpx.WriteError("The connection is closed.")
        self._transport.write(data)
        if self._is_held_back:
            async with _bounded(seconds, httpx.WriteTimeout, httpx.WriteError):
                while self._is_held_back and not self._is_over:
                    await self._wait()

    async def read(self, seconds: float) -> bytes:
        """Return what comes next, nothing at the end.

        :raises httpx.ReadTimeout: if nothing comes for ``seconds``.
        :raises httpx.ReadError: if the connection broke.
        """
        if not (self._came or self._is_over):
            async with _bounded(seconds, httpx.ReadTimeout, httpx.ReadError):
                while not (self._came or self._is_over):
                    await self._wait()
        if not self._came and self._error is not None:
            raise httpx.ReadError(str(self._error))
        data = bytes(self._came)
        self._came.clear()
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        return data

    def close(self) -> None:
        """Close it at once, without a word to the server."""
        self._transport.abort()

    @property
    def has_news(self) -> bool:
        """Whether something came that was not read, such as the end, or the system has it for the event loop."""
        if self._came or self._transport.is_closing():
            return True
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(poll.poll(0))


@asynccontextmanager
async def _bounded(
    seconds: float, late: type[httpx.TimeoutException], failed: type[httpx.NetworkError]
) -> AsyncIterator[None]:
    """Bound what is done, and raise what httpx would raise."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except OSError as error:
        raise failed(str(error)) from error
