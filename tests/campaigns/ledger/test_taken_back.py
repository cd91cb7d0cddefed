"""A plan that was not begun can be taken back; one that was, or that a person holds back, can't."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.campaigns.ledger.book import PACE
from tests.campaigns.support import Desk, entry
from whatsapp_provider.campaigns.ledger.control import By
from whatsapp_provider.campaigns.ledger.planning import Order
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Lease, Planned, Result, StopKind
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState

ADA = By("ada")


def plan(desk: Desk, count: int = 2, **terms: int) -> CampaignRecord:
    order = Order(state=CampaignState.READY, terms=terms)
    return desk.ledger.plan(desk.campaign(), "text", [entry(index) for index in range(count)], order=order)


def test_a_plan_that_nobody_began_is_taken_back(desk: Desk) -> None:
    assert desk.ledger.discard(plan(desk))
    assert desk.ledger.find("spring") is None


@pytest.mark.parametrize("state", [DeliveryState.ACCEPTED, DeliveryState.REJECTED])
def test_whom_a_campaign_has_reached_is_not_forgotten_when_it_is_to_go_on(
    desk: Desk, state: DeliveryState
) -> None:
    record = plan(desk, 1)
    lease = desk.ledger.begin(record, label="", seconds=60)
    (task,) = desk.ledger.turn(lease, [], places=1, pace=PACE).tasks
    desk.ledger.end(lease, [Result(task, state)])
    assert desk.ledger.finish(record)
    if state is DeliveryState.REJECTED:
        desk.ledger.resend_failed("spring", ADA)
    else:
        desk.ledger.extend("spring", [entry(1)], ADA)
    assert desk.state() is CampaignState.READY
    assert not desk.ledger.discard(record)
    assert desk.ledger.counts(record).total in (1, 2)


def test_a_run_that_waited_for_the_plan_begins_the_campaign(desk: Desk) -> None:
    leases: list[Lease] = []

    def people() -> Iterator[Planned]:
        for index in range(1500):
            if index == 1200:
                found = theirs.find("spring")
                assert found is not None
                leases.append(theirs.begin(found, label="", seconds=60))
                stop = theirs.turn(leases[0], [], places=1, pace=PACE).stop
                assert stop is not None
                assert stop.kind is StopKind.PLANNING
            yield entry(index)

    theirs = desk.open_ledger()
    record = desk.ledger.plan(desk.campaign(), "text", people(), order=Order(state=CampaignState.READY))
    assert len(theirs.turn(leases[0], [], places=1, pace=PACE).tasks) == 1
    assert desk.state() is CampaignState.RUNNING
    assert not desk.ledger.discard(record)


def test_a_run_that_waits_for_an_approval_does_not_keep_a_plan_from_being_taken_back(desk: Desk) -> None:
    record = plan(desk, needs_approval=1)
    lease = desk.ledger.begin(record, label="", seconds=60)
    stop = desk.ledger.turn(lease, [], places=1, pace=PACE).stop
    assert stop is not None
    assert stop.kind is StopKind.UNAPPROVED
    assert desk.ledger.discard(record)


def test_a_run_that_has_its_approval_begins_the_campaign(desk: Desk) -> None:
    record = plan(desk, needs_approval=1)
    lease = desk.ledger.begin(record, label="", seconds=60)
    desk.ledger.turn(lease, [], places=1, pace=PACE)
    desk.ledger.approve(record, by="maria")
    assert len(desk.ledger.turn(lease, [], places=1, pace=PACE).tasks) == 1
    assert desk.state() is CampaignState.RUNNING
    assert not desk.ledger.discard(record)


def test_a_plan_that_a_person_holds_back_is_not_taken_back(desk: Desk) -> None:
    record = plan(desk)
    desk.ledger.pause("spring", ADA)
    assert not desk.ledger.discard(record)
    desk.ledger.unpause("spring", ADA)
    assert desk.ledger.discard(record)
