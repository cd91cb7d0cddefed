"""Write down which messages the gateway took: most results are of this kind, so they share one statement.

A statement for each would cost the driver a hand-over between threads, or a round trip, for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, String, Update, bindparam, case, func, or_, update

from whatsapp_provider.campaigns.ledger import erased
from whatsapp_provider.campaigns.ledger.columns import kept
from whatsapp_provider.campaigns.ledger.records import Lease, Result
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.states import DeliveryState

AT_ONCE = 64  #: rows in one statement
#: Statements are made for so many rows, and filled up with rows that are not there: each size has to be put together
#: by SQLAlchemy once, which takes milliseconds.
_SIZES = (1, 4, 8, 16, 32, AT_ONCE)
NOBODY = 0  #: no row has this number

#: A result that comes late tells the truth about its own attempt all the same: that it was sent even where it was
#: planned again meanwhile.
_UNSETTLED = (DeliveryState.SENDING, DeliveryState.IN_DOUBT, DeliveryState.PLANNED)


def write(connection: Connection, lease: Lease, results: Sequence[Result], now: float) -> None:
    """Write that these attempts were accepted; writing it again changes nothing."""
    # Nearly all are of a first attempt.
    by_attempt: dict[int, list[Result]] = {}
    for result in results:
        by_attempt.setdefault(result.task.attempt, []).append(result)
    for attempt, alike in by_attempt.items():
        for start in range(0, len(alike), AT_ONCE):
            some = alike[start : start + AT_ONCE]
            values: dict[str, Any] = {"b_runner": lease.token, "b_attempt": attempt, "b_now": now}
            size = size_for(len(some))
            for place in range(size):
                one = some[place] if place < len(some) else None
                values[f"b_id{place}"] = NOBODY if one is None else one.task.id
                values[f"b_message{place}"] = None if one is None else kept(one.message_id, 200)
            connection.execute(_statement(size), values)


def size_for(rows: int) -> int:
    """Return for how many rows the statement is that takes so many."""
    return next(size for size in _SIZES if size >= rows)


@cache
def _statement(rows: int) -> Update:
    """Return the statement for so many rows of one attempt; each has a message of its own."""
    ids = [bindparam(f"b_id{place}", type_=BigInteger) for place in range(rows)]
    message = case(
        *(
            (delivery.c.id == ids[place], bindparam(f"b_message{place}", type_=String))
            for place in range(rows)
        )
    )
    return (
        update(delivery)
        .where(
            delivery.c.id.in_(ids),
            delivery.c.runner == bindparam("b_runner"),
            delivery.c.attempt == bindparam("b_attempt"),
            or_(*(delivery.c.state == state for state in _UNSETTLED)),
        )
        .values(
            state=DeliveryState.ACCEPTED,
            # Its id may have come before, with news of the message.
            message_id=erased.unless_erased(func.coalesce(message, delivery.c.message_id)),
            code=None,
            reason=None,
            not_before=None,
            updated_at=bindparam("b_now"),
        )
    )
