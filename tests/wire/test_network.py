"""The connections of a run's messages read and write all of it, and nothing that is not theirs."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.wire.line import RESET_ON_CLOSE
from tests.wire.transports import Places
from whatsapp_provider import network
from whatsapp_provider.deadline import writing_while
from whatsapp_provider.errors import Disposition, InputError, WhatsAppError
from whatsapp_provider.exchange import Request, Timeouts

HASTY = Timeouts(connect=5.0, read=5.0, write=0.2)
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s"


@asynccontextmanager
async def server(talk: Talk) -> AsyncIterator[str]:
    """Talk to whoever connects, and yield where."""
    async with await asyncio.start_server(talk, "127.0.0.1", 0) as listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/messages/text"


async def body_of(reader: asyncio.StreamReader) -> bytes:
    """Read a request and return its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    size = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return await reader.readexactly(int(size))


async def test_the_right_to_write_that_ends_while_a_connection_is_made_leaves_nothing_of_the_request() -> (
    None
):
    read: list[bytes] = []
    ended = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        read.append(await reader.read())
        writer.close()
        ended.set()

    answers = iter([True, False])
    async with server(talk) as url:
        with writing_while(lambda: next(answers)), pytest.raises(WhatsAppError) as caught:
            await Places().exchange(Request("POST", url, json={"to": "15550001000"}))
        await ended.wait()
    assert (caught.value.code, read) == ("lease_ended", [b""])


async def test_a_head_and_its_body_arrive_as_one() -> None:
    first: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first.append(await reader.read(65_536))
        writer.write(OK % (2, b"{}"))

    async with server(talk) as url:
        await Places().exchange(Request("POST", url, json={"body": "one"}))
    assert first[0].endswith(b'\r\n\r\n{"body":"one"}')


async def test_what_came_unasked_with_an_answer_is_not_the_next_one() -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await body_of(reader)
            writer.write(OK % (5, b'"one"') + OK % (9, b'"unasked"'))

    async with server(talk) as url:
        wire = Places()
        told = [(await wire.exchange(Request("POST", url, json={}))).json() for _ in range(3)]
        await wire.aclose()
    assert (told, connections) == (["one"] * 3, 3)


@pytest.mark.parametrize("seen", [False, True])
async def test_what_comes_unasked_while_a_connection_rests_is_not_the_next_one(seen: bool) -> None:
    writers: list[asyncio.StreamWriter] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await body_of(reader)
        writer.write(OK % (5, b'"one"'))

    async with server(talk) as url, server(talk) as elsewhere:
        wire = Places()
        assert (await wire.exchange(Request("POST", url, json={}))).json() == "one"
        # The system has it before the event loop does, unless that has something else to do meanwhile.
        writers[0].write(OK % (9, b'"unasked"'))
        if seen:
            await wire.exchange(Request("POST", elsewhere, json={}))
        assert (await wire.exchange(Request("POST", url, json={}))).json() == "one"
    assert len(writers) == 2 + seen


async def test_a_server_that_talks_without_end_to_a_connection_that_rests_is_not_listened_to() -> None:
    writers: list[asyncio.StreamWriter] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        while True:
            await body_of(reader)
            writer.write(OK % (5, b'"one"'))

    async with server(talk) as url, server(talk) as elsewhere:
        wire = Places()
        await wire.exchange(Request("POST", url, json={}))
        writers[0].write(b"x" * 50_000_000)
        for _ in range(100):
            await wire.exchange(Request("POST", elsewhere, json={}))
        assert writers[0].transport.get_write_buffer_size() > 30_000_000
        await wire.aclose()


async def test_an_answer_that_ends_with_its_connection_is_not_whole_where_that_was_reset() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await body_of(reader)
        writer.write(b'HTTP/1.1 200 OK\r\n\r\n{"sent": true, ')
        await asyncio.sleep(0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        writer.transport.abort()

    async with server(talk) as url:
        with pytest.raises(WhatsAppError) as caught:
            await Places().exchange(Request("POST", url, json={}))
    assert (caught.value.disposition, caught.value.code) == (Disposition.HOLD, "ReadError")


@pytest.mark.parametrize("said", [b"", b"220 ready\r\n\r\n", OK % (9, b"too short"[:5])])
async def test_what_is_no_whole_answer_is_held(said: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await body_of(reader)
        writer.write(said)
        writer.close()

    async with server(talk) as url:
        with pytest.raises(WhatsAppError) as caught:
            await Places().exchange(Request("POST", url, json={}))
    assert (caught.value.disposition, caught.value.code) == (Disposition.HOLD, "RemoteProtocolError")


async def test_a_header_that_would_be_two_is_found_before_anything_leaves() -> None:
    with pytest.raises(InputError, match="nothing was sent"):
        await Places().exchange(
            Request("POST", "http://127.0.0.1:9", {"authorization": "x\r\nto: y"}, json={})
        )


async def test_an_answer_and_a_request_of_megabytes_come_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "MANY_BYTES", 4096)
    large = "x" * 3_000_000
    bodies: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            bodies.append(await body_of(reader))
            answer = b'"%s"' % large.encode()
            writer.write(OK % (len(answer), answer))

    async with server(talk) as url:
        wire = Places()
        for _ in range(2):
            answer = await wire.exchange(Request("POST", url, json={"body": large}))
            assert answer.json() == large
        await wire.aclose()
    assert [len(body) for body in bodies] == [len('{"body":""}') + len(large)] * 2


async def test_a_server_that_reads_nothing_is_given_up_in_time_and_the_send_is_held() -> None:
    over = asyncio.Event()

    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport of sockets
        await over.wait()
        writer.transport.abort()

    async with server(talk) as url:
        asked = time.monotonic()
        with pytest.raises(WhatsAppError) as caught:
            await Places().exchange(Request("POST", url, json={"body": "x" * 20_000_000}, timeouts=HASTY))
        over.set()
    assert (caught.value.disposition, caught.value.code) == (Disposition.HOLD, "WriteTimeout")
    assert time.monotonic() - asked < 4
