"""Further people come into a campaign under its own message, each once, whoever is there already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import update

from tests.campaigns.support import Desk, number
from whatsapp_provider.campaigns.audience import AudienceOptions, Policy
from whatsapp_provider.campaigns.campaign import Frozen
from whatsapp_provider.campaigns.extend import extend_campaign
from whatsapp_provider.campaigns.ledger.batches import BATCH
from whatsapp_provider.campaigns.ledger.control import By, Controlled
from whatsapp_provider.campaigns.ledger.planning import Order
from whatsapp_provider.campaigns.ledger.records import CampaignRecord
from whatsapp_provider.campaigns.ledger.schema import campaign
from whatsapp_provider.campaigns.ledger.states import CampaignState
from whatsapp_provider.campaigns.outcome import Ending
from whatsapp_provider.campaigns.plan import make_plan
from whatsapp_provider.campaigns.readers import rows_of
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.errors import AudienceError, CampaignMismatchError, ConfigurationError, TemplateError

ADA = By("ada")
TEXT = "Hi {{ name }}"


def person(index: int) -> dict[str, Any]:
    return {"phone": number(index), "name": f"N{index}"}


def plan(desk: Desk, count: int, **terms: Any) -> CampaignRecord:
    rows = rows_of([person(index) for index in range(count)], recipient_field="phone")
    order = Order(terms=terms)
    template = MessageTemplate(TEXT)
    return make_plan(
        desk.ledger, desk.campaign(), template, rows, AudienceOptions(), Frozen.of(TEXT), order=order
    ).record


def extend(desk: Desk, rows: Sequence[dict[str, Any]], **options: Any) -> Controlled:
    found = rows_of(rows, recipient_field="phone")
    return extend_campaign(
        desk.ledger, "spring", MessageTemplate(TEXT), found, AudienceOptions(**options), ADA
    )


def test_further_people_get_the_campaigns_own_message_after_those_before(desk: Desk) -> None:
    record = plan(desk, 2)
    done = extend(desk, [person(index) for index in range(1, 5)])
    assert (done.changed, done.deliveries, done.state) == (True, 3, CampaignState.RUNNING)
    assert desk.run(record, desk.campaign(concurrency=1)).ending is Ending.FINISHED
    assert desk.phones.calls == [number(index) for index in range(5)]


def test_people_whom_nobody_has_approved_are_not_sent_to(desk: Desk) -> None:
    record = plan(desk, 1, needs_approval=1)
    desk.ledger.approve(record, by="maria")
    extend(desk, [person(0)])
    assert desk.ledger.approved_by(record) == "maria"
    extend(desk, [person(1)])
    assert desk.run(record, patience=60).ending is Ending.WAITING
    assert desk.phones.calls == []
    desk.ledger.approve(record, by="maria")
    assert desk.run(record).ending is Ending.FINISHED
    assert desk.phones.calls == [number(0), number(1)]


def test_to_extend_again_adds_nobody_twice(desk: Desk) -> None:
    plan(desk, 1)
    further = [person(index) for index in range(BATCH + 5)]
    assert extend(desk, further).deliveries == BATCH + 4
    again = extend(desk, further)
    assert (again.changed, again.deliveries) == (False, 0)
    assert len(desk.ledger.overview("spring").done) == 1


def test_a_finished_campaign_is_ready_again_and_the_first_task_still_knows_it(desk: Desk) -> None:
    desk.run(plan(desk, 2))
    assert extend(desk, [person(2)]).state is CampaignState.READY
    assert desk.run(plan(desk, 2)).ending is Ending.FINISHED
    assert desk.phones.received == {number(index): 1 for index in range(3)}
    with pytest.raises(CampaignMismatchError):
        plan(desk, 3)


def test_a_running_campaign_takes_further_people_in_at_once(desk: Desk) -> None:
    record = plan(desk, 3)

    def look() -> None:
        if len(desk.phones.calls) == 2:
            extend(desk, [person(7)])

    desk.phones.at_send.append(look)
    assert desk.run(record, desk.campaign(concurrency=1)).ending is Ending.FINISHED
    assert desk.phones.calls[-1] == number(7)


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([person(5), {"phone": "12", "name": "X"}], AudienceError),
        ([person(5), person(5)], AudienceError),
        ([person(5), {"phone": number(6)}], TemplateError),
    ],
    ids=["no number", "twice", "no value"],
)
def test_a_bad_row_adds_nobody(desk: Desk, rows: list[dict[str, Any]], error: type[Exception]) -> None:
    record = plan(desk, 1)
    with pytest.raises(error):
        extend(desk, rows)
    assert desk.counts(record) == {"planned": 1}


def test_bad_rows_are_left_out_for_who_says_so(desk: Desk) -> None:
    plan(desk, 1)
    rows = [person(5), person(5), {"phone": "12", "name": "X"}]
    assert extend(desk, rows, on_invalid=Policy.SKIP, on_duplicate=Policy.SKIP).deliveries == 1


@pytest.mark.parametrize("state", [CampaignState.CANCELLED, CampaignState.EXPIRED, CampaignState.PLANNING])
def test_a_campaign_that_is_over_or_being_planned_takes_nobody_in(desk: Desk, state: CampaignState) -> None:
    record = plan(desk, 1)
    with desk.ledger._database.transaction() as connection:
        connection.execute(update(campaign).values(state=state))
    with pytest.raises(ConfigurationError, match=r"nothing (more )?of it is sent"):
        extend(desk, [person(5)])
    assert desk.counts(record) == {"planned": 1}


def test_nobody_is_put_into_no_lane_of_a_campaign_that_has_lanes(desk: Desk) -> None:
    """They would wait for ever: no run sends to who is in no lane."""
    record = plan(desk, 1, lanes=2)
    with pytest.raises(ConfigurationError, match="by its recipients' hours"):
        extend(desk, [person(5)])
    assert desk.counts(record) == {"planned": 1}
