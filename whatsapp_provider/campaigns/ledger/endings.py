"""How a lease ends, and what becomes of the rows that were under way when it did."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, func, select, update

from whatsapp_provider.campaigns.ledger import lanes, standing, turns, windows
from whatsapp_provider.campaigns.ledger.batches import any_open
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Lease
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.schema import delivery, runner
from whatsapp_provider.campaigns.ledger.states import SENT, CampaignState, DeliveryState

#: An attempt that was not made; news of a message are then of the attempt before.
_UNSENT = case((delivery.c.message_id.is_not(None), DeliveryState.ACCEPTED), else_=DeliveryState.PLANNED)
#: A send in doubt is planned again at most so often: neither who asks for a resend at each doubt, nor a gateway whose
#: memory fails each time, may flood a person.
MAX_RESENDS = 9
#: The version before counts none.
RESENDS = func.coalesce(delivery.c.resends, 0)
may_be_resent = RESENDS < MAX_RESENDS
#: No run changes these.
_NOT_BEGUN = [CampaignState.PLANNING, CampaignState.CANCELLED, CampaignState.EXPIRED]


def finish(connection: Connection, number: int, now: float) -> bool:
    """Set a campaign finished; ``False`` if a result came late and something is to be sent after all, or it is over."""
    # The lock first: who writes such a result has it too.
    if CampaignState(connection.execute(standing.locked, {"b_campaign": number}).one().state).is_over:
        return False
    if any_open(connection, number):
        return False
    ended = update(campaigns).where(campaigns.c.id == number)
    connection.execute(ended.values(state=CampaignState.FINISHED, reason=None, updated_at=now))
    return True


def leave_pause(connection: Connection, number: int, now: float) -> bool | None:
    """Set a campaign running; return whether nothing is known to be accepted since it paused.

    ``None`` for one that no run sets running: it is over, or being planned.

    Until then the reason of the pause and its time stay, so that a wait, a kill or a run beside this one does not
    make the next run send to many at once.
    """
    this = campaigns.c.id == number
    columns = campaigns.c.state, campaigns.c.reason, campaigns.c.updated_at
    # Locked, so that runs that begin at one moment come one after another. What is over stays over.
    found = connection.execute(select(*columns).where(this).with_for_update()).one()
    if found.state in _NOT_BEGUN:
        return None
    if found.state == CampaignState.READY:
        # It begins with the first turn that nobody's pause and no approval keeps back: until then its plan may go.
        return False
    running = update(campaigns).where(this).values(state=CampaignState.RUNNING)
    if found.reason is not None and not _accepted_since(connection, number, found.updated_at):
        connection.execute(running)
        return True
    if found.reason is not None or found.state != CampaignState.RUNNING:
        connection.execute(running.values(reason=None, updated_at=now))
    return False


def _accepted_since(connection: Connection, number: int, moment: float) -> bool:
    # By when it was begun: what was under way at the pause says nothing of the time after it.
    taken = exists().where(
        delivery.c.campaign == number, delivery.c.state.in_(SENT), delivery.c.intended_at > moment
    )
    return bool(connection.execute(select(taken)).scalar_one())


def take_over(connection: Connection, campaign: int, now: float) -> int:
    """Put the rows of runners whose lease has ended in doubt; return how many.

    A living runner renews its lease long before it ends, and writes nothing to the wire without it.
    """
    dead = select(runner.c.id).where(
        runner.c.campaign == campaign, runner.c.ended == 0, runner.c.lease_until <= now
    )
    # A row that is locked is being renewed or taken over at this moment.
    tokens = connection.execute(dead.with_for_update(skip_locked=True)).scalars().all()
    return sum(_end_and_doubt(connection, campaign, token, now) for token in tokens)


def _end_and_doubt(connection: Connection, campaign: int, token: int, now: float) -> int:
    ended = connection.execute(
        update(runner)
        .where(runner.c.id == token, runner.c.ended == 0, runner.c.lease_until <= now)
        .values(ended=1)
    )
    if ended.rowcount != 1:
        return 0
    return _doubt(connection, campaign, token, "the run that sent it was killed", now)


def _doubt(connection: Connection, campaign: int, token: int, reason: str, now: float) -> int:
    doubtful = connection.execute(
        update(delivery)
        .where(_under_way(campaign, token))
        .values(
            state=turns.DOUBTED,
            code="killed",
            reason=reason,
            updated_at=now,
            doubted_at=now,
            looks=0,
            looked_at=None,
        )
    )
    return int(doubtful.rowcount)


def _under_way(campaign: int, token: int) -> ColumnElement[bool]:
    return and_(
        delivery.c.campaign == campaign,
        delivery.c.state == DeliveryState.SENDING,
        delivery.c.runner == token,
    )


def reclaim(connection: Connection, lease: Lease, held: Collection[int], now: float) -> None:
    """Plan again what a commit gave to this runner without its hearing of it: nobody can have sent it.

    :param held: what the runner does know of.
    """
    unheard = connection.execute(
        select(delivery.c.id, delivery.c.permit).where(
            _under_way(lease.campaign, lease.token), delivery.c.id.not_in(list(held))
        )
    ).all()
    for row in unheard:
        connection.execute(
            update(delivery).where(delivery.c.id == row.id).values(state=_UNSENT, updated_at=now)
        )
        if row.permit is not None:
            windows.give_back(connection, row.permit)


def end(connection: Connection, lease: Lease) -> None:
    """End the lease."""
    connection.execute(update(runner).where(runner.c.id == lease.token).values(ended=1))


def doubt_the_rest(connection: Connection, lease: Lease, now: float) -> None:
    """Put in doubt what is still under way at a runner's end."""
    _doubt(connection, lease.campaign, lease.token, "the run was stopped while it was sent", now)


def plan_again(
    connection: Connection, record: CampaignRecord, states: Collection[DeliveryState], now: float
) -> None:
    """Plan deliveries in these states again, because the campaign's owner asked for it."""
    if DeliveryState.IN_DOUBT in states:
        _resend(connection, record, now, before=now)
    others = [state for state in states if state is not DeliveryState.IN_DOUBT]
    of_record = update(delivery).where(lanes.of_record(connection, record))
    connection.execute(of_record.where(delivery.c.state.in_(others)).values(planned_again(now)))


def planned_again(now: float) -> dict[str, Any]:
    """Return the values of a delivery that is to be sent once more."""
    # The id of a message that failed would prove the next one, where the version before is to send it.
    return {"state": DeliveryState.PLANNED, "postponed": 0, "message_id": None, "updated_at": now}


def _resend(connection: Connection, record: CampaignRecord, now: float, *, before: float) -> None:
    connection.execute(
        update(delivery)
        .where(*_in_doubt(connection, record), may_be_resent, delivery.c.updated_at <= before)
        .values(planned_again(now) | {"resends": RESENDS + 1})
    )


def _in_doubt(connection: Connection, record: CampaignRecord) -> tuple[ColumnElement[bool], ...]:
    return lanes.of_record(connection, record), delivery.c.state == DeliveryState.IN_DOUBT


@dataclass(frozen=True, slots=True)
class LeftInDoubt:
    """What is in doubt still.

    :param wait: seconds until one of them may be sent again, ``None`` if none may.
    :param used_up: how many were sent again as often as anything is.
    """

    wait: float | None
    used_up: int


def resend(connection: Connection, record: CampaignRecord, settle: float, now: float) -> LeftInDoubt:
    """Plan again what has been in doubt for ``settle`` seconds."""
    _resend(connection, record, now, before=now - settle)
    oldest, used_up = connection.execute(
        select(
            func.min(case((may_be_resent, delivery.c.updated_at))), func.count(case((~may_be_resent, 1)))
        ).where(*_in_doubt(connection, record))
    ).one()
    return LeftInDoubt(None if oldest is None else max(0.0, oldest + settle - now), used_up)


def forget_postponements(connection: Connection, campaign: int) -> None:
    """Count anew how often open deliveries are put off: the tries of one run are no reason to end the next."""
    connection.execute(
        update(delivery)
        .where(
            delivery.c.campaign == campaign,
            delivery.c.state.in_([DeliveryState.PLANNED, DeliveryState.POSTPONED]),
            delivery.c.postponed > 0,
        )
        .values(postponed=0)
    )
