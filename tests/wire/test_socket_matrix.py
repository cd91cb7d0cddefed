"""Each way a connection can fail, for each method, on a fresh and on a reused connection.

Every test asserts what the failure means and how often the request came to the server.
"""

from __future__ import annotations

import asyncio
from itertools import product
from pathlib import Path

import pytest

from tests.wire.certificate import self_signed
from tests.wire.line import BODY, Line
from tests.wire.transports import WIRES
from whatsapp_provider.errors import Disposition, GatewayError, NoAnswerError, NotReachedError
from whatsapp_provider.transport import Request, Timeouts, Wire

QUICK = Timeouts(connect=10, read=0.5, write=10, pool=10)
METHODS = ["POST", "PUT", "DELETE", "GET"]
#: What is done to the request, and how often it must have come to the server: its first byte, its last.
MAY_HAVE_BEEN_CARRIED_OUT = {
    "reset_before_read": (1, 0),
    "reset_after_read": (1, 1),
    "end_after_read": (1, 1),
    "half_head": (1, 1),
    "half_body": (1, 1),
    "half_body_then_reset": (1, 1),
    "no_http": (1, 1),
    "silence": (1, 1),
}


def request(method: str, url: str) -> Request:
    return Request(method, url, json=None if method == "GET" else {"to": "x"}, timeouts=QUICK)


async def warmed(wire: Wire, line: Line) -> None:
    """Leave an idle connection in the pool."""
    assert (await wire.exchange(request("GET", line.url))).status == 200
    line.arrived = line.read = 0


async def failure(wire: Wire, what: Request) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await wire.exchange(what)
    return caught.value


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("reused", [False, True], ids=["fresh", "reused"])
@pytest.mark.parametrize("fault", MAY_HAVE_BEEN_CARRIED_OUT)
async def test_a_request_that_left_without_an_answer_is_held_and_came_once(
    wire: Wire, line: Line, fault: str, reused: bool, method: str
) -> None:
    if reused:
        await warmed(wire, line)
    line.fault = fault
    error = await failure(wire, request(method, line.url))
    assert type(error) is NoAnswerError
    assert error.disposition is Disposition.HOLD
    assert (line.arrived, line.read) == MAY_HAVE_BEEN_CARRIED_OUT[fault]
    assert line.connections == 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("reused", [False, True], ids=["fresh", "reused"])
async def test_a_refused_connection_is_tried_again_later_because_nothing_left(
    wire: Wire, line: Line, reused: bool, method: str
) -> None:
    if reused:
        await warmed(wire, line)
    line.stop()
    error = await failure(wire, request(method, line.url))
    assert type(error) is NotReachedError
    assert error.disposition is Disposition.RETRY
    assert (line.arrived, line.read) == (0, 0)


@pytest.mark.parametrize("method", METHODS)
async def test_a_name_that_does_not_resolve_means_that_nothing_left(wire: Wire, method: str) -> None:
    error = await failure(wire, request(method, "http://nobody.invalid/"))
    assert type(error) is NotReachedError
    assert error.disposition is Disposition.RETRY


@pytest.mark.parametrize("method", METHODS)
async def test_a_certificate_that_nobody_vouches_for_means_that_nothing_left(
    wire: Wire, tmp_path: Path, method: str
) -> None:
    came: list[bytes] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.read())
        writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=self_signed(tmp_path))
    async with server:
        port = server.sockets[0].getsockname()[1]
        error = await failure(wire, request(method, f"https://127.0.0.1:{port}/"))
    assert type(error) is NotReachedError
    assert error.disposition is Disposition.RETRY
    assert "certificate verify failed" in str(error)
    assert b"".join(came) == b""


@pytest.mark.parametrize("kind", WIRES)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ending", ["reset", "end"])
async def test_a_request_that_was_read_over_tls_and_not_answered_is_held_and_came_once(
    tmp_path: Path, ending: str, method: str, kind: type[Wire]
) -> None:
    heads: list[bytes] = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        if ending == "reset":
            writer.transport.abort()
        writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=self_signed(tmp_path))
    async with server:
        port = server.sockets[0].getsockname()[1]
        wire = kind(verify=str(tmp_path / "certificate.pem"))
        error = await failure(wire, request(method, f"https://127.0.0.1:{port}/"))
        await wire.aclose()
    assert type(error) is NoAnswerError
    assert error.disposition is Disposition.HOLD
    assert len(heads) == 1


async def test_a_certificate_that_the_setting_names_is_trusted(tmp_path: Path) -> None:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=self_signed(tmp_path))
    async with server:
        port = server.sockets[0].getsockname()[1]
        for kind, verify in product(WIRES, (str(tmp_path / "certificate.pem"), False)):
            wire = kind(verify=verify)
            assert (await wire.exchange(request("GET", f"https://127.0.0.1:{port}/"))).json() == {}
            await wire.aclose()


@pytest.mark.parametrize("method", METHODS)
async def test_a_server_that_speaks_no_tls_gets_no_request(wire: Wire, line: Line, method: str) -> None:
    line.fault = "reset_before_read"  # what comes is a greeting, not a request
    error = await failure(wire, request(method, line.url.replace("http:", "https:")))
    assert type(error) is NotReachedError
    assert line.read == 0


@pytest.mark.parametrize("method", METHODS)
async def test_a_connection_closed_while_idle_is_replaced_and_the_request_comes_once(
    wire: Wire, line: Line, method: str
) -> None:
    await warmed(wire, line)
    line.hang_up()
    answer = await wire.exchange(request(method, line.url))
    assert answer.body == BODY
    assert (line.arrived, line.read, line.connections) == (1, 1, 2)


@pytest.mark.parametrize("method", METHODS)
async def test_a_connection_closed_as_soon_as_it_was_accepted_is_held(
    wire: Wire, line: Line, method: str
) -> None:
    line.fault = "end_on_accept"
    error = await failure(wire, request(method, line.url))
    assert type(error) is NoAnswerError
    assert (line.arrived, line.read, line.connections) == (0, 0, 1)


@pytest.mark.parametrize("kind", WIRES)
async def test_a_proxy_that_refuses_the_tunnel_means_that_nothing_left(
    monkeypatch: pytest.MonkeyPatch, kind: type[Wire]
) -> None:
    asked: list[bytes] = []

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    proxy = await asyncio.start_server(refuse, "127.0.0.1", 0)
    async with proxy:
        port = proxy.sockets[0].getsockname()[1]
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        wire = kind()
        error = await failure(wire, request("POST", "https://gate.example/messages/text"))
        await wire.aclose()
    assert type(error) is NotReachedError
    assert "407" in str(error)
    assert asked[0].startswith(b"CONNECT gate.example:443")
