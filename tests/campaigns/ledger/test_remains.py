"""What a person says of a campaign while it is planned is kept, whatever becomes of its planner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.campaigns.acts import ADA, BOB, deadline, plan, told
from tests.campaigns.ledger.book import PACE
from tests.campaigns.support import Desk, entry
from whatsapp_provider.campaigns.ledger.planning import LEASE_SECONDS, Order
from whatsapp_provider.campaigns.ledger.records import Planned, StopKind
from whatsapp_provider.campaigns.ledger.schema import campaign, delivery
from whatsapp_provider.campaigns.ledger.states import CampaignState

BATCH, PEOPLE = 10, 25
LATE = 4e9


def fail(desk: Desk, error: BaseException, **said: Any) -> None:
    """Plan a campaign, have a person say something of it in the middle, and fail."""

    def people() -> Iterator[Planned]:
        for index in range(PEOPLE):
            if index == 2 * BATCH + 2:
                theirs = desk.open_ledger()
                if "held" in said:
                    theirs.pause("spring", ADA)
                if "at" in said:
                    theirs.expire("spring", BOB, at=said["at"])
                raise error
            yield entry(index)

    order = Order(batch=BATCH, terms=said.get("terms", {}), state=CampaignState.READY)
    with pytest.raises(type(error)):
        desk.ledger.plan(desk.campaign(), "text", people(), order=order)


def again(desk: Desk, count: int = PEOPLE, **terms: Any) -> None:
    def wait(seconds: float) -> None:
        desk.time.now += seconds

    people = (entry(index) for index in range(count))
    record = desk.ledger.plan(
        desk.campaign(), "another", people, order=Order(batch=BATCH, terms=terms, wait=wait)
    )
    assert (record.fresh, desk.counts(record)) == (True, {"planned": count})


#: A bad row; a task that is told to stop, after which the next planner removes what was written.
ENDS = [ValueError("row 23"), KeyboardInterrupt()]


@pytest.mark.parametrize("count", [PEOPLE, BATCH - 3])
@pytest.mark.parametrize("end", ENDS, ids=["failed", "stopped"])
def test_a_pause_outlives_the_planner_that_it_was_said_to(desk: Desk, end: BaseException, count: int) -> None:
    fail(desk, end, held=True)
    again(desk, count)
    seen = desk.ledger.overview("spring")
    assert (seen.held_by, seen.stop and seen.stop.kind) == ("ada", StopKind.HELD)
    assert told(desk) == [("pause", "ada", "the price is wrong")]
    record = desk.ledger.find("spring")
    assert record is not None
    lease = desk.ledger.begin(record, label="", seconds=60)
    assert desk.ledger.turn(lease, [], places=5, pace=PACE).tasks == ()
    desk.ledger.unpause("spring", ADA)
    assert len(desk.ledger.turn(lease, [], places=5, pace=PACE).tasks) == 5


@pytest.mark.parametrize("end", ENDS, ids=["failed", "stopped"])
def test_a_deadline_outlives_it_too_and_counts_more_than_the_plans(desk: Desk, end: BaseException) -> None:
    fail(desk, end, at=LATE, terms={"expires_at": LATE - 9})
    again(desk, expires_at=LATE + 9)
    assert deadline(desk) == LATE


def test_a_pause_outlives_several_planners(desk: Desk) -> None:
    fail(desk, ValueError("row 23"), held=True)
    fail(desk, KeyboardInterrupt())
    fail(desk, ValueError("row 23"))
    again(desk)
    assert desk.ledger.overview("spring").held_by == "ada"


def test_a_planner_that_was_killed_leaves_the_pause_to_the_next_one(desk: Desk) -> None:
    fail(desk, KeyboardInterrupt(), held=True)
    with desk.ledger._database.transaction() as connection:
        # Nobody let it go.
        connection.execute(
            campaign.update().values(plan_until=func.coalesce(campaign.c.created_at, 0) + LEASE_SECONDS)
        )
    again(desk)
    assert desk.ledger.overview("spring").held_by == "ada"


def test_nothing_else_of_the_plan_that_failed_is_kept(desk: Desk) -> None:
    fail(
        desk,
        ValueError("row 23"),
        held=True,
        terms={"needs_approval": 1, "expires_at": LATE, "message": "{}"},
    )
    with desk.ledger._database.transaction() as connection:
        assert connection.execute(select(func.count()).select_from(delivery)).scalar_one() == 0
    seen = desk.ledger.overview("spring")
    assert (seen.state, seen.told, seen.counts.total) == (CampaignState.PLANNING, "paused by ada", 0)
    again(desk)
    with desk.ledger._database.transaction() as connection:
        row = connection.execute(select(campaign)).one()
    assert (row.needs_approval, row.expires_at, row.message, row.held_by) == (None, None, None, "ada")


def test_who_resumes_it_before_it_is_planned_again_holds_nothing_back(desk: Desk) -> None:
    fail(desk, ValueError("row 23"), held=True)
    desk.ledger.unpause("spring", BOB)
    again(desk)
    assert desk.ledger.overview("spring").stop is None


def test_a_plan_that_is_taken_back_takes_a_persons_deadline_with_it(desk: Desk) -> None:
    record = desk.ledger.plan(desk.campaign(), "text", [entry(0)], order=Order(state=CampaignState.READY))
    desk.ledger.expire("spring", ADA, at=LATE)
    assert desk.ledger.discard(record)
    assert desk.ledger.find("spring") is None
    plan(desk)
    assert deadline(desk) is None
