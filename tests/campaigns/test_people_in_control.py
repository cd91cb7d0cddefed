"""What a person does to a campaign takes hold of its runs within one message, and outlives each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.campaigns.support import LOGGED_OUT, NO_ANSWER, NOT_REACHED, REFUSED, Desk, number
from whatsapp_provider.campaigns.ledger.control import By
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.outcome import LET_GO_SECONDS, Ending, Outcome
from whatsapp_provider.campaigns.runner import LOOK_SECONDS

ADA = By("ada")


def at_the(desk: Desk, count: int, act: Callable[[Ledger], Any]) -> None:
    """Let somebody act, by a ledger of their own, while the nth message is sent."""
    theirs = desk.open_ledger()

    def look() -> None:
        if len(desk.phones.calls) == count:
            act(theirs)

    desk.phones.at_send.append(look)


# -- pause ----------------------------------------------------------------------------------------


def test_a_pause_holds_from_the_next_message_on(desk: Desk) -> None:
    record = desk.plan(20)
    at_the(desk, 3, lambda ledger: ledger.pause("spring", ADA))
    campaign = desk.campaign(concurrency=1)
    outcome = desk.run(record, campaign, patience=60)
    assert (outcome.ending, outcome.seconds, outcome.until_let_go) == (Ending.WAITING, LET_GO_SECONDS, True)
    assert outcome.reason == "ada paused it"
    assert desk.counts(record) == {"accepted": 3, "planned": 17}


def test_of_many_at_once_those_go_out_whose_intent_was_written(desk: Desk) -> None:
    record = desk.plan(20)
    desk.phones.seconds = 1
    at_the(desk, 7, lambda ledger: ledger.pause("spring", ADA))
    assert desk.run(record, desk.campaign(concurrency=5), patience=60).ending is Ending.WAITING
    assert desk.counts(record) == {"accepted": 10, "planned": 10}


def test_retries_and_restarts_do_not_end_a_pause_and_its_end_sends_to_each_once(desk: Desk) -> None:
    record = desk.plan(5)
    desk.ledger.pause("spring", ADA)
    for resumed in (False, True, False):
        assert desk.run(desk.plan(5), patience=60, resumed=resumed).ending is Ending.WAITING
    desk.ledger.begin(record, label="killed", seconds=1)
    desk.time.now += 60
    assert desk.run(record, patience=60).ending is Ending.WAITING
    assert desk.phones.calls == []
    desk.ledger.unpause("spring", ADA)
    assert desk.run(record, patience=60).ending is Ending.FINISHED
    assert desk.phones.received == {number(index): 1 for index in range(5)}


def test_a_run_that_can_not_wait_elsewhere_goes_on_soon_after_the_pause(desk: Desk) -> None:
    record = desk.plan(5)
    theirs = desk.open_ledger()
    theirs.pause("spring", ADA)

    async def let_go_later() -> tuple[Outcome, float]:
        job = asyncio.create_task(desk.runner(record).run())
        await asyncio.sleep(3600)
        assert desk.phones.calls == []
        theirs.unpause("spring", ADA)
        let_go = desk.time.now
        return await job, desk.time.now - let_go

    outcome, seconds = desk.time.run(let_go_later())
    assert outcome.ending is Ending.FINISHED
    assert seconds <= LOOK_SECONDS


def test_a_stop_is_heard_while_a_run_waits_for_a_person(desk: Desk) -> None:
    record = desk.plan(5)
    desk.ledger.pause("spring", ADA)
    runner = desk.runner(record)

    async def stopped() -> Outcome:
        job = asyncio.create_task(runner.run())
        await asyncio.sleep(100)
        runner.stop()
        return await job

    assert desk.time.run(stopped()).ending is Ending.STOPPED


def test_an_outage_during_a_pause_is_kept_beside_it(desk: Desk) -> None:
    record = desk.plan(20)
    desk.phones.seconds = 1
    desk.phones.answer = lambda _recipient, attempt: LOGGED_OUT if len(desk.phones.calls) >= 5 else None
    at_the(desk, 5, lambda ledger: ledger.pause("spring", ADA))
    outcome = desk.run(record, desk.campaign(concurrency=1), patience=60)
    assert outcome.ending is Ending.PAUSED
    assert desk.state() is CampaignState.PAUSED
    desk.phones.answer = lambda _recipient, _attempt: None
    assert desk.run(record, patience=60).ending is Ending.WAITING
    desk.ledger.unpause("spring", ADA)
    assert desk.run(record, patience=60).ending is Ending.FINISHED


# -- cancel ---------------------------------------------------------------------------------------


def test_a_cancelled_campaign_sends_nothing_from_the_next_message_on_for_ever(desk: Desk) -> None:
    record = desk.plan(20)
    at_the(desk, 3, lambda ledger: ledger.cancel("spring", By("ada", "wrong price")))
    outcome = desk.run(record, desk.campaign(concurrency=1))
    assert (outcome.ending, outcome.reason) == (Ending.CANCELLED, "cancelled by ada (wrong price)")
    assert desk.counts(record) == {"accepted": 3, "cancelled": 17}
    again = {DeliveryState.REJECTED, DeliveryState.IN_DOUBT}
    for options in ({}, {"patience": 60, "resumed": True}, {"again": again}):
        assert desk.run(desk.plan(20), **options).ending is Ending.CANCELLED
    assert (len(desk.phones.calls), desk.state()) == (3, CampaignState.CANCELLED)


def test_what_was_refused_or_in_doubt_keeps_its_story_when_a_cancelled_campaign_is_run_again(
    desk: Desk,
) -> None:
    record = desk.plan(4)
    desk.phones.answer = lambda recipient, _: {number(0): REFUSED, number(1): NO_ANSWER}.get(recipient)
    at_the(desk, 2, lambda ledger: ledger.cancel("spring", ADA))
    desk.run(record, desk.campaign(concurrency=1))
    before = desk.counts(record)
    assert before == {"cancelled": 2, "in_doubt": 1, "rejected": 1}
    desk.run(record, desk.resend(), again={DeliveryState.REJECTED})
    assert desk.counts(record) == before


def test_what_was_under_way_and_certainly_not_sent_is_given_up_with_the_rest(desk: Desk) -> None:
    record = desk.plan(10)
    desk.phones.seconds = 5
    desk.phones.answer = lambda _recipient, _attempt: NOT_REACHED
    at_the(desk, 4, lambda ledger: ledger.cancel("spring", ADA))
    assert desk.run(record).ending is Ending.CANCELLED
    assert desk.counts(record) == {"cancelled": 10}


@pytest.mark.parametrize("paused", [False, True])
def test_a_campaign_can_be_cancelled_while_it_waits(desk: Desk, paused: bool) -> None:
    record = desk.plan(5)
    if paused:
        desk.ledger.pause("spring", ADA)
    desk.ledger.cancel("spring", ADA)
    assert desk.run(record, patience=60, resumed=True).ending is Ending.CANCELLED
    assert desk.counts(record) == {"cancelled": 5}


def test_all_runs_of_a_cancelled_campaign_end(desk: Desk) -> None:
    record = desk.plan(200)
    desk.phones.seconds = 1
    at_the(desk, 20, lambda ledger: ledger.cancel("spring", ADA))

    async def both() -> list[Outcome]:
        runs = (desk.runner(record, ledger=desk.open_ledger()).run() for _ in range(2))
        return list(await asyncio.gather(*runs))

    assert {outcome.ending for outcome in desk.time.run(both())} == {Ending.CANCELLED}
    assert len(desk.phones.calls) <= 30
    assert desk.counts(record) == {
        "accepted": len(desk.phones.calls),
        "cancelled": 200 - len(desk.phones.calls),
    }


# -- a deadline -----------------------------------------------------------------------------------


def expiring(desk: Desk, count: int, seconds: float) -> CampaignRecord:
    record = desk.plan(count)
    desk.ledger.expire("spring", ADA, at=desk.time.database() + seconds)
    return record


def test_after_its_deadline_a_campaign_sends_nothing_and_says_how_many_it_did_not_reach(desk: Desk) -> None:
    desk.phones.seconds = 1
    record = expiring(desk, 20, seconds=4.5)
    outcome = desk.run(record, desk.campaign(concurrency=1))
    assert (outcome.ending, outcome.reason) == (Ending.EXPIRED, "its deadline has passed")
    assert desk.counts(record) == {"accepted": 5, "expired": 15}
    assert desk.state() is CampaignState.EXPIRED
    assert desk.run(desk.plan(20)).ending is Ending.EXPIRED
    assert len(desk.phones.calls) == 5


def test_a_deadline_passes_during_a_wait_and_a_persons_pause_does_not_stop_it(desk: Desk) -> None:
    record = expiring(desk, 5, seconds=100)
    desk.ledger.pause("spring", ADA)
    assert desk.run(record, patience=60).ending is Ending.WAITING
    desk.time.now += 100
    assert desk.run(record, patience=60, resumed=True).ending is Ending.EXPIRED
    assert desk.counts(record) == {"expired": 5}


def test_a_campaign_that_reached_everybody_in_time_is_finished_when_its_task_is_cleared_later(
    desk: Desk,
) -> None:
    record = expiring(desk, 5, seconds=100)
    assert desk.run(record).ending is Ending.FINISHED
    desk.time.now += 200
    assert desk.run(desk.plan(5)).ending is Ending.FINISHED
    assert (desk.counts(record), desk.state()) == ({"accepted": 5}, CampaignState.FINISHED)


# -- the failed again -----------------------------------------------------------------------------


def test_who_was_refused_is_sent_to_again_on_a_persons_word_and_nobody_else(desk: Desk) -> None:
    record = desk.plan(6)
    desk.phones.answer = lambda recipient, _: REFUSED if recipient in {number(1), number(4)} else None
    assert desk.run(record).ending is Ending.FINISHED
    desk.phones.answer = lambda _recipient, _attempt: None
    assert desk.run(desk.plan(6)).ending is Ending.FINISHED
    assert desk.counts(record) == {"accepted": 4, "rejected": 2}
    desk.ledger.resend_failed("spring", ADA)
    assert desk.run(desk.plan(6)).ending is Ending.FINISHED
    assert desk.phones.received == {number(index): 1 for index in range(6)}
