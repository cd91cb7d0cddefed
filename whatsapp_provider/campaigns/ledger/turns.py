"""A runner's turn at the ledger: results in here, intents out in ``claims.py``, in one commit.

Every move is a compare-and-set, and a runner whose lease has ended gets nothing more to send. Locks are
taken in one order everywhere: campaign, runner, deliveries, permits, channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection, String, bindparam, case, func, or_, update

from whatsapp_provider.campaigns.ledger import acceptance, batches, erased, standing, verdicts, windows
from whatsapp_provider.campaigns.ledger.columns import kept
from whatsapp_provider.campaigns.ledger.database import insert_one
from whatsapp_provider.campaigns.ledger.records import Lease, Result, told_to_wait
from whatsapp_provider.campaigns.ledger.schema import delivery, runner
from whatsapp_provider.campaigns.ledger.states import CampaignState, DeliveryState
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
    verdicts.heed(connection, lease.channel, results, now)
    for wait, reason in told_to_wait(results):
        windows.slow_down(connection, lease.channel, wait, reason, now)


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


def _write_unmade(connection: Connection, lease: Lease, values: dict[str, Any]) -> bool:
    """Write that nothing was sent; ``False`` if the attempt is settled already."""
    if connection.execute(_write_under_way, values).rowcount == 1:
        return True
    # Too late: another run has it in doubt, and may be about to finish the campaign, which waits for this lock.
    state = connection.execute(standing.locked, {"b_campaign": lease.campaign}).one().state
    if (end := batches.ENDS.get(CampaignState(state))) is not None:
        # Nobody runs what is over: it is given up like the rest.
        values = {**values, "b_state": end, "b_not_before": None}
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
