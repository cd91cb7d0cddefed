"""A campaign pauses when too large a share goes wrong, over all runs that go on from each other."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert

from tests.campaigns.support import NO_ANSWER, NOT_REACHED, REFUSED, Desk, number
from whatsapp_provider.campaigns.breaker import Breaker, BreakerLimits, Shares
from whatsapp_provider.campaigns.campaign import OnInDoubt
from whatsapp_provider.campaigns.ledger.recent import StopShare
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Result, Task
from whatsapp_provider.campaigns.ledger.schema import suppression
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.outcome import Ending, Outcome
from whatsapp_provider.campaigns.pacing import Pace, Window
from whatsapp_provider.errors import ConfigurationError

ACCEPTED, REJECTED = DeliveryState.ACCEPTED, DeliveryState.REJECTED
IN_DOUBT, POSTPONED, PLANNED = DeliveryState.IN_DOUBT, DeliveryState.POSTPONED, DeliveryState.PLANNED
#: A share alone is to stop it.
TEN = BreakerLimits(failures=0.3, doubts=0.2, disconnects=0.4, over=20, least=10)


def result(state: DeliveryState, **options: Any) -> Result:
    task = Task(1, 1, None, number(0), number(0), "{}")
    return Result(task, state, code=f"code {next(_codes)}", reason="why", **options)


_codes = iter(range(10**9))


def feed(breaker: Breaker, *states: DeliveryState) -> list[str]:
    found = (breaker.reason_to_stop(result(state), 0.0) for state in states)
    return [reason for reason in found if reason]


@pytest.mark.parametrize(
    ("state", "share", "words"),
    [
        (REJECTED, 0.3, "were refused or failed"),
        (IN_DOUBT, 0.2, "got no answer"),
        (POSTPONED, 0.4, "could not be made"),
    ],
)
def test_a_share_of_what_goes_wrong_stops_it_though_others_succeed_between(
    state: DeliveryState, share: float, words: str
) -> None:
    bad = round(share * 10)
    breaker = Breaker(TEN)
    assert feed(breaker, *[state, ACCEPTED] * (bad - 1), *[ACCEPTED] * (10 - 2 * bad + 1)) == []
    assert feed(breaker, state) == [f"{bad} of the last 10 sends {words}, last: why"]


def test_few_attempts_say_nothing_yet() -> None:
    assert feed(Breaker(TEN), *[REJECTED, ACCEPTED] * 4, REJECTED) == []


def test_what_was_long_ago_is_forgotten() -> None:
    breaker = Breaker(TEN)
    feed(breaker, *[REJECTED] * 2, *[ACCEPTED] * 18)
    assert feed(breaker, *[REJECTED] * 4) == []
    assert feed(breaker, *[REJECTED] * 2) == ["6 of the last 20 sends were refused or failed, last: why"]


def test_what_was_never_begun_and_a_gateway_that_asks_for_time_are_no_faults() -> None:
    breaker = Breaker(TEN)
    assert feed(breaker, *[PLANNED] * 50) == []
    asked = [breaker.reason_to_stop(result(POSTPONED, slow_down=5), 10.0 * number) for number in range(9)]
    assert asked == [None] * 9


def test_a_share_of_one_is_never_reached() -> None:
    shares = Shares(BreakerLimits(failures=1, doubts=1, disconnects=1, over=10, least=1))
    assert [shares.add(state) for state in [REJECTED, IN_DOUBT, POSTPONED] * 20] == [None] * 60


@pytest.mark.parametrize(
    ("stops", "sent", "stop"),
    [
        (0, 0, False),
        (2, 50, False),
        (3, 49, False),
        (3, 50, True),
        (4, 100, False),
        (5, 100, True),
        (99, 1000, True),
    ],
)
def test_people_who_ask_to_be_left_alone_are_counted_against_those_written_to(
    stops: int, sent: int, stop: bool
) -> None:
    reason = Breaker().note_stops(StopShare(stops, sent))
    assert reason == (f"{stops} people asked to be left alone after {sent} messages" if stop else None)


def test_the_limits_are_read_from_a_mapping() -> None:
    assert BreakerLimits.from_value({"failures": 0.5, "over": 200}) == BreakerLimits(failures=0.5, over=200)
    assert BreakerLimits.from_value(None) == BreakerLimits()
    assert BreakerLimits.from_value(TEN) is TEN


@pytest.mark.parametrize(
    "wrong",
    ["0.3", {"failure": 0.3}, {"failures": 0}, {"failures": 30}, {"over": 10}, {"least": 0}, {"over": 1e2}],
)
def test_limits_that_cannot_be_meant_are_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="A breaker"):
        BreakerLimits.from_value(wrong)


# -- in a campaign ----------------------------------------------------------------------------------


def mixed(desk: Desk, error: Exception, every: int) -> None:
    """Let every so many-th person's message go wrong."""
    desk.phones.answer = lambda recipient, _attempt: error if int(recipient) % every == 0 else None


@pytest.mark.parametrize(
    ("error", "words"), [(REFUSED, "were refused or failed"), (NO_ANSWER, "got no answer")]
)
def test_a_campaign_pauses_and_says_the_share(desk: Desk, error: Exception, words: str) -> None:
    mixed(desk, error, 3)
    campaign = desk.campaign(concurrency=1, on_in_doubt=OnInDoubt.HOLD)
    outcome = desk.run(desk.plan(90, campaign), campaign)
    assert outcome.ending is Ending.PAUSED
    assert f"of the last 51 sends {words}" in outcome.reason
    assert desk.state() is CampaignState.PAUSED


def test_one_in_five_is_nothing_to_stop_for(desk: Desk) -> None:
    mixed(desk, REFUSED, 5)
    assert desk.run(desk.plan(90)).ending is Ending.FINISHED


def in_short_runs(desk: Desk, record: CampaignRecord, campaign: Any, **options: Any) -> list[Outcome]:
    """Run as a task that gives its slot back after every ten messages."""
    outcomes = []
    while not outcomes or outcomes[-1].ending is Ending.WAITING:
        outcomes.append(desk.run(record, campaign, patience=1, resumed=bool(outcomes), **options))
        desk.time.now += outcomes[-1].seconds
    return outcomes


def test_runs_that_go_on_after_a_wait_remember_and_a_run_after_a_pause_begins_anew(desk: Desk) -> None:
    mixed(desk, REFUSED, 3)
    campaign = desk.campaign(concurrency=1, pace=Pace("tens", (Window(10, 600),)))
    record = desk.plan(120, campaign)
    first = in_short_runs(desk, record, campaign)
    assert len(first) == 6
    assert "17 of the last 51 sends" in first[-1].reason
    again = in_short_runs(desk, record, campaign)
    assert again[-1].ending is Ending.PAUSED
    assert len(again) >= 6


def test_what_people_say_pauses_it_too(desk: Desk) -> None:
    desk.phones.seconds = 1
    campaign = desk.campaign(concurrency=5)
    record = desk.plan(400, campaign)

    def complain() -> None:
        if len(desk.phones.calls) in range(50, 100, 5):
            with desk.ledger._database.transaction() as connection:
                connection.execute(
                    insert(suppression).values(
                        list="stop",
                        person=f"hash {len(desk.phones.calls)}",
                        recipient=desk.phones.calls[0 - len(desk.phones.calls) // 10],
                        source="stop",
                        added_by="themselves",
                        added_at=desk.time.database(),
                    )
                )

    desk.phones.at_send.append(complain)
    outcome = desk.run(record, campaign)
    assert outcome.ending is Ending.PAUSED
    assert "people asked to be left alone after" in outcome.reason
    assert len(desk.phones.calls) < 200


def test_strangers_who_ask_to_be_left_alone_are_no_reason(desk: Desk) -> None:
    record = desk.plan(5)
    desk.run(record)
    with desk.ledger._database.transaction() as connection:
        for index in range(5):
            for source, recipient in (("stop", number(900 + index)), ("import", number(index))):
                connection.execute(
                    insert(suppression).values(
                        list=source,
                        person=f"hash {index}",
                        recipient=recipient,
                        source=source,
                        added_by="themselves",
                        added_at=desk.time.database(),
                    )
                )
    assert desk.ledger.stops(record).stops == 0


def test_a_gateway_that_is_away_now_and_then_pauses_it(desk: Desk) -> None:
    mixed(desk, NOT_REACHED, 2)
    outcome = desk.run(desk.plan(120), limits=BreakerLimits(disconnects=0.3))
    assert "sends could not be made" in outcome.reason
