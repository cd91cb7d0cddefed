"""The judge goes red for each wrong that chaos is there to find, from a real ledger and a real truth log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import create_engine, update

from tests.chaos.books import Books
from tests.chaos.judge import Verdict, judge
from tests.chaos.truth import Truth
from whatsapp_provider.campaigns.audience import AudienceOptions
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.plan import plan_campaign
from whatsapp_provider.campaigns.readers import rows_of
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.model import ChannelRef

ANNA, BELA, CORA = AUDIENCE = ("15550000001", "15550000002", "15550000003")
ACCEPTED = dict.fromkeys(AUDIENCE, DeliveryState.ACCEPTED)
ONCE = dict.fromkeys(AUDIENCE, 1)


def verdict(folder: Path, states: Mapping[str, DeliveryState], received: Mapping[str, int]) -> Verdict:
    """Write both sides as a run leaves them, and have them judged."""
    url = f"sqlite:///{folder / 'ledger.db'}"
    ledger = Ledger(url)
    rows = rows_of([{"phone": f"+{phone}"} for phone in AUDIENCE], recipient_field="phone")
    wanted = Campaign("c1", ChannelRef("whapi", "A"))
    plan_campaign(ledger, wanted, MessageTemplate("c1: hello"), rows, AudienceOptions())
    ledger.dispose()
    engine = create_engine(url)
    with engine.begin() as connection:
        for person, state in states.items():
            connection.execute(update(delivery).where(delivery.c.recipient == person).values(state=state))
    engine.dispose()
    lines = [
        {"at": 1.0, "phone": phone, "text": f"{campaign}: hello"}
        for campaign in ("c1", "c2")
        for phone, times in received.items()
        for _ in range(times if campaign == "c1" else 1)
    ]
    log = folder / "truth.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    books, truth = Books(url), Truth(log)
    try:
        assert truth.read() == len(lines)
        return judge(AUDIENCE, books.states("c1"), truth.counts("c1"))
    finally:
        books.dispose()
        truth.close()


def test_everybody_once_is_nothing_wrong_whatever_other_campaigns_sent(tmp_path: Path) -> None:
    assert verdict(tmp_path, ACCEPTED, ONCE).wrongs() == {}


def test_a_phone_that_got_it_twice_is_found(tmp_path: Path) -> None:
    assert verdict(tmp_path, ACCEPTED, {**ONCE, BELA: 2}).wrongs() == {"twice": [BELA]}


def test_somebody_called_sent_to_whose_phone_got_nothing_is_lost(tmp_path: Path) -> None:
    assert verdict(tmp_path, ACCEPTED, {ANNA: 1, CORA: 1}).wrongs() == {"lost": [BELA]}


def test_somebody_the_ledger_has_never_heard_of_is_lost() -> None:
    known = {ANNA: DeliveryState.ACCEPTED, BELA: DeliveryState.READ}
    assert judge(AUDIENCE, known, {ANNA: 1, BELA: 1}).wrongs() == {"lost": [CORA]}


@pytest.mark.parametrize("times", [0, 1])
def test_a_doubt_that_stays_is_unsettled_whether_or_not_it_was_sent(tmp_path: Path, times: int) -> None:
    states = {**ACCEPTED, CORA: DeliveryState.IN_DOUBT}
    assert verdict(tmp_path, states, {**ONCE, CORA: times}).wrongs() == {"unsettled": [CORA]}


@pytest.mark.parametrize("times", [0, 1])
def test_where_doubts_are_held_one_that_stays_is_told_and_is_not_wrong(tmp_path: Path, times: int) -> None:
    found = verdict(tmp_path, {**ACCEPTED, CORA: DeliveryState.IN_DOUBT}, {**ONCE, CORA: times})
    assert found.wrongs(may_hold=True) == {}
    assert found.unsettled == [CORA]


def test_where_doubts_are_held_one_whose_phone_got_it_twice_is_wrong(tmp_path: Path) -> None:
    found = verdict(tmp_path, {**ACCEPTED, CORA: DeliveryState.IN_DOUBT}, {**ONCE, CORA: 2})
    assert found.wrongs(may_hold=True) == {"twice": [CORA]}


@pytest.mark.parametrize("state", [DeliveryState.PLANNED, DeliveryState.REJECTED, DeliveryState.SENDING])
def test_a_ledger_that_denies_what_a_phone_has_is_found(tmp_path: Path, state: DeliveryState) -> None:
    assert verdict(tmp_path, {**ACCEPTED, ANNA: state}, ONCE).wrongs() == {"misstated": [ANNA]}


def test_a_message_for_somebody_who_was_not_meant_is_found() -> None:
    stranger = "15550000009"
    assert judge(AUDIENCE, ACCEPTED, {**ONCE, stranger: 1}).wrongs() == {"misstated": [stranger]}


def test_a_campaign_that_ends_without_everybody_is_found(tmp_path: Path) -> None:
    states = {**ACCEPTED, ANNA: DeliveryState.POSTPONED, BELA: DeliveryState.REJECTED}
    assert verdict(tmp_path, states, {CORA: 1}).wrongs() == {"unreached": [ANNA, BELA]}
