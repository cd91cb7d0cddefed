"""Who of those that are due must not be written to after all: looked at in the very transaction that would send."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, or_, update

from whatsapp_provider.campaigns.ledger import erased, keys, suppression
from whatsapp_provider.campaigns.ledger.columns import kept
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.campaigns.rules import Rules

#: Codes of a delivery in the state ``suppressed``.
SUPPRESSED, CAPPED, ASLEEP = "suppressed", "frequency_cap", "asleep"
ASLEEP_REASON = "quiet hours leave no hour at which this campaign sends"

_suppress = (
    update(delivery)
    .where(
        delivery.c.id == bindparam("b_id"),
        or_(delivery.c.state == DeliveryState.PLANNED, delivery.c.state == DeliveryState.POSTPONED),
    )
    .values(
        state=DeliveryState.SUPPRESSED,
        code=bindparam("b_code"),
        reason=bindparam("b_reason"),
        updated_at=bindparam("b_now"),
    )
)


def give_up(connection: Connection, rows: Sequence[Row[Any]], now: float) -> None:
    """Suppress those who could be sent to at no hour: their campaign would wait for them for ever.

    :param rows: locked for this run.
    """
    for row in rows:
        values = {"b_id": row.id, "b_code": ASLEEP, "b_reason": ASLEEP_REASON, "b_now": now}
        connection.execute(_suppress, values)


def without_refused(
    connection: Connection, rows: Sequence[Row[Any]], rules: Rules, now: float
) -> list[Row[Any]]:
    """Return the rows that may be sent to; the others are suppressed from now on.

    :param rows: locked for this run.
    """
    rows = erased.without_erased(connection, rows, now)
    recipients = [row.recipient for row in rows]
    listed = {} if rules.ignore_lists else suppression.suppressed(connection, recipients, rules.lists, now)
    refused = {recipient: (SUPPRESSED, reason) for recipient, reason in listed.items()}
    if rules.cap is not None:
        # Of campaigns that are about to write to one person at one moment, each must see what the one before did.
        keys.lock(connection)
        capped = suppression.capped(connection, recipients, rules.cap, now, now_sent=True)
        refused = {**{recipient: (CAPPED, reason) for recipient, reason in capped.items()}, **refused}
    if not refused:
        return list(rows)
    for row in rows:
        if row.recipient in refused:
            code, reason = refused[row.recipient]
            values = {"b_id": row.id, "b_code": code, "b_reason": kept(reason, 500), "b_now": now}
            connection.execute(_suppress, values)
    return [row for row in rows if row.recipient not in refused]
