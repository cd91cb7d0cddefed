"""What a runner may send next: due recipients of its lanes, screened, as many as its channel's windows have room for.

The intent to send to them is committed with the turn, before anything is written to the wire.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Update,
    bindparam,
    func,
    or_,
    select,
    update,
)

from whatsapp_provider.campaigns.ledger import acceptance, lanes, refusals, windows
from whatsapp_provider.campaigns.ledger.database import Clock
from whatsapp_provider.campaigns.ledger.due import Due
from whatsapp_provider.campaigns.ledger.records import Lease, Task, Turn
from whatsapp_provider.campaigns.ledger.schema import delivery, runner
from whatsapp_provider.campaigns.ledger.standing import OLD_SECONDS, Standing
from whatsapp_provider.campaigns.ledger.states import OPEN, DeliveryState
from whatsapp_provider.campaigns.ledger.windows import Room
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.campaigns.rules import Rules
from whatsapp_provider.errors import LeaseLostError


@dataclass(frozen=True, slots=True)
class Claim:
    """What a runner asks for.

    :param places: sends that can begin at once.
    """

    lease: Lease
    pace: Pace
    rules: Rules
    places: int


AT_ONCE = 500  #: people who are given up in one transaction


def take_tasks(
    connection: Connection, claim: Claim, standing: Standing, clock: Clock, due: Due, chance: Random
) -> Turn:
    """Commit the intent to send to the next recipients, as far as hours and pace allow.

    :param standing: of the campaign, at this moment.
    :param chance: what the distances between messages are drawn from.
    """
    if claim.places <= 0:
        return Turn(open=1)
    now, campaign = standing.now, claim.lease.campaign
    hours = lanes.hours(connection, claim.lease, claim.rules, now, has_lanes=standing.has_lanes)
    rows = due.first(connection, campaign, hours.open, claim.places, now)
    if not rows:
        asleep = due.first(connection, campaign, hours.never, AT_ONCE, now)
        refusals.give_up(connection, asleep, now)
        return Turn(open=len(asleep), wait=0.0) if asleep else _starved(connection, claim.lease, hours, now)
    open_count = len(rows)
    rows = refusals.without_refused(connection, rows, claim.rules, now)
    if not rows:
        return Turn(open=open_count, wait=0.0)
    if claim.pace.is_bounded:
        room = windows.room(connection, claim.lease.channel, claim.pace, len(rows), clock, chance)
    else:
        # Nothing to be counted, so nobody needs to wait for another, but where a cap is counted.
        moment = now if claim.rules.cap is None else clock.now()
        room = windows.unless_quiet(len(rows), standing.quiet_until, moment)
    if room.now - now > OLD_SECONDS:
        return Turn(open=open_count, wait=0.0)
    if room.places == 0:
        return Turn(open=open_count, wait=room.wait, limit=room.limit)
    return Turn(tasks=_intend(connection, claim.lease, rows[: room.places], room), open=open_count)


@cache
def _intend_all(rows: int) -> Update:
    """Return the statement for so many rows."""
    return (
        update(delivery)
        .where(
            delivery.c.id.in_([bindparam(f"b_id{place}") for place in range(rows)]),
            or_(delivery.c.state == DeliveryState.PLANNED, delivery.c.state == DeliveryState.POSTPONED),
        )
        .values(
            state=DeliveryState.SENDING,
            runner=bindparam("b_runner"),
            attempt=delivery.c.attempt + 1,
            permit=bindparam("b_permit"),
            updated_at=bindparam("b_now"),
            intended_at=bindparam("b_now"),
            doubted_at=None,
            # Of this attempt nobody has heard anything yet.
            message_id=None,
        )
    )


def _intend(connection: Connection, lease: Lease, rows: Sequence[Row[Any]], room: Room) -> tuple[Task, ...]:
    """Move rows that are locked for this runner to ``sending``, with a permit each."""
    group = windows.take(connection, lease.channel, len(rows), room.now, room.gap)
    taken = 0
    for start in range(0, len(rows), acceptance.AT_ONCE):
        some = rows[start : start + acceptance.AT_ONCE]
        size = acceptance.size_for(len(some))
        values = {"b_runner": lease.token, "b_permit": group, "b_now": room.now}
        values |= {f"b_id{place}": acceptance.NOBODY for place in range(len(some), size)}
        values |= {f"b_id{place}": row.id for place, row in enumerate(some)}
        taken += connection.execute(_intend_all(size), values).rowcount
    if taken != len(rows):
        raise LeaseLostError("Another run took the same recipients; nothing was sent to them from here.")
    return tuple(
        Task(
            id=row.id,
            attempt=row.attempt + 1,
            permit=group,
            recipient=row.recipient,
            address=row.address,
            variables=row.variables,
            body_hash=row.body_hash,
            postponed=row.postponed,
        )
        for row in rows
    )


def _starved(connection: Connection, lease: Lease, hours: lanes.Hours, now: float) -> Turn:
    """Nothing is due: say how many are open, and when one of them may be."""
    mine = lanes.of_run(lease, hours)
    open_count = connection.execute(select(func.count()).where(mine, delivery.c.state.in_(OPEN))).scalar_one()
    if not open_count:
        return Turn()
    next_due = connection.execute(
        select(func.min(delivery.c.not_before)).where(mine, delivery.c.state == DeliveryState.POSTPONED)
    ).scalar_one()
    moments = (next_due, hours.next_opening, _other_lease_end(connection, lease))
    known = [moment for moment in moments if moment is not None]
    return Turn(open=int(open_count), wait=max(0.0, min(known) - now) if known else None)


def _other_lease_end(connection: Connection, lease: Lease) -> float | None:
    """When the first of the other runners must have renewed its lease, or its rows are taken over."""
    ends = select(func.min(runner.c.lease_until)).where(
        runner.c.campaign == lease.campaign, runner.c.ended == 0, runner.c.id != lease.token
    )
    end: float | None = connection.execute(ends).scalar_one()
    return end
