"""A run's messages, each with a connection to itself, are on the wire what any other request is."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.wire.line import Line
from tests.wire.transports import Places, Pools
from whatsapp_provider import places
from whatsapp_provider.errors import Disposition, NoAnswerError
from whatsapp_provider.exchange import Form, Upload
from whatsapp_provider.transport import Request, Wire

HEAD = b"HTTP/1.1 200 OK\r\nconnection: close\r\n"


@asynccontextmanager
async def server(answer: bytes, read: list[bytes] | None = None) -> AsyncIterator[str]:
    """Give each request one answer, and yield where."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        _, _, size = head.lower().partition(b"content-length: ")
        body = await reader.readexactly(int(size.partition(b"\r\n")[0] or b"0"))
        if read is not None:
            read.extend([head, body])
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(converse, "127.0.0.1", 0) as listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/messages/text"


def fields(head: bytes) -> set[bytes]:
    """Return what a head says, whatever its order; how answers may be packed is each library's to say."""
    line, *rest = head.strip().split(b"\r\n")
    return {line, *(each.lower() for each in rest if not each.lower().startswith(b"accept-encoding:"))}


@pytest.mark.parametrize("params", [{}, {"m": "3"}])
@pytest.mark.parametrize(
    ("method", "json"), [("POST", {"to": "15550001000", "body": "Olá 🌱"}), ("POST", None), ("GET", None)]
)
async def test_a_server_reads_what_any_other_request_would_say(
    method: str, json: object, params: dict[str, str]
) -> None:
    said: list[tuple[set[bytes], bytes]] = []
    for kind in (Pools, Places):
        read: list[bytes] = []
        async with server(HEAD + b"content-length: 2\r\n\r\n{}", read) as url:
            wire = kind()
            what = Request(method, f"{url}?n=1%202", {"authorization": "Bearer x"}, params, json=json)
            assert (await wire.exchange(what)).json() == {}
            await wire.aclose()
        port = url.split(":")[2].partition("/")[0].encode()
        said.append((fields(read[0].replace(port, b"PORT")), read[1]))
    assert said[0] == said[1]
    assert b"authorization: bearer x" in said[1][0]


@pytest.mark.parametrize("kind", [Pools, Places])
async def test_a_packed_answer_is_unpacked(kind: type[Wire]) -> None:
    packed = gzip.compress(b'{"sent": true}')
    head = HEAD + b"Content-Encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)
    async with server(head + packed) as url:
        assert (await kind().exchange(Request("POST", url, json={}))).json() == {"sent": True}


@pytest.mark.parametrize("kind", [Pools, Places])
async def test_an_answer_that_cannot_be_unpacked_is_held(kind: type[Wire]) -> None:
    async with server(HEAD + b"content-encoding: gzip\r\ncontent-length: 4\r\n\r\nnone") as url:
        with pytest.raises(NoAnswerError) as caught:
            await kind().exchange(Request("POST", url, json={}))
    assert (caught.value.disposition, caught.value.code) == (Disposition.HOLD, "DecodingError")


@pytest.mark.parametrize("kind", [Pools, Places])
async def test_a_header_that_comes_twice_is_one_with_both_values(kind: type[Wire]) -> None:
    async with server(HEAD + b"X-Told: one\r\nx-told: two\r\ncontent-length: 0\r\n\r\n") as url:
        assert (await kind().exchange(Request("POST", url, json={}))).headers["x-told"] == "one, two"


async def test_connections_that_rested_for_long_are_closed_and_not_used(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "IDLE_SECONDS", 0.0)
    wire = Places()
    line.hold = asyncio.Event()
    requests = [asyncio.create_task(wire.exchange(Request("POST", line.url, json={}))) for _ in range(5)]
    await line.until_read(5)
    line.hold.set()
    await asyncio.gather(*requests)
    await wire.exchange(Request("POST", line.url, json={}))
    assert line.connections == 6
    await line.until_open(1)
    await wire.aclose()


async def test_a_busy_run_uses_its_connections_again(line: Line) -> None:
    wire = Places()
    for _ in range(3):
        await asyncio.gather(*(wire.exchange(Request("POST", line.url, json={})) for _ in range(12)))
    assert (line.connections, line.read) == (12, 36)
    await wire.aclose()
    await line.until_open(0)


async def test_a_file_goes_through_the_pools(line: Line) -> None:
    wire = Places()
    form = Form({"to": "15550001000"}, {"file": Upload("a.png", b"...", "image/png")})
    assert (await wire.exchange(Request("POST", line.url, form=form))).status == 200
    assert len(wire._pools) == 1
    await wire.aclose()
