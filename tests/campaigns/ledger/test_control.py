"""What people do to campaigns, where databases differ: locks, batches, counts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.campaigns.acts import ADA, BOB, plan, results, told
from tests.campaigns.ledger.book import PACE, at_once
from tests.campaigns.support import Desk, entry
from whatsapp_provider.campaigns.ledger import batches
from whatsapp_provider.campaigns.ledger.control import Action, By
from whatsapp_provider.campaigns.ledger.records import Planned, Result
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
from whatsapp_provider.errors import ConfigurationError, LeaseLostError

REJECTED, FAILED = DeliveryState.REJECTED, DeliveryState.FAILED


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


def test_when_the_deadline_passes_what_waits_is_given_up_and_not_before(desk: Desk) -> None:
    record = plan(desk)
    desk.ledger.expire("spring", ADA, at=desk.time.database() + 100)
    desk.time.now += 99
    assert desk.ledger.close_rest("spring") == 0
    desk.time.now += 1
    assert desk.ledger.close_rest("spring") == 5
    assert (desk.counts(record), desk.state()) == ({"expired": 5}, CampaignState.EXPIRED)


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
