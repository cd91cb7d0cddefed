"""Take one person's data out of the ledger: what is left is a keyed hash of each of their forms.

Each function is a part of one transaction, and finds by itself what is left to do, so that an erasure that broke off
goes on by being done again. Links between forms go last: they are what the rest is found by.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update

from whatsapp_provider.campaigns.identity import address_forms
from whatsapp_provider.campaigns.ledger import doubts, erased, identities, keys, leftovers, spreading
from whatsapp_provider.campaigns.ledger.records import Settled
from whatsapp_provider.campaigns.ledger.schema import delivery, number, suppression
from whatsapp_provider.campaigns.ledger.spreading import Entry
from whatsapp_provider.campaigns.ledger.states import DeliveryState, Proof
from whatsapp_provider.campaigns.ledger.suppression import OPT_OUT, Source

BATCH = 100
_WAITING = (DeliveryState.PLANNED, DeliveryState.POSTPONED)


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased, in numbers.

    :param deliveries: messages to the person, of any state.
    :param not_sent: those of them that were to be sent and are not now.
    :param doubts: those of them that were in doubt, which nobody can settle any more.
    :param entries: of theirs on suppression lists; their hashes stay.
    :param links: between forms of theirs.
    :param checks: of their number, as gateways answered.
    :param notes: notes and reasons that quoted a number of theirs.
    :param named_by: campaigns whose id has a number of theirs in it: that stays, and is for a person to see to.
    """

    deliveries: int = 0
    not_sent: int = 0
    doubts: int = 0
    entries: int = 0
    links: int = 0
    checks: int = 0
    notes: int = 0
    named_by: int = 0

    def __add__(self, other: Erasure) -> Erasure:
        return Erasure(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


def begin(connection: Connection, person: str, by: str, now: float, *, suppress: bool) -> frozenset[str]:
    """Return all forms of the person; from now on nothing more is sent to them.

    :param suppress: whether they go on the list of those who are never written to.
    """
    [forms] = identities.known_forms(connection, [{person}])
    if suppress:
        spreading.suppress(connection, [forms], Entry(OPT_OUT, Source.ERASED, by, now))
    return forms


def deliveries(connection: Connection, forms: Collection[str], by: str, now: float) -> Erasure | None:
    """Erase the person from some deliveries; ``None`` if there were none left.

    What waits is not sent. What is under way goes on, and its result is written without a word of them.
    """
    rows = connection.execute(
        select(delivery.c.id, delivery.c.campaign, delivery.c.recipient, delivery.c.state, delivery.c.attempt)
        .where(delivery.c.recipient.in_(list(forms)))
        .order_by(delivery.c.id)
        .limit(BATCH)
        .with_for_update()
    ).all()
    if not rows:
        return None
    waiting = [row.id for row in rows if row.state in _WAITING]
    doubtful = [row for row in rows if row.state == DeliveryState.IN_DOUBT]
    if waiting:
        of_waiting = update(delivery).where(delivery.c.id.in_(waiting))
        connection.execute(of_waiting.values(erased.left_out(now)))
    for row in doubtful:
        _end_doubt(connection, row, by, now)
    erased.take_names(connection, rows)
    return Erasure(deliveries=len(rows), not_sent=len(waiting), doubts=len(doubtful))


def _end_doubt(connection: Connection, row: Any, by: str, now: float) -> None:
    """Nobody can look for it any more, and nobody may send it again. Its code stays: what made it doubtful."""
    ended = update(delivery).where(delivery.c.id == row.id)
    connection.execute(ended.values(state=DeliveryState.SUPPRESSED, updated_at=now))
    settled = Settled(Proof.ERASED, by)
    doubts.note(connection, row.id, row.attempt, DeliveryState.SUPPRESSED, settled, now)


def campaigns(connection: Connection, forms: Collection[str], after: int) -> int | None:
    """Take out of some campaigns what their own rows tell of the person; return the last, ``None`` at the end."""
    names = [erased.stand_in(connection, form) for form in forms]
    theirs = (
        select(delivery.c.campaign)
        .distinct()
        .where(delivery.c.recipient.in_(names), delivery.c.campaign > after)
        .order_by(delivery.c.campaign)
        .limit(BATCH)
    )
    numbers = connection.execute(theirs).scalars().all()
    for found in numbers:
        leftovers.strip_campaign(connection, found)
    return numbers[-1] if numbers else None


def lists(connection: Connection, forms: Collection[str]) -> Erasure:
    """Erase the person from lists, answers and, last, the links between their forms."""
    key = keys.lock(connection)
    people = [keys.hashed(key, form) for form in forms]
    of_theirs = update(suppression).where(suppression.c.person.in_(people))
    entries = connection.execute(of_theirs.values(recipient=None, reason=None)).rowcount
    addresses = {address for form in forms for address in address_forms(form)}
    checks = connection.execute(
        delete(number).where(or_(number.c.recipient.in_(list(forms)), number.c.address.in_(list(addresses))))
    ).rowcount
    return Erasure(entries=entries, checks=checks, links=identities.forget(connection, forms))
