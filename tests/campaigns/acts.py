"""What people do to campaigns, for tests of what comes of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update

from tests.campaigns.ledger.book import PACE
from tests.campaigns.support import Desk, entry
from whatsapp_provider.campaigns.ledger.control import By
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Result
from whatsapp_provider.campaigns.ledger.schema import campaign, control
from whatsapp_provider.campaigns.ledger.states import DeliveryState

ADA = By("ada", "the price is wrong")
BOB = By("bob")


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
