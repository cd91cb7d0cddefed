"""The mark of a delivery whose person was erased, and what keeps their data from coming back.

Its recipient is a keyed hash and its address is empty. What comes back later of its attempts finds the row by its
number as ever and moves it on, and leaves nothing of the person there: neither an id, which may have their number in
it, nor words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Case, ColumnElement, Connection, Row, case, null, update

from whatsapp_provider.campaigns.ledger import keys
from whatsapp_provider.campaigns.ledger.schema import delivery
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
    """Return what is kept of a hash of people's data, which whoever has it could find by trying all numbers there are."""
    if fingerprint.startswith(_SEAL):
        return fingerprint
    return _SEAL + keys.hashed(keys.key_of(connection), fingerprint)[len(_SEAL) :]


def unless_erased(value: ColumnElement[Any]) -> Case[Any]:
    """Return what a column may hold: nothing, where the person is erased."""
    return case((is_erased, null()), else_=value)


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
    return {"state": DeliveryState.SUPPRESSED, "code": CODE, "reason": None, "updated_at": now}
