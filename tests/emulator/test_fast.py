"""The short way for plain texts answers as the usual one does, counts what phones receive, and knows its limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from whatsapp_provider.emulator import Emulator, EmulatorSettings, Fault
from whatsapp_provider.emulator.clock import RealClock
from whatsapp_provider.emulator.server import EmulatorServer
from whatsapp_provider.emulator.whapi.channel import WhapiChannel

TO = "5511900000000"
PATH = "/whapi/gate/messages/text"


class Line:
    """A server in fast mode, or not, with a paired channel and a client of it."""

    def __init__(self, server: EmulatorServer, channel: WhapiChannel, client: httpx.AsyncClient) -> None:
        self.server, self.channel, self.client = server, channel, client
        self.network = server.emulator.network

    async def post(self, **body: Any) -> httpx.Response:
        return await self.client.post(PATH, json={"to": TO, "body": "Olá", **body})

    @property
    def kept(self) -> int:
        """Messages that went the usual way."""
        return len(self.network.received())


async def line_of(*, fast: bool) -> AsyncIterator[Line]:
    emulator = Emulator(EmulatorSettings(seed=5, sent_after=None), clock=RealClock())
    channel = emulator.whapi.paired_channel("Fast")
    server = EmulatorServer(emulator, fast=fast)
    await server.start()
    headers = {"authorization": f"Bearer {channel.token}"}
    async with httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False) as client:
        yield Line(server, channel, client)
    await server.stop()


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async for line in line_of(fast=True):
        yield line


@pytest.fixture
async def usual() -> AsyncIterator[Line]:
    async for line in line_of(fast=False):
        yield line


async def test_a_plain_text_is_counted_and_not_kept(line: Line) -> None:
    for _ in range(3):
        assert (await line.post()).json()["sent"] is True
    await line.post(to="15550001234")
    assert line.network.counts() == {TO: 3, "15550001234": 1}
    assert line.network.counts(line.channel.id) == line.network.counts()
    assert line.network.counts("another") == {}
    assert (line.network.total(), line.kept) == (4, 0)
    assert line.server.layer.counts[f"POST {PATH}"] == 4


async def test_its_answer_is_the_usual_one_but_for_id_and_time(line: Line, usual: Line) -> None:
    mine, theirs = await line.post(), await usual.post()
    assert (line.kept, usual.kept) == (0, 1)
    assert mine.status_code == theirs.status_code
    assert sorted(mine.headers.items()) == sorted(theirs.headers.items())
    changing = {"id", "timestamp"}
    told = [
        {name: value for name, value in answer.json()["message"].items() if name not in changing}
        for answer in (mine, theirs)
    ]
    assert told[0] == told[1]
    assert list(mine.json()["message"]) == list(theirs.json()["message"])


@pytest.mark.parametrize(
    "special",
    [{"typing_time": 0}, {"to": f"{TO}@s.whatsapp.net"}, {"quoted": "x"}],
    ids=lambda s: next(iter(s)),
)
async def test_what_is_not_plain_goes_the_usual_way(line: Line, special: dict[str, Any]) -> None:
    assert (await line.post(**special)).json()["sent"] is True
    assert line.kept == 1
    assert (await line.post()).json()["sent"] is True
    assert (line.kept, line.network.counts()) == (1, {TO: 2})


async def test_what_the_gateway_refuses_it_refuses_in_its_own_words(line: Line, usual: Line) -> None:
    for body in ({"to": "x"}, {"body": 5}):
        mine, theirs = await line.post(**body), await usual.post(**body)
        assert (mine.status_code, mine.json()) == (theirs.status_code, theirs.json())
        assert mine.status_code == 400
    stranger = {"authorization": "Bearer nobody"}
    assert (await line.client.post(PATH, json={"to": TO, "body": "x"}, headers=stranger)).status_code == 404
    line.channel.force("QR")
    assert (await line.post()).status_code == 401
    assert line.network.total() == 0


async def test_faults_and_webhooks_happen_in_fast_mode_too(line: Line) -> None:
    line.server.emulator.faults.add(Fault(kind="status", status=502, path=PATH))
    assert (await line.post()).status_code == 502
    line.server.emulator.faults.clear()
    line.channel.webhooks.configure({"webhooks": [{"url": "http://127.0.0.1:9/"}]})
    assert (await line.post()).status_code == 200
    assert line.kept == 1


async def test_the_latency_that_is_set_is_kept(line: Line) -> None:
    line.server.emulator.configure(send_latency=0.1)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await asyncio.gather(*(line.post() for _ in range(5)))
    assert loop.time() - begun >= 0.1
    assert line.network.counts() == {TO: 5}


async def test_a_request_that_comes_in_pieces_is_answered_once(line: Line) -> None:
    body = b'{"to": "%s", "body": "x"}' % TO.encode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: emulator\r\nAuthorization: Bearer {line.channel.token}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", line.server.port)
    for piece in (head[:60], head[60:], body[:5], body[5:]):
        writer.write(piece)
        await writer.drain()
        # The server's loop has come round since, so what follows is another piece.
        await line.client.get("/_emulator/state")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()
    assert line.network.counts() == {TO: 1}
