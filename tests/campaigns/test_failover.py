"""A channel of a campaign stops: others send what it certainly did not; what may have been sent stays with it."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence

import pytest

from tests.campaigns.fleets import A, B, C, Harbour, everyone
from tests.campaigns.support import LOGGED_OUT, NO_ANSWER, NOT_REACHED, REFUSED, Desk, Phones, number
from whatsapp_provider.campaigns.campaign import OnInDoubt
from whatsapp_provider.campaigns.ledger.control import By
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.settling import Verdict
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.outcome import Ending
from whatsapp_provider.campaigns.pacing import Pace, Window
from whatsapp_provider.model import HistoryEntry

IN_DOUBT = DeliveryState.IN_DOUBT


@pytest.fixture
def harbour(desk: Desk) -> Harbour:
    return Harbour(desk)


def logged_out_after(count: int, phones: Phones) -> None:
    """The first ``count`` get through."""
    phones.answer = lambda recipient, _attempt: LOGGED_OUT if phones.calls.index(recipient) >= count else None


def mend(harbour: Harbour) -> None:
    for phones in harbour.phones.values():
        phones.answer = lambda _recipient, _attempt: None


def test_when_one_channel_logs_out_the_others_send_what_it_did_not(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    harbour = Harbour(desk, [A, B, C])
    record = harbour.plan(60)
    logged_out_after(7, harbour.of(A))
    with caplog.at_level(logging.WARNING):
        outcome = harbour.run(record)
    assert (outcome.ending, desk.state()) == (Ending.FINISHED, CampaignState.FINISHED)
    assert "whapi/A stopped: The token is wrong." in outcome.reason
    assert len(harbour.of(A).received) == 7
    assert harbour.received() == everyone(60)
    assert all(len(harbour.of(channel).received) > 20 for channel in (B, C)), "they share it"
    assert "Channel whapi/A stopped" in caplog.text
    assert "certainly sent nothing are sent to through whapi/B, whapi/C" in caplog.text
    assert number(0)[-7:] not in caplog.text


def test_a_send_in_doubt_stays_with_its_channel(desk: Desk, harbour: Harbour) -> None:
    """Five sends without an answer stop a channel: its rest goes through the other, and those five do not."""
    record = harbour.plan(60)
    planned = harbour.people(record)
    phones = harbour.of(A)
    phones.answer = lambda _recipient, _attempt: NO_ANSWER if len(phones.calls) > 5 else None
    outcome = harbour.run(record)
    assert outcome.ending is Ending.FINISHED
    doubtful = {entry.recipient for entry in desk.in_state(record, IN_DOUBT)}
    assert 5 <= len(doubtful) <= 10
    assert doubtful <= planned[A.key()] & harbour.people(record)[A.key()]
    assert not doubtful & harbour.of(B).received.keys()
    assert doubtful | harbour.received().keys() == everyone(60).keys()


def test_who_was_put_off_goes_through_the_other_channel_at_once(desk: Desk, harbour: Harbour) -> None:
    record = harbour.plan(40)
    harbour.of(A).answer = lambda _recipient, _attempt: NOT_REACHED
    begun = desk.time.now
    assert harbour.run(record).ending is Ending.FINISHED
    assert harbour.received() == everyone(40)
    assert desk.time.now - begun < 60, "its own delays say nothing of the other channel"


def test_when_the_last_channel_stops_the_campaign_pauses_with_all_reasons_and_nobody_is_lost(
    desk: Desk, harbour: Harbour
) -> None:
    record = harbour.plan(40)
    logged_out_after(4, harbour.of(A))
    logged_out_after(16, harbour.of(B))
    outcome = harbour.run(record)
    assert (outcome.ending, desk.state()) == (Ending.PAUSED, CampaignState.PAUSED)
    assert outcome.reason == "whapi/A: The token is wrong. whapi/B: The token is wrong."
    assert outcome.error is LOGGED_OUT
    assert desk.counts(record) == {"accepted": 20, "planned": 20}
    mend(harbour)
    assert harbour.run(record).ending is Ending.FINISHED
    assert harbour.received() == everyone(40)


def test_without_failover_people_keep_their_number_and_the_campaign_pauses_when_the_rest_is_done(
    desk: Desk, harbour: Harbour
) -> None:
    record = harbour.plan(40)
    planned = harbour.people(record)
    logged_out_after(3, harbour.of(A))
    outcome = harbour.run(record, failover=False)
    assert (outcome.ending, desk.state()) == (Ending.PAUSED, CampaignState.PAUSED)
    assert outcome.reason == "whapi/A: The token is wrong."
    assert set(harbour.of(B).received) == planned[B.key()]
    assert desk.counts(record) == {
        "accepted": 3 + len(planned[B.key()]),
        "planned": len(planned[A.key()]) - 3,
    }
    mend(harbour)
    assert harbour.run(record, failover=False).ending is Ending.FINISHED
    assert {key: set(phones.received) for key, phones in harbour.phones.items()} == planned


def test_a_channel_that_stopped_is_not_tried_after_a_wait_but_when_somebody_runs_the_task_again(
    desk: Desk, harbour: Harbour
) -> None:
    """Else a silent gateway would put people in doubt at each end of a wait."""
    record = harbour.plan(60)
    harbour.of(A).answer = lambda _recipient, _attempt: NO_ANSWER
    harbour.paces[B.key()] = Pace("hourly", (Window(10, 3600.0),))
    options = {"failover": False, "patience": 60.0}
    assert harbour.run(record, **options).ending is Ending.WAITING
    assert harbour.run(record, **options).ending is Ending.WAITING, "somebody clears the task while it waits"
    tried = len(harbour.of(A).calls)
    assert tried == 5 + 1, "it begins with one send at a time"
    ending = Ending.WAITING
    while ending is Ending.WAITING:
        desk.time.now += 3600
        outcome = harbour.run(record, resumed=True, **options)
        ending = outcome.ending
    assert (ending, len(harbour.of(A).calls)) == (Ending.PAUSED, tried)
    assert "whapi/A: the first send after a pause got no answer" in outcome.reason
    assert harbour.run(record, **options).ending is Ending.PAUSED
    assert len(harbour.of(A).calls) == tried + 1


def test_a_channel_that_is_done_or_waits_begins_again_for_those_who_come_to_it(
    desk: Desk, harbour: Harbour
) -> None:
    record = harbour.plan(40)
    slow = harbour.of(A)
    slow.seconds = 20.0
    logged_out_after(10, slow)
    outcome = harbour.run(record)
    assert outcome.ending is Ending.FINISHED
    assert harbour.received() == everyone(40)


def test_who_was_refused_is_not_tried_through_another_number(desk: Desk, harbour: Harbour) -> None:
    record = harbour.plan(40)
    first = sorted(harbour.people(record)[A.key()])[0]
    phones = harbour.of(A)
    phones.answer = lambda recipient, _attempt: (
        REFUSED if recipient == first else LOGGED_OUT if len(phones.calls) > 3 else None
    )
    assert harbour.run(record).ending is Ending.FINISHED
    assert desk.counts(record) == {"accepted": 39, "rejected": 1}
    assert first not in harbour.received()


def test_what_was_sent_again_without_proof_keeps_its_number(desk: Desk) -> None:
    """An owner who asks for resends did not ask for a second message from another number."""
    harbour = Harbour(desk, on_in_doubt=OnInDoubt.RESEND)
    record = harbour.plan(40)
    phones = harbour.of(A)
    phones.answer = lambda recipient, attempt: (
        None if recipient != phones.calls[0] else NO_ANSWER if attempt == 1 else LOGGED_OUT
    )
    outcome = harbour.run(record)
    assert outcome.ending is Ending.PAUSED
    (left,) = desk.in_state(record, DeliveryState.PLANNED)
    assert left.recipient == phones.calls[0]
    assert left.recipient in harbour.people(record)[A.key()]
    assert {**harbour.received(), left.recipient: 1} == everyone(40)


def test_what_somebody_proved_not_to_be_sent_goes_through_another_channel(
    desk: Desk, harbour: Harbour
) -> None:
    record = harbour.plan(40)
    phones = harbour.of(A)
    phones.answer = lambda _recipient, _attempt: NO_ANSWER
    assert harbour.run(record).ending is Ending.FINISHED
    doubts = desk.in_state(record, IN_DOUBT)
    desk.ledger.settle("spring", [one.id for one in doubts], Verdict.NOT_SENT, by="ana")
    phones.answer = lambda _recipient, _attempt: LOGGED_OUT
    assert harbour.run(record).ending is Ending.FINISHED
    assert harbour.received() == everyone(40)


class Memory:
    """A channel's history: what its phones got, and when it was asked."""

    def __init__(self, desk: Desk, phones: Phones) -> None:
        self.desk, self.phones, self.asked = desk, phones, 0
        self.shown: dict[str, HistoryEntry] = {}

    async def history(self, recipient: str, *, since: float, limit: int = 100) -> Sequence[HistoryEntry]:
        self.asked += 1
        return [self.shown[recipient]] if recipient in self.shown else []


def test_the_doubts_of_a_channel_that_stopped_are_looked_up_in_its_own_history(
    desk: Desk, harbour: Harbour
) -> None:
    record = harbour.plan(40)
    phones = harbour.of(A)
    memory, other = Memory(desk, phones), Memory(desk, harbour.of(B))
    harbour.histories = {A.key(): memory, B.key(): other}

    def arrives_without_an_answer(recipient: str, _attempt: int) -> Exception:
        name = f"N{int(recipient[4:])}"
        memory.shown[recipient] = HistoryEntry(
            f"seen-{recipient}", desk.time.database(), "text", f"Hi {name}"
        )
        return NO_ANSWER

    phones.answer = arrives_without_an_answer
    assert harbour.run(record).ending is Ending.FINISHED
    assert desk.counts(record) == {"accepted": 40}
    assert (len(memory.shown), memory.asked >= 5, other.asked) == (len(phones.calls), True, 0)
    assert not phones.received.keys() & harbour.of(B).received.keys()


def test_two_processes_may_find_different_channels_broken(
    desk: Desk, harbour: Harbour, open_ledger: Callable[..., Ledger]
) -> None:
    """The way from one host to one gateway is gone, from the other host to the other: both go on with what works."""
    record = harbour.plan(80)
    others = {key: Phones(seconds=1.0) for key in harbour.phones}
    for phones in harbour.phones.values():
        phones.seconds = 1.0
    harbour.of(A).answer = lambda _recipient, _attempt: LOGGED_OUT
    others[B.key()].answer = lambda _recipient, _attempt: LOGGED_OUT

    async def both() -> list[Ending]:
        fleets = [harbour.fleet(record), harbour.fleet(record, ledger=open_ledger(), phones=others)]
        return [outcome.ending for outcome in await asyncio.gather(*(fleet.run() for fleet in fleets))]

    assert desk.time.run(both()) == [Ending.FINISHED, Ending.FINISHED]
    assert sum((phones.received for phones in others.values()), harbour.received()) == everyone(80)


def test_who_is_planned_again_when_their_channel_is_done_need_not_wait_for_the_others(
    desk: Desk, harbour: Harbour
) -> None:
    record = harbour.plan(40)
    fast, slow = harbour.of(B), harbour.of(A)
    fast.answer = lambda recipient, attempt: REFUSED if recipient == fast.calls[0] and attempt == 1 else None
    slow.seconds, harbour.paces[A.key()] = 20.0, Pace("hourly", (Window(5, 3600.0),))

    async def resent() -> Ending:
        job = asyncio.create_task(harbour.fleet(record, patience=60.0).run())
        await asyncio.sleep(10)
        assert desk.ledger.resend_failed("spring", By("ana")).deliveries == 1
        return (await job).ending

    assert desk.time.run(resent()) is Ending.WAITING
    assert fast.calls.count(fast.calls[0]) == 2
    assert set(fast.received) == harbour.people(record)[B.key()]


def test_what_another_process_sends_through_a_channel_that_stopped_here_is_waited_for(
    desk: Desk, harbour: Harbour
) -> None:
    """It was killed, as it turns out when its lease ends."""
    record = harbour.plan(20)
    lease = desk.ledger.begin(record.through(A.key()), label="", seconds=60)
    tasks = desk.ledger.turn(lease, [], places=2, pace=Pace.unlimited()).tasks
    harbour.of(A).answer = lambda _recipient, _attempt: LOGGED_OUT
    begun = desk.time.now
    assert harbour.run(record).ending is Ending.FINISHED
    assert 55 < desk.time.now - begun < 70
    assert desk.counts(record) == {"accepted": 18, "in_doubt": 2}
    assert {one.recipient for one in desk.in_state(record, IN_DOUBT)} == {task.recipient for task in tasks}
    last = desk.ledger.begin(record, label="", seconds=60)
    assert last.token - lease.token < 6, "nobody began again and again meanwhile"


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_channels_do_nobody_is_lost_and_nobody_gets_two_messages(desk: Desk, seed: int) -> None:
    """Kills aside: channels that come and go by chance, run after run, until all is sent or in doubt."""
    chance = random.Random(seed)
    harbour = Harbour(desk, [A, B, C])
    record = harbour.plan(60)
    errors = [None, None, None, None, None, NO_ANSWER, NOT_REACHED, LOGGED_OUT]
    for phones in harbour.phones.values():
        phones.seconds = 0.5
        phones.answer = lambda _recipient, _attempt: chance.choice(errors)
    for _ in range(40):
        outcome = harbour.run(record)
        received = harbour.received()
        assert set(received.values()) <= {1}
        if outcome.ending is Ending.FINISHED:
            break
    counts = desk.counts(record)
    assert set(counts) <= {"accepted", "in_doubt"}
    assert counts["accepted"] == len(received)
    doubtful = {entry.recipient for entry in desk.in_state(record, IN_DOUBT)}
    assert everyone(60).keys() == received.keys() | doubtful
    assert not received.keys() & doubtful
