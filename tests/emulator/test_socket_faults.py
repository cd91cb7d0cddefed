"""Faults of the connection itself, on a real port, with what the socket and the phone can prove."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from whatsapp_provider.emulator import Emulator, EmulatorSettings, Fault
from whatsapp_provider.emulator.clock import RealClock
from whatsapp_provider.emulator.server import EmulatorServer, serve
from whatsapp_provider.emulator.whapi.channel import WhapiChannel

TO = "5511900000000"
PATH = "/whapi/gate/messages/text"


@dataclass
class Line:
    """A server, a paired channel, and raw connections to it."""

    server: EmulatorServer
    channel: WhapiChannel

    @property
    def emulator(self) -> Emulator:
        return self.server.emulator

    def request(self, body: bytes | None = None, method: str = "POST") -> bytes:
        content = json.dumps({"to": TO, "body": "x"}).encode() if body is None else body
        head = (
            f"{method} {PATH} HTTP/1.1\r\nHost: emulator\r\nAuthorization: Bearer {self.channel.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        return head.encode() + content

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.server.port)

    async def ask(self, data: bytes) -> bytes:
        """Send bytes on a fresh connection and return all that comes until its end."""
        reader, writer = await self.connect()
        writer.write(data)
        try:
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()

    async def post(self) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            headers = {"authorization": f"Bearer {self.channel.token}"}
            return await client.post(
                self.server.url + PATH, json={"to": TO, "body": "x"}, headers=headers, timeout=1
            )

    async def until_asked(self) -> None:
        """Wait until a request has come."""
        while not self.server.layer.requests:  # noqa: ASYNC110 - the socket layer counts and tells nobody
            await asyncio.sleep(0.005)

    def received(self) -> int:
        return self.emulator.network.total()


async def reply(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    return head + await reader.readexactly(length)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with serve(Emulator(EmulatorSettings(seed=3), clock=RealClock())) as server:
        yield Line(server, await server.emulator.paired_channel())


async def test_without_a_fault_requests_pass_and_are_counted(line: Line) -> None:
    reader, writer = await line.connect()
    for _ in range(3):
        writer.write(line.request())
        assert (await reply(reader)).startswith(b"HTTP/1.1 200")
    writer.close()
    assert (line.server.layer.requests, line.server.layer.connections, line.received()) == (3, 1, 3)


async def test_an_answer_does_not_wait_for_the_clients_delayed_acknowledgement(line: Line) -> None:
    reader, writer = await line.connect()
    times = []
    for _ in range(20):
        begin = time.perf_counter()
        writer.write(line.request())
        await reply(reader)
        times.append(time.perf_counter() - begin)
    writer.close()
    # That wait would be 40 ms for each of them; on a busy machine some take as long without it.
    assert statistics.quantiles(times)[0] < 0.03


async def test_requests_are_followed_however_their_bytes_arrive(line: Line) -> None:
    reader, writer = await line.connect()
    for byte in line.request():
        writer.write(bytes([byte]))
        await writer.drain()
    assert (await reply(reader)).startswith(b"HTTP/1.1 200")
    head, _, body = line.request().partition(b"\r\n\r\n")
    chunked = head.replace(b"Content-Length: %d" % len(body), b"Transfer-Encoding: chunked")
    writer.write(chunked + b"\r\n\r\n" + b"%x\r\n%s\r\n" % (len(body), body))
    await writer.drain()
    writer.write(b"0\r\n\r\n" + line.request())
    assert (await reply(reader)).startswith(b"HTTP/1.1 200")
    writer.close()
    assert line.server.layer.requests >= 2


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "GET"])
async def test_a_reset_before_the_request_was_read_reaches_nobody(line: Line, method: str) -> None:
    line.emulator.faults.add(Fault(kind="reset_before_read", path=PATH))
    with pytest.raises(ConnectionResetError):
        await line.ask(line.request(method=method))
    assert (line.server.layer.requests, line.received()) == (1, 0)
    assert not line.emulator.requests.counts


@pytest.mark.parametrize(("forward", "received"), [(False, 0), (True, 1)])
async def test_a_reset_after_the_request_was_read_may_hide_a_delivery(
    line: Line, forward: bool, received: int
) -> None:
    line.emulator.faults.add(Fault(kind="reset_after_read", forward=forward))
    with pytest.raises(ConnectionResetError):
        await line.ask(line.request())
    assert (line.server.layer.requests, line.received()) == (1, received)


@pytest.mark.parametrize(("forward", "received"), [(False, 0), (True, 1)])
async def test_an_end_after_the_request_was_read_may_hide_a_delivery(
    line: Line, forward: bool, received: int
) -> None:
    line.emulator.faults.add(Fault(kind="fin_after_read", forward=forward))
    assert await line.ask(line.request()) == b""
    assert (line.server.layer.requests, line.received()) == (1, received)


async def test_a_reset_waits_until_the_whole_body_was_read(line: Line) -> None:
    line.emulator.faults.add(Fault(kind="reset_after_read"))
    reader, writer = await line.connect()
    request = line.request()
    writer.write(request[:-5])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.1)
    writer.write(request[-5:])
    with pytest.raises(ConnectionResetError):
        await reader.read(1)


async def test_half_a_reply_ends_in_its_middle(line: Line) -> None:
    line.emulator.faults.add(Fault(kind="half_reply"))
    data = await line.ask(line.request())
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    assert 0 < len(body) < length
    assert line.received() == 1


@pytest.mark.parametrize(("forward", "received"), [(False, 0), (True, 1)])
async def test_silence_keeps_the_connection_open_and_says_nothing(
    line: Line, forward: bool, received: int
) -> None:
    line.emulator.faults.add(Fault(kind="silence", forward=forward))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(line.ask(line.request()), 0.5)
    assert (line.server.layer.requests, line.received()) == (1, received)


async def test_silence_lasts_though_the_client_asked_to_close(line: Line) -> None:
    line.emulator.faults.add(Fault(kind="silence", forward=True))
    request = line.request().replace(b"Host:", b"Connection: close\r\nHost:")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(line.ask(request), 0.5)
    assert line.received() == 1


async def test_an_idle_connection_is_closed_after_a_whole_reply(line: Line) -> None:
    line.emulator.faults.add(Fault(kind="close_idle"))
    reader, writer = await line.connect()
    writer.write(line.request())
    answer = await reply(reader)
    assert b"connection: close" not in answer.lower()
    assert await asyncio.wait_for(reader.read(), 10) == b""
    writer.close()
    assert line.received() == 1


async def test_a_reused_connection_can_be_reset_too(line: Line) -> None:
    line.emulator.faults.add(Fault(kind="reset_before_read", after=1))
    reader, writer = await line.connect()
    writer.write(line.request())
    await reply(reader)
    writer.write(line.request())
    with pytest.raises(ConnectionResetError):
        await reader.read(1)
    assert (line.server.layer.requests, line.received()) == (2, 1)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(kind="reset_before_read"), httpx.ReadError),
        (Fault(kind="reset_after_read", forward=True), httpx.ReadError),
        (Fault(kind="fin_after_read"), httpx.RemoteProtocolError),
        (Fault(kind="half_reply"), httpx.RemoteProtocolError),
        (Fault(kind="silence"), httpx.ReadTimeout),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
async def test_an_http_client_sees_the_fault_and_its_request_was_seen_once(
    line: Line, fault: Fault, error: type[Exception]
) -> None:
    line.emulator.faults.add(fault)
    with pytest.raises(error):
        await line.post()
    assert line.server.layer.requests == 1
    assert (await line.post()).status_code == 200


async def test_faults_and_counts_of_the_socket_are_set_and_read_over_http(line: Line) -> None:
    async with httpx.AsyncClient(base_url=line.server.url, trust_env=False) as client:
        answer = await client.post("/_emulator/faults", json={"kind": "fin_after_read", "path": PATH})
        assert answer.json()["faults"][0]["kind"] == "fin_after_read"
        with pytest.raises(httpx.RemoteProtocolError):
            await line.post()
        socket = (await client.get("/_emulator/requests")).json()["socket"]
        assert socket["counts"][f"POST {PATH}"] == 1
        (fault,) = (await client.get("/_emulator/faults")).json()["faults"]
        assert (fault["seen"], fault["happened"]) == (1, 1)


async def test_a_server_stops_soon_in_spite_of_open_and_silent_connections(line: Line) -> None:
    line.emulator.faults.add(Fault(kind="silence"))
    _reader, idle = await line.connect()
    _other, silent = await line.connect()
    silent.write(line.request())
    await asyncio.sleep(0.05)
    await asyncio.wait_for(line.server.stop(), 5)
    for writer in (idle, silent):
        writer.close()


async def test_a_stop_lets_a_request_end_that_is_under_way(line: Line) -> None:
    line.emulator.faults.add(Fault(kind="delay", delay=0.2, path=PATH))
    answer, writer = await line.connect()
    writer.write(line.request())
    await line.until_asked()
    await line.server.stop()
    assert (await answer.read()).startswith(b"HTTP/1.1 200")
    writer.close()


async def test_a_stop_does_not_wait_for_a_request_for_ever(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("whatsapp_provider.emulator.server.GRACE_SECONDS", 0.1)
    line.emulator.faults.add(Fault(kind="delay", delay=60.0, path=PATH))
    asked = asyncio.create_task(line.ask(line.request()))
    await line.until_asked()
    await asyncio.wait_for(line.server.stop(), 5)
    asked.cancel()
