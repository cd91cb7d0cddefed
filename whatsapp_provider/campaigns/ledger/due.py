"""The next people of an audience who are due, locked for one run."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import inf
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select

from whatsapp_provider.campaigns.ledger.order import FIRST_OF_LANE
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.states import DeliveryState

_COLUMNS = tuple(
    delivery.c[name]
    for name in ("id", "attempt", "postponed", "recipient", "address", "variables", "body_hash", "seq")
)


#: By so much somebody who was put off may come later; to look for them in each turn would be one question more in each.
LOOK_BACK_SECONDS = 0.25


class Due:
    """Who is next; kept by a process from turn to turn."""

    def __init__(self) -> None:
        self._looked_back: dict[int, float] = {}

    def first(
        self, connection: Connection, campaign: int, lanes: Sequence[int | None], places: int, now: float
    ) -> list[Row[Any]]:
        """Return the next rows, locked: first what was postponed until now, then the audience in its order.

        A question for each state and lane, for which the index has the order; together they would sort the audience.
        """
        postponed, planned = DeliveryState.POSTPONED, DeliveryState.PLANNED
        states = [postponed, planned]
        if abs(now - self._looked_back.get(campaign, inf)) < LOOK_BACK_SECONDS:
            states.reverse()
        rows: list[Row[Any]] = []
        for state in states:
            for lane in lanes:
                if len(rows) == places:
                    return rows
                values: dict[str, Any] = {"b_campaign": campaign, "b_places": places - len(rows)}
                values |= {} if lane is None else {"b_lane": lane}
                values |= {"b_now": now} if state is postponed else {}
                rows += _next(connection, state, values)
            if state is postponed:
                self._looked_back[campaign] = now
        return rows


def _next(connection: Connection, state: DeliveryState, values: dict[str, Any]) -> Sequence[Row[Any]]:
    in_lane = "b_lane" in values
    if connection.dialect.name == "mysql" and state is DeliveryState.PLANNED:
        found = connection.execute(_unless_locked(in_lane=in_lane), values).all()
        if len(found) == values["b_places"]:
            return sorted(found, key=lambda row: row.seq)
    # Of rows that others hold, those after them are meant.
    return connection.execute(_beyond_locked(state, in_lane=in_lane), values).all()


def _in_order(columns: Sequence[Any], state: DeliveryState, *, in_lane: bool) -> Select[Any]:
    chosen = select(*columns).where(
        delivery.c.campaign == bindparam("b_campaign"),
        delivery.c.state == state,
        delivery.c.lane == bindparam("b_lane") if in_lane else delivery.c.lane.is_(None),
    )
    if state is DeliveryState.POSTPONED:
        chosen = chosen.where(delivery.c.not_before <= bindparam("b_now"))
    return chosen.order_by(*FIRST_OF_LANE).limit(bindparam("b_places"))


@cache
def _beyond_locked(state: DeliveryState, *, in_lane: bool) -> Select[Any]:
    """Return the question for the next rows of a lane that nobody holds, which locks them."""
    return _in_order(_COLUMNS, state, in_lane=in_lane).with_for_update(skip_locked=True)


@cache
def _unless_locked(*, in_lane: bool) -> Select[Any]:
    """Return the question for those of the next rows of a lane that nobody holds, in no order.

    MariaDB locks and looks up each row that has left the index's range and is not swept away yet, which are those
    of the last hundreds of turns: that takes three times as long as to look first and to lock by number.
    """
    numbers = _in_order([delivery.c.id], DeliveryState.PLANNED, in_lane=in_lane).subquery("numbers")
    chosen = (
        select(*_COLUMNS)
        .prefix_with("STRAIGHT_JOIN")
        .join_from(numbers, delivery, delivery.c.id == numbers.c.id)
    )
    return chosen.where(delivery.c.state == DeliveryState.PLANNED).with_for_update(skip_locked=True)
