"""The mark of a delivery whose person was erased, and what keeps their data from coming back.

Its recipient is a keyed hash and its address is empty. What comes back later of its attempts finds the row by its
number as ever and moves it on, and leaves nothing of the person there: neither an id, which may have their number in
it, nor words.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Case, ColumnElement, Connection, Row, bindparam, case, null, select, update

from whatsapp_provider.campaigns.ledger import keys
from whatsapp_provider.campaigns.ledger.records import Planned
from whatsapp_provider.campaigns.ledger.schema import delivery, settlement
from whatsapp_provider.campaigns.ledger.states import DeliveryState

#: Before the hash that stands for the recipient.
PREFIX = "erased/"
#: Of a message that was not sent because its person was erased.
CODE = "erased"

is_erased: ColumnElement[bool] = delivery.c.address == ""


def stand_in(connection: Connection, form: str) -> str:
    """Return what a delivery has in the place of an erased recipient."""
    return PREFIX + keys.hashed(keys.key_of(connection), form)


def names_of(connection: Connection, form: str) -> tuple[str, str]:
    """Return the names that a delivery to somebody may have: theirs, and the one after they were erased."""
    return form, stand_in(connection, form)


_SEAL = "~"


def sealed(connection: Connection, fingerprint: str) -> str:
    """Return what is kept of a hash of people's data: by trying all numbers there are, its own would be found."""
    if fingerprint.startswith(_SEAL):
        return fingerprint
    return _SEAL + keys.hashed(keys.key_of(connection), fingerprint)[len(_SEAL) :]


def unless_erased(value: ColumnElement[Any]) -> Case[Any]:
    """Return what a column may hold: nothing, where the person is erased."""
    return case((is_erased, null()), else_=value)


_take_name = (
    update(delivery)
    .where(delivery.c.id == bindparam("b_id"))
    .values(
        recipient=bindparam("b_name"),
        address="",
        variables=None,
        body_hash=None,
        message_id=None,
        reason=None,
    )
)
_forget_note = update(settlement).where(settlement.c.delivery == bindparam("b_id")).values(note=None)


def take_names(connection: Connection, rows: Sequence[Any]) -> None:
    """Leave of the recipients of these deliveries a keyed hash, and nothing of what they were sent.

    :param rows: ``id``, ``campaign`` and ``recipient`` of each, locked.
    """
    if not rows:
        return
    names = {row.id: stand_in(connection, row.recipient) for row in rows}
    there = select(delivery.c.campaign, delivery.c.recipient).where(
        delivery.c.campaign.in_({row.campaign for row in rows}), delivery.c.recipient.in_(set(names.values()))
    )
    taken = {tuple(found) for found in connection.execute(there)}
    for row in rows:
        if (row.campaign, names[row.id]) in taken:
            # They were erased, and came back with another audience.
            names[row.id] += f"/{row.id}"
    connection.execute(_take_name, [{"b_id": number, "b_name": name} for number, name in names.items()])
    connection.execute(_forget_note, [{"b_id": number} for number in names])


def newcomers(connection: Connection, campaign: int, people: Sequence[Planned]) -> list[Planned]:
    """Return who of them is not in a campaign under the hash that an erasure or a purge has left."""
    names = {person.recipient: stand_in(connection, person.recipient) for person in people}
    there = _there(connection, campaign, names.values())
    return [person for person in people if names[person.recipient] not in there]


def without_names(connection: Connection, campaign: int, people: Sequence[Planned]) -> Sequence[Planned]:
    """Return people as they are to be written down: of those who were erased the hash alone, each once."""
    gone = [person for person in people if person.exclusion and person.exclusion.code == CODE]
    if not gone:
        return people
    names = {person.recipient: stand_in(connection, person.recipient) for person in gone}
    there = _there(connection, campaign, names.values())
    return [
        replace(person, recipient=names[person.recipient], address="", variables="", body_hash=None)
        if person.recipient in names
        else person
        for person in people
        if names.get(person.recipient) not in there
    ]


def _there(connection: Connection, campaign: int, names: Collection[str]) -> set[str]:
    query = select(delivery.c.recipient).where(
        delivery.c.campaign == campaign, delivery.c.recipient.in_(list(names))
    )
    return set(connection.execute(query).scalars())


def without_erased(connection: Connection, rows: Sequence[Row[Any]], now: float) -> list[Row[Any]]:
    """Return those of the next rows that can be sent to; the others are left out for good.

    Whatever planned them again, a late answer or somebody who asked for all that failed: nobody is there.
    """
    gone = [row.id for row in rows if not row.address]
    if gone:
        # No bound IN that is kept ready: this happens to few campaigns, and once.
        connection.execute(update(delivery).where(delivery.c.id.in_(gone)).values(left_out(now)))
    return [row for row in rows if row.address]


def left_out(now: float) -> dict[str, Any]:
    """Return the values of a delivery that is not sent because its person was erased."""
    return {
        "state": DeliveryState.SUPPRESSED,
        "code": CODE,
        "reason": None,
        "not_before": None,
        "updated_at": now,
    }
