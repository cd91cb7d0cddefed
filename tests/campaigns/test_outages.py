"""An outage or a rate limit, however long and however often the campaign is run in it, loses nobody."""

from __future__ import annotations

import pytest

from tests.campaigns.support import LOGGED_OUT, NO_ANSWER, NOT_REACHED, REFUSED, SLOW_DOWN, Desk, number
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.outcome import Ending
from whatsapp_provider.campaigns.pacing import Pace, Window
from whatsapp_provider.errors import RateLimitedError, TemporarilyUnavailableError, WhatsAppError

OPEN = {"planned", "postponed"}


@pytest.mark.parametrize(
    "error",
    [
        SLOW_DOWN,
        RateLimitedError("Too many.", status=429, retry_after=40),
        TemporarilyUnavailableError("Later.", status=503, retry_after=5),
        NOT_REACHED,
    ],
)
@pytest.mark.parametrize("concurrency", [1, 12])
def test_a_gateway_that_puts_everybody_off_for_ever_pauses_the_run_and_rejects_nobody(
    desk: Desk, error: WhatsAppError, concurrency: int
) -> None:
    desk.phones.answer = lambda _recipient, _attempt: error
    campaign = desk.campaign(concurrency=concurrency)
    for _ in range(4):
        outcome = desk.run(desk.plan(20, campaign), campaign)
        assert outcome.ending is Ending.PAUSED
        assert "could not be" in outcome.reason
        assert str(error) in outcome.reason
        assert desk.state() is CampaignState.PAUSED
    record = desk.plan(20, campaign)
    assert set(desk.counts(record)) <= OPEN
    desk.phones.answer = lambda _recipient, _attempt: None
    assert desk.run(record, campaign).ending is Ending.FINISHED
    assert desk.phones.received == {number(index): 1 for index in range(20)}


def test_one_recipient_who_is_put_off_for_ever_keeps_no_other_from_theirs(desk: Desk) -> None:
    desk.phones.answer = lambda recipient, _attempt: NOT_REACHED if recipient == number(3) else None
    for _ in range(3):
        record = desk.plan(40)
        outcome = desk.run(record)
        assert outcome.ending is Ending.PAUSED
        assert "a message could not be sent in 10 tries" in outcome.reason
        assert desk.counts(record) == {"accepted": 39, "planned": 1}


def test_tries_are_counted_anew_in_each_run(desk: Desk) -> None:
    desk.phones.answer = lambda _recipient, attempt: NOT_REACHED if attempt <= 9 else LOGGED_OUT
    assert desk.run(desk.plan(1)).reason == str(LOGGED_OUT)
    desk.phones.answer = lambda _recipient, attempt: NOT_REACHED if attempt <= 19 else None
    assert desk.run(desk.plan(1)).ending is Ending.FINISHED


def test_a_message_that_was_tried_ten_times_has_used_its_places_in_the_windows(desk: Desk) -> None:
    campaign = desk.campaign(concurrency=1, pace=Pace("ten", (Window(10, 80_000),)))
    desk.phones.answer = lambda _recipient, _attempt: NOT_REACHED
    assert desk.run(desk.plan(1, campaign), campaign).ending is Ending.PAUSED
    desk.phones.answer = lambda _recipient, _attempt: None
    assert desk.run(desk.plan(1, campaign), campaign, patience=60).ending is Ending.WAITING


def test_retries_in_an_outage_cost_one_message_each(desk: Desk) -> None:
    desk.phones.answer = lambda _recipient, _attempt: NO_ANSWER
    desk.phones.seconds = 3
    campaign = desk.campaign(concurrency=50)
    outcomes = [desk.run(desk.plan(200, campaign), campaign) for _ in range(4)]
    assert {outcome.ending for outcome in outcomes} == {Ending.PAUSED}
    assert outcomes[-1].reason.startswith("the first send after a pause got no answer: The line went dead.")
    assert desk.counts(desk.plan(200, campaign)) == {"in_doubt": 53, "planned": 147}


def test_a_run_after_a_pause_tries_one_message_and_then_goes_on_at_full_width(desk: Desk) -> None:
    campaign = desk.campaign(concurrency=10)
    desk.phones.answer = lambda _recipient, _attempt: LOGGED_OUT
    desk.run(desk.plan(60, campaign), campaign)
    desk.phones.calls.clear()
    widths: list[int] = []
    desk.phones.at_send.append(lambda: widths.append(desk.phones.under_way))
    # The first two are refused, which says nothing of the channel; the third is taken.
    desk.phones.answer = lambda recipient, _attempt: REFUSED if recipient in {number(0), number(1)} else None
    desk.phones.seconds = 1
    record = desk.plan(60, campaign)
    assert desk.run(record, campaign).ending is Ending.FINISHED
    assert widths[:3] == [1, 1, 1]
    assert max(widths) == 10
    assert desk.counts(record) == {"accepted": 58, "rejected": 2}


def test_a_channel_that_is_still_halted_is_asked_once_by_each_run(desk: Desk) -> None:
    campaign = desk.campaign(concurrency=10)
    desk.phones.answer = lambda _recipient, _attempt: LOGGED_OUT
    desk.run(desk.plan(30, campaign), campaign)
    desk.phones.calls.clear()
    for _ in range(3):
        assert desk.run(desk.plan(30, campaign), campaign).error is LOGGED_OUT
    assert len(desk.phones.calls) == 3
    assert desk.in_state(desk.plan(30, campaign), DeliveryState.IN_DOUBT) == []


def test_odd_characters_in_the_reason_of_a_pause_do_not_cost_the_pause(desk: Desk) -> None:
    odd = type(LOGGED_OUT)("half \ud83d of a pair and \x00 nothing", status=401)
    desk.phones.answer = lambda _recipient, _attempt: odd
    assert desk.run(desk.plan(3)).ending is Ending.PAUSED
    assert desk.state() is CampaignState.PAUSED


def test_what_went_wrong_before_a_wait_counts_after_it(desk: Desk) -> None:
    """Ten an hour never are the fifty that a share must be of: those of the hours before count too."""
    campaign = desk.campaign(pace=Pace("hourly", (Window(10, 3600.0),)))
    desk.phones.answer = lambda recipient, _attempt: REFUSED if int(recipient) % 2 else None
    record = desk.plan(100, campaign)
    outcome = desk.run(record, campaign, patience=60.0)
    while outcome.ending is Ending.WAITING:
        desk.time.now += outcome.seconds
        outcome = desk.run(record, campaign, patience=60.0, resumed=True)
    assert outcome.ending is Ending.PAUSED
    assert "of the last 50 sends were refused or failed" in outcome.reason
    assert len(desk.phones.calls) <= 55
