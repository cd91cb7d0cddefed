"""A run from its beginning to each of its ends, in a time that tests move."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.campaigns.support import (
    NO_ANSWER,
    SENDING,
    Desk,
    Phones,
    number,
)
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.ledger.states import CampaignState
from whatsapp_provider.campaigns.outcome import Ending
from whatsapp_provider.campaigns.pacing import Pace, Window


def test_everyone_gets_the_message_once_and_the_campaign_is_finished(desk: Desk) -> None:
    record = desk.plan(23)
    outcome = desk.run(record)
    assert outcome.ending is Ending.FINISHED
    assert desk.phones.received == {number(index): 1 for index in range(23)}
    assert desk.counts(record) == {"accepted": 23}
    assert desk.state() is CampaignState.FINISHED


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


def test_what_is_in_doubt_is_sent_again_by_the_same_run_once_nothing_else_is_left(desk: Desk) -> None:
    moments: list[float] = []
    desk.phones.at_send.append(lambda: moments.append(desk.time.now))
    desk.phones.answer = lambda recipient, attempt: (
        NO_ANSWER if (recipient, attempt) == (number(1), 1) else None
    )
    record = desk.plan(8)
    assert desk.run(record, desk.resend(), settle=40).ending is Ending.FINISHED
    assert desk.counts(record) == {"accepted": 8}
    assert desk.phones.calls.count(number(1)) == 2
    # News of the message may come meanwhile, and a quick error makes no burst of messages.
    assert moments[-1] - moments[-2] >= 40


def test_a_wait_does_not_end_the_resending(desk: Desk) -> None:
    desk.phones.answer = lambda recipient, attempt: (
        NO_ANSWER if (recipient, attempt) == (number(1), 1) else None
    )
    record = desk.plan(3)
    waits = desk.run(record, desk.resend(), settle=90, patience=60)
    assert waits.ending is Ending.WAITING
    resumed = desk.run(record, desk.resend(), settle=90, patience=60, resumed=True)
    assert (resumed.ending, len(desk.phones.calls)) == (Ending.WAITING, 3)
    desk.time.now += resumed.seconds
    assert desk.run(record, desk.resend(), settle=90, patience=60, resumed=True).ending is Ending.FINISHED
    assert desk.counts(record) == {"accepted": 3}


def test_runs_at_once_resend_no_more_than_one_would(desk: Desk) -> None:
    silent = {number(index) for index in range(2)}
    desk.phones.answer = lambda recipient, _attempt: NO_ANSWER if recipient in silent else None

    async def three(record: CampaignRecord) -> Any:
        ledgers = [desk.open_ledger() for _ in range(3)]
        return await asyncio.gather(
            *(desk.runner(record, desk.resend(), ledger=each).run() for each in ledgers)
        )

    # How many rounds it takes is chance: a run that hears nothing but silence may pause the campaign for all.
    for _ in range(60):
        record = desk.plan(2)
        outcomes = desk.time.run(three(record))
        given_up = all("2 were sent again 9 times" in outcome.reason for outcome in outcomes)
        if given_up and {outcome.ending for outcome in outcomes} == {Ending.FINISHED}:
            break
    else:
        pytest.fail(f"still sent again after 60 rounds: {outcomes}")
    assert [desk.phones.calls.count(who) for who in sorted(silent)] == [10, 10]
    assert desk.counts(record) == {"in_doubt": 2}
