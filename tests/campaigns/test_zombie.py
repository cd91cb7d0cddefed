"""A run that was suspended in the midst of a send wakes up, and does not write to the wire what is another's by now."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time as real_time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests import loopback
from tests.campaigns.support import SEND_TIMEOUT, Desk, number
from tests.campaigns.test_through_a_gateway import Office
from whatsapp_provider.campaigns.campaign import OnInDoubt
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.settling import Verdict
from whatsapp_provider.campaigns.options import LEASE_MARGIN, RunOptions
from whatsapp_provider.campaigns.outcome import Ending, Outcome
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.campaigns.runner import CampaignRunner
from whatsapp_provider.emulator import Emulator, EmulatorSettings
from whatsapp_provider.emulator.clock import RealClock
from whatsapp_provider.emulator.server import serve_in_thread
from whatsapp_provider.errors import LeaseLostError
from whatsapp_provider.gateways.base import Sender
from whatsapp_provider.messages import Message
from whatsapp_provider.model import ChannelStatus, SendResult

LEASE = SEND_TIMEOUT + LEASE_MARGIN
EVERYONE = {number(index): 1 for index in range(6)}


class Suspended:
    """A gateway's sender; between the runner's look at its lease and the third send, something happens."""

    def __init__(self, sender: Sender, then: Callable[[], Awaitable[None]]) -> None:
        self.sender, self.then, self.count = sender, then, 0

    async def send(self, recipient: str, message: Message) -> SendResult:
        self.count += 1
        if self.count == 3:
            await self.then()
        return await self.sender.send(recipient, message)

    async def status(self) -> ChannelStatus:
        return await self.sender.status()


@pytest.fixture
def office(desk: Desk) -> Office:
    emulator = Emulator(EmulatorSettings(seed=7))
    return Office(desk, emulator, emulator.whapi.paired_channel("Campaigns"))


def runner(office: Office, sender: Sender | None = None) -> CampaignRunner:
    template, options = MessageTemplate("Hi {{ name }}"), RunOptions(SEND_TIMEOUT)
    time = office.desk.time
    return CampaignRunner(
        office.desk.ledger,
        office.record,
        office.campaign,
        template,
        sender or office.sender,
        options,
        # As the boot clock does, it counts the sleep of the machine, which the event loop never notices.
        clock=lambda: time.now + time.slept,
    )


@pytest.mark.parametrize("asleep", [LEASE - SEND_TIMEOUT, LEASE, 5 * LEASE])
def test_a_send_that_a_suspension_came_before_is_not_made_and_nobody_is_lost(
    office: Office, asleep: float
) -> None:
    async def sleep() -> None:
        office.desk.time.slept += asleep

    office.campaign = replace(office.campaign, pace=Pace.official())
    woken = runner(office, Suspended(office.sender, sleep))
    if asleep < LEASE:
        # Its lease is as good as ever: the send begins again, with a whole lease before it.
        assert office.desk.time.run(woken.run()).ending is Ending.FINISHED
    else:
        with pytest.raises(LeaseLostError):
            office.desk.time.run(woken.run())
        assert office.received() == {number(index): 1 for index in range(2)}
        assert office.counts() == {"accepted": 2, "planned": 4}
    assert office.run().ending is Ending.FINISHED
    assert office.received() == EVERYONE
    assert office.counts() == {"accepted": 6}


def test_what_remains_of_the_lease_at_the_write_must_exceed_the_time_of_a_send(office: Office) -> None:
    async def sleep() -> None:
        office.desk.time.slept += LEASE_MARGIN - 0.5

    sender = Suspended(office.sender, sleep)
    assert office.desk.time.run(runner(office, sender).run()).ending is Ending.FINISHED
    assert sender.count == 6
    assert office.received() == EVERYONE


@pytest.mark.parametrize("on_in_doubt", [OnInDoubt.HOLD, OnInDoubt.RESEND])
def test_a_run_that_wakes_up_behind_another_sends_to_nobody_a_second_time(
    office: Office, on_in_doubt: OnInDoubt
) -> None:
    office.campaign = replace(office.campaign, on_in_doubt=on_in_doubt)
    told: list[tuple[Outcome, dict[str, int]]] = []

    async def sleep() -> None:
        office.desk.time.slept += LEASE + 1
        told.append((await runner(office).run(), office.received()))

    with pytest.raises(LeaseLostError):
        office.desk.time.run(runner(office, Suspended(office.sender, sleep)).run())
    [(outcome, received)] = told
    assert outcome.ending is Ending.FINISHED
    assert office.received() == received
    resent = on_in_doubt is OnInDoubt.RESEND
    assert received == (EVERYONE if resent else {who: 1 for who in EVERYONE if who != number(2)})
    if not resent:
        # What it says of its own attempt is the truth, and comes too late: the campaign was finished without it.
        assert office.counts() == {"accepted": 5, "in_doubt": 1}
        [(campaign, told_of)] = office.desk.ledger.in_doubt()
        assert (campaign, told_of.recipient) == (office.record.campaign_id, number(2))
        assert "certainly not sent" in str(told_of.reason)
        assert "settle it as not_sent and run the task again" in str(told_of.reason)
        office.desk.ledger.settle(campaign, None, Verdict.NOT_SENT, by="Ada")
    assert office.run().ending is Ending.FINISHED
    assert office.counts() == {"accepted": 6}
    assert office.received() == EVERYONE


# -- a real process ---------------------------------------------------------------------------------

ROOT = Path(__file__).parents[2]
PATIENCE = 30
SHORT_SEND, SHORT_MARGIN = 1.0, 0.6


@pytest.fixture
def site(sqlite_url: str) -> Iterator[dict[str, Any]]:
    emulator = Emulator(EmulatorSettings(seed=3, sent_after=None), clock=RealClock())
    channel = emulator.whapi.paired_channel("Campaigns")
    with serve_in_thread(emulator) as server:
        yield {
            **server.facts(),
            "ledger": sqlite_url,
            "channel": channel.id,
            "people": 6,
            "concurrency": 1,
            "send_timeout": SHORT_SEND,
            "lease_margin": SHORT_MARGIN,
        }


def started(site: dict[str, Any], **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.campaigns.zombie", json.dumps({**site, **options})]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until_stopped(process: subprocess.Popen[str]) -> None:
    deadline = real_time.monotonic() + PATIENCE
    while real_time.monotonic() < deadline:
        found, status = os.waitpid(process.pid, os.WNOHANG | os.WUNTRACED)
        if found:
            assert os.WIFSTOPPED(status), process.communicate()
            return
        real_time.sleep(0.02)
    pytest.fail("the process did not stop itself")


def received(site: dict[str, Any]) -> dict[str, int]:
    return dict(loopback.get(f"{site['url']}/_emulator/received/counts").json())


@pytest.mark.kill
@pytest.mark.parametrize(
    ("where", "known"),
    [
        ("sender", True),
        ("new connection", True),
        ("used connection", True),
        # What the head announces does not come, so nothing is sent; that is not proof enough to say so.
        ("head", False),
    ],
)
def test_a_process_stopped_before_it_wrote_and_woken_after_its_lease_makes_no_send(
    site: dict[str, Any], where: str, known: bool
) -> None:
    zombie = started(site, stop_at=3, where=where)
    try:
        until_stopped(zombie)
        assert sum(received(site).values()) == 2
        other = started(site)
        out, error = other.communicate(timeout=PATIENCE)
        assert json.loads(out or "{}").get("ending") == "finished", error
        before = received(site)
        assert sum(before.values()) == 5
        os.kill(zombie.pid, signal.SIGCONT)
        out, error = zombie.communicate(timeout=PATIENCE)
        assert json.loads(out or "{}").get("ending") == "LeaseLostError", error
        assert received(site) == before
    finally:
        zombie.kill()
        zombie.wait()
    ledger = Ledger(site["ledger"])
    record = ledger.find("shared")
    assert record is not None
    assert ledger.counts(record).to_dict() == {"accepted": 5, "in_doubt": 1}
    [(_, told_of)] = ledger.in_doubt()
    assert (told_of.recipient, told_of.code == "not_sent") == ("15550000002", known)
    ledger.dispose()
