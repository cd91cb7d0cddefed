"""Pools, bounds, and what never happens: a redirect, a cookie, a logged URL."""

from __future__ import annotations

import asyncio
import gc
import logging
import ssl
import weakref
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from tests.wire.line import Line, a_line
from tests.wire.transports import Pools
from whatsapp_provider import transport
from whatsapp_provider.errors import (
    ConfigurationError,
    Disposition,
    InputError,
    NoAnswerError,
    NotReachedError,
)
from whatsapp_provider.transport import (
    CONNECTIONS_PER_POOL,
    MAX_POOLS,
    USER_AGENT,
    Answer,
    Request,
    Timeouts,
    Wire,
    shared_wire,
)
from whatsapp_provider.wire_failures import MAX_ANSWER_BYTES

PLACES = MAX_POOLS * CONNECTIONS_PER_POOL
SECRET = "x" * 32


def answering(handler: Callable[[httpx.Request], httpx.Response]) -> Wire:
    return Wire(transport=httpx.MockTransport(handler))


async def test_a_request_names_this_package_and_asks_for_json() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={})

    wire = answering(handler)
    await wire.exchange(Request("POST", "http://gate.example/x", params={"count": "1"}, json={"a": "ä"}))
    assert seen[0].headers["user-agent"] == USER_AGENT
    assert seen[0].headers["accept"] == "application/json"
    assert str(seen[0].url) == "http://gate.example/x?count=1"
    assert seen[0].content.decode() == '{"a":"ä"}'


async def test_a_redirect_is_answered_with_and_not_followed() -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(307, headers={"location": "http://elsewhere.example/"})

    answer = await answering(handler).exchange(Request("POST", "http://gate.example/x"))
    assert answer.status == 307
    assert seen == ["http://gate.example/x"]


async def test_a_cookie_of_one_answer_is_not_sent_with_the_next_request() -> None:
    sent: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request.headers.get("cookie"))
        return httpx.Response(200, headers={"set-cookie": "session=of-another-tenant; Path=/"})

    wire = answering(handler)
    for _ in range(2):
        await wire.exchange(Request("GET", "http://gate.example/"))
    assert sent == [None, None]


async def test_what_is_on_this_machine_is_not_asked_for_through_its_proxy(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:3128")
    wire = Wire()
    assert (await wire.exchange(Request("GET", line.url))).status == 200
    with pytest.raises(NotReachedError):
        await wire.exchange(Request("GET", "http://gate.example/"))
    await wire.aclose()


async def test_no_url_reaches_a_log_even_where_everything_is_logged(
    wire: Wire, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await wire.exchange(Request("GET", f"{line.url}/15550001000", params={"token": SECRET}))
    assert "15550001000" not in caplog.text
    assert SECRET not in caplog.text


async def test_an_answer_that_does_not_end_is_given_up_at_its_bound() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 1_000_000

    wire = answering(lambda _: httpx.Response(200, content=endless()))
    with pytest.raises(NoAnswerError) as caught:
        await wire.exchange(Request("POST", "http://gate.example/"))
    assert caught.value.code == "too_large"
    assert sent <= MAX_ANSWER_BYTES // 1_000_000 + 1


async def test_an_answer_that_drips_is_held_when_the_time_for_it_all_is_over(wire: Wire, line: Line) -> None:
    line.fault = "drip"  # each byte comes well within the read timeout
    bounds = Timeouts(connect=0.5, read=0.5, write=0.5)
    with pytest.raises(NoAnswerError) as caught:
        await wire.exchange(Request("POST", line.url, timeouts=bounds))
    assert caught.value.disposition is Disposition.HOLD
    assert "within 1.5 s" in str(caught.value)
    assert line.read == 1


def test_the_bound_of_a_request_includes_the_wait_for_a_place() -> None:
    bounds = Timeouts(connect=1, read=2, write=3, pool=4)
    assert (bounds.exchange, bounds.total) == (6, 10)


async def test_many_requests_at_once_take_eighty_connections_and_wait_for_the_rest(
    wire: Wire, line: Line
) -> None:
    line.hold = asyncio.Event()
    requests = [asyncio.create_task(wire.exchange(Request("GET", line.url))) for _ in range(PLACES + 20)]
    await line.until_read(PLACES)
    for _ in range(50):
        await asyncio.sleep(0)
    assert (line.connections, line.read) == (PLACES, PLACES) == (80, 80)
    line.hold.set()
    assert {answer.status for answer in await asyncio.gather(*requests)} == {200}
    assert line.connections == PLACES


async def test_requests_one_after_the_other_need_one_connection(wire: Wire, line: Line) -> None:
    for _ in range(30):
        await wire.exchange(Request("GET", line.url))
    assert line.connections == 1


async def test_requests_of_one_moment_are_spread_over_all_pools(line: Line) -> None:
    wire = Pools()
    for rounds in (1, 2, 3):
        line.hold = asyncio.Event()
        read = line.read
        requests = [
            asyncio.create_task(wire.exchange(Request("GET", line.url))) for _ in range(rounds * MAX_POOLS)
        ]
        await line.until_read(read + len(requests))
        assert [pool.under_way for pool in wire._pools] == [rounds] * MAX_POOLS
        line.hold.set()
        await asyncio.gather(*requests)
    await wire.aclose()


async def test_clients_share_one_tls_context_because_each_costs_a_noticeable_pause(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    make = ssl.create_default_context

    def counted(*args: object, **options: object) -> ssl.SSLContext:
        made.append(args)
        return make(*args, **options)  # type: ignore[arg-type]

    transport._ssl_context.cache_clear()
    monkeypatch.setattr(ssl, "create_default_context", counted)
    line.hold = asyncio.Event()
    wires = [Wire(), Wire()]
    requests = [asyncio.create_task(wire.exchange(Request("GET", line.url))) for wire in wires * 20]
    await line.until_read(len(requests))
    line.hold.set()
    await asyncio.gather(*requests)
    for wire in wires:
        await wire.aclose()
    assert len(made) == 1


async def test_waiting_in_vain_for_a_place_means_that_nothing_left(wire: Wire, line: Line) -> None:
    line.hold = asyncio.Event()
    others = [asyncio.create_task(wire.exchange(Request("GET", line.url))) for _ in range(PLACES)]
    await line.until_read(PLACES)
    with pytest.raises(NotReachedError) as caught:
        await wire.exchange(Request("POST", line.url, timeouts=Timeouts(pool=0.05)))
    assert caught.value.disposition is Disposition.RETRY
    assert caught.value.code == "pool_timeout"
    assert line.read == PLACES
    line.hold.set()
    await asyncio.gather(*others)


async def test_a_cancelled_request_gives_its_place_back(wire: Wire, line: Line) -> None:
    line.hold = asyncio.Event()
    others = [asyncio.create_task(wire.exchange(Request("GET", line.url))) for _ in range(PLACES)]
    await line.until_read(PLACES)
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    line.hold.set()
    again = [wire.exchange(Request("GET", line.url, timeouts=Timeouts(pool=0.5))) for _ in range(PLACES)]
    assert {answer.status for answer in await asyncio.gather(*again)} == {200}


def test_a_loop_has_one_wire_for_each_origin_and_forgets_those_of_ended_loops() -> None:
    async def use() -> tuple[weakref.ref[Wire], bool, bool]:
        async with a_line() as line:
            wire = shared_wire("http://a.example")
            # Waiting for a place ties the wire to its loop.
            line.hold = asyncio.Event()
            tasks = [asyncio.create_task(wire.exchange(Request("GET", line.url))) for _ in range(PLACES + 1)]
            await line.until_read(PLACES)
            line.hold.set()
            await asyncio.gather(*tasks)
            await wire.aclose()
            same = shared_wire("http://a.example") is wire
            other = shared_wire("http://b.example") is wire
            return weakref.ref(wire), same, other

    first, same, other = asyncio.run(use())
    assert (same, other) == (True, False)
    second, *_ = asyncio.run(use())
    gc.collect()
    assert first() is None
    assert second() is not None


@pytest.mark.parametrize("host", ["a" * 64, "a..b"])
async def test_a_host_that_no_resolver_takes_means_that_nothing_left(wire: Wire, host: str) -> None:
    with pytest.raises((NotReachedError, ConfigurationError)):
        await wire.exchange(Request("POST", f"http://{host}.example/"))


@pytest.mark.parametrize(
    "url", ["ftp://gate.example/", "http://gate.example:port/", "http://gate\x00.example/"]
)
async def test_an_address_that_is_none_is_a_matter_of_configuration(wire: Wire, url: str) -> None:
    with pytest.raises(ConfigurationError, match="not an address"):
        await wire.exchange(Request("GET", url))


async def test_an_address_that_cannot_be_asked_is_told_as_one_to_ask() -> None:
    with pytest.raises(ConfigurationError, match="not an address to ask"):
        await transport.look_at("HEAD", "http://a\x00.example/", "127.0.0.1", headers={}, connect=1, limit=1)


async def test_what_is_wrong_with_an_address_is_told_without_its_path(wire: Wire) -> None:
    with pytest.raises(ConfigurationError) as caught:
        await wire.exchange(Request("GET", "http://gate.example/users/login/15550001000\x07"))
    assert "15550001000" not in str(caught.value)


@pytest.mark.parametrize(
    ("headers", "json"),
    [
        ({"authorization": f"Bearer {SECRET}…"}, {}),
        ({}, {"body": "half a pair: \ud83d"}),
        ({}, {"n": float("nan")}),
    ],
    ids=["token with dots of omission", "half a surrogate pair", "not a number"],
)
async def test_what_cannot_be_written_is_found_before_anything_leaves(
    wire: Wire, line: Line, headers: dict[str, str], json: object
) -> None:
    with pytest.raises(InputError) as caught:
        await wire.exchange(Request("POST", line.url, headers=headers, json=json))
    assert caught.value.disposition is Disposition.HALT
    assert line.connections == 0
    assert SECRET not in str(caught.value)
    assert "half a pair" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", b"{", b"\xff", b"[" * 100_000),
        *(
            b'{"sent": false, "sent": true}',
            b'{"at": 1e400}',
            b'{"at": NaN}',
            b'{"at": ' + b"9" * 5000 + b"}",
        ),
    ],
    ids=lambda body: repr(body[:20]),
)
def test_an_answer_that_is_not_json_is_held_and_told_by_its_kind(body: bytes) -> None:
    with pytest.raises(NoAnswerError) as caught:
        Answer(200, {"content-type": "text/html"}, body).json()
    assert caught.value.disposition is Disposition.HOLD
    assert caught.value.code == "unreadable"
    assert f"{len(body)} bytes of text/html" in str(caught.value)


def test_neither_a_request_nor_an_answer_shows_what_is_in_it() -> None:
    shown = repr(Request("GET", "http://gate.example/", {"authorization": SECRET}, {"token": SECRET}, SECRET))
    assert SECRET not in shown
    assert SECRET not in repr(Answer(200, {"set-cookie": SECRET}, SECRET.encode()))
