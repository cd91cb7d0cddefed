"""Plans of several batches: whoever is killed, suspended or refused in the middle leaves a ledger that is whole."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.campaigns.ledger.book import PACE
from tests.campaigns.support import Desk, entry, number
from whatsapp_provider.campaigns.ledger import planner
from whatsapp_provider.campaigns.ledger.planning import LEASE_SECONDS, Order
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Planned
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.states import CampaignState
from whatsapp_provider.errors import (
    CampaignMismatchError,
    LeaseLostError,
    TemplateError,
    WaitTimeoutError,
)

BATCH = 10
PEOPLE = 2 * BATCH + 5
#: Rows after which a planner stands still: its first batch is written or about to be; so are two; all but the end.
PLACES = [BATCH + 2, 2 * BATCH + 2, PEOPLE]


def everybody(count: int = PEOPLE) -> Iterator[Planned]:
    return (entry(index) for index in range(count))


def in_virtual_time(desk: Desk) -> Order:
    """Wait for others as long as it takes, in no time."""

    def wait(seconds: float) -> None:
        desk.time.now += seconds

    return small(wait=wait)


def small(**options: Any) -> Order:
    """Write in small batches."""
    return Order(batch=BATCH, **options)


def left(desk: Desk) -> tuple[int, int]:
    """How many campaigns and deliveries the ledger has."""
    with desk.ledger._database.transaction() as connection:
        one, other = (
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (campaigns, delivery)
        )
    return one, other


@dataclass
class Suspended:
    """A task that planned a campaign until a row, and stands still there: killed, unless it wakes up."""

    desk: Desk
    place: int
    fails: BaseException | None = None
    stands: Event = field(default_factory=Event)
    wakes: Event = field(default_factory=Event)

    def __enter__(self) -> Suspended:
        self._pool = ThreadPoolExecutor(1)
        self.task: Future[CampaignRecord] = self._pool.submit(
            self.desk.open_ledger().plan, self.desk.campaign(), "text", self._people(), order=small()
        )
        assert self.stands.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self.wakes.set()
        self._pool.shutdown()

    def _people(self) -> Iterator[Planned]:
        for index, person in enumerate(everybody(), start=1):
            yield person
            if index == self.place:
                self.stands.set()
                self.wakes.wait()
                if self.fails is not None:
                    raise self.fails

    def wake(self) -> BaseException | None:
        self.wakes.set()
        return self.task.exception(timeout=30)


@pytest.mark.parametrize("place", PLACES)
def test_a_killed_planner_is_followed_by_one_that_begins_anew(desk: Desk, place: int) -> None:
    with Suspended(desk, place) as dead:
        record = desk.ledger.plan(desk.campaign(), "text", everybody(), order=in_virtual_time(desk))
        assert desk.time.now >= 1000 + LEASE_SECONDS
        assert record.fresh
        assert desk.counts(record) == {"planned": PEOPLE}
        # It was no kill after all: what it hands in late is refused by its token.
        assert isinstance(dead.wake(), LeaseLostError)
    assert desk.counts(record) == {"planned": PEOPLE}
    assert left(desk) == (1, PEOPLE)


@pytest.mark.parametrize("place", PLACES)
def test_a_planner_that_wakes_while_another_has_taken_over_writes_nothing(desk: Desk, place: int) -> None:
    with Suspended(desk, place) as dead:
        ends = []

        def people() -> Iterator[Planned]:
            for index, person in enumerate(everybody()):
                if index == BATCH + 3:
                    ends.append(dead.wake())
                yield person

        record = desk.ledger.plan(desk.campaign(), "text", people(), order=in_virtual_time(desk))
        assert [type(end) for end in ends] == [LeaseLostError]
    assert desk.counts(record) == {"planned": PEOPLE}
    assert left(desk) == (1, PEOPLE)


def test_another_message_may_be_planned_after_a_killed_planner(desk: Desk) -> None:
    with Suspended(desk, PLACES[1]):
        record = desk.ledger.plan(desk.campaign(), "another text", everybody(7), order=in_virtual_time(desk))
        assert (record.fresh, desk.counts(record)) == (True, {"planned": 7})


def test_nothing_is_sent_of_a_campaign_that_is_being_planned(desk: Desk) -> None:
    with Suspended(desk, PLACES[1]) as suspended:
        record = desk.ledger.find("spring")
        assert record is not None
        assert record.state is CampaignState.PLANNING
        lease = desk.ledger.begin(record, label="", seconds=60)
        assert desk.ledger.turn(lease, [], places=5, pace=PACE).tasks == ()
        desk.ledger.end(lease)
        assert desk.state() is CampaignState.PLANNING
        assert suspended.wake() is None
    assert desk.counts(record) == {"planned": PEOPLE}
    assert desk.state() is CampaignState.RUNNING


def test_a_second_planner_waits_for_the_first_and_finds_its_campaign(desk: Desk) -> None:
    with Suspended(desk, PLACES[0]) as first:
        order = small(wait=lambda _: first.wake())
        record = desk.ledger.plan(desk.campaign(), "text", everybody(), order=order)
        assert not record.fresh
        assert first.task.result().fresh
    assert desk.counts(record) == {"planned": PEOPLE}


def test_a_second_planner_with_another_audience_waits_and_is_refused(desk: Desk) -> None:
    with Suspended(desk, PLACES[0]) as first:
        order = small(wait=lambda _: first.wake())
        with pytest.raises(CampaignMismatchError):
            desk.ledger.plan(desk.campaign(), "text", everybody(PEOPLE - 1), order=order)
        assert first.task.result().fresh


def test_a_second_planner_plans_when_the_first_fails(desk: Desk) -> None:
    with Suspended(desk, PLACES[1], fails=TemplateError("row 9")) as first:
        order = small(wait=lambda _: first.wake())
        record = desk.ledger.plan(desk.campaign(), "text", everybody(), order=order)
        assert isinstance(first.task.exception(), TemplateError)
    assert (record.fresh, desk.counts(record)) == (True, {"planned": PEOPLE})


class WaitedError(Exception):
    """Somebody waits for another planner."""


def test_a_slow_planner_keeps_its_campaign_with_each_batch(desk: Desk) -> None:
    other, refusals = desk.open_ledger(), []

    def wait(_: float) -> None:
        raise WaitedError

    def people() -> Iterator[Planned]:
        for index, person in enumerate(everybody(8 * BATCH)):
            if index % BATCH == 5:
                # Slower than the lease in all; a batch or two of it may not be written yet.
                desk.time.now += LEASE_SECONDS / 4
            if index == 8 * BATCH - 1:
                with pytest.raises(WaitedError) as refused:
                    other.plan(desk.campaign(), "text", everybody(3), order=small(wait=wait))
                refusals.append(refused)
            yield person

    record = desk.ledger.plan(desk.campaign(), "text", people(), order=small())
    assert (len(refusals), desk.counts(record)) == (1, {"planned": 8 * BATCH})


def test_a_planner_whose_source_is_slow_keeps_its_campaign_meanwhile(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "LEASE_SECONDS", 0.01)  # how often it looks whether it is idle, in real time

    def lasts() -> float:
        with desk.ledger._database.transaction() as connection:
            until = connection.execute(select(campaigns.c.plan_until)).scalar_one()
        return until - desk.time.database()

    def people() -> Iterator[Planned]:
        for index, person in enumerate(everybody()):
            # The first time it may be a batch that does it.
            if index in (BATCH + 3, BATCH + 4):
                desk.time.now += LEASE_SECONDS - 1
                assert any(lasts() == LEASE_SECONDS for _ in range(100_000))
            yield person

    assert desk.open_ledger().plan(desk.campaign(), "text", people(), order=small()).fresh


def test_a_planner_that_never_ends_is_not_waited_for_for_ever(desk: Desk) -> None:
    waits: list[float] = []
    with (
        Suspended(desk, PLACES[0]),
        pytest.raises(WaitTimeoutError, match="Another task has been planning campaign 'spring' for 36"),
    ):
        desk.ledger.plan(desk.campaign(), "text", everybody(5), order=small(wait=waits.append))
    assert 3600 <= sum(waits) <= 3610


@pytest.mark.parametrize("place", PLACES)
def test_a_plan_that_fails_leaves_the_ledger_as_it_was(desk: Desk, place: int) -> None:
    other = desk.ledger.plan(desk.campaign("other"), "text", everybody(3))
    with Suspended(desk, place, fails=ValueError("the file ended")) as suspended:
        assert isinstance(suspended.wake(), ValueError)
    assert left(desk) == (1, 3)
    assert desk.counts(other) == {"planned": 3}


def test_a_task_that_is_told_to_stop_lets_the_next_one_begin_at_once(desk: Desk) -> None:
    with Suspended(desk, PLACES[1], fails=KeyboardInterrupt()) as suspended:
        assert isinstance(suspended.wake(), KeyboardInterrupt)
    assert desk.state() is CampaignState.PLANNING
    refused = small(wait=lambda _: pytest.fail("there is nobody to wait for"))
    record = desk.ledger.plan(desk.campaign(), "text", everybody(), order=refused)
    assert (record.fresh, desk.counts(record)) == (True, {"planned": PEOPLE})


def test_other_campaigns_send_while_one_is_planned(desk: Desk) -> None:
    """On a file, too, which has one writer at a time."""
    other, sent = desk.ledger.plan(desk.campaign("other"), "text", everybody(3)), []

    def people() -> Iterator[Planned]:
        lease = desk.ledger.begin(other, label="", seconds=60)
        for index, person in enumerate(everybody()):
            if index % BATCH == 4:
                (task,) = desk.ledger.turn(lease, [], places=1, pace=PACE).tasks
                sent.append(task.recipient)
            yield person
        desk.ledger.end(lease)

    desk.open_ledger().plan(desk.campaign(), "text", people(), order=small())
    assert sent == [number(index) for index in range(3)]
