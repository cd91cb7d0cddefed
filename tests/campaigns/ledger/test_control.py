"""What people do to campaigns is done once, kept, and undone by nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.campaigns.ledger.book import PACE, Book, at_once
from tests.campaigns.support import Desk, entry
from whatsapp_provider.campaigns.ledger import batches
from whatsapp_provider.campaigns.ledger.control import Action, By, Controlled
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Planned, Result
from whatsapp_provider.campaigns.ledger.schema import campaign, control
from whatsapp_provider.campaigns.ledger.settling import Verdict
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.errors import ConfigurationError, LeaseLostError

ADA = By("ada", "the price is wrong")
BOB = By("bob")
REJECTED, FAILED = DeliveryState.REJECTED, DeliveryState.FAILED


@pytest.fixture
def book(desk: Desk) -> Book:
    return Book(desk)


def plan(desk: Desk, count: int = 5) -> CampaignRecord:
    return desk.ledger.plan(desk.campaign(), "text", [entry(index) for index in range(count)])


def told(desk: Desk) -> list[tuple[Any, ...]]:
    """What people did, as the ledger keeps it."""
    query = select(control.c.action, control.c.done_by, control.c.note).order_by(control.c.id)
    with desk.ledger._database.transaction() as connection:
        return [tuple(row) for row in connection.execute(query)]


def set_campaign(desk: Desk, **values: Any) -> None:
    with desk.ledger._database.transaction() as connection:
        connection.execute(update(campaign).values(**values))


def deadline(desk: Desk) -> float | None:
    with desk.ledger._database.transaction() as connection:
        return connection.execute(select(campaign.c.expires_at)).scalar_one()  # type: ignore[no-any-return]


def results(desk: Desk, record: CampaignRecord, *states: DeliveryState) -> None:
    """Send to as many as there are states, and let each come to its own."""
    lease = desk.ledger.begin(record, label="", seconds=60)
    tasks = desk.ledger.turn(lease, [], places=len(states), pace=PACE).tasks
    done = [
        Result(task, state, message_id=f"id-{task.id}") for task, state in zip(tasks, states, strict=True)
    ]
    desk.ledger.end(lease, done)


def test_a_second_pause_says_whose_the_first_was_and_changes_nothing(desk: Desk) -> None:
    plan(desk)
    first = desk.ledger.pause("spring", ADA)
    assert (first.changed, first.held_by, first.state) == (True, "ada", CampaignState.RUNNING)
    second = desk.ledger.pause("spring", BOB)
    assert (second.changed, second.held_by) == (False, "ada")
    assert told(desk) == [("pause", "ada", "the price is wrong")]


def test_pauses_at_one_moment_are_one_pause(desk: Desk) -> None:
    plan(desk)
    ledgers = [desk.open_ledger() for _ in range(4)]
    made = at_once(*(lambda at=at: ledgers[at].pause("spring", By(f"p{at}")) for at in range(4)))  # type: ignore[misc]
    assert [one.changed for one in made].count(True) == 1
    assert len({one.held_by for one in made}) == 1
    assert len(told(desk)) == 1


def test_no_run_ends_a_persons_pause(desk: Desk) -> None:
    record = plan(desk)
    desk.ledger.pause("spring", ADA)
    for _ in range(3):
        desk.ledger.end(desk.ledger.begin(record, label="a retry", seconds=60))
    assert desk.ledger.pause("spring", BOB).held_by == "ada"


def test_a_person_ends_a_pause_once(desk: Desk) -> None:
    plan(desk)
    assert not desk.ledger.unpause("spring", BOB).changed
    desk.ledger.pause("spring", ADA)
    assert desk.ledger.unpause("spring", BOB) == Controlled(
        "spring", Action.RESUME, CampaignState.RUNNING, changed=True
    )
    assert not desk.ledger.unpause("spring", BOB).changed
    assert [row[:2] for row in told(desk)] == [("pause", "ada"), ("resume", "bob")]


def test_a_campaign_that_paused_itself_keeps_the_time_of_it_when_a_person_pauses_it_too(desk: Desk) -> None:
    record = plan(desk)
    desk.ledger.set_state(record, CampaignState.PAUSED, "no answers")
    with desk.ledger._database.transaction() as connection:
        before = connection.execute(select(campaign.c.updated_at)).scalar_one()
    desk.time.now += 60
    desk.ledger.pause("spring", ADA)
    desk.ledger.unpause("spring", ADA)
    with desk.ledger._database.transaction() as connection:
        row = connection.execute(select(campaign)).one()
    assert (row.state, row.reason, row.updated_at) == ("paused", "no answers", before)


@pytest.mark.parametrize("state", [CampaignState.PLANNING, CampaignState.READY])
def test_a_campaign_can_be_paused_before_anything_of_it_is_sent(desk: Desk, state: CampaignState) -> None:
    plan(desk)
    set_campaign(desk, state=state)
    assert desk.ledger.pause("spring", ADA).changed
    assert desk.state() is state


def test_nobody_of_a_campaign_that_is_being_planned_can_be_sent_to_again(desk: Desk) -> None:
    plan(desk)
    set_campaign(desk, state=CampaignState.PLANNING)
    with pytest.raises(ConfigurationError, match="is being planned, and nothing of it is sent yet"):
        desk.ledger.resend_failed("spring", ADA)
    assert (desk.state(), told(desk)) == (CampaignState.PLANNING, [])


@pytest.mark.parametrize("planner_lives", [True, False])
def test_a_campaign_that_is_cancelled_while_it_is_planned_gets_no_further_people(
    desk: Desk, planner_lives: bool
) -> None:
    def people() -> Iterator[Planned]:
        for index in range(5000):
            if index == 3500:
                theirs.cancel("spring", ADA)
                if not planner_lives:
                    raise KeyboardInterrupt
            yield entry(index)

    theirs = desk.open_ledger()
    with pytest.raises(LeaseLostError if planner_lives else KeyboardInterrupt):
        desk.ledger.plan(desk.campaign(), "text", people())
    assert desk.state() is CampaignState.CANCELLED
    desk.ledger.close_rest("spring")
    record = desk.ledger.find("spring")
    assert record is not None
    assert set(desk.counts(record)) == {"cancelled"}


def test_a_cancelled_campaign_gives_up_what_waits_and_keeps_what_was_sent(desk: Desk) -> None:
    record = plan(desk, 6)
    results(desk, record, DeliveryState.ACCEPTED, DeliveryState.POSTPONED, DeliveryState.IN_DOUBT, REJECTED)
    done = desk.ledger.cancel("spring", ADA)
    assert (done.changed, done.state, done.deliveries) == (True, CampaignState.CANCELLED, 3)
    assert desk.counts(record) == {"accepted": 1, "cancelled": 3, "in_doubt": 1, "rejected": 1}
    assert told(desk) == [("cancel", "ada", "the price is wrong")]


def test_to_cancel_again_changes_nothing_but_what_was_left(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that cancelled died after its first batch."""
    record = plan(desk, 7)
    monkeypatch.setattr(batches, "BATCH", 3)
    desk.ledger._end_campaign("spring", CampaignState.CANCELLED, Action.CANCEL, ADA)
    desk.ledger._close_some("spring")
    assert desk.counts(record) == {"cancelled": 3, "planned": 4}
    again = desk.ledger.cancel("spring", BOB)
    assert (again.changed, again.deliveries) == (False, 4)
    assert desk.counts(record) == {"cancelled": 7}
    assert len(told(desk)) == 1


def test_no_run_and_no_outage_brings_a_cancelled_campaign_back(desk: Desk) -> None:
    record = plan(desk)
    desk.ledger.cancel("spring", ADA)
    lease = desk.ledger.begin(record, label="", seconds=60)
    desk.ledger.set_state(record, CampaignState.PAUSED, "an outage")
    assert not desk.ledger.finish(record)
    desk.ledger.end(lease)
    assert desk.state() is CampaignState.CANCELLED


def test_what_is_under_way_when_it_is_cancelled_is_settled_and_what_did_not_begin_is_given_up(
    desk: Desk,
) -> None:
    record = plan(desk, 5)
    lease = desk.ledger.begin(record, label="", seconds=60)
    sent, unsent = desk.ledger.turn(lease, [], places=2, pace=PACE).tasks
    assert desk.ledger.cancel("spring", ADA).deliveries == 3
    assert desk.counts(record) == {"cancelled": 3, "sending": 2}
    accepted = Result(sent, DeliveryState.ACCEPTED, message_id="id")
    desk.ledger.end(lease, [accepted, Result(unsent, DeliveryState.PLANNED)])
    assert desk.ledger.close_rest("spring") == 1
    assert desk.counts(record) == {"accepted": 1, "cancelled": 4}


def test_who_was_not_reached_in_a_cancelled_campaign_is_given_up_by_the_word_that_says_so(book: Book) -> None:
    record = book.plan()
    book.sent(record, DeliveryState.IN_DOUBT)
    book.ledger.cancel("spring", ADA)
    book.ledger.settle("spring", None, Verdict.NOT_SENT, by="bob")
    assert book.state(record)[0] == "cancelled"


@pytest.mark.parametrize("what", ["pause", "cancel", "expire"])
def test_what_is_finished_stays_so(desk: Desk, what: str) -> None:
    record = plan(desk, 1)
    results(desk, record, DeliveryState.ACCEPTED)
    assert desk.ledger.finish(record)
    done = getattr(desk.ledger, what)("spring", ADA)
    assert (done.changed, done.state, done.held_by) == (False, CampaignState.FINISHED, None)
    assert told(desk) == []


def test_a_deadline_is_set_put_off_and_kept(desk: Desk) -> None:
    plan(desk)
    later = desk.time.database() + 100
    assert desk.ledger.expire("spring", ADA, at=later).changed
    assert not desk.ledger.expire("spring", BOB, at=later).changed
    assert desk.ledger.expire("spring", BOB, at=later + 5).changed
    assert (deadline(desk), desk.state()) == (later + 5, CampaignState.RUNNING)
    assert [row[:2] for row in told(desk)] == [("expire", "ada"), ("expire", "bob")]


@pytest.mark.parametrize("ago", [None, 0.0, 60.0])
def test_a_deadline_that_has_passed_ends_a_campaign_at_once(desk: Desk, ago: float | None) -> None:
    record = plan(desk)
    at = None if ago is None else desk.time.database() - ago
    done = desk.ledger.expire("spring", ADA, at=at)
    assert (done.changed, done.state, done.deliveries) == (True, CampaignState.EXPIRED, 5)
    assert desk.counts(record) == {"expired": 5}


def test_when_the_deadline_passes_what_waits_is_given_up_and_not_before(desk: Desk) -> None:
    record = plan(desk)
    desk.ledger.expire("spring", ADA, at=desk.time.database() + 100)
    desk.time.now += 99
    assert desk.ledger.close_rest("spring") == 0
    desk.time.now += 1
    assert desk.ledger.close_rest("spring") == 5
    assert (desk.counts(record), desk.state()) == ({"expired": 5}, CampaignState.EXPIRED)


def test_who_came_to_its_end_before_the_deadline_does_not_expire(desk: Desk) -> None:
    record = plan(desk, 1)
    desk.ledger.expire("spring", ADA, at=desk.time.database() + 100)
    results(desk, record, DeliveryState.ACCEPTED)
    desk.time.now += 200
    assert desk.ledger.close_rest("spring") == 0
    assert desk.ledger.finish(record)
    assert desk.state() is CampaignState.FINISHED


def test_the_failed_alone_are_sent_again_and_once_for_each_word(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "BATCH", 2)
    record = plan(desk, 6)
    results(desk, record, DeliveryState.ACCEPTED, REJECTED, FAILED, REJECTED, FAILED, DeliveryState.IN_DOUBT)
    assert desk.ledger.finish(record)
    done = desk.ledger.resend_failed("spring", ADA)
    assert (done.changed, done.deliveries, done.state) == (True, 4, CampaignState.READY)
    assert desk.counts(record) == {"accepted": 1, "in_doubt": 1, "planned": 4}
    again = desk.ledger.resend_failed("spring", BOB)
    assert (again.changed, again.deliveries) == (False, 0)
    assert [row[:2] for row in told(desk)] == [("resend", "ada")]
    lease = desk.ledger.begin(record, label="", seconds=60)
    assert len(desk.ledger.turn(lease, [], places=9, pace=PACE).tasks) == 4


@pytest.mark.parametrize("end", ["cancel", "expire"])
def test_nobody_of_a_campaign_that_is_over_is_sent_to_again(desk: Desk, end: str) -> None:
    record = plan(desk, 2)
    results(desk, record, REJECTED)
    getattr(desk.ledger, end)("spring", ADA)
    with pytest.raises(ConfigurationError, match="nothing more of it is sent"):
        desk.ledger.resend_failed("spring", BOB)
    assert desk.counts(record)["rejected"] == 1


@pytest.mark.parametrize("what", ["pause", "unpause", "cancel", "expire", "resend_failed"])
def test_a_campaign_that_is_not_there_is_named(desk: Desk, what: str) -> None:
    with pytest.raises(ConfigurationError, match="no campaign 'autumn'"):
        getattr(desk.ledger, what)("autumn", ADA)


def test_somebody_must_say_so() -> None:
    with pytest.raises(ConfigurationError, match="by whom"):
        By(" ")


def test_an_overview_tells_where_a_campaign_is_and_what_people_did_to_it(desk: Desk) -> None:
    record = plan(desk, 3)
    results(desk, record, DeliveryState.ACCEPTED)
    desk.ledger.begin(record, label="", seconds=60)
    desk.ledger.pause("spring", ADA)
    seen = desk.ledger.overview("spring")
    assert (seen.state, seen.held_by, seen.runs) == (CampaignState.RUNNING, "ada", 1)
    assert seen.stop is not None
    assert seen.counts.to_dict() == {"accepted": 1, "planned": 2}
    assert [(one.action, one.by, one.note) for one in seen.done] == [("pause", "ada", "the price is wrong")]
    desk.time.now += 61
    assert desk.ledger.overview("spring").runs == 0
    with pytest.raises(ConfigurationError, match="no campaign 'autumn'"):
        desk.ledger.overview("autumn")


def test_overviews_are_of_the_newest_campaigns_and_of_single_messages_for_who_asks(desk: Desk) -> None:
    for name in ("winter", "message/hello", "spring", "summer"):
        desk.plan(1, desk.campaign(name))
    assert [one.campaign_id for one in desk.ledger.overviews(limit=2)] == ["summer", "spring"]
    listed = [one.campaign_id for one in desk.ledger.overviews()]
    assert listed == ["summer", "spring", "winter"]
    assert len(desk.ledger.overviews(single=True)) == 4
    assert {one.counts.total for one in desk.ledger.overviews()} == {1}
