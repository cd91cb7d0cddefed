"""What gateways said of numbers: whether they are on WhatsApp, and by which form. Their word wins over any number plan.

An answer is believed for a while only: people come to WhatsApp, and numbers change hands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from whatsapp_provider.campaigns.identity import Recipient, is_person, parse_recipient
from whatsapp_provider.campaigns.ledger import keys, spreading
from whatsapp_provider.campaigns.ledger.identities import AT_ONCE, LearnedFrom
from whatsapp_provider.campaigns.ledger.schema import number
from whatsapp_provider.errors import RecipientError
from whatsapp_provider.model import NumberCheck

DAY = 86_400.0
#: How long an answer is believed: who is there mostly stays, and who is not may come.
THERE_SECONDS, ABSENT_SECONDS = 30 * DAY, 7 * DAY


@dataclass(frozen=True, slots=True)
class Known:
    """A gateway's answer about a number.

    :param address: what to send to.
    :param checked_at: seconds since the epoch by the database's clock.
    """

    on_whatsapp: bool
    checked_at: float
    address: str | None = field(default=None, repr=False)


def known(connection: Connection, gateway: str, recipients: Sequence[str], now: float) -> dict[str, Known]:
    """Return what is still believed of these numbers, by their canonical form.

    :param gateway: its name in the registry.
    """
    asked = select(number).where(
        number.c.gateway == gateway,
        number.c.recipient.in_(bindparam("b_some", expanding=True)),
        number.c.until > now,
    )
    return {
        row.recipient: Known(bool(row.on_whatsapp), row.checked_at, row.address)
        for start in range(0, len(recipients), AT_ONCE)
        for row in connection.execute(asked, {"b_some": recipients[start : start + AT_ONCE]})
    }


def keep(connection: Connection, gateway: str, checks: Mapping[str, NumberCheck], now: float) -> None:
    """Write down a gateway's answers, and other forms of a person that they tell.

    :param checks: by the number's canonical form.
    """
    rows, forms = [], []
    for key, check in checks.items():
        address, other = _forms(check)
        rows.append(_row(gateway, key, check.exists, address, now))
        forms.append([key, *filter(None, (other, check.hidden_id))])
    _write(connection, rows)
    spreading.link(connection, forms, LearnedFrom.GATEWAY, now)


def absent(connection: Connection, gateway: str, recipients: Sequence[str], now: float) -> None:
    """Write down that a gateway refused to send to these numbers because they are not on WhatsApp."""
    numbers = [recipient for recipient in dict.fromkeys(recipients) if recipient.isdecimal()]
    _write(connection, [_row(gateway, key, False, None, now) for key in numbers])


def _forms(check: NumberCheck) -> tuple[str | None, str | None]:
    """Return the address to send to, where the answer tells another, and the person's canonical form there."""
    told = person_of(check.chat_id)
    if told is None:
        return None, None
    # A hidden id is learned; the number remains what is sent to.
    return (told.address if told.address.isdecimal() else None), told.key


def person_of(chat_id: str | None) -> Recipient | None:
    """Return the person that a gateway calls so; ``None`` for nobody, and for ids of kinds that nobody knows."""
    try:
        told = parse_recipient(chat_id) if chat_id else None
    except RecipientError:
        # No reason to lose the rest of an answer.
        return None
    return told if told is not None and is_person(told.key) else None


def _row(gateway: str, key: str, there: bool, address: str | None, now: float) -> dict[str, Any]:
    return {
        "gateway": gateway,
        "recipient": key,
        "address": address,
        "on_whatsapp": int(there),
        "checked_at": now,
        "until": now + (THERE_SECONDS if there else ABSENT_SECONDS),
    }


_remove = delete(number).where(
    number.c.gateway == bindparam("b_gateway"), number.c.recipient == bindparam("b_recipient")
)


def _write(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        # One at a time: two who put the same number in would be in each other's way.
        keys.lock(connection)
        old = [{"b_gateway": row["gateway"], "b_recipient": row["recipient"]} for row in rows]
        connection.execute(_remove, old)
        connection.execute(insert(number), list(rows))
