"""How a lease ends, and what becomes of the rows that were under way when it did."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from whatsapp_provider.campaigns.ledger import windows
from whatsapp_provider.campaigns.ledger.records import Lease
from whatsapp_provider.campaigns.ledger.schema import delivery, runner
from whatsapp_provider.campaigns.ledger.states import DeliveryState

#: A send in doubt is planned again at most so often, when the campaign's owner asked for it.
MAX_RESENDS = 10


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
        .values(state=DeliveryState.IN_DOUBT, code="killed", reason=reason, updated_at=now)
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
            update(delivery)
            .where(delivery.c.id == row.id)
            .values(state=DeliveryState.PLANNED, updated_at=now)
        )
        if row.permit is not None:
            windows.give_back(connection, row.permit)


def end(connection: Connection, lease: Lease) -> None:
    """End the lease."""
    connection.execute(update(runner).where(runner.c.id == lease.token).values(ended=1))


def doubt_the_rest(connection: Connection, lease: Lease, now: float) -> None:
    """Put in doubt what is still under way at a runner's end."""
    _doubt(connection, lease.campaign, lease.token, "the run was stopped while it was sent", now)


def plan_again(connection: Connection, campaign: int, states: Collection[DeliveryState], now: float) -> None:
    """Plan deliveries in these states again, because the campaign's owner asked for it."""
    connection.execute(
        update(delivery)
        .where(
            delivery.c.campaign == campaign,
            delivery.c.state.in_(states),
            # Who asks for a resend at each doubt must not flood a person whose gateway never answers.
            or_(delivery.c.state != DeliveryState.IN_DOUBT, delivery.c.attempt < MAX_RESENDS),
        )
        .values(state=DeliveryState.PLANNED, postponed=0, updated_at=now)
    )


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
