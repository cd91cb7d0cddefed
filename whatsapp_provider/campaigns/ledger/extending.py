"""Take further people into a campaign that is planned, under the message that it has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from sqlalchemy import Row, update

from whatsapp_provider.campaigns.campaign import Frozen
from whatsapp_provider.campaigns.ledger import planning
from whatsapp_provider.campaigns.ledger.control import (
    Action,
    By,
    Controlled,
    Controlling,
    locked,
    not_over,
    note,
    planned,
    reopened,
    told,
)
from whatsapp_provider.campaigns.ledger.database import again_after_deadlock
from whatsapp_provider.campaigns.ledger.planning import BATCH, Order
from whatsapp_provider.campaigns.ledger.records import Planned
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Said:
    """What a campaign says to everybody, as it was planned.

    :param message: as its author wrote it.
    :param frozen: its hash, and the values that all messages see.
    """

    message: Any
    frozen: Frozen


class Extending(Controlling):
    """Adds people to campaigns."""

    @again_after_deadlock
    def message_of(self, campaign_id: str) -> Said:
        """Return what a campaign that may be extended says.

        :raises ConfigurationError: if there is no such campaign, it is over or being planned, or it keeps no message.
        """
        self.prepare()
        with self._database.transaction() as connection:
            row = _open(locked(connection, campaign_id))
            return Said(json.loads(row.message), Frozen(row.template, row.shared))

    def extend(
        self, campaign_id: str, people: Iterable[Planned], by: By, order: Order | None = None
    ) -> Controlled:
        """Take further people in, batch by batch; who is in the campaign already is passed over.

        What is half done is done by doing it again.

        :param order: who is left out, and whose lane is which.
        :raises ConfigurationError: as :meth:`message_of`; or if the campaign has lanes and ``order`` knows none.
        """
        done: Controlled | None = None
        for batch in _batches(people):
            some = self._take_in(
                campaign_id, batch, by, order or Order(), first=done is None or not done.deliveries
            )
            done = some if done is None else replace(done, deliveries=done.deliveries + some.deliveries)
        if done is None:
            done = self._take_in(campaign_id, [], by, order or Order(), first=False)
        return replace(done, changed=done.deliveries > 0)

    @again_after_deadlock
    def _take_in(
        self, campaign_id: str, batch: Sequence[Planned], by: By, order: Order, *, first: bool
    ) -> Controlled:
        with self._database.transaction() as connection:
            row = _open(locked(connection, campaign_id))
            if row.lanes and order.lanes is None:
                raise ConfigurationError(
                    f"Campaign {campaign_id!r} goes through several channels or by its recipients' hours, and people "
                    "can't be added to it from here. Make another campaign for them."
                )
            now = self._database.now(connection)
            last = planning.last_place(connection, row.id)
            placed = [replace(person, seq=last + place) for place, person in enumerate(batch, 1)]
            count = planning.add(connection, row.id, placed, order, now).count
            state = reopened(row) if count else row.state
            if count:
                values = {"state": state, "total": (row.total or last) + count}
                connection.execute(update(campaigns).where(campaigns.c.id == row.id).values(**values))
                if first:
                    note(connection, row.id, Action.EXTEND, by, now)
            return told(row, Action.EXTEND, state=state, deliveries=count)


def _open(row: Row[Any]) -> Row[Any]:
    not_over(planned(row))
    if row.message is None:
        raise ConfigurationError(
            f"Campaign {row.campaign_id!r} was planned without its message being kept, so nobody can be added to it. "
            "Make another campaign for them."
        )
    return row


def _batches(people: Iterable[Planned]) -> Iterator[list[Planned]]:
    """Yield people in batches, in each of which everybody is once."""
    source = iter(people)
    while some := list(islice(source, BATCH)):
        yield list({person.recipient: person for person in reversed(some)}.values())[::-1]
