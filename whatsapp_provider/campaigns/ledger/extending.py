"""Take further people into a campaign that is planned, under the message that it has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from sqlalchemy import update

from whatsapp_provider.campaigns.ledger import erased, planning
from whatsapp_provider.campaigns.ledger.batches import BATCH
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
from whatsapp_provider.campaigns.ledger.planning import Order
from whatsapp_provider.campaigns.ledger.records import Planned
from whatsapp_provider.campaigns.ledger.schema import campaign as campaigns
from whatsapp_provider.campaigns.ledger.states import CampaignState
from whatsapp_provider.errors import ConfigurationError


class Extending(Controlling):
    """Adds people to campaigns."""

    def extend(
        self, campaign_id: str, people: Iterable[Planned], by: By, order: Order | None = None
    ) -> Controlled:
        """Take further people in, batch by batch; who is in the campaign already is passed over.

        What is half done is done by doing it again. A campaign that needs an approval needs another one then.

        :param order: who is left out, and whose lane is which.
        :raises ConfigurationError: if there is no such campaign, it is over or being planned, or it has lanes and
            ``order`` knows none.
        """
        self.prepare()
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
            row = not_over(planned(locked(connection, campaign_id)))
            if row.lanes and order.lanes is None:
                raise ConfigurationError(
                    f"Campaign {campaign_id!r} goes through several channels or by its recipients' hours, and people "
                    "can't be added to it from here. Make another campaign for them."
                )
            now = self._database.now(connection)
            last = planning.last_place(connection, row.id)
            further = erased.newcomers(connection, row.id, batch)
            placed = [replace(person, seq=last + place) for place, person in enumerate(further, 1)]
            count = planning.add(connection, row.id, placed, order, now).count
            state = reopened(row) if count else CampaignState(row.state)
            if count:
                # Whoever approved the campaign has not seen these people.
                values = {"state": state, "total": (row.total or last) + count, "approved_by": None}
                connection.execute(update(campaigns).where(campaigns.c.id == row.id).values(**values))
                if first:
                    note(connection, row.id, Action.EXTEND, by, now)
            return told(row, Action.EXTEND, state=state, deliveries=count)


def _batches(people: Iterable[Planned]) -> Iterator[list[Planned]]:
    """Yield people in batches, in each of which everybody is once, with all forms that are told of them there."""
    source = iter(people)
    while some := list(islice(source, BATCH)):
        batch: dict[str, Planned] = {}
        for person in some:
            first = batch.setdefault(person.recipient, person)
            if first is not person and person.aliases:
                batch[person.recipient] = first.with_forms_of(person)
        yield list(batch.values())
