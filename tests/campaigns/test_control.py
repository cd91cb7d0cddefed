"""What people do to campaigns is done once, kept, and undone by nobody else."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.campaigns.acts import ADA, BOB, deadline, plan, results, set_campaign, told
from tests.campaigns.ledger.book import PACE, Book
from tests.campaigns.support import Desk
from whatsapp_provider.campaigns.ledger.control import Action, By, Controlled
from whatsapp_provider.campaigns.ledger.records import Result
from whatsapp_provider.campaigns.ledger.schema import campaign
from whatsapp_provider.campaigns.ledger.settling import Verdict
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.errors import ConfigurationError, LeaseLostError

REJECTED, FAILED = DeliveryState.REJECTED, DeliveryState.FAILED


@pytest.fixture
def book(desk: Desk) -> Book:
    return Book(desk)


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


def test_no_run_and_no_outage_brings_a_cancelled_campaign_back(desk: Desk) -> None:
    record = plan(desk)
    desk.ledger.cancel("spring", ADA)
    lease = desk.ledger.begin(record, label="", seconds=60)
    desk.ledger.set_state(record, CampaignState.PAUSED, "an outage")
    assert not desk.ledger.finish(record)
    desk.ledger.end(lease)
    assert desk.state() is CampaignState.CANCELLED


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


@pytest.mark.parametrize("late", [DeliveryState.PLANNED, DeliveryState.POSTPONED])
def test_what_a_dead_run_did_not_send_is_given_up_where_the_campaign_is_over(
    desk: Desk, late: DeliveryState
) -> None:
    record = plan(desk, 1)
    lease = desk.ledger.begin(record, label="", seconds=60)
    (task,) = desk.ledger.turn(lease, [], places=1, pace=PACE).tasks
    desk.time.now += 100
    desk.ledger.begin(record, label="", seconds=60)
    desk.ledger.cancel("spring", ADA)
    assert desk.counts(record) == {"in_doubt": 1}
    with pytest.raises(LeaseLostError):
        desk.ledger.turn(lease, [Result(task, late, not_before=5.0)], places=0, pace=PACE)
    assert desk.counts(record) == {"cancelled": 1}


def test_who_came_to_its_end_before_the_deadline_does_not_expire(desk: Desk) -> None:
    record = plan(desk, 1)
    desk.ledger.expire("spring", ADA, at=desk.time.database() + 100)
    results(desk, record, DeliveryState.ACCEPTED)
    desk.time.now += 200
    assert desk.ledger.close_rest("spring") == 0
    assert desk.ledger.finish(record)
    assert desk.state() is CampaignState.FINISHED


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
