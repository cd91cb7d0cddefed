"""What gateways report of messages later: it moves deliveries forward, and the message itself settles a doubt."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import update

from tests.campaigns.ledger.book import KEY, PACE, Book
from tests.campaigns.support import Desk, number
from whatsapp_provider.campaigns.ledger.doubts import Delays
from whatsapp_provider.campaigns.ledger.news import SKEW_SECONDS, Recorded
from whatsapp_provider.campaigns.ledger.records import Result, Settled
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.settling import Verdict
from whatsapp_provider.campaigns.ledger.states import DeliveryState, Proof
from whatsapp_provider.model import ChannelRef, MessageStatus

ACCEPTED, IN_DOUBT = DeliveryState.ACCEPTED, DeliveryState.IN_DOUBT
PLANNED, SENDING = DeliveryState.PLANNED, DeliveryState.SENDING
DELIVERED, READ, FAILED = MessageStatus.DELIVERED, MessageStatus.READ, MessageStatus.FAILED
HISTORY = Settled(Proof.HISTORY, "test")
OTHER = ChannelRef("whapi", "OTHER-1", "Other")


@pytest.fixture
def book(desk: Desk) -> Book:
    return Book(desk)


@pytest.mark.parametrize("order", list(permutations((DELIVERED, READ, FAILED))))
def test_reports_in_any_order_end_where_the_message_came_furthest(
    book: Book, order: tuple[MessageStatus, ...]
) -> None:
    record = book.plan()
    book.sent(record, ACCEPTED, "m1")
    for status in (*order, *order):
        book.status("m1", status)
    assert book.state(record) == ("read", "m1")


@pytest.mark.parametrize(
    ("order", "end"),
    [((FAILED,), "failed"), ((DELIVERED, FAILED), "delivered"), ((FAILED, DELIVERED), "delivered")],
)
def test_a_message_that_arrived_has_not_failed(
    book: Book, order: tuple[MessageStatus, ...], end: str
) -> None:
    record = book.plan()
    book.sent(record, ACCEPTED, "m1")
    assert {book.status("m1", status) for status in order} <= {Recorded.MOVED, Recorded.KNOWN}
    assert book.state(record) == (end, "m1")


def test_a_report_that_is_told_again_changes_nothing(book: Book) -> None:
    book.sent(book.plan(), ACCEPTED, "m1")
    assert book.status("m1", DELIVERED) is Recorded.MOVED
    assert book.status("m1", DELIVERED) is Recorded.KNOWN


@pytest.mark.parametrize("status", sorted(set(MessageStatus) - {DELIVERED, READ, FAILED}))
def test_a_status_that_says_no_more_than_the_answer_changes_nothing(
    book: Book, status: MessageStatus
) -> None:
    record = book.plan()
    book.sent(record, ACCEPTED, "m1")
    assert book.status("m1", status) is Recorded.KNOWN
    assert book.state(record) == ("accepted", "m1")


def test_a_report_of_another_channel_or_an_unknown_message_changes_nothing(book: Book) -> None:
    record, other = book.plan(), book.plan("other", channel=OTHER)
    book.sent(record, ACCEPTED, "m1")
    book.sent(other, IN_DOUBT)
    assert book.status("m1", READ, channel=OTHER.key()) is Recorded.UNKNOWN
    assert book.status("m2", READ) is Recorded.UNKNOWN
    assert book.status("m2", READ, book.seen()) is Recorded.UNKNOWN
    assert (book.state(record), book.state(other)) == (("accepted", "m1"), ("in_doubt", None))


def test_a_report_without_the_message_settles_no_doubt(book: Book) -> None:
    record = book.plan()
    book.sent(record, IN_DOUBT)
    assert book.status("m1", READ) is Recorded.UNKNOWN
    assert book.state(record) == ("in_doubt", None)


@pytest.mark.parametrize(("status", "end"), [(DELIVERED, "delivered"), (MessageStatus.SENT, "accepted")])
def test_the_message_itself_settles_a_doubt(book: Book, status: MessageStatus, end: str) -> None:
    record = book.plan()
    book.sent(record, IN_DOUBT)
    assert book.status("m1", status, book.seen()) is Recorded.SETTLED
    assert book.state(record) == (end, "m1")
    told = (ACCEPTED, Proof.STATUS, "a report of the gateway", book.desk.time.database())
    assert book.settlements() == [told]
    assert book.ledger.settlements(record) == {(Proof.STATUS, ACCEPTED): 1}


@pytest.mark.parametrize(
    "other",
    [
        {"text": "Hi N1"},
        {"text": None},
        {"kind": "image"},
        {"recipient": number(1)},
        {"sent_at": 1_800_000_999.0 - SKEW_SECONDS},
    ],
)
def test_another_message_settles_nothing(book: Book, other: dict[str, Any]) -> None:
    record = book.plan()
    book.sent(record, IN_DOUBT)
    assert book.status("m1", DELIVERED, book.seen(**other)) is Recorded.UNKNOWN
    assert book.state(record) == ("in_doubt", None)
    assert book.settlements() == []


def test_a_gateways_clock_may_be_somewhat_behind(book: Book) -> None:
    book.sent(book.plan(), IN_DOUBT)
    seen = book.seen(sent_at=1_800_001_000.0 - SKEW_SECONDS)
    assert book.status("m1", DELIVERED, seen) is Recorded.SETTLED


@pytest.mark.parametrize("answer", [ACCEPTED, IN_DOUBT, None])
def test_a_report_that_comes_before_the_answer_proves_the_message(
    book: Book, answer: DeliveryState | None
) -> None:
    record = book.plan()
    lease, task = book.send(record)
    assert book.status("m1", DELIVERED, book.seen()) is Recorded.NOTED
    assert book.state(record) == ("sending", "m1"), "its own run is going to write the rest"
    if answer is None:
        book.desk.time.now += 61
        book.ledger.begin(record, label="after a kill", seconds=60)
    else:
        message_id = "m1" if answer is ACCEPTED else None
        book.ledger.turn(lease, [Result(task, answer, message_id=message_id)], places=0, pace=PACE)
    assert book.state(record) == ("accepted", "m1")
    assert book.status("m1", DELIVERED) is Recorded.MOVED


def test_a_run_that_ends_leaves_no_doubt_of_a_message_that_was_reported(book: Book) -> None:
    record = book.plan()
    lease, task = book.send(record)
    book.status("m1", DELIVERED, book.seen())
    book.ledger.end(lease, held={task.id})
    assert book.state(record) == ("accepted", "m1")


def test_the_answers_own_id_counts_more_than_a_reports(book: Book) -> None:
    record = book.plan()
    lease, task = book.send(record)
    book.status("m1", DELIVERED, book.seen())
    book.ledger.end(lease, [Result(task, ACCEPTED, message_id="m2")])
    assert book.state(record) == ("accepted", "m2")


def test_nothing_of_an_earlier_attempt_proves_the_next_one(book: Book) -> None:
    record = book.plan()
    book.sent(record, ACCEPTED, "m1")
    book.status("m1", FAILED)
    lease = book.ledger.begin(record, label="", seconds=60, again={DeliveryState.FAILED})
    (task,) = book.ledger.turn(lease, [], places=1, pace=PACE).tasks
    assert book.state(record) == ("sending", None)
    book.ledger.end(lease, held={task.id})
    assert book.state(record) == ("in_doubt", None)


def test_one_message_settles_one_doubt(book: Book) -> None:
    first, second = book.plan("first"), book.plan("second")
    book.sent(first, IN_DOUBT)
    book.desk.time.now += 10
    book.sent(second, IN_DOUBT)
    assert book.status("m1", DELIVERED, book.seen()) is Recorded.SETTLED
    assert book.status("m1", READ, book.seen()) is Recorded.MOVED
    assert (book.state(first), book.state(second)) == (("in_doubt", None), ("read", "m1"))
    assert book.status("m2", DELIVERED, book.seen()) is Recorded.SETTLED
    assert book.state(first) == ("delivered", "m2")


def test_a_doubt_of_version_1_is_settled_though_it_has_no_time_of_its_intent(book: Book) -> None:
    record = book.plan()
    sent_at = book.desk.time.database() + 1
    book.send(record)
    book.desk.time.now += 86_400
    book.ledger.begin(record, label="after a kill", seconds=60)
    with book.ledger._database.transaction() as connection:
        connection.execute(update(delivery).values(intended_at=None, doubted_at=None))
    assert book.status("m1", DELIVERED, book.seen(sent_at=sent_at)) is Recorded.SETTLED


def test_a_message_from_before_the_later_intent_is_the_earlier_ones(book: Book) -> None:
    first, second = book.plan("first"), book.plan("second")
    book.sent(first, IN_DOUBT)
    sent_at = book.desk.time.database() + 1
    book.desk.time.now += SKEW_SECONDS + 10
    book.sent(second, IN_DOUBT)
    book.status("m1", DELIVERED, book.seen(sent_at=sent_at))
    assert (book.state(first), book.state(second)) == (("delivered", "m1"), ("in_doubt", None))


def test_a_message_that_may_be_one_under_way_is_not_given_to_a_doubt(book: Book) -> None:
    """A guess would take it from the one, or prove the other with it."""
    doubtful, busy = book.plan("doubtful"), book.plan("busy")
    book.sent(doubtful, IN_DOUBT)
    lease, task = book.send(busy)
    assert book.status("m1", DELIVERED, book.seen()) is Recorded.UNKNOWN
    (doubt,) = book.ledger.doubtful(doubtful, Delays(0, 0))
    assert not book.ledger.was_sent(doubt, "m1", HISTORY)
    book.ledger.end(lease, [Result(task, ACCEPTED, message_id="m1")])
    assert not book.ledger.was_sent(doubt, "m1", HISTORY)
    assert (book.state(doubtful), book.state(busy)) == (("in_doubt", None), ("accepted", "m1"))
    assert book.settlements() == []
    assert book.ledger.was_sent(doubt, "m2", HISTORY)


def test_a_message_under_way_in_a_dead_run_does_not_keep_a_doubt_for_ever(book: Book) -> None:
    doubtful, dead = book.plan("doubtful"), book.plan("dead")
    book.sent(doubtful, IN_DOUBT)
    book.send(dead)
    book.desk.time.now += 61
    (doubt,) = book.ledger.doubtful(doubtful, Delays(0, 0))
    assert book.ledger.was_sent(doubt, "m1", HISTORY)


def test_a_report_of_one_channel_does_not_wait_for_anothers_send(book: Book) -> None:
    here, there = book.plan("here"), book.plan("there", channel=OTHER)
    book.sent(here, IN_DOUBT)
    book.send(there)
    assert book.status("m1", DELIVERED, book.seen()) is Recorded.SETTLED
    assert (book.state(here), book.state(there)) == (("delivered", "m1"), ("sending", None))


@pytest.mark.parametrize("by", ["a person", "the history"])
def test_a_message_that_shows_after_it_was_taken_for_not_sent_is_not_sent_again(book: Book, by: str) -> None:
    record = book.plan()
    task = book.sent(record, IN_DOUBT)
    if by == "a person":
        book.ledger.settle("spring", [task.id], Verdict.NOT_SENT, by="Ada")
    else:
        for _ in range(2):
            (doubt,) = book.ledger.doubtful(record, Delays(0, 0))
            book.ledger.was_absent(doubt, HISTORY)
    assert book.state(record) == ("planned", None)
    assert book.status("m1", DELIVERED, book.seen()) is Recorded.SETTLED
    assert book.state(record) == ("delivered", "m1")
    assert [row[0] for row in book.settlements()] == [PLANNED, ACCEPTED]


@pytest.mark.parametrize("made", [True, False], ids=["not begun", "never heard of"])
def test_a_message_that_shows_before_the_next_attempt_is_made_is_not_sent_again(
    book: Book, made: bool
) -> None:
    record = book.plan()
    book.sent(record, IN_DOUBT)
    book.ledger.settle("spring", None, Verdict.NOT_SENT, by="Ada")
    lease, task = book.send(record)
    assert book.status("m1", DELIVERED, book.seen()) is Recorded.NOTED
    book.ledger.end(lease, [Result(task, PLANNED)] if made else [], held=set())
    assert book.state(record) == ("accepted", "m1")


def test_a_message_is_not_given_to_whom_nothing_was_sent_yet(book: Book) -> None:
    record = book.plan()
    assert book.status("m1", DELIVERED, book.seen()) is Recorded.UNKNOWN
    book.sent(record, PLANNED)
    assert book.status("m1", DELIVERED, book.seen()) is Recorded.UNKNOWN
    assert book.state(record) == ("planned", None)


def test_who_quotes_a_message_has_read_it(book: Book) -> None:
    record = book.plan()
    book.sent(record, ACCEPTED, "m1")
    assert book.ledger.record_inbound(KEY, quoted_id="m1").quote is Recorded.MOVED
    assert book.ledger.record_inbound(KEY, quoted_id="m1").quote is Recorded.KNOWN
    assert book.state(record) == ("read", "m1")


def test_an_answer_that_quotes_a_message_settles_its_doubt(book: Book) -> None:
    record = book.plan()
    book.sent(record, IN_DOUBT)
    assert book.ledger.record_inbound(KEY).quote is Recorded.UNKNOWN
    assert book.ledger.record_inbound(KEY, quoted=book.seen()).quote is Recorded.UNKNOWN, "without an id"
    assert book.ledger.record_inbound(KEY, quoted_id="m1").quote is Recorded.UNKNOWN, "without the message"
    other = book.seen(recipient=number(1))
    assert book.ledger.record_inbound(KEY, quoted_id="m1", quoted=other).quote is Recorded.UNKNOWN
    assert book.ledger.record_inbound(KEY, quoted_id="m1", quoted=book.seen()).quote is Recorded.SETTLED
    assert book.state(record) == ("read", "m1")
    assert [row[:2] for row in book.settlements()] == [(ACCEPTED, Proof.INBOUND)]
