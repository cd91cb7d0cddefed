"""What each failure of a send means for its recipient, for the channel, and for the campaign."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from tests.campaigns.support import (
    LOGGED_OUT,
    NO_ANSWER,
    NOT_REACHED,
    REFUSED,
    SLOW_DOWN,
    Desk,
    Phones,
    number,
)
from whatsapp_provider.campaigns.breaker import BreakerLimits
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.outcome import Ending, Outcome
from whatsapp_provider.campaigns.pacing import Pace, Window
from whatsapp_provider.errors import RateLimitedError, TemporarilyUnavailableError
from whatsapp_provider.model import ChannelState, ChannelStatus


@pytest.mark.parametrize(
    ("error", "state", "ending"),
    [
        (REFUSED, "rejected", Ending.FINISHED),
        (NO_ANSWER, "in_doubt", Ending.FINISHED),
        (ValueError("something else"), "in_doubt", Ending.FINISHED),
        (TimeoutError(), "in_doubt", Ending.FINISHED),
        (asyncio.CancelledError(), "in_doubt", Ending.FINISHED),
        (LOGGED_OUT, "planned", Ending.PAUSED),
    ],
)
def test_each_failure_has_its_state(desk: Desk, error: BaseException, state: str, ending: Ending) -> None:
    desk.phones.answer = lambda recipient, _attempt: error if recipient == number(1) else None
    campaign = desk.campaign(concurrency=1)
    record = desk.plan(3, campaign)
    outcome = desk.run(record, campaign)
    assert outcome.ending is ending
    assert number(1) in [item.recipient for item in desk.in_state(record, DeliveryState(state))]
    assert desk.counts(record)["accepted"] == (1 if ending is Ending.PAUSED else 2)


def test_an_error_that_nobody_foresaw_is_told_by_its_kind_only(desk: Desk) -> None:
    desk.phones.answer = lambda recipient, _attempt: ValueError(f"to {recipient}: Hi Ada")
    record = desk.plan(1)
    desk.run(record)
    (doubtful,) = desk.in_state(record, DeliveryState.IN_DOUBT)
    assert (doubtful.code, doubtful.reason) == ("ValueError", "ValueError while sending")


def test_a_send_that_never_ends_is_cut_off_and_in_doubt(desk: Desk) -> None:
    desk.phones.seconds = 1e9
    record = desk.plan(1)
    outcome = desk.run(record)
    assert (outcome.ending, desk.counts(record)) == (Ending.FINISHED, {"in_doubt": 1})
    assert desk.time.now < 1000 + 40


def test_what_was_certainly_not_sent_is_tried_again_ever_later_and_ten_times_in_a_run(desk: Desk) -> None:
    moments: list[float] = []
    desk.phones.at_send.append(lambda: moments.append(desk.time.now))
    desk.phones.answer = lambda _recipient, _attempt: NOT_REACHED
    record = desk.plan(1)
    outcome = desk.run(record)
    waits = [round(b - a) for a, b in pairwise(moments)]
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert (outcome.ending, outcome.reason) == (
        Ending.PAUSED,
        "a message could not be sent in 10 tries, last: Connection refused. Channel: connected (AUTH).",
    )
    (kept,) = desk.in_state(record, DeliveryState.PLANNED)
    assert (kept.code, kept.attempt) == ("ConnectError", 10)


def test_a_retry_that_succeeds_is_accepted_once(desk: Desk) -> None:
    desk.phones.answer = lambda _recipient, attempt: NOT_REACHED if attempt < 3 else None
    record = desk.plan(2)
    assert desk.run(record).ending is Ending.FINISHED
    assert desk.phones.received == {number(0): 1, number(1): 1}


def test_pauses_do_not_use_up_the_tries_of_a_recipient(desk: Desk) -> None:
    record = desk.plan(1)
    desk.phones.answer = lambda _recipient, _attempt: LOGGED_OUT
    for _ in range(12):
        assert desk.run(record).ending is Ending.PAUSED
    desk.phones.answer = lambda _recipient, attempt: NOT_REACHED if attempt == 13 else None
    assert desk.run(record).ending is Ending.FINISHED
    assert desk.counts(record) == {"accepted": 1}


def test_a_halt_gives_the_row_and_its_permit_back_and_keeps_the_reason(desk: Desk) -> None:
    campaign = desk.campaign(pace=Pace("one", (Window(1, 3600),)))
    record = desk.plan(2, campaign)
    desk.phones.answer = lambda _recipient, attempt: LOGGED_OUT if attempt == 1 else None
    first = desk.run(record, campaign)
    assert (first.ending, first.error) == (Ending.PAUSED, LOGGED_OUT)
    assert desk.counts(record) == {"planned": 2}
    assert desk.state() is CampaignState.PAUSED
    started = desk.time.now
    second = desk.run(record, campaign, patience=5)
    assert (second.ending, len(desk.phones.received)) == (Ending.WAITING, 1)
    assert desk.time.now - started < 5


def test_sends_under_way_when_a_run_pauses_are_let_finish(desk: Desk) -> None:
    class Phased(Phones):
        async def send(self, recipient: str, message: Any) -> Any:
            await asyncio.sleep(20 if recipient != number(0) else 0)
            return await super().send(recipient, message)

    phones = Phased(lambda recipient, _attempt: LOGGED_OUT if recipient == number(0) else None)
    record = desk.plan(9)
    outcome = desk.run(record, phones=phones)
    assert outcome.ending is Ending.PAUSED
    assert desk.counts(record) == {"accepted": 4, "planned": 5}


def test_five_holds_in_a_row_stop_the_campaign_and_tell_the_channels_state(desk: Desk) -> None:
    desk.phones.answer = lambda _recipient, _attempt: NO_ANSWER
    desk.phones.state = ChannelStatus(ChannelState.DISCONNECTED, detail="phone off")
    campaign = desk.campaign(concurrency=1)
    record = desk.plan(50, campaign)
    outcome = desk.run(record, campaign)
    assert outcome.ending is Ending.PAUSED
    assert outcome.reason == (
        "5 sends in a row got no answer, last: The line went dead. Channel: disconnected (phone off)."
    )
    assert desk.counts(record) == {"in_doubt": 5, "planned": 45}


@pytest.mark.parametrize("state", [RuntimeError("odd"), NO_ANSWER])
def test_a_look_at_the_channel_that_fails_does_not_hide_why_it_paused(desk: Desk, state: Exception) -> None:
    desk.phones.answer = lambda _recipient, _attempt: NO_ANSWER
    desk.phones.state = state
    outcome = desk.run(desk.plan(20))
    assert (outcome.ending, "Channel: unknown (" in outcome.reason) == (Ending.PAUSED, True)


def test_an_outage_with_many_under_way_leaves_no_more_in_doubt_than_the_concurrency(desk: Desk) -> None:
    desk.phones.answer = lambda _recipient, _attempt: NO_ANSWER
    desk.phones.seconds = 3
    campaign = desk.campaign(concurrency=8)
    record = desk.plan(50, campaign)
    assert desk.run(record, campaign).ending is Ending.PAUSED
    assert desk.counts(record) == {"in_doubt": 8, "planned": 42}


def test_ten_rejections_of_one_kind_stop_the_campaign_though_others_come_between(desk: Desk) -> None:
    other = type(REFUSED)("Blocked.", code="blocked")
    calls = [other if index % 3 == 1 else REFUSED for index in range(50)]
    desk.phones.answer = lambda _recipient, _attempt: calls.pop(0)
    campaign = desk.campaign(concurrency=1)
    record = desk.plan(50, campaign)
    outcome = desk.run(record, campaign)
    assert (outcome.ending, "10 recipients were rejected" in outcome.reason) == (Ending.PAUSED, True)
    assert desk.counts(record) == {"planned": 35, "rejected": 15}


def test_a_success_between_rejections_keeps_the_campaign_going(desk: Desk) -> None:
    desk.phones.answer = lambda recipient, _attempt: None if recipient.endswith("9") else REFUSED
    campaign = desk.campaign(concurrency=1)
    record = desk.plan(60, campaign)
    assert desk.run(record, campaign, limits=BreakerLimits(failures=1)).ending is Ending.FINISHED
    assert desk.counts(record) == {"accepted": 6, "rejected": 54}


def test_a_gateway_that_cannot_be_reached_pauses_the_campaign_and_costs_nobody(desk: Desk) -> None:
    desk.phones.answer = lambda _recipient, _attempt: NOT_REACHED
    record = desk.plan(30)
    outcome = desk.run(record)
    assert (outcome.ending, "10 sends in a row could not be made" in outcome.reason) == (Ending.PAUSED, True)
    assert set(desk.counts(record)) <= {"planned", "postponed"}


def test_429_stops_the_whole_channel_for_as_long_as_told(desk: Desk) -> None:
    told = RateLimitedError("Too many.", status=429, retry_after=100)
    moments: list[float] = []
    desk.phones.at_send.append(lambda: moments.append(desk.time.now))
    desk.phones.answer = lambda _recipient, _attempt: told if len(desk.phones.calls) == 1 else None
    campaign = desk.campaign(concurrency=1)
    record = desk.plan(4, campaign)
    assert desk.run(record, campaign).ending is Ending.FINISHED
    assert moments[1] - moments[0] >= 100
    assert moments[-1] - moments[1] < 5
    assert sum(desk.phones.received.values()) == 4


def test_429_without_a_time_stops_it_for_half_a_minute(desk: Desk) -> None:
    moments: list[float] = []
    desk.phones.at_send.append(lambda: moments.append(desk.time.now))
    desk.phones.answer = lambda _recipient, _attempt: SLOW_DOWN if len(desk.phones.calls) == 1 else None
    campaign = desk.campaign(concurrency=1)
    desk.run(desk.plan(3, campaign), campaign)
    assert 30 <= moments[1] - moments[0] < 31


def test_many_answers_429_at_one_moment_are_one_refusal(desk: Desk) -> None:
    desk.phones.seconds = 1
    desk.phones.answer = lambda _recipient, attempt: SLOW_DOWN if attempt == 1 else None
    campaign = desk.campaign(concurrency=25)
    record = desk.plan(25, campaign)
    assert desk.run(record, campaign).ending is Ending.FINISHED
    assert desk.counts(record) == {"accepted": 25}


def test_429_for_longer_than_the_patience_ends_the_run_waiting(desk: Desk) -> None:
    told = TemporarilyUnavailableError("Later.", status=503, retry_after=500)
    desk.phones.answer = lambda _recipient, attempt: told if attempt == 1 else None
    outcome = desk.run(desk.plan(1), patience=60)
    assert outcome.ending is Ending.WAITING
    assert 490 < outcome.seconds <= 500


def test_a_message_that_can_no_longer_be_rendered_costs_that_person_only(desk: Desk) -> None:
    record = desk.plan(3)

    class Fussy:
        kind = "text"

        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def canonical(self) -> str:
            return str(self.inner.canonical())

        def render(self, variables: Any) -> Any:
            if variables["name"] == "N1":
                raise KeyError("a value of Ada")
            return self.inner.render(variables)

    runner = desk.runner(record)
    runner._template = Fussy(runner._template)
    assert desk.time.run(runner.run()).ending is Ending.FINISHED
    (rejected,) = desk.in_state(record, DeliveryState.REJECTED)
    assert (rejected.code, rejected.reason) == ("template", "KeyError while rendering.")


def test_odd_characters_and_long_ids_of_a_gateway_do_not_cost_a_commit(desk: Desk) -> None:
    odd = type(REFUSED)("half \ud83d of a pair and \x00 nothing", code="x" * 300)
    desk.phones.answer = lambda recipient, _attempt: odd if recipient == number(1) else None

    class Long(Phones):
        async def send(self, recipient: str, message: Any) -> Any:
            return replace(await super().send(recipient, message), message_id="m" * 1000)

    record = desk.plan(4)
    assert desk.run(record, phones=Long(desk.phones.answer)).ending is Ending.FINISHED
    assert desk.counts(record) == {"accepted": 3, "rejected": 1}


def with_waits(desk: Desk, record: CampaignRecord, *, most: int = 60) -> Outcome:
    """Run as a task that gives its worker slot back at each wait of more than a minute."""
    for turn in range(most):
        outcome = desk.run(record, patience=60, resumed=turn > 0)
        if outcome.ending is not Ending.WAITING:
            return outcome
        desk.time.now += outcome.seconds + 1
    raise AssertionError("it waits for ever")


def test_waits_between_tries_do_not_make_them_endless(desk: Desk) -> None:
    desk.phones.answer = lambda _recipient, _attempt: NOT_REACHED
    record = desk.plan(1)
    outcome = with_waits(desk, record)
    assert (outcome.ending, "could not be sent in 10 tries" in outcome.reason) == (Ending.PAUSED, True)
    assert len(desk.phones.calls) == 10


def test_a_gateway_that_always_asks_to_wait_pauses_a_campaign_that_waits_elsewhere(desk: Desk) -> None:
    told = RateLimitedError("Too many.", status=429, retry_after=120)
    desk.phones.answer = lambda _recipient, _attempt: told
    record = desk.plan(30)
    assert with_waits(desk, record).ending is Ending.PAUSED
    assert set(desk.counts(record)) <= {"planned", "postponed"}
    assert len(desk.phones.calls) <= 10 * desk.campaign().concurrency


def test_the_tries_before_a_wait_do_not_count_when_somebody_runs_the_task_again(desk: Desk) -> None:
    desk.phones.answer = lambda _recipient, attempt: NOT_REACHED if attempt <= 12 else None
    record = desk.plan(1)
    assert with_waits(desk, record).ending is Ending.PAUSED
    assert with_waits(desk, record).ending is Ending.FINISHED
    assert desk.counts(record) == {"accepted": 1}
