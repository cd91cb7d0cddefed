"""A runner's turn at the ledger: results in, intents out, in one commit.

Every move is a compare-and-set, and a runner whose lease has ended gets nothing more to send. Locks are
taken in one order everywhere: campaign, runner, deliveries, permits, channel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, func, or_, select, update

from whatsapp_provider.campaigns.ledger import windows
from whatsapp_provider.campaigns.ledger.database import insert_one
from whatsapp_provider.campaigns.ledger.records import Lease, Result, Task, Turn
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.schema import delivery, runner
from whatsapp_provider.campaigns.ledger.states import OPEN, CampaignState, DeliveryState
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.errors import LeaseLostError


def begin(
    connection: Connection, campaign: int, channel: str, label: str, seconds: float, now: float
) -> Lease:
    """Enter a runner; its number is its fencing token."""
    values = {"campaign": campaign, "label": kept(label, 250) or "", "lease_until": now + seconds, "ended": 0}
    return Lease(insert_one(connection, runner, values), campaign, channel, seconds)


def renew(connection: Connection, lease: Lease, now: float) -> bool:
    """Prolong the lease; ``False`` if it has ended and another runner may have taken its rows."""
    renewed = connection.execute(
        update(runner)
        .where(runner.c.id == lease.token, runner.c.ended == 0, runner.c.lease_until > now)
        .values(lease_until=now + lease.seconds)
    )
    return renewed.rowcount == 1


def lease_lost() -> LeaseLostError:
    """Return the error of a runner that came too late."""
    return LeaseLostError(
        "This run's lease has ended (it was suspended, or the ledger was out of reach for too long); another "
        "run goes on with the campaign."
    )


_write_result = (
    update(delivery)
    .where(
        delivery.c.id == bindparam("b_id"),
        delivery.c.runner == bindparam("b_runner"),
        delivery.c.attempt == bindparam("b_attempt"),
        # A result that comes after the lease ended still tells the truth about its own attempt; that it was
        # sent even when it was planned again meanwhile.
        or_(
            delivery.c.state == DeliveryState.SENDING,
            delivery.c.state == DeliveryState.IN_DOUBT,
            and_(delivery.c.state == DeliveryState.PLANNED, bindparam("b_sent") == 1),
        ),
    )
    .values(
        state=bindparam("b_state"),
        message_id=bindparam("b_message_id"),
        code=bindparam("b_code"),
        reason=bindparam("b_reason"),
        not_before=bindparam("b_not_before"),
        postponed=delivery.c.postponed + bindparam("b_postponed"),
        updated_at=bindparam("b_now"),
    )
)


def write_results(connection: Connection, lease: Lease, results: Sequence[Result], now: float) -> None:
    """Write what became of attempts; permits of those that were never made return.

    Writing a result again changes nothing.
    """
    made = [result for result in results if result.state is not DeliveryState.PLANNED]
    if made:
        connection.execute(_write_result, [_values(lease, result, now) for result in made])
    for result in results:
        if result.state is not DeliveryState.PLANNED:
            continue
        written = connection.execute(_write_result, _values(lease, result, now))
        if written.rowcount == 1 and result.task.permit is not None:
            windows.give_back(connection, result.task.permit)


def _values(lease: Lease, result: Result, now: float) -> dict[str, Any]:
    return {
        "b_id": result.task.id,
        "b_runner": lease.token,
        "b_attempt": result.task.attempt,
        "b_sent": int(result.state is DeliveryState.ACCEPTED),
        "b_state": result.state,
        "b_message_id": kept(result.message_id, 200),
        "b_code": kept(result.code, 80),
        "b_reason": kept(result.reason, 500),
        "b_not_before": None if result.not_before is None else now + result.not_before,
        "b_postponed": int(result.state is DeliveryState.POSTPONED),
        "b_now": now,
    }


def kept(text: str | None, limit: int) -> str | None:
    """Return what a column can hold: one odd character of a gateway's must not cost a whole commit."""
    if not text:
        return None
    return text.replace("\x00", "")[:limit].encode("utf-8", "replace").decode()


def take_tasks(
    connection: Connection, lease: Lease, pace: Pace, places: int, clock: Callable[[], float]
) -> Turn:
    """Commit the intent to send to the next recipients, as far as the pace allows.

    :param places: sends that can begin at once.
    """
    if places <= 0:
        return Turn(open=1)
    now = clock()
    rows = _due(connection, lease.campaign, places, now)
    if not rows:
        return _starved(connection, lease, now)
    if pace.windows:
        windows.lock_channel(connection, lease.channel)
        # The wait for the lock may have been long, and permits are dated by when they are taken.
        now = clock()
        room = windows.room(connection, lease.channel, pace, len(rows), now)
        if room.places == 0:
            return Turn(open=len(rows), wait=room.wait)
        rows = rows[: room.places]
    return Turn(tasks=_intend(connection, lease, rows, now), open=len(rows))


def _intend(connection: Connection, lease: Lease, rows: Sequence[Row[Any]], now: float) -> tuple[Task, ...]:
    """Move rows that are locked for this runner to ``sending``, with a permit each."""
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


def _due(connection: Connection, campaign: int, places: int, now: float) -> list[Row[Any]]:
    """Return the next rows, locked: first what was postponed until now, then the audience in its order.

    Two questions, for each of which the index has the order; together they would sort the whole audience.
    """
    mine = select(delivery).where(delivery.c.campaign == campaign)
    postponed = mine.where(delivery.c.state == DeliveryState.POSTPONED, delivery.c.not_before <= now)
    rows = _locked(connection, postponed, places)
    if len(rows) < places:
        planned = mine.where(delivery.c.state == DeliveryState.PLANNED)
        rows += _locked(connection, planned, places - len(rows))
    return rows


def _locked(connection: Connection, query: Select[Any], limit: int) -> list[Row[Any]]:
    ordered = query.order_by(delivery.c.seq).limit(limit)
    return list(connection.execute(ordered.with_for_update(skip_locked=True)))


def _starved(connection: Connection, lease: Lease, now: float) -> Turn:
    """Nothing is due: say how many are open, and when one of them may be."""
    mine = delivery.c.campaign == lease.campaign
    open_count = connection.execute(select(func.count()).where(mine, delivery.c.state.in_(OPEN))).scalar_one()
    if not open_count:
        return Turn()
    next_due = connection.execute(
        select(func.min(delivery.c.not_before)).where(mine, delivery.c.state == DeliveryState.POSTPONED)
    ).scalar_one()
    moments = [moment for moment in (next_due, _other_lease_end(connection, lease)) if moment is not None]
    return Turn(open=int(open_count), wait=max(0.0, min(moments) - now) if moments else None)


def _other_lease_end(connection: Connection, lease: Lease) -> float | None:
    """When the first of the other runners must have renewed its lease, or its rows are taken over."""
    ends = select(func.min(runner.c.lease_until)).where(
        runner.c.campaign == lease.campaign, runner.c.ended == 0, runner.c.id != lease.token
    )
    end: float | None = connection.execute(ends).scalar_one()
    return end


def paused(connection: Connection, campaign: int) -> str | None:
    """Return why the campaign is paused, if it is."""
    row = connection.execute(
        select(campaigns.c.state, campaigns.c.reason).where(campaigns.c.id == campaign)
    ).one()
    return (row.reason or "no reason was noted") if row.state == CampaignState.PAUSED else None
