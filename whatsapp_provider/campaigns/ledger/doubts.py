"""Deliveries in doubt: which of them to look up when, and how they are settled.

Every move is a compare-and-set on the attempt that is in doubt, so that two runs, a status report and a
person may all settle the same one, and the first counts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Row, and_, case, exists, func, insert, or_, select, update

from whatsapp_provider.campaigns.campaign import ledger_id
from whatsapp_provider.campaigns.ledger import lanes, windows
from whatsapp_provider.campaigns.ledger.columns import kept
from whatsapp_provider.campaigns.ledger.endings import RESENDS, may_be_resent
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Doubt, Settled
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.schema import delivery, runner, settlement
from whatsapp_provider.campaigns.ledger.states import DeliveryState, Proof
from whatsapp_provider.errors import ConfigurationError

LOOKS = 2  #: at which a message must be absent before it counts as not sent
AT_ONCE = 100  #: doubts looked up in one go
#: How often this attempt was absent: looks from before it was in doubt were at another.
_looks = case((delivery.c.looked_at >= delivery.c.updated_at, func.coalesce(delivery.c.looks, 0)), else_=0)


@dataclass(frozen=True, slots=True)
class Delays:
    """When a doubt may be looked up, in seconds.

    :param settle: what a gateway may take to show a message, and the time between two looks.
    :param send: the longest that a request may be on its way.
    """

    settle: float
    send: float


def doubtful(
    connection: Connection, record: CampaignRecord, delays: Delays, given_up: Collection[int], now: float
) -> list[Doubt]:
    """Return the deliveries in doubt that a look-up may settle, in the order of the audience.

    :param given_up: deliveries that are not asked for again.
    """
    query = (
        select(delivery, campaigns.c.created_at)
        .join(campaigns, campaigns.c.id == delivery.c.campaign)
        .where(
            lanes.of_record(connection, record),
            delivery.c.state == DeliveryState.IN_DOUBT,
            may_be_resent,
            delivery.c.id.not_in(list(given_up)),
        )
        .order_by(delivery.c.seq)
        .limit(AT_ONCE)
    )
    return [_doubt(row, delays, now) for row in connection.execute(query)]


def _doubt(row: Row, delays: Delays, now: float) -> Doubt:  # type: ignore[type-arg]  # a row of any shape
    # The version before writes this time only, and leaves the looks of an earlier attempt where they are.
    began = max(row.doubted_at or 0.0, row.updated_at)
    ripe_at = began + delays.send + delays.settle
    first = row.looked_at is None or row.looked_at < began
    due_at = began + delays.settle if first else max(row.looked_at + delays.settle, ripe_at)
    return Doubt(
        id=row.id,
        attempt=row.attempt,
        address=row.address,
        body_hash=row.body_hash,
        since=row.intended_at if row.intended_at is not None else row.created_at,
        ripe=now >= ripe_at,
        due=max(0.0, due_at - now),
        looks=0 if first else row.looks or 0,
    )


def unclaimed(connection: Connection, message_ids: Sequence[str]) -> set[str]:
    """Return which of these messages no delivery has for its own."""
    known = connection.execute(
        select(delivery.c.message_id).where(delivery.c.message_id.in_(list(message_ids)))
    ).scalars()
    return set(message_ids) - set(known)


def was_sent(
    connection: Connection,
    doubt: Doubt,
    message_id: str,
    settled: Settled,
    now: float,
    *,
    failed: bool = False,
) -> bool:
    """Settle a doubt: this message is its message, and no other delivery's.

    :param failed: whether the gateway says that the message did not get to its recipient.
    """
    state = DeliveryState.FAILED if failed else DeliveryState.ACCEPTED
    return settle(connection, doubt.id, doubt.attempt, state, settled, now, message_id)


def is_anothers(connection: Connection, number: int, message_id: str, now: float) -> bool:
    """Whether a message is another delivery's, or may be: then it proves nothing of this one.

    Until the end of the transaction nobody else can claim it on this channel.
    """
    mine = connection.execute(
        lanes.with_channel(
            select(delivery.c.recipient, delivery.c.body_hash, lanes.through.label("channel"))
        ).where(delivery.c.id == number)
    ).one()
    # Last in the order of locks. Without it, two who look at one moment would both find the message free.
    windows.lock_channel(connection, mine.channel)
    taken = exists().where(delivery.c.message_id == message_id, delivery.c.id != number)
    # Its run is about to hear the id of the message that went to the same person with the same text.
    under_way = (
        lanes.with_channel(select(delivery.c.id))
        .join(runner, runner.c.id == delivery.c.runner)
        .where(delivery.c.recipient == mine.recipient, delivery.c.body_hash == mine.body_hash)
        .where(delivery.c.state == DeliveryState.SENDING, delivery.c.id != number)
        .where(lanes.through == mine.channel, runner.c.ended == 0, runner.c.lease_until > now)
        .exists()
    )
    return bool(connection.execute(select(or_(taken, under_way))).scalar_one())


def was_absent(connection: Connection, doubt: Doubt, settled: Settled, now: float) -> bool:
    """Note that a message was not there when its absence counts; the second time it was not sent.

    Returns whether that settled it: it is planned again.
    """
    noted = connection.execute(
        update(delivery)
        .where(_in_doubt(doubt.id, doubt.attempt), _looks == doubt.looks)
        .values(looks=doubt.looks + 1, looked_at=now)
    )
    if noted.rowcount != 1 or doubt.looks + 1 < LOOKS:
        return False
    return settle(connection, doubt.id, doubt.attempt, DeliveryState.PLANNED, settled, now)


def looked(connection: Connection, doubt: Doubt, now: float) -> None:
    """Note a look that found nothing and proves nothing."""
    connection.execute(
        update(delivery).where(_in_doubt(doubt.id, doubt.attempt)).values(looks=_looks, looked_at=now)
    )


def settle(
    connection: Connection,
    number: int,
    attempt: int,
    state: DeliveryState,
    settled: Settled,
    now: float,
    message_id: str | None = None,
) -> bool:
    """Move a delivery out of doubt and note by whom.

    A message proves it even when it was planned again for want of it, as long as nobody sends it again.
    ``False`` if that attempt is not in doubt any more, or the message may be another's.
    """
    with connection.begin_nested() as savepoint:
        moved = connection.execute(
            update(delivery)
            .where(_in_doubt(number, attempt) if message_id is None else _disproved(number, attempt))
            .values(
                state=state,
                message_id=message_id,
                postponed=0,
                resends=RESENDS + int(state is DeliveryState.PLANNED),
                code=None,
                reason=kept(f"settled by {settled.proof}: {state}", 500),
                updated_at=now,
            )
        )
        if moved.rowcount != 1:
            return False
        if message_id is not None and is_anothers(connection, number, message_id, now):
            savepoint.rollback()
            return False
        note(connection, number, attempt, state, settled, now)
    return True


def note(
    connection: Connection, number: int, attempt: int, state: DeliveryState, settled: Settled, now: float
) -> None:
    """Write down what a doubt became, and by whom."""
    connection.execute(
        insert(settlement).values(
            delivery=number,
            attempt=attempt,
            state=state,
            proof=settled.proof,
            settled_by=kept(settled.settled_by, 250) or "unknown",
            note=kept(settled.note, 500),
            settled_at=now,
        )
    )


def attempts(
    connection: Connection,
    campaign_id: str,
    deliveries: Collection[int] | None,
    done: Collection[int] = (),
) -> dict[int, int]:
    """Return a campaign's deliveries in doubt with the attempt that each is in doubt of.

    :param deliveries: those of which each must be there; all where it is ``None``.
    :param done: those of them that need not be in doubt any more.
    :raises ConfigurationError: if the campaign or one of them isn't there, or isn't in doubt.
    """
    number = connection.execute(
        select(campaigns.c.id).where(campaigns.c.campaign_id == ledger_id(campaign_id))
    ).scalar_one_or_none()
    if number is None:
        raise ConfigurationError(f"The ledger has no campaign {campaign_id!r}.")
    query = select(delivery.c.id, delivery.c.attempt).where(
        delivery.c.campaign == number, delivery.c.state == DeliveryState.IN_DOUBT
    )
    found = {row.id: row.attempt for row in connection.execute(query.order_by(delivery.c.seq))}
    if deliveries is None:
        return found
    if missing := sorted(set(deliveries) - found.keys() - set(done)):
        raise ConfigurationError(
            f"Campaign {campaign_id!r} has no delivery {', '.join(map(str, missing))} in doubt; nothing was changed. "
            "The report lists those there are."
        )
    return {number: found[number] for number in found if number in set(deliveries)}


def settled_so(
    connection: Connection,
    campaign_id: str,
    deliveries: Collection[int],
    state: DeliveryState,
    settled: Settled,
) -> list[int]:
    """Return which of a campaign's deliveries are out of doubt by this very word, because it is said again."""
    of_delivery = settlement.c.delivery == delivery.c.id
    latest = select(func.max(settlement.c.id)).where(of_delivery).correlate(delivery).scalar_subquery()
    query = (
        select(delivery.c.id)
        .join(campaigns, campaigns.c.id == delivery.c.campaign)
        .join(settlement, and_(of_delivery, settlement.c.id == latest))
        .where(
            campaigns.c.campaign_id == ledger_id(campaign_id),
            delivery.c.id.in_(list(deliveries)),
            delivery.c.state != DeliveryState.IN_DOUBT,
            settlement.c.state == state,
            settlement.c.proof == settled.proof,
            settlement.c.settled_by == kept(settled.settled_by, 250),
        )
        .order_by(delivery.c.seq)
    )
    return list(connection.execute(query).scalars())


def settlements(connection: Connection, campaign: int) -> dict[tuple[Proof, DeliveryState], int]:
    """Return how many doubts of a campaign were settled, by proof and outcome."""
    query = (
        select(settlement.c.proof, settlement.c.state, func.count())
        .join(delivery, delivery.c.id == settlement.c.delivery)
        .where(delivery.c.campaign == campaign)
        .group_by(settlement.c.proof, settlement.c.state)
    )
    return {(Proof(proof), DeliveryState(state)): count for proof, state, count in connection.execute(query)}


#: Planned again because somebody or a history had it that it was not sent; nobody has begun to since.
taken_for_unsent = and_(
    delivery.c.state == DeliveryState.PLANNED,
    exists().where(
        settlement.c.delivery == delivery.c.id,
        settlement.c.attempt == delivery.c.attempt,
        settlement.c.state == DeliveryState.PLANNED,
    ),
)


def _disproved(number: int, attempt: int) -> ColumnElement[bool]:
    """Return what holds for a row that a message itself settles: it is stronger than its absence was before."""
    this = and_(delivery.c.id == number, delivery.c.attempt == attempt)
    return and_(this, or_(delivery.c.state == DeliveryState.IN_DOUBT, taken_for_unsent))


def _in_doubt(number: int, attempt: int) -> ColumnElement[bool]:
    return and_(
        delivery.c.id == number,
        delivery.c.attempt == attempt,
        delivery.c.state == DeliveryState.IN_DOUBT,
    )
