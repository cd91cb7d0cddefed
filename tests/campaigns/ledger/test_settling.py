"""A person settles a doubt: who and when is kept, and whoever settles it first counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import Any

import pytest
from sqlalchemy import select

from tests.campaigns.ledger.book import PACE, Book, at_once
from tests.campaigns.support import Desk, number
from whatsapp_provider.campaigns.ledger import doubts
from whatsapp_provider.campaigns.ledger.doubts import Delays
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Result, Settled
from whatsapp_provider.campaigns.ledger.schema import settlement
from whatsapp_provider.campaigns.ledger.settling import Verdict
from whatsapp_provider.campaigns.ledger.states import DeliveryState, Proof
from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.model import MessageStatus

ACCEPTED, IN_DOUBT, PLANNED = DeliveryState.ACCEPTED, DeliveryState.IN_DOUBT, DeliveryState.PLANNED
SENT, NOT_SENT = Verdict.SENT, Verdict.NOT_SENT
HISTORY = Settled(Proof.HISTORY, "test")
AT_ONCE = Delays(0, 0)


@pytest.fixture
def book(desk: Desk) -> Book:
    return Book(desk)


@pytest.fixture
def record(desk: Desk) -> CampaignRecord:
    """Four people; the messages to the first three are in doubt."""
    record = desk.plan(4)
    lease = desk.ledger.begin(record, label="", seconds=60)
    tasks = desk.ledger.turn(lease, [], places=3, pace=PACE).tasks
    desk.ledger.end(lease, [Result(task, IN_DOUBT, code="ReadTimeout") for task in tasks])
    return record


def in_doubt(ledger: Ledger, record: CampaignRecord) -> list[int]:
    return [entry.id for entry in ledger.entries(record, IN_DOUBT)]


def kept(ledger: Ledger) -> list[dict[str, Any]]:
    with ledger._database.transaction() as connection:
        rows = connection.execute(select(settlement).order_by(settlement.c.id)).mappings()
        return [{key: row[key] for key in row if key != "id"} for row in rows]


def test_a_person_settles_single_messages(desk: Desk, record: CampaignRecord) -> None:
    first, second, third = in_doubt(desk.ledger, record)
    desk.time.now += 60
    assert desk.ledger.settle("spring", [first], SENT, by="Ada", note="She answered.") == [first]
    desk.time.now += 60
    assert desk.ledger.settle("spring", [third], NOT_SENT, by="Grace") == [third]
    assert desk.counts(record) == {"accepted": 1, "in_doubt": 1, "planned": 2}
    assert in_doubt(desk.ledger, record) == [second]
    same = {"attempt": 1, "proof": "person"}
    now = desk.time.database()
    assert kept(desk.ledger) == [
        {"delivery": first, "state": "accepted", "settled_by": "Ada", "note": "She answered."}
        | {"settled_at": now - 60, **same},
        {"delivery": third, "state": "planned", "settled_by": "Grace", "note": None}
        | {"settled_at": now, **same},
    ]
    assert desk.ledger.settlements(record) == {(Proof.PERSON, ACCEPTED): 1, (Proof.PERSON, PLANNED): 1}


def test_a_person_settles_all_of_a_campaign_and_no_other(desk: Desk, record: CampaignRecord) -> None:
    book = Book(desk)
    other = book.plan("other")
    book.sent(other, IN_DOUBT)
    assert len(desk.ledger.settle("spring", None, NOT_SENT, by="Ada")) == 3
    assert desk.counts(record) == {"planned": 4}
    assert book.state(other) == ("in_doubt", None)
    assert desk.ledger.settle("spring", None, NOT_SENT, by="Ada") == []


def test_what_a_person_found_unsent_is_sent_once_by_the_next_run(desk: Desk, record: CampaignRecord) -> None:
    desk.ledger.settle("spring", None, NOT_SENT, by="Ada")
    desk.run(record)
    assert desk.counts(record) == {"accepted": 4}
    assert desk.phones.received == {number(index): 1 for index in range(4)}


def test_what_a_person_found_sent_is_not_sent_again(desk: Desk, record: CampaignRecord) -> None:
    desk.ledger.settle("spring", None, SENT, by="Ada")
    desk.run(record, desk.resend())
    assert desk.counts(record) == {"accepted": 4}
    assert list(desk.phones.received) == [number(3)]


@pytest.mark.parametrize("wrong", ["of nobody", "not in doubt", "of another campaign"])
def test_a_wrong_number_changes_nothing_at_all(desk: Desk, record: CampaignRecord, wrong: str) -> None:
    book = Book(desk)
    other = book.sent(book.plan("other"), IN_DOUBT)
    (planned,) = desk.ledger.entries(record, PLANNED)
    number = {"of nobody": 999, "not in doubt": planned.id, "of another campaign": other.id}[wrong]
    right = in_doubt(desk.ledger, record)
    with pytest.raises(ConfigurationError, match=f"has no delivery {number} in doubt; nothing was changed"):
        desk.ledger.settle("spring", [*right, number], SENT, by="Ada")
    assert in_doubt(desk.ledger, record) == right
    assert kept(desk.ledger) == []


def test_a_campaign_that_is_not_there_is_refused(desk: Desk) -> None:
    with pytest.raises(ConfigurationError, match="no campaign 'autumn'"):
        desk.ledger.settle("autumn", None, SENT, by="Ada")


@pytest.mark.parametrize("by", ["", "  ", "\t\n"])
def test_nobody_settles_nothing(desk: Desk, record: CampaignRecord, by: str) -> None:
    with pytest.raises(ConfigurationError, match="say by whom"):
        desk.ledger.settle("spring", None, SENT, by=by)
    assert len(in_doubt(desk.ledger, record)) == 3


Settle = Callable[[Ledger], object]
#: Everybody who may settle one doubt, and the state that each makes of it.
Race = tuple[CampaignRecord, dict[str, tuple[Settle, str]]]


@pytest.fixture
def race(book: Book) -> Race:
    record = book.plan()
    lease, task = book.send(record)
    book.desk.time.now += 61
    book.ledger.begin(record, label="heir", seconds=1000)
    (doubt,) = book.ledger.doubtful(record, AT_ONCE)
    return record, {
        "person": (lambda ledger: ledger.settle("spring", None, NOT_SENT, by="Ada"), "planned"),
        "history": (lambda ledger: ledger.was_sent(doubt, "m1", HISTORY), "accepted"),
        "report": (
            lambda ledger: ledger.record_status(record.channel, "m2", MessageStatus.DELIVERED, book.seen()),
            "delivered",
        ),
        "late result": (
            lambda ledger: ledger.end(lease, [Result(task, DeliveryState.REJECTED)]),
            "rejected",
        ),
    }


@pytest.mark.parametrize("first", ["person", "history", "report", "late result"])
def test_whoever_settles_a_doubt_first_counts(book: Book, race: Race, first: str) -> None:
    record, settlers = race
    settle, end = settlers.pop(first)
    settle(book.ledger)
    for name, (later, _) in settlers.items():
        # A message that shows itself is stronger than the word that it was not sent.
        if not (first == "person" and name in {"history", "report"}):
            later(book.ledger)
    assert book.state(record)[0] == end
    assert len(kept(book.ledger)) == (first != "late result")


def test_those_who_settle_a_doubt_at_one_moment_make_one_thing_of_it(book: Book, race: Race) -> None:
    record, settlers = race
    del settlers["person"]
    chosen: Sequence[tuple[Settle, str]] = [*settlers.values()] * 2
    at_once(*(partial(settle, book.desk.open_ledger()) for settle, _ in chosen))
    state, message_id = book.state(record)
    told = [(row["state"], row["proof"]) for row in kept(book.ledger)]
    assert (state, message_id, told) in [
        ("accepted", "m1", [("accepted", "history")]),
        ("delivered", "m2", [("accepted", "status")]),
        ("rejected", None, []),
    ]


def test_a_person_and_a_run_that_settle_at_one_moment_settle_each_message_once(
    desk: Desk, record: CampaignRecord
) -> None:
    open_doubts = desk.ledger.doubtful(record, AT_ONCE)
    person, run = desk.open_ledger(), desk.open_ledger()

    def by_run() -> Sequence[int]:
        return [doubt.id for doubt in reversed(open_doubts) if run.was_sent(doubt, f"m{doubt.id}", HISTORY)]

    by_person = partial(person.settle, "spring", None, SENT, by="Ada")
    settled = sorted(chain.from_iterable(at_once(by_person, by_run)))
    assert settled == sorted(doubt.id for doubt in open_doubts)
    assert len(kept(desk.ledger)) == 3


def test_a_message_that_another_is_settling_a_doubt_with_is_waited_for_and_left(book: Book) -> None:
    for name in ("first", "second"):
        book.sent(book.plan(name), IN_DOUBT)
    one, two = (book.ledger.doubtful(book.plan(name), AT_ONCE)[0] for name in ("first", "second"))
    other, now = book.desk.open_ledger(), book.desk.time.database()
    other.prepare()
    with ThreadPoolExecutor(1) as pool:
        with book.ledger._database.transaction() as connection:
            assert doubts.was_sent(connection, one, "m1", HISTORY, now)
            later = pool.submit(other.was_sent, two, "m1", HISTORY)
            with pytest.raises(TimeoutError):
                later.result(0.5)
        assert later.result(60) is False
    assert len(kept(book.ledger)) == 1


@pytest.mark.parametrize("by", ["a person", "the history"])
def test_a_result_that_comes_after_it_was_planned_again_spares_the_second_message(
    book: Book, by: str
) -> None:
    record = book.plan()
    lease, task = book.send(record)
    book.desk.time.now += 61
    heir = book.ledger.begin(record, label="heir", seconds=1000)
    plan_again(book, record, by)
    book.ledger.end(lease, [Result(task, ACCEPTED, message_id="m1")])
    assert book.state(record) == ("accepted", "m1")
    assert book.ledger.turn(heir, [], places=1, pace=PACE).tasks == ()


@pytest.mark.parametrize("by", ["a person", "the history"])
@pytest.mark.parametrize("late", [ACCEPTED, IN_DOUBT, DeliveryState.REJECTED, PLANNED])
def test_a_result_that_comes_after_the_next_attempt_began_does_not_touch_it(
    book: Book, by: str, late: DeliveryState
) -> None:
    record = book.plan()
    lease, task = book.send(record)
    book.desk.time.now += 61
    heir = book.ledger.begin(record, label="heir", seconds=1000)
    plan_again(book, record, by)
    (again,) = book.ledger.turn(heir, [], places=1, pace=PACE).tasks
    message_id = "m1" if late is ACCEPTED else None
    book.ledger.end(lease, [Result(task, late, message_id=message_id)])
    assert book.state(record) == ("sending", None)
    book.ledger.end(heir, [Result(again, ACCEPTED, message_id="m2")])
    assert book.state(record) == ("accepted", "m2")


def plan_again(book: Book, record: CampaignRecord, by: str) -> None:
    if by == "a person":
        book.ledger.settle("spring", None, NOT_SENT, by="Ada")
        return
    for _ in range(2):
        (doubt,) = book.ledger.doubtful(record, AT_ONCE)
        book.ledger.was_absent(doubt, HISTORY)


def test_an_absence_that_two_runs_see_at_one_moment_is_one_absence(book: Book) -> None:
    record = book.plan()
    book.sent(record, IN_DOUBT)
    (doubt,) = book.ledger.doubtful(record, AT_ONCE)
    assert not book.ledger.was_absent(doubt, HISTORY)
    assert not book.desk.open_ledger().was_absent(doubt, HISTORY)
    assert book.state(record) == ("in_doubt", None)
    (doubt,) = book.ledger.doubtful(record, AT_ONCE)
    assert doubt.looks == 1
    assert book.ledger.was_absent(doubt, HISTORY)


def test_looks_that_prove_nothing_are_not_counted(book: Book) -> None:
    record = book.plan()
    book.sent(record, IN_DOUBT)
    for _ in range(5):
        (doubt,) = book.ledger.doubtful(record, AT_ONCE)
        book.ledger.looked(doubt)
    (doubt,) = book.ledger.doubtful(record, AT_ONCE)
    assert doubt.looks == 0


def test_a_doubt_that_comes_anew_is_looked_at_anew(book: Book) -> None:
    """Each attempt has a doubt of its own, and what was seen of one says nothing of the next."""
    record = book.plan()
    book.sent(record, IN_DOUBT)
    (old,) = book.ledger.doubtful(record, AT_ONCE)
    book.ledger.was_absent(old, HISTORY)
    book.desk.time.now += 1
    book.ledger.settle("spring", None, NOT_SENT, by="Ada")
    book.sent(record, IN_DOUBT)
    (doubt,) = book.ledger.doubtful(record, AT_ONCE)
    assert (doubt.attempt, doubt.looks) == (2, 0)
    assert not book.ledger.was_absent(old, HISTORY)
    assert not book.ledger.was_sent(old, "m1", HISTORY)
    book.ledger.looked(old)
    assert book.ledger.doubtful(record, AT_ONCE) == [doubt], (
        "what came late of the old one is not of this one"
    )


def test_a_message_that_was_sent_too_often_is_not_looked_up_any_more(book: Book) -> None:
    """A gateway that forgets each time must not make a person get it over and over."""
    record = book.plan()
    for _ in range(10):
        book.sent(record, IN_DOUBT)
        left = book.ledger.doubtful(record, AT_ONCE)
        book.ledger.settle("spring", None, NOT_SENT, by="Ada")
    assert left == []
