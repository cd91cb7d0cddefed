"""What a look-up must not take for absence: a chat too full to be told whole, and an attempt that is not over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from tests.campaigns.ledger.book import Book
from tests.campaigns.support import NO_ANSWER, SEND_TIMEOUT, Desk, number
from tests.campaigns.test_reconcile import ACCEPTED, PLANNED, SETTLE, Remembering, run
from whatsapp_provider.campaigns import reconcile
from whatsapp_provider.campaigns.ledger import specimens
from whatsapp_provider.campaigns.ledger.doubts import Delays
from whatsapp_provider.campaigns.ledger.records import GRACE_SECONDS, CampaignRecord, Settled
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.settling import Verdict
from whatsapp_provider.campaigns.ledger.states import DeliveryState, Proof
from whatsapp_provider.campaigns.outcome import Ending
from whatsapp_provider.model import MessageStatus

AT_ONCE, HISTORY = Delays(0, 0), Settled(Proof.HISTORY, "test")
IN_DOUBT = DeliveryState.IN_DOUBT


@pytest.fixture
def phones(desk: Desk) -> Remembering:
    desk.phones = Remembering(desk=desk)
    return desk.phones


def test_a_chat_that_is_told_in_part_proves_no_absence(
    desk: Desk, phones: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile, "MOST_ENTRIES", 2)
    for name in ("first", "second"):
        desk.run(desk.plan(2, desk.campaign(name)), desk.campaign(name))
    phones.answer = lambda recipient, attempt: NO_ANSWER if (recipient, attempt) == (number(1), 3) else None
    record = desk.plan(2)
    outcome = run(desk, record)
    assert outcome.ending is Ending.FINISHED
    assert "other messages went to the chat" in outcome.reason
    assert desk.counts(record) == {"accepted": 1, "in_doubt": 1}
    assert phones.received[number(1)] == 3


@pytest.mark.parametrize("shown_after", [SEND_TIMEOUT + SETTLE - 1, SEND_TIMEOUT + SETTLE + 1])
def test_a_message_that_the_history_shows_later_than_others_is_not_sent_again(
    desk: Desk, phones: Remembering, shown_after: float
) -> None:
    """It may be on its way for as long as a send takes, and then the history may be slow with this one."""
    phones.answer = lambda recipient, attempt: NO_ANSWER if (recipient, attempt) == (number(1), 1) else None
    phones.delivers = lambda _recipient, _attempt: False
    record = desk.plan(3)
    in_doubt_at = phones.now
    look = phones.history

    async def history(recipient: str, *, since: float, limit: int = 100) -> object:
        if phones.now > in_doubt_at + shown_after and number(1) not in phones.chats:
            phones.remember(number(1), "late", "text", "Hi N1")
        return await look(recipient, since=since, limit=limit)

    phones.history = history  # type: ignore[method-assign,assignment]  # a gateway that is slow
    run(desk, record)
    assert desk.counts(record) == {"accepted": 3}
    assert phones.calls.count(number(1)) == 1


def test_a_doubt_that_another_run_settled_meanwhile_is_left_as_it_is(desk: Desk, phones: Remembering) -> None:
    phones.answer = lambda recipient, attempt: NO_ANSWER if (recipient, attempt) == (number(1), 1) else None
    record = desk.plan(3)
    desk.run(record)
    other = desk.open_ledger()
    look = phones.history

    async def history(recipient: str, *, since: float, limit: int = 100) -> object:
        other.settle("spring", None, Verdict.SENT, by="Ada")
        return await look(recipient, since=since, limit=limit)

    phones.history = history  # type: ignore[method-assign,assignment]  # somebody settles during the look
    assert run(desk, record).ending is Ending.FINISHED
    assert desk.counts(record) == {"accepted": 3}
    assert len(desk.ledger.settlements(record)) == 1
    assert phones.received[number(1)] == 1


LATER, MUCH_LATER = GRACE_SECONDS + 1, 7 * 86_400.0


def lost_after_another_campaign(desk: Desk, phones: Remembering, seconds: float) -> CampaignRecord:
    """A campaign of one message, whose answer is lost, so long after another campaign."""
    first = desk.campaign("first")
    run(desk, desk.plan(3, first), campaign=first)
    desk.time.now += seconds
    phones.answer = lambda recipient, attempt: NO_ANSWER if (recipient, attempt) == (number(1), 2) else None
    return desk.plan_rows([{"phone": number(1), "name": "N1"}])


@pytest.mark.parametrize("seconds", [LATER, MUCH_LATER])
def test_an_old_message_does_not_show_that_the_history_still_works(
    desk: Desk, phones: Remembering, seconds: float
) -> None:
    record = lost_after_another_campaign(desk, phones, seconds)
    phones.remember = lambda *_: None  # type: ignore[method-assign]  # since then the gateway keeps nothing new
    outcome = run(desk, record)
    assert outcome.ending is Ending.FINISHED
    assert "nothing was sent after it that would show that the history works" in outcome.reason
    assert desk.counts(record) == {"in_doubt": 1}
    assert phones.received[number(1)] == 2


@pytest.mark.parametrize(("seconds", "end"), [(GRACE_SECONDS - 1, "accepted"), (LATER, "in_doubt")])
def test_a_message_from_just_before_shows_that_the_history_works(
    desk: Desk, phones: Remembering, seconds: float, end: str
) -> None:
    record = lost_after_another_campaign(desk, phones, seconds)
    phones.delivers = lambda _recipient, _attempt: False
    run(desk, record)
    assert desk.counts(record) == {end: 1}


def test_a_message_that_was_sent_later_shows_that_the_history_works(desk: Desk, phones: Remembering) -> None:
    record = lost_after_another_campaign(desk, phones, MUCH_LATER)
    phones.delivers = lambda _recipient, _attempt: False
    run(desk, record)
    assert desk.counts(record) == {"in_doubt": 1}
    other = desk.campaign("other")
    run(desk, desk.plan(3, other), campaign=other)
    run(desk, record)
    assert desk.counts(record) == {"accepted": 1}


def test_a_doubt_that_a_look_settled_shows_of_the_others_that_the_history_works(
    desk: Desk, phones: Remembering
) -> None:
    phones.answer = lambda recipient, attempt: NO_ANSWER if attempt == 1 else None
    phones.delivers = lambda recipient, _attempt: recipient != number(1)
    record = desk.plan(3)
    run(desk, record)
    assert desk.counts(record) == {"accepted": 3}
    assert phones.received == {number(index): 1 for index in range(3)}
    assert desk.ledger.settlements(record) == {(Proof.HISTORY, ACCEPTED): 2, (Proof.HISTORY, PLANNED): 1}


def look(desk: Desk, record: CampaignRecord, phones: Remembering) -> None:
    """Look up once what is due."""

    async def call(method: Callable[..., Any], *args: Any, **options: Any) -> Any:
        return method(*args, **options)

    delays = Delays(SETTLE, SEND_TIMEOUT)
    desk.time.run(reconcile.Reconciler(desk.ledger, record, phones, delays, call, label="test").look())


def test_each_doubt_needs_a_message_of_its_own_time(desk: Desk, phones: Remembering) -> None:
    """The history worked after the first was sent; whether it did after the second nobody knows."""
    phones.answer = lambda recipient, attempt: NO_ANSWER if attempt == 1 and recipient != number(1) else None
    phones.delivers = lambda _recipient, _attempt: False
    record = desk.plan(3)
    desk.run(record)
    with desk.ledger._database.transaction() as connection:
        late = update(delivery).where(delivery.c.recipient == number(2))
        connection.execute(late.values(intended_at=delivery.c.intended_at + LATER))
    desk.time.now += 1000
    look(desk, record, phones)
    assert phones.looked.count((phones.now, number(1))) == 1, "one question for both"
    doubts = desk.ledger.doubtful(record, AT_ONCE)
    assert [doubt.looks for doubt in doubts] == [1, 0]


def test_of_a_big_campaign_what_came_out_of_doubt_is_read_wherever_it_stands(
    desk: Desk, phones: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sent last when it is sent again, and may be the first of the audience."""
    monkeypatch.setattr(specimens, "NEWEST", 3)
    phones.answer = lambda recipient, attempt: NO_ANSWER if (recipient, attempt) == (number(0), 1) else None
    phones.delivers = lambda _recipient, _attempt: False
    record = desk.plan(30)
    run(desk, record)
    found = desk.ledger.specimen(record, phones.now)
    assert found is not None
    assert found.address == number(0)


def test_of_a_big_campaign_only_the_newest_are_read(
    desk: Desk, phones: Remembering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(specimens, "NEWEST", 3)
    record = desk.plan(30)
    desk.run(record)
    found = desk.ledger.specimen(record, phones.now)
    assert found is not None
    assert found.address in {number(index) for index in (27, 28, 29)}
    assert desk.ledger.specimen(record, found.since + LATER) is None


def test_a_message_that_another_run_has_just_sent_is_not_looked_for(desk: Desk, phones: Remembering) -> None:
    phones.answer = lambda recipient, _attempt: NO_ANSWER if recipient == number(0) else None
    phones.delivers = lambda _recipient, _attempt: False
    record = desk.plan(3)
    desk.run(record)
    desk.time.now += 1000
    with desk.ledger._database.transaction() as connection:
        just_now = update(delivery).where(delivery.c.recipient == number(2))
        connection.execute(just_now.values(intended_at=phones.now - SETTLE / 2))
    look(desk, record, phones)
    assert (phones.now, number(1)) in phones.looked
    assert (phones.now, number(2)) not in phones.looked
    assert [doubt.looks for doubt in desk.ledger.doubtful(record, AT_ONCE)] == [1]


def test_of_a_channel_that_sends_on_one_speaks_that_the_history_must_show_by_now(desk: Desk) -> None:
    record = desk.plan(3)
    desk.run(record)
    now = desk.time.database()
    with desk.ledger._database.transaction() as connection:
        for index, ago in enumerate((100, 50, 1)):
            one = update(delivery).where(delivery.c.recipient == number(index))
            connection.execute(one.values(intended_at=now - ago))

    def chosen(since: float, settle: float) -> str | None:
        found = desk.ledger.specimen(record, now - since, settle)
        return found and found.address

    assert chosen(since=60, settle=30) == number(1), "the newest of those that are old enough"
    assert chosen(since=60, settle=0) == number(2)
    assert chosen(since=20, settle=30) == number(2), "none that is old enough speaks for the time after"


def test_a_look_in_vain_does_not_bring_back_the_looks_at_an_earlier_attempt(desk: Desk) -> None:
    """The version before leaves the looks of an attempt in the row when the next one comes into doubt."""
    book = Book(desk)
    record = book.plan()
    absences = 0
    for _ in range(2):
        book.sent(record, IN_DOUBT)
        with desk.ledger._database.transaction() as connection:
            connection.execute(update(delivery).values(looks=absences, doubted_at=None))
        desk.time.now += 1000
        (doubt,) = desk.ledger.doubtful(record, AT_ONCE)
        desk.ledger.looked(doubt)
        for absences in (1, 2):
            (doubt,) = desk.ledger.doubtful(record, AT_ONCE)
            assert doubt.looks == absences - 1
            assert desk.ledger.was_absent(doubt, HISTORY) is (absences == 2)


@pytest.mark.parametrize(
    ("shown", "becomes"),
    [(status, "failed" if status is MessageStatus.FAILED else "accepted") for status in MessageStatus],
)
def test_a_message_that_the_history_shows_as_failed_has_failed_and_is_not_sent_again(
    desk: Desk, phones: Remembering, shown: MessageStatus, becomes: str
) -> None:
    phones.answer = lambda *_: NO_ANSWER
    phones.shown = shown
    record = desk.plan_rows([{"phone": number(1), "name": "N1"}])
    assert run(desk, record).ending is Ending.FINISHED
    assert desk.counts(record) == {becomes: 1}
    assert desk.ledger.settlements(record) == {(Proof.HISTORY, DeliveryState(becomes)): 1}
    run(desk, record)
    assert phones.received == {number(1): 1}
