"""Leases and fencing: who may send, who has lost the right, and what a latecomer may still say."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import func, select

from tests.campaigns.support import Desk, entry, number
from whatsapp_provider.campaigns.ledger.records import (
    CampaignRecord,
    Lease,
    Result,
    Stop,
    StopKind,
    Task,
    Turn,
)
from whatsapp_provider.campaigns.ledger.schema import permit
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.errors import LeaseLostError

PACE = Pace.unlimited()
ACCEPTED, PLANNED, IN_DOUBT = DeliveryState.ACCEPTED, DeliveryState.PLANNED, DeliveryState.IN_DOUBT


class Book:
    """A planned campaign, and short words for what runners do with it."""

    def __init__(self, desk: Desk, count: int = 6) -> None:
        self.desk, self.ledger = desk, desk.ledger
        self.record: CampaignRecord = desk.ledger.plan(
            desk.campaign(), "text", [entry(index) for index in range(count)]
        )

    def begin(self, seconds: float = 60, **options: object) -> Lease:
        return self.ledger.begin(self.record, label="test", seconds=seconds, **options)  # type: ignore[arg-type]

    def turn(self, lease: Lease, *results: Result, places: int = 0, **options: object) -> Turn:
        return self.ledger.turn(lease, results, places=places, pace=PACE, **options)  # type: ignore[arg-type]

    def counts(self) -> dict[str, int]:
        return self.desk.counts(self.record)


@pytest.fixture
def book(desk: Desk) -> Book:
    return Book(desk)


def result(task: Task, state: DeliveryState = ACCEPTED) -> Result:
    return Result(task, state, message_id="id" if state is ACCEPTED else None)


def test_an_intent_is_committed_before_its_task_is_handed_out(book: Book) -> None:
    turn = book.turn(book.begin(), places=2)
    assert [task.recipient for task in turn.tasks] == [number(0), number(1)]
    assert book.counts() == {"planned": 4, "sending": 2}


def test_tokens_grow_and_are_never_given_twice(book: Book) -> None:
    first = book.begin()
    book.ledger.end(first)
    assert book.begin().token > first.token


def test_two_runners_never_get_the_same_recipient(book: Book) -> None:
    here, there = book.begin(), book.begin()
    mine, theirs = book.turn(here, places=4).tasks, book.turn(there, places=4).tasks
    assert {task.id for task in mine}.isdisjoint(task.id for task in theirs)
    assert len(mine) + len(theirs) == 6


def test_many_runners_at_one_moment_never_get_the_same_recipient(desk: Desk) -> None:
    book = Book(desk, 200)
    start = Barrier(6)

    def go(_: int) -> list[tuple[int, int]]:
        ledger = desk.open_ledger()
        lease = ledger.begin(book.record, label="", seconds=60)
        start.wait()
        got: list[tuple[int, int]] = []
        results: list[Result] = []
        while True:
            turn = ledger.turn(lease, results, places=7, pace=PACE)
            got += [(task.id, task.attempt) for task in turn.tasks]
            results = [result(task) for task in turn.tasks]
            if not turn.tasks:
                return got

    with ThreadPoolExecutor(6) as pool:
        taken = [pair for part in pool.map(go, range(6)) for pair in part]
    assert len(taken) == len(set(taken)) == 200
    assert book.counts() == {"accepted": 200}


def test_a_lease_lasts_as_long_as_it_is_renewed(book: Book) -> None:
    lease = book.begin(seconds=60)
    for _ in range(5):
        book.desk.time.now += 59
        book.turn(lease)
    book.desk.time.now += 60
    with pytest.raises(LeaseLostError, match="This run's lease has ended"):
        book.turn(lease, places=1)
    assert book.counts() == {"planned": 6}


def test_rows_of_a_dead_runner_are_in_doubt_and_never_sent_again(book: Book) -> None:
    dead = book.begin(seconds=60)
    book.turn(dead, places=2)
    book.desk.time.now += 61
    heir = book.begin()
    assert book.counts() == {"in_doubt": 2, "planned": 4}
    assert len(book.turn(heir, places=9).tasks) == 4


def test_a_living_runners_rows_are_left_to_it(book: Book) -> None:
    living = book.begin(seconds=60)
    book.turn(living, places=2)
    book.desk.time.now += 59
    other = book.begin()
    assert len(book.turn(other, places=9).tasks) == 4
    assert book.counts() == {"sending": 6}


def test_a_runner_that_waits_takes_over_when_the_other_dies(book: Book) -> None:
    dead, alive = book.begin(seconds=60), book.begin(seconds=500)
    book.turn(dead, places=2)
    mine = book.turn(alive, places=9).tasks
    turn = book.turn(alive, *map(result, mine), places=9)
    assert (turn.tasks, turn.open, turn.wait) == ((), 2, 60)
    book.desk.time.now += 60
    book.turn(alive, places=9)
    assert book.turn(alive, places=9).open == 0
    assert book.counts() == {"accepted": 4, "in_doubt": 2}


def test_a_zombie_gets_no_tasks_but_its_late_result_counts(book: Book) -> None:
    zombie = book.begin(seconds=60)
    one, two = book.turn(zombie, places=2).tasks
    book.desk.time.now += 61
    book.begin()
    with pytest.raises(LeaseLostError):
        book.turn(zombie, result(one), places=3)
    assert book.counts() == {"accepted": 1, "in_doubt": 1, "planned": 4}
    book.ledger.end(zombie, [result(two, PLANNED)])
    assert book.counts() == {"accepted": 1, "planned": 5}


def test_a_late_result_counts_when_it_is_only_at_the_end_that_the_lease_is_found_lost(book: Book) -> None:
    zombie = book.begin(seconds=60)
    tasks = book.turn(zombie, places=2).tasks
    book.desk.time.now += 61
    book.begin()
    book.ledger.end(zombie, [result(task) for task in tasks], held=set())
    assert book.counts() == {"accepted": 2, "planned": 4}


def test_a_late_result_of_an_attempt_that_was_asked_to_be_repeated(book: Book) -> None:
    zombie = book.begin(seconds=60)
    one, two = book.turn(zombie, places=2).tasks
    book.desk.time.now += 61
    heir = book.begin(again={IN_DOUBT})
    # It was sent after all: nobody needs to send it again.
    book.ledger.end(zombie, [result(one), result(two, DeliveryState.REJECTED)])
    assert book.counts() == {"accepted": 1, "planned": 5}
    again = next(task for task in book.turn(heir, places=1).tasks)
    assert (again.id, again.attempt) == (two.id, 2)
    # Now the row belongs to another attempt, and the old one has no say in it.
    book.ledger.end(zombie, [result(two)])
    assert book.counts() == {"accepted": 1, "planned": 4, "sending": 1}


def test_a_result_is_refused_from_another_runner_and_for_another_attempt(book: Book) -> None:
    lease, other = book.begin(), book.begin()
    (task,) = book.turn(lease, places=1).tasks
    book.turn(other, result(task))
    old = Task(task.id, task.attempt + 1, None, task.recipient, task.address, task.variables)
    book.turn(lease, result(old))
    assert book.counts() == {"planned": 5, "sending": 1}


def test_a_result_stands_once_it_is_written(book: Book) -> None:
    lease = book.begin()
    (task,) = book.turn(lease, places=1).tasks
    book.turn(lease, result(task))
    book.turn(lease, result(task, DeliveryState.REJECTED), result(task, PLANNED))
    assert book.counts() == {"accepted": 1, "planned": 5}


def test_what_is_under_way_at_the_end_is_in_doubt_and_what_was_never_heard_of_is_planned(book: Book) -> None:
    lease = book.begin()
    held, unheard = book.turn(lease, places=2).tasks
    book.ledger.end(lease, held={held.id})
    assert book.counts() == {"in_doubt": 1, "planned": 5}
    (doubtful,) = book.desk.in_state(book.record, IN_DOUBT)
    assert (doubtful.id, doubtful.code) == (held.id, "killed")
    assert unheard.id != held.id


def test_a_runner_that_has_ended_gets_nothing(book: Book) -> None:
    lease = book.begin()
    book.ledger.end(lease)
    with pytest.raises(LeaseLostError):
        book.turn(lease, places=1)


def test_postponed_deliveries_come_first_when_it_is_their_time(book: Book) -> None:
    lease = book.begin(seconds=1000)
    (task,) = book.turn(lease, places=1).tasks
    book.turn(lease, Result(task, DeliveryState.POSTPONED, not_before=30))
    book.desk.time.now += 29
    (other,) = book.turn(lease, places=1).tasks
    assert other.id != task.id
    book.desk.time.now += 1
    (again,) = book.turn(lease, result(other), places=1).tasks
    assert (again.id, again.attempt, again.postponed) == (task.id, 2, 1)


def test_a_turn_without_a_task_tells_when_there_may_be_one(book: Book) -> None:
    lease = book.begin(seconds=1000)
    tasks = book.turn(lease, places=6).tasks
    assert book.turn(lease, places=6) == Turn(open=6)
    late = [Result(task, DeliveryState.POSTPONED, not_before=20.0 + task.id) for task in tasks]
    turn = book.turn(lease, *late, places=6)
    assert turn.open == 6
    assert turn.wait == pytest.approx(20 + min(task.id for task in tasks))
    book.desk.time.now += 21
    (first,) = book.turn(lease, places=6).tasks
    # A row that is under way again has no moment to wait for any more.
    assert book.turn(lease, places=6).wait == pytest.approx(20 + sorted(task.id for task in tasks)[1] - 21)
    assert first.attempt == 2


def test_a_paused_campaign_gives_no_tasks_until_somebody_begins_again(book: Book) -> None:
    lease = book.begin()
    book.ledger.set_state(book.record, CampaignState.PAUSED, "logged out")
    assert book.turn(lease, places=3) == Turn(open=1, stop=Stop(StopKind.PAUSED, "logged out"))
    book.begin()
    assert len(book.turn(lease, places=3).tasks) == 3


def test_runners_that_die_and_take_over_at_once_do_not_lock_each_other_out(desk: Desk) -> None:
    """Zombies write late results while heirs take their rows over: nobody waits for the other in a circle."""
    book = Book(desk, 60)
    zombies = [book.begin(seconds=60) for _ in range(6)]
    late = {lease.token: [result(task) for task in book.turn(lease, places=5).tasks] for lease in zombies}
    desk.time.now += 61
    start = Barrier(12)

    def go(index: int) -> None:
        ledger = desk.open_ledger()
        start.wait()
        if index < 6:
            ledger.end(zombies[index], late[zombies[index].token])
        else:
            ledger.begin(book.record, label="", seconds=60)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(go, range(12)))
    assert book.counts() == {"accepted": 30, "planned": 30}


def overtaken(book: Book) -> tuple[Lease, Task]:
    """A run that was suspended in its first send while another did all the rest."""
    zombie = book.begin(seconds=60)
    (task,) = book.turn(zombie, places=1).tasks
    book.desk.time.now += 61
    heir = book.begin()
    book.turn(heir, *map(result, book.turn(heir, places=9).tasks))
    return zombie, task


@pytest.mark.parametrize("state", [PLANNED, DeliveryState.POSTPONED])
def test_who_a_finished_campaign_was_not_sent_to_after_all_stays_in_doubt_and_is_told_of(
    book: Book, state: DeliveryState
) -> None:
    zombie, task = overtaken(book)
    assert book.ledger.finish(book.record)
    late = Result(task, state, code="http_429", not_before=60)
    for _ in range(2):
        with pytest.raises(LeaseLostError):
            book.turn(zombie, late)
    book.ledger.end(zombie, [late])
    assert book.counts() == {"accepted": 5, "in_doubt": 1}
    [(_, told_of)] = book.ledger.in_doubt()
    assert (told_of.recipient, told_of.code) == (number(0), "not_sent")
    assert "settle it as not_sent and run the task again" in str(told_of.reason)
    # The place in the channel's windows returns once, and for what was not even tried only.
    with book.ledger._database.transaction() as connection:
        taken = connection.execute(select(func.sum(permit.c.count))).scalar_one()
    assert taken == (5 if state is PLANNED else 6)


@pytest.mark.parametrize("state", [PLANNED, DeliveryState.POSTPONED])
def test_a_campaign_is_not_finished_over_a_late_result_that_leaves_something_to_send(
    book: Book, state: DeliveryState
) -> None:
    zombie, task = overtaken(book)
    with pytest.raises(LeaseLostError):
        book.turn(zombie, Result(task, state, not_before=60))
    assert not book.ledger.finish(book.record)
    assert book.counts() == {"accepted": 5, state.value: 1}
    assert book.desk.state() is CampaignState.RUNNING
