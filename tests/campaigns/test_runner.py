"""A run from its beginning to each of its ends, in a time that tests move."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from tests.campaigns.support import (
    LOGGED_OUT,
    NO_ANSWER,
    NOT_REACHED,
    REFUSED,
    SENDING,
    SLOW_DOWN,
    Desk,
    Phones,
    number,
)
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.outcome import Ending
from whatsapp_provider.campaigns.pacing import Pace, Window
from whatsapp_provider.campaigns.runner import CampaignRunner
from whatsapp_provider.errors import RateLimitedError, TemporarilyUnavailableError
from whatsapp_provider.model import ChannelState, ChannelStatus


def state_of(desk: Desk, name: str = "spring") -> CampaignState:
    found = desk.ledger.find(name)
    assert found is not None
    return found.state


def test_everyone_gets_the_message_once_and_the_campaign_is_finished(desk: Desk) -> None:
    record = desk.plan(23)
    outcome = desk.run(record)
    assert outcome.ending is Ending.FINISHED
    assert desk.phones.received == {number(index): 1 for index in range(23)}
    assert desk.counts(record) == {"accepted": 23}
    assert state_of(desk) is CampaignState.FINISHED


def test_a_finished_campaign_run_again_sends_nothing(desk: Desk) -> None:
    desk.run(desk.plan(3))
    again = desk.run(desk.plan(3))
    assert again.ending is Ending.FINISHED
    assert len(desk.phones.calls) == 3


def test_no_more_rows_than_the_concurrency_are_ever_in_sending(desk: Desk) -> None:
    campaign = desk.campaign(concurrency=4)
    record = desk.plan(40, campaign)
    looker = desk.open_ledger()
    seen: list[int] = []
    desk.phones.at_send.append(lambda: seen.append(looker.counts(record)[SENDING]))
    desk.phones.seconds = 0.7
    runner = desk.runner(record, campaign)
    assert desk.time.run(runner.run()).ending is Ending.FINISHED
    assert max(seen) == 4
    assert desk.phones.most_under_way == 4


def test_sends_of_uneven_length_keep_all_places_busy_and_never_more(desk: Desk) -> None:
    campaign = desk.campaign(concurrency=3)
    record = desk.plan(30, campaign)
    looker, seen = desk.open_ledger(), list[int]()

    class Uneven(Phones):
        async def send(self, recipient: str, message: Any) -> Any:
            seen.append(looker.counts(record)[SENDING])
            await asyncio.sleep(int(recipient[-1]) * 0.3)
            seen.append(looker.counts(record)[SENDING])
            return await super().send(recipient, message)

    outcome = desk.run(record, campaign, phones=Uneven())
    assert (outcome.ending, max(seen)) == (Ending.FINISHED, 3)


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


def test_what_was_certainly_not_sent_is_tried_again_ever_later_and_ten_times_at_most(desk: Desk) -> None:
    moments: list[float] = []
    desk.phones.at_send.append(lambda: moments.append(desk.time.now))
    # Another recipient gets through now and then, so that it is no outage.
    desk.phones.answer = lambda recipient, _attempt: NOT_REACHED if recipient == number(0) else None
    record = desk.plan(1)
    outcome = desk.run(record)
    waits = [round(b - a) for a, b in pairwise(moments)]
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert outcome.ending is Ending.FINISHED
    (gave_up,) = desk.in_state(record, DeliveryState.REJECTED)
    assert (gave_up.code, gave_up.attempt) == ("gave_up", 10)


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
    assert state_of(desk) is CampaignState.PAUSED
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
    assert desk.run(record, campaign).ending is Ending.FINISHED
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


def test_a_wait_longer_than_the_patience_ends_the_run_with_nothing_under_way(desk: Desk) -> None:
    campaign = desk.campaign(pace=Pace("slow", (Window(2, 600),)))
    record = desk.plan(5, campaign)
    outcome = desk.run(record, campaign, patience=60)
    assert outcome.ending is Ending.WAITING
    assert 590 < outcome.seconds <= 600
    assert desk.counts(record) == {"accepted": 2, "planned": 3}
    desk.time.now += outcome.seconds
    assert desk.run(record, campaign, patience=60).ending is Ending.WAITING
    assert desk.counts(record) == {"accepted": 4, "planned": 1}


def test_with_patience_the_pace_is_waited_for_by_the_databases_clock(desk: Desk) -> None:
    campaign = desk.campaign(pace=Pace("slow", (Window(2, 600),)))
    record = desk.plan(5, campaign)
    started = desk.time.now
    assert desk.run(record, campaign).ending is Ending.FINISHED
    assert 1200 <= desk.time.now - started < 1210


def test_429_for_longer_than_the_patience_ends_the_run_waiting(desk: Desk) -> None:
    told = TemporarilyUnavailableError("Later.", status=503, retry_after=500)
    desk.phones.answer = lambda _recipient, attempt: told if attempt == 1 else None
    outcome = desk.run(desk.plan(1), patience=60)
    assert outcome.ending is Ending.WAITING
    assert 490 < outcome.seconds <= 500


def test_the_run_tells_how_far_it_is_and_how_long_it_will_take(desk: Desk) -> None:
    desk.phones.seconds = 1
    campaign = desk.campaign(concurrency=1)
    record = desk.plan(40, campaign)
    runner = desk.runner(record, campaign)
    told: list[Any] = []
    desk.phones.at_send.append(lambda: told.append(runner.progress))
    desk.time.run(runner.run())
    half = told[20]
    assert (half.total, half.sent) == (40, half.settled)
    assert 10 < half.settled < 21
    assert half.rate == pytest.approx(1, rel=0.2)
    assert half.eta == pytest.approx(40 - half.settled, rel=0.2)
    assert str(runner.progress).startswith("40 of 40 done (100 %), 40 sent, ")


def test_a_stop_before_the_run_sends_nothing(desk: Desk) -> None:
    record = desk.plan(5)
    runner = desk.runner(record)
    runner.stop()
    assert desk.time.run(runner.run()).ending is Ending.STOPPED
    assert (desk.phones.calls, desk.counts(record)) == ([], {"planned": 5})
    runner.stop()  # and after it: nothing happens


@pytest.mark.parametrize("moment", range(1, 16))
def test_a_stop_at_any_commit_loses_nobody_and_doubles_nobody(
    desk: Desk, open_ledger: Callable[..., Ledger], moment: int
) -> None:
    """The ledger asks for the time in each commit: the stop comes in the midst of the nth."""
    record = desk.plan(12)
    runners: list[CampaignRunner] = []
    commits: list[int] = []

    def clock() -> float:
        commits.append(1)
        if len(commits) == moment:
            runners[0].stop()
        return desk.time.database()

    desk.phones.seconds = 0.5
    runners.append(desk.runner(record, ledger=open_ledger(clock=clock)))
    started = desk.time.now
    outcome = desk.time.run(runners[0].run())
    assert outcome.ending in {Ending.STOPPED, Ending.FINISHED}
    assert desk.time.now - started < 10
    counts = desk.counts(record)
    assert set(counts) <= {"accepted", "planned"}
    assert counts.get("accepted", 0) == sum(desk.phones.received.values())
    assert desk.run(record).ending is Ending.FINISHED
    assert desk.phones.received == {number(index): 1 for index in range(12)}


def test_a_stop_lets_sends_finish_for_four_seconds_and_no_longer(desk: Desk) -> None:
    class Slow(Phones):
        async def send(self, recipient: str, message: Any) -> Any:
            await asyncio.sleep(3 if recipient == number(0) else 25)
            return await super().send(recipient, message)

    record = desk.plan(9)
    runner = desk.runner(record, phones=Slow())

    async def stopped() -> float:
        job = asyncio.create_task(runner.run())
        await asyncio.sleep(1)
        asked = desk.time.now
        runner.stop()
        assert (await job).ending is Ending.STOPPED
        return desk.time.now - asked

    assert desk.time.run(stopped()) < 4.5
    assert desk.counts(record) == {"accepted": 1, "in_doubt": 4, "planned": 4}
    assert {item.code for item in desk.in_state(record, DeliveryState.IN_DOUBT)} == {"cut_off"}


def test_a_sender_that_will_not_be_cut_off_does_not_hold_the_stop_up(desk: Desk) -> None:
    class Stubborn(Phones):
        async def send(self, recipient: str, message: Any) -> Any:
            try:
                await asyncio.sleep(20)
            except asyncio.CancelledError:
                await asyncio.sleep(20)
            return await super().send(recipient, message)

    record = desk.plan(2)
    runner = desk.runner(record, phones=Stubborn())

    async def stopped() -> float:
        job = asyncio.create_task(runner.run())
        await asyncio.sleep(1)
        asked = desk.time.now
        runner.stop()
        await job
        return desk.time.now - asked

    assert desk.time.run(stopped()) < 5
    assert desk.counts(record) == {"in_doubt": 2}


def test_a_stop_while_a_paused_run_waits_for_its_sends_is_heard(desk: Desk) -> None:
    class Slow(Phones):
        async def send(self, recipient: str, message: Any) -> Any:
            if recipient == number(0):
                raise LOGGED_OUT
            await asyncio.sleep(28)
            return await super().send(recipient, message)

    record = desk.plan(3)
    runner = desk.runner(record, phones=Slow())

    async def stopped() -> float:
        job = asyncio.create_task(runner.run())
        await asyncio.sleep(5)
        asked = desk.time.now
        runner.stop()
        assert (await job).ending is Ending.PAUSED
        return desk.time.now - asked

    assert desk.time.run(stopped()) < 4.5


def test_a_cancelled_run_writes_what_it_knows(desk: Desk) -> None:
    desk.phones.seconds = 2
    record = desk.plan(20)

    async def cancelled() -> None:
        job = asyncio.create_task(desk.runner(record).run())
        await asyncio.sleep(5)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job

    desk.time.run(cancelled())
    assert desk.counts(record) == {"accepted": 15, "planned": 5}


def test_a_paused_run_stops_the_other_runs_of_its_campaign(desk: Desk) -> None:
    record = desk.plan(200)
    good = Phones(seconds=1)
    bad = Phones(lambda _recipient, _attempt: NO_ANSWER, seconds=1)

    async def both() -> Any:
        runs = (desk.runner(record, phones=p, ledger=desk.open_ledger()).run() for p in (good, bad))
        return await asyncio.gather(*runs)

    here, there = desk.time.run(both())
    assert (here.ending, there.ending) == (Ending.PAUSED, Ending.PAUSED)
    assert here.reason.startswith("Another run paused the campaign: 5 sends in a row got no answer")
    assert desk.counts(record)["in_doubt"] == 5
    assert desk.run(record).ending is Ending.FINISHED
    assert sum(good.received.values()) + sum(desk.phones.received.values()) == 195


def test_three_runs_of_one_campaign_share_it_and_send_to_everyone_once(desk: Desk) -> None:
    record = desk.plan(120)
    desk.phones.seconds = 0.3

    async def three() -> Any:
        return await asyncio.gather(*(desk.runner(record, ledger=desk.open_ledger()).run() for _ in range(3)))

    outcomes = desk.time.run(three())
    assert [outcome.ending for outcome in outcomes] == [Ending.FINISHED] * 3
    assert desk.phones.received == {number(index): 1 for index in range(120)}
    assert desk.phones.most_under_way == 15


def test_what_is_in_doubt_is_sent_again_only_if_asked(desk: Desk) -> None:
    desk.phones.answer = lambda _recipient, attempt: NO_ANSWER if attempt == 1 else None
    record = desk.plan(3)
    desk.run(record)
    desk.run(record)
    assert (len(desk.phones.calls), desk.counts(record)) == (3, {"in_doubt": 3})
    desk.run(record, desk.resend())
    assert (len(desk.phones.calls), desk.counts(record)) == (6, {"accepted": 3})


def test_a_person_whose_gateway_never_answers_is_resent_to_ten_times_at_most(desk: Desk) -> None:
    desk.phones.answer = lambda _recipient, _attempt: NO_ANSWER
    record = desk.plan(1)
    for _ in range(14):
        desk.run(record, desk.resend())
    assert len(desk.phones.calls) == 10


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
