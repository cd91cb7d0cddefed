"""A run that is told to stop, at whatever moment, stops soon and keeps what it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.campaigns.support import (
    LOGGED_OUT,
    NO_ANSWER,
    Desk,
    Phones,
    number,
)
from whatsapp_provider.campaigns.campaign import Campaign
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.outcome import Ending
from whatsapp_provider.campaigns.pacing import Pace, Window
from whatsapp_provider.campaigns.runner import CampaignRunner


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
            await asyncio.sleep(1 if recipient == number(0) else 28)
            if recipient == number(0):
                raise LOGGED_OUT
            return await super().send(recipient, message)

    record = desk.plan(3)
    runner = desk.runner(record, phones=Slow())

    async def stopped() -> float:
        job = asyncio.create_task(runner.run())
        await asyncio.sleep(5)
        asked = desk.time.now
        runner.stop()
        assert (await job).ending is Ending.PAUSED
        assert desk.counts(record) == {"in_doubt": 2, "planned": 1}
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


def paused(desk: Desk, count: int, campaign: Campaign | None = None) -> CampaignRecord:
    """A campaign that five sends in a row without an answer have paused."""
    record = desk.plan(count, campaign)
    desk.phones.answer = lambda _recipient, _attempt: NO_ANSWER
    assert desk.run(record, campaign).ending is Ending.PAUSED
    desk.phones.calls.clear()
    desk.time.now += 1
    return record


def test_after_a_pause_a_wait_does_not_end_the_trying_with_one(desk: Desk) -> None:
    campaign = desk.campaign(pace=Pace("five", (Window(5, 100),)))
    record = paused(desk, 40, campaign)
    waits = desk.run(record, campaign, patience=60)
    assert (waits.ending, desk.phones.calls) == (Ending.WAITING, [])
    desk.time.now += waits.seconds + 1
    again = desk.run(desk.plan(40, campaign), campaign, patience=60, resumed=True)
    assert "the first send after a pause" in again.reason
    assert len(desk.phones.calls) == 1


def test_after_a_pause_a_killed_run_does_not_end_the_trying_with_one(desk: Desk) -> None:
    record = paused(desk, 40)
    desk.ledger.begin(record, label="killed at once", seconds=50)
    assert desk.run(desk.plan(40)).ending is Ending.PAUSED
    assert len(desk.phones.calls) == 1


def test_after_a_pause_each_mapped_task_tries_with_one_message_first(desk: Desk) -> None:
    paused(desk, 40)
    desk.phones.seconds = 1

    async def three() -> Any:
        runs = (desk.runner(desk.plan(40), ledger=desk.open_ledger()).run() for _ in range(3))
        return await asyncio.gather(*runs)

    assert {outcome.ending for outcome in desk.time.run(three())} == {Ending.PAUSED}
    assert len(desk.phones.calls) == 3


def test_what_was_accepted_after_a_pause_ends_the_trying_with_one_for_the_next_run(desk: Desk) -> None:
    record = paused(desk, 40)
    desk.phones.answer = lambda _recipient, _attempt: None
    desk.phones.seconds = 1
    runner = desk.runner(record)

    async def stopped() -> Any:
        job = asyncio.create_task(runner.run())
        await asyncio.sleep(1.5)
        runner.stop()
        return await job

    assert desk.time.run(stopped()).ending is Ending.STOPPED
    desk.phones.most_under_way = 0
    desk.phones.calls.clear()
    desk.phones.answer = lambda _recipient, _attempt: NO_ANSWER
    assert "5 sends in a row" in desk.run(record).reason
    assert desk.phones.most_under_way == 5


def test_sends_under_way_at_a_pause_say_nothing_of_the_time_after_it(desk: Desk) -> None:
    class Phased(Phones):
        async def send(self, recipient: str, message: Any) -> Any:
            await asyncio.sleep(20 if recipient != number(0) else 0)
            return await super().send(recipient, message)

    record = desk.plan(40)
    desk.run(record, phones=Phased(lambda recipient, _: LOGGED_OUT if recipient == number(0) else None))
    assert desk.counts(record)["accepted"] == 4
    desk.phones.seconds = 1
    desk.phones.answer = lambda _recipient, _attempt: NO_ANSWER
    assert desk.run(desk.plan(40)).ending is Ending.PAUSED
    assert len(desk.phones.calls) == 1
