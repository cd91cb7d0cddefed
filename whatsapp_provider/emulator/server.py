"""The emulator on a port: the web server, the socket layer before it, and a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from whatsapp_provider.emulator.app import Emulator
from whatsapp_provider.emulator.clock import RealClock
from whatsapp_provider.emulator.dialects import facts_of_all, with_fast_lanes
from whatsapp_provider.emulator.settings import EmulatorSettings
from whatsapp_provider.emulator.socket_faults import FaultyProtocol, SocketLayer

BACKLOG = 2048
GRACE_SECONDS = 2


class _Server(uvicorn.Server):
    """A server that leaves the process's signals alone: whoever runs it decides on its end.

    It waits for that instead of asking ten times a second; what else uvicorn does in between (a fresh
    Date header, a limit of requests) is switched off here.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._end = asyncio.Event()

    async def main_loop(self) -> None:
        await self._end.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let requests end that are under way, for as long as the grace lasts.

        As uvicorn does it, but without its pause of a tenth of a second, which every test would wait for.
        """
        for listening in self.servers:
            listening.close()
        for sock in sockets or []:
            sock.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110 - uvicorn's own sets
                    await asyncio.sleep(0.005)
        for task in self.server_state.tasks:
            task.cancel()
        await self.lifespan.shutdown()

    def end(self) -> None:
        """Stop serving."""
        self.should_exit = True
        self._end.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _protocol_class(layer: SocketLayer, emulator: Emulator | None) -> type[asyncio.Protocol]:
    """Return what a connection is served by; with an emulator, plain texts go its short way."""

    class Protocol(FaultyProtocol):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(layer, AutoHTTPProtocol(*args, **kwargs))

    if emulator is None:
        return Protocol

    def fast(*args: Any, **kwargs: Any) -> asyncio.Protocol:
        return with_fast_lanes(emulator, Protocol(*args, **kwargs))

    # The web server only calls it.
    return cast("type[asyncio.Protocol]", fast)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit it; asyncio itself sets it only on sockets made with an explicit TCP
    # protocol number. A reply is two writes, and with Nagle's algorithm the second one would wait 40 ms
    # for the client's delayed acknowledgement.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.bind((host, port))
    sock.listen(BACKLOG)
    sock.setblocking(False)
    return sock


class EmulatorServer:
    """One emulator that listens on a host and port; port 0 takes a free one.

    :param fast: take plain texts the short way of those dialects that have one.
    """

    def __init__(
        self, emulator: Emulator, host: str = "127.0.0.1", port: int = 0, *, fast: bool = False
    ) -> None:
        self.emulator = emulator
        self.fast = fast
        self.host = host
        self.port = port
        self.layer = SocketLayer(emulator.faults)
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def facts(self) -> dict[str, Any]:
        """Return what a client needs to know."""
        return {"port": self.port, "url": self.url, **facts_of_all(self.emulator.world, self.url)}

    async def start(self) -> None:
        """Listen, and return when requests are answered."""
        sock = _listen(self.host, self.port)
        self.port = sock.getsockname()[1]
        config = uvicorn.Config(
            self.emulator,
            http=_protocol_class(self.layer, self.emulator if self.fast else None),
            ws="none",
            lifespan="on",
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
        )
        self.emulator.socket = self.layer
        server = self._server = _Server(config)
        self._task = asyncio.create_task(server.serve(sockets=[sock]))
        while not server.started:
            if self._task.done():
                await self._task
                raise RuntimeError("The emulator's server ended before it began.")
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Stop listening and close what is open."""
        if self._server is not None and self._task is not None:
            self._server.end()
            self.layer.hang_up()
            await self._task
            self._server = self._task = None


@contextlib.asynccontextmanager
async def serve(
    emulator: Emulator | None = None,
    settings: EmulatorSettings | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[EmulatorServer]:
    """Run an emulator on a port for the length of a block; by default it lives by the real clock."""
    server = EmulatorServer(emulator or Emulator(settings, clock=RealClock()), host, port)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@contextlib.contextmanager
def serve_in_thread(
    emulator: Emulator | None = None,
    settings: EmulatorSettings | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[EmulatorServer]:
    """Run an emulator on a port in a thread of its own, for tests of code that blocks.

    Talk to it over the control API: its objects belong to the other thread.
    """
    server = EmulatorServer(emulator or Emulator(settings, clock=RealClock()), host, port)
    ready, failed = threading.Event(), list[BaseException]()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()

    async def live() -> None:
        try:
            await server.start()
        except OSError as error:
            failed.append(error)
            return
        finally:
            ready.set()
        await stop.wait()
        await server.stop()

    def run() -> None:
        try:
            loop.run_until_complete(live())
        finally:
            loop.close()

    thread = threading.Thread(target=run, name="whatsapp-emulator", daemon=True)
    thread.start()
    ready.wait()
    if failed:
        thread.join()
        raise failed[0]
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
