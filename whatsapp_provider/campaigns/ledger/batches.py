"""Move many of a campaign's deliveries from one state to another, a batch at a time.

A million rows in one transaction would keep every sender waiting; a batch takes some milliseconds. What is half done
is gone on with by doing it again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, Update, bindparam, select, update

from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.states import OPEN, CampaignState, DeliveryState

BATCH = 1000

#: What becomes of rows that wait when their campaign is over.
ENDS: Mapping[CampaignState, DeliveryState] = {
    CampaignState.CANCELLED: DeliveryState.CANCELLED,
    CampaignState.EXPIRED: DeliveryState.EXPIRED,
}
#: Certainly not sent, and not under way.
WAITING = (DeliveryState.PLANNED, DeliveryState.POSTPONED)


@cache
def _move(states: tuple[DeliveryState, ...]) -> Update:
    return update(delivery).where(
        delivery.c.id.in_(bindparam("b_ids", expanding=True)), delivery.c.state.in_(states)
    )


def move(
    connection: Connection, campaign: int, states: Collection[DeliveryState], values: Mapping[str, Any]
) -> int:
    """Give the next rows in one of these states other values; return how many there were."""
    moved = 0
    for state in states:
        rest = BATCH - moved
        ids = _next(connection, campaign, state, rest) if rest else []
        if ids:
            statement = _move((state,)).values(**values)
            moved += connection.execute(statement, {"b_ids": ids}).rowcount
    return moved


def _next(connection: Connection, campaign: int, state: DeliveryState, count: int) -> list[int]:
    # Locked, so that a run which is about to send to one of them is either first or finds it gone.
    query = select(delivery.c.id).where(delivery.c.campaign == campaign, delivery.c.state == state)
    return list(connection.execute(query.limit(count).with_for_update()).scalars())


def close(connection: Connection, row: Row[Any], now: float) -> int:
    """Give up the next rows that wait in a campaign that is over or too late; return how many there were.

    :param row: the campaign's, locked.
    """
    state = CampaignState(row.state)
    if _is_late(row, state, now) and any_open(connection, row.id):
        state = CampaignState.EXPIRED
        values = {"state": state, "reason": "its deadline has passed", "updated_at": now}
        connection.execute(update(campaigns).where(campaigns.c.id == row.id).values(**values))
    if not state.is_over:
        return 0
    return move(connection, row.id, WAITING, {"state": ENDS[state], "not_before": None, "updated_at": now})


def _is_late(row: Row[Any], state: CampaignState, now: float) -> bool:
    begun = not state.is_over and state is not CampaignState.PLANNING
    return begun and row.expires_at is not None and row.expires_at <= now


def any_open(connection: Connection, campaign: int) -> bool:
    """Whether anything of a campaign remains to be sent."""
    return any(connection.execute(_first(state), {"b_campaign": campaign}).first() for state in OPEN)


@cache
def _first(state: DeliveryState) -> Select[Any]:
    # In the index's order: for any one of many rows PostgreSQL would read the table until it meets one.
    mine = select(delivery.c.id).where(
        delivery.c.campaign == bindparam("b_campaign"), delivery.c.state == state
    )
    return mine.order_by(delivery.c.lane, delivery.c.seq).limit(1)
