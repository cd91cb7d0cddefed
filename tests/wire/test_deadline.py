"""A request whose right to be sent ended is not written, however late that shows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest

from tests.wire.line import BODY, Line
from tests.wire.test_socket_matrix import METHODS, request, warmed
from tests.wire.transports import Pools
from whatsapp_provider.deadline import writing_while
from whatsapp_provider.errors import Disposition, GatewayError, NoAnswerError, NotReachedError
from whatsapp_provider.http import ApiClient, Effect
from whatsapp_provider.transport import CONNECTIONS_PER_POOL, MAX_POOLS, Request, Wire


def yes_so_often(times: int) -> Callable[[], bool]:
    """Return a question that is answered with yes so many times."""
    asked = 0

    def may_write() -> bool:
        nonlocal asked
        asked += 1
        return asked <= times

    return may_write


async def refused(wire: Wire, what: Request, may_write: Callable[[], bool]) -> GatewayError:
    with pytest.raises(GatewayError) as caught, writing_while(may_write):
        await wire.exchange(what)
    return caught.value


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("reused", [False, True], ids=["fresh", "reused"])
@pytest.mark.parametrize("times", [0, 1], ids=["before connecting", "while connecting"])
async def test_nothing_is_written_once_the_right_has_ended(
    wire: Wire, line: Line, times: int, reused: bool, method: str
) -> None:
    if reused:
        await warmed(wire, line)
    error = await refused(wire, request(method, line.url), yes_so_often(times))
    assert type(error) is NotReachedError
    assert (error.disposition, error.code) == (Disposition.RETRY, "lease_ended")
    answer = await wire.exchange(request(method, line.url))
    assert (answer.body, line.arrived, line.read) == (BODY, 1, 1)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("reused", [False, True], ids=["fresh", "reused"])
async def test_a_head_that_was_written_gets_no_body_once_the_right_has_ended(
    line: Line, reused: bool, method: str
) -> None:
    """httpx writes one after the other; a run's places write both as one."""
    wire = Pools()
    if reused:
        await warmed(wire, line)
    error = await refused(wire, request(method, line.url), yes_so_often(2))
    assert type(error) is NoAnswerError
    assert (error.disposition, error.code) == (Disposition.HOLD, "lease_ended_midway")
    assert line.read == 0
    line.arrived = 0
    answer = await wire.exchange(request(method, line.url))
    assert (answer.body, line.arrived, line.read) == (BODY, 1, 1)


async def test_a_right_that_ends_in_the_wait_for_a_place_writes_nothing(wire: Wire, line: Line) -> None:
    places = MAX_POOLS * CONNECTIONS_PER_POOL
    line.hold = asyncio.Event()
    others = [asyncio.create_task(wire.exchange(Request("GET", line.url))) for _ in range(places)]
    await line.until_read(places)
    right = [True]
    late = asyncio.create_task(refused(wire, Request("POST", line.url, json={}), lambda: right[0]))
    await asyncio.sleep(0)
    right[0] = False
    line.hold.set()
    await asyncio.gather(*others)
    assert type(await late) is NotReachedError
    assert line.read == places


@pytest.mark.parametrize("times", range(2))
async def test_refused_requests_give_their_places_back(wire: Wire, line: Line, times: int) -> None:
    count = 3 * MAX_POOLS * CONNECTIONS_PER_POOL
    for _ in range(count):
        await refused(wire, Request("POST", line.url, json={}), yes_so_often(times))
    line.arrived = line.read = 0
    assert (await wire.exchange(Request("GET", line.url))).status == 200
    assert line.read == 1


async def test_the_right_of_one_send_is_not_that_of_another(wire: Wire, line: Line) -> None:
    """They run side by side in one loop, as a campaign's do."""

    async def send(*, allowed: bool) -> object:
        with writing_while(lambda: allowed):
            await asyncio.sleep(0)
            return await wire.exchange(Request("POST", line.url, json={}))

    told = await asyncio.gather(
        *(send(allowed=index % 2 == 0) for index in range(20)), return_exceptions=True
    )
    assert [isinstance(each, NotReachedError) for each in told] == [False, True] * 10
    assert line.read == 10
    assert (await wire.exchange(Request("POST", line.url, json={}))).status == 200


async def test_a_question_before_a_send_is_not_asked_again_when_the_right_has_ended() -> None:
    asked: list[httpx.Request] = []

    def handler(seen: httpx.Request) -> httpx.Response:
        asked.append(seen)
        return httpx.Response(200, json={})

    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    wire = Wire(transport=httpx.MockTransport(handler))
    client = ApiClient("https://gate.example", label="Gate", headers={}, wire=wire, sleep=pause)
    with pytest.raises(NotReachedError), writing_while(lambda: False):
        await client.request("GET", "/x", effect=Effect.READ)
    assert (asked, pauses) == ([], [])
