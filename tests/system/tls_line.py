"""TLS before the emulator, and a count of the connections that clients hold open."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class TlsLine:
    """Takes TLS connections on a port of its own and passes their bytes on in the clear."""

    def __init__(self, target: str, context: ssl.SSLContext) -> None:
        self._target = urlsplit(target)
        self._context = context
        self.url = ""
        self.open = 0
        self.most_open = 0
        self.taken = 0

    async def live(self, ready: threading.Event, stop: asyncio.Event) -> None:
        """Listen until told to stop."""
        server = await asyncio.start_server(self._pass, "127.0.0.1", 0, ssl=self._context, backlog=512)
        self.url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await stop.wait()
        server.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        self.taken += 1
        self.most_open = max(self.most_open, self.open)
        try:
            onward = await asyncio.open_connection(self._target.hostname, self._target.port)
            await asyncio.gather(_copy(reader, onward[1]), _copy(onward[0], writer))
        finally:
            self.open -= 1


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError, ssl.SSLError):
        while part := await source.read(65_536):
            target.write(part)
            await target.drain()
    target.close()


@contextmanager
def tls_before(target: str, context: ssl.SSLContext) -> Iterator[TlsLine]:
    """Run the line in a thread of its own."""
    line, ready = TlsLine(target, context), threading.Event()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    def run() -> None:
        loop.run_until_complete(line.live(ready, stop))
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    thread = threading.Thread(target=run, name="tls-line", daemon=True)
    thread.start()
    assert ready.wait(10), "the TLS line did not start"
    try:
        yield line
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
