"""A runner's turn at the ledger: results in, intents out, in one commit.

Every move is a compare-and-set, and a runner whose lease has ended gets nothing more to send.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, or_, select, update

from whatsapp_provider.campaigns.ledger import windows
from whatsapp_provider.campaigns.ledger.database import insert_one
from whatsapp_provider.campaigns.ledger.records import Lease, Result, Task, Turn
from whatsapp_provider.campaigns.ledger.schema import delivery, runner
from whatsapp_provider.campaigns.ledger.states import OPEN, DeliveryState
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.errors import LeaseLostError


def begin(
    connection: Connection, campaign: int, channel: str, label: str, seconds: float, now: float
) -> Lease:
    """Enter a runner; its number is its fencing token."""
    values = {"campaign": campaign, "label": label[:250], "lease_until": now + seconds, "ended": 0}
    return Lease(insert_one(connection, runner, values), campaign, channel, seconds)


def renew(connection: Connection, lease: Lease, now: float) -> None:
    """Prolong the lease, if it has not ended.

    :raises LeaseLostError: if it has; another runner may have taken its rows.
    """
    renewed = connection.execute(
        update(runner)
        .where(runner.c.id == lease.token, runner.c.ended == 0, runner.c.lease_until > now)
        .values(lease_until=now + lease.seconds)
    )
    if renewed.rowcount != 1:
        raise LeaseLostError(
            "This run's lease has ended (it was suspended, or the ledger was out of reach for too long); another "
            "run goes on with the campaign."
        )


_write_result = (
    update(delivery)
    .where(
        delivery.c.id == bindparam("b_id"),
        delivery.c.runner == bindparam("b_runner"),
        delivery.c.attempt == bindparam("b_attempt"),
        # A result that comes after the lease ended still tells the truth about its own attempt.
        or_(delivery.c.state == DeliveryState.SENDING, delivery.c.state == DeliveryState.IN_DOUBT),
    )
    .values(
        state=bindparam("b_state"),
        message_id=bindparam("b_message_id"),
        code=bindparam("b_code"),
        reason=bindparam("b_reason"),
        not_before=bindparam("b_not_before"),
        updated_at=bindparam("b_now"),
    )
)


def write_results(connection: Connection, lease: Lease, results: Sequence[Result], now: float) -> None:
    """Write what became of attempts; permits of those that were never made return."""
    if not results:
        return
    connection.execute(_write_result, [_values(lease, result, now) for result in results])
    for result in results:
        if result.state is DeliveryState.PLANNED and result.task.permit is not None:
            windows.give_back(connection, result.task.permit)


def _values(lease: Lease, result: Result, now: float) -> dict[str, Any]:
    return {
        "b_id": result.task.id,
        "b_runner": lease.token,
        "b_attempt": result.task.attempt,
        "b_state": result.state,
        "b_message_id": result.message_id,
        "b_code": result.code[:80] if result.code else None,
        "b_reason": result.reason[:500] if result.reason else None,
        "b_not_before": None if result.not_before is None else now + result.not_before,
        "b_now": now,
    }


def take_tasks(connection: Connection, lease: Lease, pace: Pace, places: int, now: float) -> Turn:
    """Commit the intent to send to the next recipients, as far as the pace allows.

    :param places: sends that can begin at once.
    """
    if places <= 0:
        return Turn(open=1)
    due = _due(lease.campaign, now)
    query = select(delivery).where(due).order_by(delivery.c.seq).limit(places)
    rows = connection.execute(query.with_for_update(skip_locked=True)).all()
    if not rows:
        return _starved(connection, lease, now)
    windows.lock_channel(connection, lease.channel)
    room = windows.room(connection, lease.channel, pace, len(rows), now)
    if room.places == 0:
        return Turn(open=len(rows), wait=room.wait)
    rows = rows[: room.places]
    group = windows.take(connection, lease.channel, len(rows), now)
    ids = [row.id for row in rows]
    taken = connection.execute(
        update(delivery)
        .where(delivery.c.id.in_(ids), delivery.c.state.in_([DeliveryState.PLANNED, DeliveryState.POSTPONED]))
        .values(
            state=DeliveryState.SENDING,
            runner=lease.token,
            attempt=delivery.c.attempt + 1,
            permit=group,
            updated_at=now,
        )
    )
    if taken.rowcount != len(ids):
        raise LeaseLostError("Another run took the same recipients; nothing was sent to them from here.")
    tasks = tuple(
        Task(row.id, row.attempt + 1, group, row.recipient, row.address, row.variables, row.body_hash)
        for row in rows
    )
    return Turn(tasks=tasks, open=len(tasks))


def _due(campaign: int, now: float) -> ColumnElement[bool]:
    return (delivery.c.campaign == campaign) & or_(
        delivery.c.state == DeliveryState.PLANNED,
        (delivery.c.state == DeliveryState.POSTPONED) & (delivery.c.not_before <= now),
    )


def _starved(connection: Connection, lease: Lease, now: float) -> Turn:
    """Nothing is due: say how many are open, and when one of them may be."""
    open_count, next_due = connection.execute(
        select(func.count(), func.min(delivery.c.not_before)).where(
            delivery.c.campaign == lease.campaign, delivery.c.state.in_(OPEN)
        )
    ).one()
    if not open_count:
        return Turn()
    moments = [moment for moment in (next_due, _other_lease_end(connection, lease)) if moment is not None]
    return Turn(open=int(open_count), wait=max(0.0, min(moments) - now) if moments else None)


def _other_lease_end(connection: Connection, lease: Lease) -> float | None:
    """When the first of the other runners must have renewed its lease, or its rows are taken over."""
    ends = select(func.min(runner.c.lease_until)).where(
        runner.c.campaign == lease.campaign, runner.c.ended == 0, runner.c.id != lease.token
    )
    end: float | None = connection.execute(ends).scalar_one()
    return end


def take_over(connection: Connection, campaign: int, now: float) -> int:
    """Put the rows of runners whose lease has ended in doubt; return how many.

    A living runner renews its lease long before it ends, and writes nothing to the wire without it.
    """
    dead = connection.execute(
        select(runner.c.id).where(
            runner.c.campaign == campaign, runner.c.ended == 0, runner.c.lease_until <= now
        )
    ).scalars()
    return sum(_end_and_doubt(connection, token, now) for token in dead.all())


def _end_and_doubt(connection: Connection, token: int, now: float) -> int:
    ended = connection.execute(
        update(runner)
        .where(runner.c.id == token, runner.c.ended == 0, runner.c.lease_until <= now)
        .values(ended=1)
    )
    if ended.rowcount != 1:
        return 0
    return _doubt(connection, token, "the run that sent it was killed", now)


def _doubt(connection: Connection, token: int, reason: str, now: float) -> int:
    doubtful = connection.execute(
        update(delivery)
        .where(delivery.c.runner == token, delivery.c.state == DeliveryState.SENDING)
        .values(state=DeliveryState.IN_DOUBT, code="killed", reason=reason, updated_at=now)
    )
    return int(doubtful.rowcount)


def end(connection: Connection, lease: Lease, now: float) -> None:
    """Leave: what is still under way is in doubt, the rest is anyone's."""
    connection.execute(update(runner).where(runner.c.id == lease.token).values(ended=1))
    _doubt(connection, lease.token, "the run was stopped while it was sent", now)


def plan_again(connection: Connection, campaign: int, states: Collection[DeliveryState], now: float) -> int:
    """Plan deliveries in these states again, because the campaign's owner asked for it."""
    again = connection.execute(
        update(delivery)
        .where(delivery.c.campaign == campaign, delivery.c.state.in_(states))
        .values(state=DeliveryState.PLANNED, updated_at=now)
    )
    return int(again.rowcount)
