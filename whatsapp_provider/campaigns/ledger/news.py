"""News of messages, as gateways report it: how far one has come, and what somebody answered.

A report may come before the answer to its own send, after the task was killed, twice, or in any order. It
moves a delivery forward only, and where it shows the message itself it settles a doubt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Select, or_, select, update

from whatsapp_provider.campaigns.body import is_body
from whatsapp_provider.campaigns.ledger import doubts, erased, lanes
from whatsapp_provider.campaigns.ledger.records import Settled
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.states import DeliveryState, Proof
from whatsapp_provider.model import MessageStatus


@dataclass(frozen=True, slots=True)
class Seen:
    """A message of ours as somebody else saw it.

    :param recipient: whom it went to: the canonical key (``identity.Recipient.key``).
    :param kind: the kind of the message, e.g. ``text``.
    :param text: body or caption.
    :param sent_at: seconds since the epoch (UTC), where it was told.
    """

    recipient: str = field(repr=False)
    kind: str
    text: str | None = field(default=None, repr=False)
    sent_at: float | None = None


class Recorded(StrEnum):
    """What a report changed."""

    MOVED = "moved"  #: the delivery is further than before
    SETTLED = "settled"  #: a doubt was settled
    NOTED = "noted"  #: the message is proven; its own task is going to write the rest
    KNOWN = "known"  #: nothing: the ledger knew as much
    UNKNOWN = "unknown"  #: the ledger has no such message, or has not heard its id yet: tell it again later


#: How far a state is; a report never moves a delivery back.
_RANK = {
    DeliveryState.ACCEPTED: 0,
    DeliveryState.FAILED: 1,
    DeliveryState.DELIVERED: 2,
    DeliveryState.READ: 3,
}
_STATE = {
    MessageStatus.FAILED: DeliveryState.FAILED,
    MessageStatus.DELIVERED: DeliveryState.DELIVERED,
    MessageStatus.READ: DeliveryState.READ,
}
#: How much earlier than our intent a gateway's clock may date the message.
SKEW_SECONDS = 300.0


def record_status(
    connection: Connection,
    channel: str,
    message_id: str,
    status: MessageStatus,
    seen: Seen | None,
    now: float,
) -> Recorded:
    """Record how far a message has come.

    :param seen: the message itself, where the report shows it.
    """
    row = _of_message(connection, channel, message_id)
    if row is None:
        return _recognize(connection, channel, message_id, seen, Proof.STATUS, status, now)
    return _advance(connection, row, status, now)


def record_inbound(
    connection: Connection, channel: str, quoted_id: str | None, quoted: Seen | None, now: float
) -> Recorded:
    """Record that somebody answered, quoting a message of ours: who quotes it has read it.

    :param quoted_id: the id of the message that is quoted.
    :param quoted: that message, where the answer shows it; ``recipient`` is who answers.
    """
    row = None if quoted_id is None else _of_message(connection, channel, quoted_id)
    if row is not None:
        return _advance(connection, row, MessageStatus.READ, now)
    if quoted_id is None:
        return Recorded.UNKNOWN
    return _recognize(connection, channel, quoted_id, quoted, Proof.INBOUND, MessageStatus.READ, now)


def _on_channel(channel: str) -> Select[Any]:
    return lanes.with_channel(select(delivery, campaigns.c.created_at)).where(lanes.through == channel)


def _of_message(connection: Connection, channel: str, message_id: str) -> Row[Any] | None:
    return connection.execute(_on_channel(channel).where(delivery.c.message_id == message_id)).first()


def _advance(connection: Connection, row: Row[Any], status: MessageStatus, now: float) -> Recorded:
    target = _STATE.get(status)
    if row.state == DeliveryState.SENDING or target is None:
        return Recorded.KNOWN
    below = [state for state, rank in _RANK.items() if rank < _RANK[target]]
    moved = connection.execute(
        update(delivery)
        .where(delivery.c.id == row.id, delivery.c.attempt == row.attempt, delivery.c.state.in_(below))
        .values(state=target, updated_at=now)
    )
    return Recorded.MOVED if moved.rowcount == 1 else Recorded.KNOWN


def _recognize(
    connection: Connection,
    channel: str,
    message_id: str,
    seen: Seen | None,
    proof: Proof,
    status: MessageStatus,
    now: float,
) -> Recorded:
    """Find the delivery whose answer was lost, or is on its way, by the message itself."""
    row = None if seen is None else _whose(connection, channel, seen)
    if row is None:
        return Recorded.UNKNOWN
    if row.state == DeliveryState.SENDING:
        return _note(connection, row, message_id, now)
    settled = Settled(proof, "a report of the gateway")
    if not doubts.settle(connection, row.id, row.attempt, DeliveryState.ACCEPTED, settled, now, message_id):
        return Recorded.UNKNOWN
    if again := _of_message(connection, channel, message_id):
        _advance(connection, again, status, now)
    return Recorded.SETTLED


def _note(connection: Connection, row: Row[Any], message_id: str, now: float) -> Recorded:
    """Write the id of a message whose answer is on its way."""
    with connection.begin_nested() as savepoint:
        noted = connection.execute(
            update(delivery)
            .where(
                delivery.c.id == row.id,
                delivery.c.attempt == row.attempt,
                delivery.c.state == DeliveryState.SENDING,
                delivery.c.message_id.is_(None),
                # Since it was read.
                ~erased.is_erased,
            )
            .values(message_id=message_id)
        )
        if noted.rowcount == 1 and not doubts.is_anothers(connection, row.id, message_id, now):
            return Recorded.NOTED
        savepoint.rollback()
    return Recorded.UNKNOWN


def _whose(connection: Connection, channel: str, seen: Seen) -> Row[Any] | None:
    """Return the delivery in doubt or under way that this is the message of: the one intended last before it."""
    query = _on_channel(channel).where(
        delivery.c.recipient == seen.recipient,
        or_(
            delivery.c.state.in_([DeliveryState.SENDING, DeliveryState.IN_DOUBT]),
            doubts.taken_for_unsent,
        ),
        delivery.c.message_id.is_(None),
    )
    rows = [row for row in connection.execute(query) if is_body(row.body_hash, seen.kind, seen.text)]
    if seen.sent_at is not None:
        rows = [row for row in rows if _since(row) <= seen.sent_at + SKEW_SECONDS]
    if len(rows) > 1 and any(row.state == DeliveryState.SENDING for row in rows):
        # Its own answer is going to tell whether it is that one's; a guess would take it from another.
        return None
    return max(rows, key=_since, default=None)


def _since(row: Row[Any]) -> float:
    """Return when the attempt was intended; rows of the version before tell only when they were planned."""
    return float(row.created_at if row.intended_at is None else row.intended_at)
