"""Doubts are settled by what the gateway remembers, and by nothing less."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.campaigns.support import NO_ANSWER, NOT_REACHED, SEND_TIMEOUT, Desk, Phones, number
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.ledger.states import DeliveryState, Proof
from whatsapp_provider.campaigns.outcome import Ending, Outcome
from whatsapp_provider.messages import Message, message_text
from whatsapp_provider.model import HistoryEntry, MessageStatus, SendResult

SETTLE = 30.0
ACCEPTED, PLANNED = DeliveryState.ACCEPTED, DeliveryState.PLANNED


@dataclass
class Remembering(Phones):
    """Phones behind a gateway that remembers: what it delivers and what it says of it may differ.

    ``delivers(recipient, attempt)`` says whether a message arrives although the answer is lost.
    """

    desk: Desk | None = None
    delivers: Any = lambda _recipient, _attempt: True
    remembers: bool = True
    lag: float = 0.0
    chats: dict[str, list[HistoryEntry]] = field(default_factory=dict)
    looked: list[tuple[float, str]] = field(default_factory=list)
    broken: Any = None
    silence: float = 0.0
    shown: MessageStatus = MessageStatus.SENT

    def __post_init__(self) -> None:
        super().__init__()

    @property
    def now(self) -> float:
        assert self.desk is not None
        return self.desk.time.database()

    async def send(self, recipient: str, message: Message) -> SendResult:
        attempt = self.calls.count(recipient) + 1
        error = self.answer(recipient, attempt)
        if error is None or (error is NO_ANSWER and self.delivers(recipient, attempt)):
            key = f"id-{recipient}-{self.received[recipient] + 1}"
            self.remember(recipient, key, message.kind, message_text(message))
            if error is not None:
                self.received[recipient] += 1
        return await super().send(recipient, message)

    def remember(self, recipient: str, key: str, kind: str, text: str | None) -> None:
        self.chats.setdefault(recipient, []).append(HistoryEntry(key, self.now, kind, text, self.shown))

    async def history(self, recipient: str, *, since: float, limit: int = 100) -> Sequence[HistoryEntry]:
        self.looked.append((self.now, recipient))
        await asyncio.sleep(self.silence)
        if self.broken is not None:
            raise self.broken
        if not self.remembers:
            return []
        shown = self.chats.get(recipient, [])
        return [entry for entry in shown if since <= entry.sent_at <= self.now - self.lag][:limit]


@pytest.fixture
def phones(desk: Desk) -> Remembering:
    desk.phones = Remembering(desk=desk)
    return desk.phones


def run(desk: Desk, record: CampaignRecord, **options: Any) -> Outcome:
    runner = desk.runner(record, settle=SETTLE, history=desk.phones, **options)
    return desk.time.run(runner.run())


def lose_answer_of(phones: Phones, *people: int) -> None:
    lost = {number(index) for index in people}
    phones.answer = lambda recipient, attempt: NO_ANSWER if recipient in lost and attempt == 1 else None


def test_a_message_that_the_history_shows_was_sent(desk: Desk, phones: Remembering) -> None:
    lose_answer_of(phones, 1)
    record = desk.plan(3)
    assert run(desk, record).ending is Ending.FINISHED
    assert desk.counts(record) == {"accepted": 3}
    assert set(phones.received.values()) == {1}
    assert desk.ledger.settlements(record) == {(Proof.HISTORY, ACCEPTED): 1}
    [entry] = [item for item in desk.in_state(record, ACCEPTED) if item.recipient == number(1)]
    assert entry.message_id == f"id-{number(1)}-1"


def test_a_message_that_two_looks_do_not_find_is_sent_again(desk: Desk, phones: Remembering) -> None:
    lose_answer_of(phones, 1)
    phones.delivers = lambda _recipient, _attempt: False
    record = desk.plan(3)
    assert run(desk, record).ending is Ending.FINISHED
    assert desk.counts(record) == {"accepted": 3}
    assert phones.received == {number(index): 1 for index in range(3)}
    assert desk.ledger.settlements(record) == {(Proof.HISTORY, PLANNED): 1}


def test_absence_counts_only_when_the_request_cannot_be_under_way_any_more(
    desk: Desk, phones: Remembering
) -> None:
    lose_answer_of(phones, 1)
    phones.delivers = lambda _recipient, _attempt: False
    began = phones.now
    run(desk, desk.plan(3))
    looks = [round(moment - began) for moment, recipient in phones.looked if recipient == number(1)]
    first_that_counts = round(SEND_TIMEOUT + SETTLE)
    assert looks == [round(SETTLE), first_that_counts, first_that_counts + round(SETTLE)]


def test_a_message_that_the_history_shows_late_is_not_sent_again(desk: Desk, phones: Remembering) -> None:
    lose_answer_of(phones, 1)
    phones.lag = SEND_TIMEOUT + SETTLE + 1  # the first look that counts does not see it yet
    record = desk.plan(3)
    run(desk, record)
    assert desk.counts(record) == {"accepted": 3}
    assert set(phones.received.values()) == {1}


@pytest.mark.parametrize("delivered", [True, False])
def test_a_history_that_is_switched_off_proves_nothing(
    desk: Desk, phones: Remembering, delivered: bool
) -> None:
    lose_answer_of(phones, 1)
    phones.remembers, phones.delivers = False, lambda _recipient, _attempt: delivered
    record = desk.plan(3)
    outcome = run(desk, record)
    assert outcome.ending is Ending.FINISHED
    assert "absence from it proves nothing" in outcome.reason
    assert desk.counts(record) == {"accepted": 2, "in_doubt": 1}
    assert phones.calls.count(number(1)) == 1


def test_where_nothing_was_ever_accepted_absence_proves_nothing(desk: Desk, phones: Remembering) -> None:
    lose_answer_of(phones, 0)
    phones.delivers = lambda _recipient, _attempt: False
    record = desk.plan(1)
    run(desk, record)
    assert desk.counts(record) == {"in_doubt": 1}
    assert phones.calls == [number(0)]


def test_another_message_in_the_chat_leaves_the_doubt(desk: Desk, phones: Remembering) -> None:
    lose_answer_of(phones, 1)
    phones.delivers = lambda _recipient, _attempt: False
    record = desk.plan(3)
    phones.remember(number(1), "by-hand", "text", "Hello from a person")
    outcome = run(desk, record)
    assert desk.counts(record) == {"accepted": 2, "in_doubt": 1}
    assert "other messages went to the chat" in outcome.reason


def test_a_message_of_another_campaign_is_not_taken_for_ours(desk: Desk, phones: Remembering) -> None:
    first = desk.plan(3, desk.campaign("first"))
    desk.run(first, desk.campaign("first"))
    lose_answer_of(phones, 1)
    phones.answer = lambda recipient, attempt: NO_ANSWER if (recipient, attempt) == (number(1), 2) else None
    phones.delivers = lambda _recipient, _attempt: False
    second = desk.plan(3, desk.campaign("second"))
    run(desk, second, campaign=desk.campaign("second"))
    assert desk.counts(second) == {"accepted": 3}
    assert set(phones.received.values()) == {2}


@pytest.mark.parametrize("error", [NOT_REACHED, KeyError("15550000001")])
def test_a_history_that_cannot_be_read_settles_nothing_and_does_not_hold_the_run_for_ever(
    desk: Desk, phones: Remembering, error: Exception
) -> None:
    lose_answer_of(phones, 1)
    phones.broken = error
    record = desk.plan(3)
    outcome = run(desk, record)
    assert outcome.ending is Ending.FINISHED
    assert "could not be read" in outcome.reason
    assert "1555" not in outcome.reason
    assert desk.counts(record) == {"accepted": 2, "in_doubt": 1}
    assert len(phones.looked) == 3


def test_a_history_that_does_not_answer_costs_no_run_its_lease(desk: Desk, phones: Remembering) -> None:
    lose_answer_of(phones, *range(0, 36, 3))
    phones.silence = 10_000
    record = desk.plan(36)
    outcome = run(desk, record)
    assert outcome.ending is Ending.FINISHED
    assert "did not tell a chat's history within 10 s" in outcome.reason
    assert desk.counts(record) == {"accepted": 24, "in_doubt": 12}


def test_a_run_without_patience_gives_its_slot_back_until_the_next_look(
    desk: Desk, phones: Remembering
) -> None:
    lose_answer_of(phones, 1)
    record = desk.plan(3)
    outcome = run(desk, record, patience=10)
    assert outcome.ending is Ending.WAITING
    assert outcome.seconds == pytest.approx(SETTLE)
    desk.time.now += outcome.seconds
    assert run(desk, record, patience=10).ending is Ending.FINISHED
    assert desk.counts(record) == {"accepted": 3}


def test_a_number_is_looked_up_under_each_form_that_whatsapp_knows_it_by(
    desk: Desk, phones: Remembering
) -> None:
    rows = ["5511900000001", "5511900000002"]
    record = desk.plan_rows([{"phone": row, "name": "N"} for row in rows])
    phones.answer = lambda recipient, _attempt: NO_ANSWER if recipient == rows[0] else None
    run_until_doubt = desk.run(record)
    assert run_until_doubt.ending is Ending.FINISHED
    phones.chats["551100000001"] = phones.chats.pop(rows[0])
    run(desk, record)
    assert desk.counts(record) == {"accepted": 2}
    assert phones.calls.count(rows[0]) == 1


def test_what_was_held_is_looked_up_by_the_next_run(desk: Desk, phones: Remembering) -> None:
    lose_answer_of(phones, 1)
    record = desk.plan(3)
    desk.run(record)
    assert desk.counts(record) == {"accepted": 2, "in_doubt": 1}
    run(desk, record)
    assert desk.counts(record) == {"accepted": 3}


def test_who_asked_to_hold_is_not_reconciled(desk: Desk, phones: Remembering) -> None:
    from whatsapp_provider.campaigns.campaign import OnInDoubt

    lose_answer_of(phones, 1)
    record = desk.plan(3)
    run(desk, record, campaign=desk.campaign(on_in_doubt=OnInDoubt.HOLD))
    assert desk.counts(record) == {"accepted": 2, "in_doubt": 1}
    assert phones.looked == []


def test_where_the_gateway_remembers_nothing_doubts_are_held(desk: Desk, phones: Remembering) -> None:
    from whatsapp_provider.gateways.whapi.gateway import CAPABILITIES
    from whatsapp_provider.operators.choices import historian

    memory = {
        remembers: historian(replace(CAPABILITIES, history=remembers), phones) for remembers in (True, False)
    }
    assert memory == {True: phones, False: None}
    lose_answer_of(phones, 1)
    record = desk.plan(3)
    desk.time.run(desk.runner(record, history=memory[False]).run())
    assert desk.counts(record) == {"accepted": 2, "in_doubt": 1}


def test_being_put_off_often_does_not_keep_a_doubt_from_being_looked_up(
    desk: Desk, phones: Remembering
) -> None:
    phones.answer = lambda recipient, attempt: (
        (NOT_REACHED if attempt <= 12 else NO_ANSWER if attempt == 13 else None)
        if recipient == number(1)
        else None
    )
    record = desk.plan(3)
    while desk.counts(record) != {"accepted": 3}:
        assert len(phones.calls) < 40
        run(desk, record)
    assert phones.received[number(1)] == 1
    assert phones.calls.count(number(1)) == 13


@pytest.mark.parametrize("lost", [1, 3])
def test_looks_in_vain_that_are_far_apart_end_although_the_run_may_wait_elsewhere(
    desk: Desk, phones: Remembering, lost: int
) -> None:
    lose_answer_of(phones, *range(lost))
    phones.remembers = False
    record = desk.plan(6)
    endings: list[Ending] = []
    while len(endings) < 10 and Ending.FINISHED not in endings:
        runner = desk.runner(record, settle=90.0, patience=60.0, history=phones, resumed=bool(endings))
        outcome = desk.time.run(runner.run())
        endings.append(outcome.ending)
        desk.time.now += outcome.seconds + 1
    # The first look may be waited for elsewhere; the others are made by one run.
    assert endings == [Ending.WAITING, Ending.WAITING, Ending.FINISHED]
    assert "proves nothing" in outcome.reason
    assert desk.counts(record) == {"accepted": 6 - lost, "in_doubt": lost}
