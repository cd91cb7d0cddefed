"""A runner's turn at the ledger: results in, intents out, in one commit.

Every move is a compare-and-set, and a runner whose lease has ended gets nothing more to send. Locks are
taken in one order everywhere: campaign, runner, deliveries, permits, channel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    Update,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)

from whatsapp_provider.campaigns.ledger import acceptance, erased, windows
from whatsapp_provider.campaigns.ledger.columns import kept
from whatsapp_provider.campaigns.ledger.database import insert_one
from whatsapp_provider.campaigns.ledger.records import Lease, Result, Task, Turn
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.schema import delivery, runner
from whatsapp_provider.campaigns.ledger.states import OPEN, CampaignState, DeliveryState
from whatsapp_provider.campaigns.pacing import Pace
from whatsapp_provider.errors import LeaseLostError

# Made once: to put a statement together takes SQLAlchemy longer than to carry it out, and a turn is made of ten. For
# the same reason no IN of a list that SQLAlchemy would have to write out each time.
_renew = (
    update(runner)
    .where(
        runner.c.id == bindparam("b_token"), runner.c.ended == 0, runner.c.lease_until > bindparam("b_now")
    )
    .values(lease_until=bindparam("b_until"))
)
_state = select(campaigns.c.state, campaigns.c.reason).where(campaigns.c.id == bindparam("b_campaign"))


def begin(
    connection: Connection, campaign: int, channel: str, label: str, seconds: float, now: float
) -> Lease:
    """Enter a runner; its number is its fencing token."""
    values = {"campaign": campaign, "label": kept(label, 250) or "", "lease_until": now + seconds, "ended": 0}
    return Lease(insert_one(connection, runner, values), campaign, channel, seconds)


def renew(connection: Connection, lease: Lease, now: float) -> bool:
    """Prolong the lease; ``False`` if it has ended and another runner may have taken its rows."""
    values = {"b_token": lease.token, "b_now": now, "b_until": now + lease.seconds}
    return connection.execute(_renew, values).rowcount == 1


def lease_lost() -> LeaseLostError:
    """Return the error of a runner that came too late."""
    return LeaseLostError(
        "This run's lease has ended (it was suspended, or the ledger was out of reach for too long); another "
        "run goes on with the campaign."
    )


#: The row of one attempt that is not settled yet. A result that comes after the lease ended still tells the truth
#: about its own attempt. No IN: SQLAlchemy can't carry one out for many rows at once.
_of_attempt = update(delivery).where(
    delivery.c.id == bindparam("b_id"),
    delivery.c.runner == bindparam("b_runner"),
    delivery.c.attempt == bindparam("b_attempt"),
    or_(delivery.c.state == DeliveryState.SENDING, delivery.c.state == DeliveryState.IN_DOUBT),
)


#: A message id that is there before the answer came with news of the message itself, whatever the answer says.
_proven = delivery.c.message_id.is_not(None)
DOUBTED = case(
    (_proven, DeliveryState.ACCEPTED),
    # Nobody can look for the message of somebody who is not known any more.
    (erased.is_erased, DeliveryState.SUPPRESSED),
    else_=DeliveryState.IN_DOUBT,
)

_write_result = _of_attempt.values(
    state=case((_proven, DeliveryState.ACCEPTED), else_=bindparam("b_state")),
    code=bindparam("b_code"),
    reason=erased.unless_erased(bindparam("b_reason", type_=String)),
    not_before=bindparam("b_not_before"),
    postponed=delivery.c.postponed + bindparam("b_postponed"),
    updated_at=bindparam("b_now"),
)

_write_doubt = _of_attempt.values(
    state=DOUBTED,
    code=bindparam("b_code"),
    reason=erased.unless_erased(bindparam("b_reason", type_=String)),
    updated_at=bindparam("b_now"),
    doubted_at=bindparam("b_now"),
    looks=0,
    looked_at=None,
)


def write_results(connection: Connection, lease: Lease, results: Sequence[Result], now: float) -> None:
    """Write what became of attempts; permits of those that were never made return.

    Writing a result again changes nothing.
    """
    by_state: dict[DeliveryState, list[Result]] = {}
    for result in results:
        by_state.setdefault(result.state, []).append(result)
    acceptance.write(connection, lease, by_state.pop(DeliveryState.ACCEPTED, []), now)
    unmade = [by_state.pop(state, []) for state in (DeliveryState.PLANNED, DeliveryState.POSTPONED)]
    for state, alike in by_state.items():
        statement = _write_doubt if state is DeliveryState.IN_DOUBT else _write_result
        connection.execute(statement, [_values(lease, result, now) for result in alike])
    for result in chain(*unmade):
        written = _write_unmade(connection, lease, _values(lease, result, now))
        if written and result.state is DeliveryState.PLANNED and result.task.permit is not None:
            windows.give_back(connection, result.task.permit)


#: What a late result says of a message that would be lost if it were planned again.
UNSENT = "not_sent"
UNSENT_REASON = (
    "certainly not sent: its run woke up when the campaign was finished without it; settle it as not_sent and run "
    "the task again"
)
_write_under_way = _write_result.where(delivery.c.state == DeliveryState.SENDING)
_write_unsent = _of_attempt.where(
    delivery.c.state == DeliveryState.IN_DOUBT, func.coalesce(delivery.c.code, "") != UNSENT
).values(code=UNSENT, reason=UNSENT_REASON, updated_at=bindparam("b_now"))
locked_state = _state.with_for_update()


def _write_unmade(connection: Connection, lease: Lease, values: dict[str, Any]) -> bool:
    """Write that nothing was sent; ``False`` if the attempt is settled already."""
    if connection.execute(_write_under_way, values).rowcount == 1:
        return True
    # Too late: another run has it in doubt, and may be about to finish the campaign, which waits for this lock.
    state = connection.execute(locked_state, {"b_campaign": lease.campaign}).one().state
    # Planned in a finished campaign it would wait for a run that nobody has a reason to begin.
    late = _write_unsent if state == CampaignState.FINISHED else _write_result
    return connection.execute(late, values).rowcount == 1


def _values(lease: Lease, result: Result, now: float) -> dict[str, Any]:
    return {
        "b_id": result.task.id,
        "b_runner": lease.token,
        "b_attempt": result.task.attempt,
        "b_state": result.state,
        "b_code": kept(result.code, 80),
        "b_reason": kept(result.reason, 500),
        "b_not_before": None if result.not_before is None else now + result.not_before,
        "b_postponed": int(result.state is DeliveryState.POSTPONED),
        "b_now": now,
    }


def take_tasks(
    connection: Connection, lease: Lease, pace: Pace, places: int, now: float, clock: Callable[[], float]
) -> Turn:
    """Commit the intent to send to the next recipients, as far as the pace allows.

    :param places: sends that can begin at once.
    """
    if places <= 0:
        return Turn(open=1)
    rows = _due(connection, lease.campaign, places, now)
    while rows and not (rows := erased.without_erased(connection, rows, now)):
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


def _intend(connection: Connection, lease: Lease, rows: Sequence[Row[Any]], now: float) -> tuple[Task, ...]:
    """Move rows that are locked for this runner to ``sending``, with a permit each."""
    group = windows.take(connection, lease.channel, len(rows), now)
    taken = 0
    for start in range(0, len(rows), acceptance.AT_ONCE):
        some = rows[start : start + acceptance.AT_ONCE]
        size = acceptance.size_for(len(some))
        values = {"b_runner": lease.token, "b_permit": group, "b_now": now}
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


def _next_rows(*conditions: ColumnElement[bool]) -> Select[Any]:
    """Return the question for the next rows, in the audience's order, that locks them."""
    columns = (delivery.c[name] for name in ("id", "attempt", "postponed", *_OF_A_TASK))
    of_campaign = select(*columns).where(delivery.c.campaign == bindparam("b_campaign"), *conditions)
    return of_campaign.order_by(delivery.c.seq).limit(bindparam("b_places")).with_for_update(skip_locked=True)


_OF_A_TASK = ("recipient", "address", "variables", "body_hash")
_due_again = _next_rows(
    delivery.c.state == DeliveryState.POSTPONED, delivery.c.not_before <= bindparam("b_now")
)
_due_first = _next_rows(delivery.c.state == DeliveryState.PLANNED)


def _due(connection: Connection, campaign: int, places: int, now: float) -> list[Row[Any]]:
    """Return the next rows, locked: first what was postponed until now, then the audience in its order.

    Two questions, for each of which the index has the order; together they would sort the whole audience.
    """
    values = {"b_campaign": campaign, "b_places": places}
    rows = list(connection.execute(_due_again, {**values, "b_now": now}))
    if len(rows) < places:
        rows += connection.execute(_due_first, {**values, "b_places": places - len(rows)})
    return rows


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
    row = connection.execute(_state, {"b_campaign": campaign}).one()
    return (row.reason or "no reason was noted") if row.state == CampaignState.PAUSED else None
