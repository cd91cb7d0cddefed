"""Faults that need no socket, each with what the client sees and what the phone got."""

from __future__ import annotations

import asyncio
import json
from itertools import groupby

import pytest

from tests.emulator.conftest import Wire
from whatsapp_provider.emulator import Fault
from whatsapp_provider.emulator.faults import APP_KINDS, KINDS, SOCKET_KINDS, WEBHOOK_KINDS
from whatsapp_provider.emulator.whapi.channel import WhapiChannel

TO = "5511900000000"
SENDS = r"/messages/text$"


async def test_a_status_comes_with_its_headers_and_body_and_nothing_is_sent(
    wire: Wire, channel: WhapiChannel
) -> None:
    body = {"error": {"code": 429, "message": "Too Many Requests"}}
    wire.emulator.faults.add(
        Fault(kind="status", status=429, headers={"Retry-After": "7"}, body=body, path=SENDS)
    )
    answer = await wire.text(channel, TO)
    assert (answer.status_code, answer.headers["retry-after"], answer.json()) == (429, "7", body)
    assert wire.emulator.network.counts() == {}
    assert (await wire.text(channel, TO)).status_code == 200


async def test_a_delay_only_takes_time(wire: Wire, channel: WhapiChannel) -> None:
    wire.emulator.faults.add(Fault(kind="delay", delay=12))
    before = wire.emulator.clock.now()
    assert (await wire.text(channel, TO)).status_code == 200
    assert wire.emulator.clock.now() - before == 12


async def test_half_written_json_can_not_be_read_though_it_was_delivered(
    wire: Wire, channel: WhapiChannel
) -> None:
    wire.emulator.faults.add(Fault(kind="half_json"))
    answer = await wire.text(channel, TO)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert wire.emulator.network.counts() == {TO: 1}


async def test_a_502_can_hide_a_delivery(wire: Wire, channel: WhapiChannel) -> None:
    wire.emulator.faults.add(Fault(kind="deliver_then_status"))
    wire.emulator.faults.add(Fault(kind="deliver_then_status", status=504))
    assert [(await wire.text(channel, TO)).status_code for _ in range(3)] == [502, 504, 200]
    assert wire.emulator.network.counts() == {TO: 3}


async def test_a_200_can_say_that_nothing_was_sent(wire: Wire, channel: WhapiChannel) -> None:
    wire.emulator.faults.add(Fault(kind="unsent", path=SENDS))
    answer = await wire.text(channel, TO)
    assert (answer.status_code, answer.json()) == (200, {"sent": False})
    assert wire.emulator.network.counts() == {}


@pytest.mark.parametrize(("forward", "counts"), [(None, {}), (True, {TO: 1})])
async def test_a_request_can_hang_until_the_client_gives_up(
    wire: Wire, channel: WhapiChannel, forward: bool | None, counts: dict[str, int]
) -> None:
    wire.emulator.faults.add(Fault(kind="hang", forward=forward))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(wire.text(channel, TO), 0.5)
    assert wire.emulator.network.counts() == counts


async def test_html_can_come_instead_of_json(wire: Wire, channel: WhapiChannel) -> None:
    wire.emulator.faults.add(Fault(kind="html"))
    wire.emulator.faults.add(Fault(kind="html", status=403, body="<html>1010</html>"))
    for status in (200, 403):
        answer = await wire.text(channel, TO)
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.text.startswith("<")
    assert wire.emulator.network.counts() == {}


async def test_an_empty_200_hides_a_delivery_unless_told_otherwise(wire: Wire, channel: WhapiChannel) -> None:
    wire.emulator.faults.add(Fault(kind="empty"))
    wire.emulator.faults.add(Fault(kind="empty", forward=False))
    for _ in range(2):
        answer = await wire.text(channel, TO)
        assert (answer.status_code, answer.content) == (200, b"")
    assert wire.emulator.network.counts() == {TO: 1}


async def test_a_fault_chooses_its_requests_by_method_and_path(wire: Wire, channel: WhapiChannel) -> None:
    wire.emulator.faults.add(Fault(kind="status", status=500, method="get", path="/whapi/gate/health"))
    assert (await wire.text(channel, TO)).status_code == 200
    assert (await wire.manager("GET", "/channels/list")).status_code == 200
    assert (await wire.gate(channel.token, "GET", "/health")).status_code == 500


async def test_a_fault_can_begin_late_happen_some_times_or_for_ever(
    wire: Wire, channel: WhapiChannel
) -> None:
    wire.emulator.faults.add(Fault(kind="status", status=500, after=2, times=2))
    assert [(await wire.text(channel, TO)).status_code for _ in range(6)] == [200, 200, 500, 500, 200, 200]
    wire.emulator.faults.clear()
    wire.emulator.faults.add(Fault(kind="status", status=503, times=None))
    assert {(await wire.text(channel, TO)).status_code for _ in range(9)} == {503}


async def test_dice_with_a_seed_fall_the_same_way_again(wire: Wire, channel: WhapiChannel) -> None:
    async def run() -> list[int]:
        wire.emulator.faults.clear()
        wire.emulator.faults.add(Fault(kind="status", status=500, times=None, probability=0.5, seed=3))
        return [(await wire.text(channel, TO)).status_code for _ in range(30)]

    first = await run()
    assert first == await run()
    assert set(first) == {200, 500}


async def test_dice_can_begin_a_burst_that_hits_the_requests_after_it_too(
    wire: Wire, channel: WhapiChannel
) -> None:
    burst = Fault(kind="status", status=429, times=None, probability=0.1, burst=4, seed=3)
    wire.emulator.faults.add(burst)
    runs = [
        (status, len(list(same)))
        for status, same in groupby([(await wire.text(channel, TO)).status_code for _ in range(60)])
    ]
    refused = [length for status, length in runs if status == 429]
    assert len(refused) > 1
    # The last one may be cut short by the end of the test; two may come one after the other.
    assert all(length % 4 == 0 for length in refused[:-1])


def test_a_burst_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="one request at the least"):
        Fault(kind="status", burst=0)


async def test_the_control_api_is_never_spoiled(wire: Wire) -> None:
    wire.emulator.faults.add(Fault(kind="status", status=500, times=None))
    assert (await wire.control("GET", "/state")).status_code == 200


def test_a_fault_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="No such fault kind: 'gremlin'"):
        Fault(kind="gremlin")


def test_each_kind_belongs_to_one_layer() -> None:
    assert len(KINDS) == len(APP_KINDS) + len(WEBHOOK_KINDS) + len(SOCKET_KINDS)
