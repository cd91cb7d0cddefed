"""How fast each HTTP transport is, and what it says of a request that was read and never answered.

By hand, on a machine that does nothing else, in an environment of its own (the last four are no dependencies)::

    python3 -m venv build/transports
    build/transports/bin/pip install httpx tenacity aiohttp requests httpx-aiohttp pyreqwest pyqwest h2
    build/transports/bin/python -m tests.bench.transports [requests in a round]

One minimal server on the loopback in a process of its own; 50 requests in flight; medians of interleaved rounds.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import Any

import httpx

from tests.wire.line import a_line
from whatsapp_provider.deadline import writing_while
from whatsapp_provider.errors import GatewayError
from whatsapp_provider.http import ApiClient, Effect
from whatsapp_provider.transport import Request, Timeouts, Wire

IN_FLIGHT, ROUNDS = 50, 3
HEADERS = {"authorization": "Bearer x"}
MESSAGE = {"to": "15550000000", "body": "Hello"}
ANSWER = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 13\r\n\r\n{"sent":true}'
ADAPTERS = {
    "httpx over httpx-aiohttp": "httpx_aiohttp:AiohttpTransport",
    "httpx over pyreqwest": "pyreqwest.compatibility.httpx:HttpxTransport",
    "httpx over pyqwest": "tests.bench.transports:pyqwest",
}
FAULTS = ("reset_before_read", "reset_after_read", "end_after_read", "half_body", "silence")
Post = Callable[[], Awaitable[Any]]


class _Answering(asyncio.Protocol):
    """Reads no more of a request than it must to know where it ends."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.data = b""

    def data_received(self, data: bytes) -> None:
        self.data += data
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            _, _, after = self.data[:end].lower().partition(b"content-length:")
            whole = end + 4 + int(after.partition(b"\r\n")[0] or b"0")
            if len(self.data) < whole:
                return
            self.data = self.data[whole:]
            self.transport.write(ANSWER)


def _serve(listening: socket.socket) -> None:
    async def forever() -> None:
        server = await asyncio.get_running_loop().create_server(_Answering, sock=listening)
        await server.serve_forever()

    asyncio.run(forever())


def pyqwest() -> Any:
    """Return its adapter around its transport."""
    adapters, library = import_module("pyqwest.httpx"), import_module("pyqwest")
    return adapters.AsyncPyqwestTransport(library.HTTPTransport())


def _adapter(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)()


@asynccontextmanager
async def _client(url: str, **options: Any) -> AsyncIterator[Post]:
    async with httpx.AsyncClient(trust_env=False, timeout=30, **options) as client:
        yield lambda: client.post(url, json=MESSAGE, headers=HEADERS)


@asynccontextmanager
async def _our_wire(url: str) -> AsyncIterator[Post]:
    wire = Wire()
    yield lambda: wire.exchange(Request("POST", url, HEADERS, json=MESSAGE))
    await wire.aclose()


@asynccontextmanager
async def _our_client(url: str, *, guarded: bool) -> AsyncIterator[Post]:
    wire = Wire()
    client = ApiClient(url, label="Gate", headers=HEADERS, wire=wire)

    async def post() -> Any:
        return (await client.request("POST", "/x", effect=Effect.ONCE, json=MESSAGE)).json()

    async def post_guarded() -> Any:
        with writing_while(lambda: True):
            return await post()

    yield post_guarded if guarded else post
    await wire.aclose()


@asynccontextmanager
async def _bare_aiohttp(url: str) -> AsyncIterator[Post]:
    aiohttp = import_module("aiohttp")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as session:

        async def post() -> Any:
            async with session.post(url, json=MESSAGE, headers=HEADERS) as response:
                return await response.read()

        yield post


async def _at_once(post: Post, count: int) -> None:
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            await post()

    await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))


def candidates(url: str) -> dict[str, Callable[[], Any]]:
    """Return what is measured, by its name."""
    found: dict[str, Callable[[], Any]] = {
        "one AsyncClient, one pool": lambda: _client(url, limits=httpx.Limits(max_connections=IN_FLIGHT)),
        "our Wire": lambda: _our_wire(url),
        "our ApiClient": lambda: _our_client(url, guarded=False),
        "our ApiClient, as a run sends": lambda: _our_client(url, guarded=True),
        "bare aiohttp": lambda: _bare_aiohttp(url),
    }
    for name, path in ADAPTERS.items():
        found[name] = lambda path=path: _client(url, transport=_adapter(path))
    return found


async def _measure(url: str, count: int) -> dict[str, list[tuple[float, float]]]:
    """Return requests a second and microseconds of CPU for a request, of each round."""
    async with AsyncExitStack() as stack:
        posts: dict[str, Post] = {}
        for name, opened in candidates(url).items():
            try:
                posts[name] = await stack.enter_async_context(opened())
            except ImportError as error:
                print(f"{name}: not installed ({error.name})")
        figures: dict[str, list[tuple[float, float]]] = {name: [] for name in posts}
        for post in posts.values():
            await _at_once(post, 2 * IN_FLIGHT)
        for _ in range(ROUNDS):
            for name, post in posts.items():
                began, cpu = time.perf_counter(), time.process_time()
                await _at_once(post, count)
                seconds, work = time.perf_counter() - began, time.process_time() - cpu
                figures[name].append((count / seconds, work / count * 1e6))
        return figures


def _sequential(url: str, count: int) -> list[tuple[float, float]]:
    try:
        session = import_module("requests").Session()
    except ImportError:
        print("a sequential requests.Session: not installed")
        return []
    figures = []
    for _ in range(ROUNDS):
        began, cpu = time.perf_counter(), time.process_time()
        for _ in range(count):
            session.post(url, data=json.dumps(MESSAGE), headers=HEADERS, timeout=30)
        seconds, work = time.perf_counter() - began, time.process_time() - cpu
        figures.append((count / seconds, work / count * 1e6))
    return figures


async def _told(transport: Any, fault: str, method: str, *, reused: bool) -> str:
    """Return what the wire would say of one fault, and whether that would be a message sent twice."""
    async with a_line() as line:
        wire = Wire(transport=transport)
        bounds = Timeouts(connect=2, read=0.3, write=2, pool=2)
        if reused:
            await wire.exchange(Request("GET", line.url, timeouts=bounds))
            line.arrived = line.read = 0
        line.fault = fault
        try:
            await wire.exchange(Request(method, line.url, json=MESSAGE, timeouts=bounds))
            told, disposition = "an answer", "none"
        except GatewayError as error:
            told, disposition = str(error.code), error.disposition.value
        await wire.aclose()
        wrong = disposition != "hold" or line.arrived != 1
        return f"{told} ({disposition}), {line.arrived} at the server" if wrong else ""


async def _faults() -> None:
    for name, path in {"stock httpx": "httpx:AsyncHTTPTransport", **ADAPTERS}.items():
        wrong: dict[str, list[str]] = {}
        try:
            for fault in FAULTS:
                for method in ("POST", "PUT", "DELETE"):
                    for reused in (False, True):
                        if told := await _told(_adapter(path), fault, method, reused=reused):
                            where = f"{fault} {method} {'reused' if reused else 'fresh'}"
                            wrong.setdefault(told, []).append(where)
        except ImportError as error:
            print(f"{name}: not installed ({error.name})")
            continue
        print(f"\n{name}: {'right in all cases' if not wrong else ''}")
        for told, cases in wrong.items():
            print(f"  {told}:\n    {', '.join(cases)}")


def main() -> None:
    """Print the speeds, then what goes wrong."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1500
    listening = socket.create_server(("127.0.0.1", 0), backlog=256)
    server = multiprocessing.get_context("fork").Process(target=_serve, args=(listening,), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        figures = asyncio.run(_measure(url, count))
        figures["a sequential requests.Session"] = _sequential(url, count)
    finally:
        server.kill()
    print(f"{'':32} {'req/s':>8} {'µs CPU':>8}   {IN_FLIGHT} in flight, {ROUNDS} rounds of {count}")
    for name, rounds in figures.items():
        if rounds:
            speed, work = (statistics.median(each) for each in zip(*rounds, strict=True))
            print(f"{name:32} {speed:8.0f} {work:8.0f}")
    asyncio.run(_faults())


if __name__ == "__main__":
    main()
