"""A whole campaign through a real gateway client, with an emulator behind it whose phones tell the truth."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.campaigns.support import SEND_TIMEOUT, Desk, number
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.outcome import Ending, Outcome
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.campaigns.runner import CampaignRunner, RunOptions
from whatsapp_provider.emulator import Emulator, EmulatorSettings, Fault
from whatsapp_provider.emulator.whapi.channel import WhapiChannel
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.registry import GATEWAYS
from whatsapp_provider.model import ChannelRef
from whatsapp_provider.transport import Wire

SENDS = "/messages/text"


class Office:
    """A desk whose sender is a Whapi channel of an emulator in this process."""

    def __init__(self, desk: Desk, emulator: Emulator, channel: WhapiChannel) -> None:
        self.desk, self.emulator, self.channel = desk, emulator, channel
        ref = ChannelRef("whapi", channel.id)
        self.campaign: Campaign = desk.campaign(channel=ref, concurrency=1)
        self.record: CampaignRecord = desk.plan(6, self.campaign)
        urls = {"manager_url": "http://emulator/whapi/manager"}
        values = ConnectionValues(
            "test", host="http://emulator/whapi/gate", password=emulator.partner_token, extra=urls
        )
        wire = Wire(transport=httpx.ASGITransport(app=emulator.app))
        self.sender = GATEWAYS["whapi"].open(values, wire=wire).channel(ref)

    def run(self) -> Outcome:
        ledger: Ledger = self.desk.ledger
        template = MessageTemplate("Hi {{ name }}")
        options = RunOptions(SEND_TIMEOUT)
        runner = CampaignRunner(
            ledger, self.record, self.campaign, template, self.sender, options, clock=self.desk.time
        )
        return self.desk.time.run(runner.run())

    def counts(self) -> dict[str, int]:
        return self.desk.counts(self.record)

    def received(self) -> dict[str, int]:
        return self.emulator.network.counts()


@pytest.fixture
def office(desk: Desk) -> Office:
    emulator = Emulator(EmulatorSettings(seed=7))
    return Office(desk, emulator, emulator.whapi.paired_channel("Campaigns"))


EVERYONE = {number(index): 1 for index in range(6)}


def test_every_phone_gets_its_own_text_once(office: Office) -> None:
    assert office.run().ending is Ending.FINISHED
    assert office.received() == EVERYONE
    texts = [entry.text for entry in office.emulator.network.received()]
    assert texts == [f"Hi N{index}" for index in range(6)]
    kept = office.desk.in_state(office.record, DeliveryState.ACCEPTED)
    assert [entry.message_id for entry in kept] == [
        entry.message_id for entry in office.emulator.network.received()
    ]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "deliver_then_status", "status": 502},
        {"kind": "half_json"},
        {"kind": "empty"},
        {"kind": "html", "forward": True},
    ],
)
def test_an_answer_that_proves_nothing_puts_one_person_in_doubt_who_is_not_sent_to_again(
    office: Office, fault: dict[str, Any]
) -> None:
    office.emulator.faults.add(Fault(path=SENDS, after=2, **fault))
    assert office.run().ending is Ending.FINISHED
    assert office.run().ending is Ending.FINISHED
    assert office.received() == EVERYONE
    assert office.counts() == {"accepted": 5, "in_doubt": 1}


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 429, "headers": {"Retry-After": "7"}},
        {"kind": "status", "status": 429},
        {"kind": "status", "status": 503, "headers": {"Retry-After": "7"}},
    ],
)
def test_a_refusal_for_now_is_waited_out(office: Office, fault: dict[str, Any]) -> None:
    office.emulator.faults.add(Fault(path=SENDS, after=2, times=2, **fault))
    started = office.desk.time.now
    assert office.run().ending is Ending.FINISHED
    assert office.received() == EVERYONE
    assert office.desk.time.now - started >= 14 - 0.1


def test_a_person_without_whatsapp_does_not_keep_others_from_theirs(office: Office) -> None:
    refused = {"error": {"code": 400, "message": "bad request", "details": '/body/to must match pattern "x"'}}
    office.emulator.faults.add(Fault(kind="status", status=400, body=refused, path=SENDS, after=3))
    assert office.run().ending is Ending.FINISHED
    assert office.counts() == {"accepted": 5, "rejected": 1}


def test_an_unlinked_phone_pauses_the_campaign_and_pairing_again_resumes_it(office: Office) -> None:
    office.emulator.faults.add(
        Fault(
            kind="status",
            status=401,
            body={"error": {"message": "need channel authorization"}},
            path=SENDS,
            after=2,
        )
    )
    outcome = office.run()
    assert outcome.ending is Ending.PAUSED
    assert "Pair a phone" in outcome.reason
    assert office.counts() == {"accepted": 2, "planned": 4}
    assert office.run().ending is Ending.FINISHED
    assert office.received() == EVERYONE


def test_an_outage_of_the_gateway_stops_after_five_and_burns_nobody_else(office: Office) -> None:
    office.emulator.faults.add(Fault(kind="status", status=502, path=SENDS, times=None))
    outcome = office.run()
    assert (outcome.ending, "Channel: connected (AUTH)." in outcome.reason) == (Ending.PAUSED, True)
    assert office.counts() == {"in_doubt": 5, "planned": 1}
    assert office.received() == {}
