"""Each way to send that the bench compares sends the same text to the emulator, which counts what arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.bench import sending
from tests.bench.figures import Measured
from tests.bench.sending import Target
from whatsapp_provider.emulator import Emulator, EmulatorSettings
from whatsapp_provider.emulator.clock import RealClock
from whatsapp_provider.emulator.server import EmulatorServer, serve_in_thread

PEOPLE = 120


@pytest.fixture(scope="module")
def server() -> Iterator[EmulatorServer]:
    emulator = Emulator(EmulatorSettings(sent_after=None), clock=RealClock())
    emulator.whapi.paired_channel("Bench")
    with serve_in_thread(emulator) as server:
        yield server


@pytest.fixture
def target(server: EmulatorServer) -> Target:
    facts, (channel,) = server.facts(), server.emulator.whapi.channels.values()
    return Target(facts["gate_url"], facts["manager_url"], channel.token, channel.id)


def texts(server: EmulatorServer, since: int) -> dict[str, str | None]:
    return {entry.phone: entry.text for entry in server.emulator.network.received()[since:]}


@pytest.mark.parametrize(
    "way", [sending.by_aiohttp, sending.by_bare_client, sending.by_client_on_places, sending.by_requests]
)
def test_a_way_sends_what_it_says_it_sent(
    way: Callable[[Target, float], Measured], target: Target, server: EmulatorServer
) -> None:
    before = server.emulator.network.total()
    found = way(target, 0.05)
    assert found.sent > 0
    assert server.emulator.network.total() - before == found.sent + found.before
    assert texts(server, before)[sending.number(1)] == sending.text(1)


def test_a_campaign_sends_the_same_text_to_all_its_people(
    target: Target, server: EmulatorServer, tmp_path: Path
) -> None:
    before = server.emulator.network.total()
    found = sending.by_campaign(target, f"sqlite:///{tmp_path / 'ledger.db'}", PEOPLE)
    assert (found.sent, found.before) == (PEOPLE, sending.WARM_UP)
    assert found.planned > 0
    assert server.emulator.network.total() - before == PEOPLE + sending.WARM_UP
    received = texts(server, before)
    assert {phone: received[phone] for phone in map(sending.number, range(PEOPLE))} == {
        sending.number(index): sending.text(index) for index in range(PEOPLE)
    }


def test_a_campaign_that_does_not_reach_everybody_is_no_measurement(
    target: Target, server: EmulatorServer, tmp_path: Path
) -> None:
    (channel,) = server.emulator.whapi.channels.values()
    channel.force("STOP")
    try:
        with pytest.raises(RuntimeError, match="paused"):
            sending.by_campaign(target, f"sqlite:///{tmp_path / 'ledger.db'}", PEOPLE)
    finally:
        channel.force("AUTH")
