"""Plan a campaign into the ledger, however many its people are, or find it there as it was planned."""

from __future__ import annotations

import logging
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from whatsapp_provider.campaigns.campaign import Campaign, Fingerprint, Frozen
from whatsapp_provider.campaigns.ledger import planning, plans, remains
from whatsapp_provider.campaigns.ledger.behind import Behind
from whatsapp_provider.campaigns.ledger.database import again_after_deadlock
from whatsapp_provider.campaigns.ledger.parting import parted
from whatsapp_provider.campaigns.ledger.planning import LEASE_SECONDS, Busy, Held, Order, Written
from whatsapp_provider.campaigns.ledger.records import CampaignRecord, Planned
from whatsapp_provider.campaigns.ledger.schema import delivery
from whatsapp_provider.campaigns.ledger.states import CampaignState
from whatsapp_provider.campaigns.ledger.views import Views
from whatsapp_provider.errors import AudienceError, LeaseLostError, LedgerError, WaitTimeoutError
from whatsapp_provider.redaction import mask_number

log = logging.getLogger(__name__)

#: Between looks at a campaign that another task plans: at first, and at most.
FIRST_LOOK_SECONDS, LOOK_SECONDS = 0.1, 10.0
PATIENCE_SECONDS = 3600.0  #: how long another task is waited for

Batch = list[Planned]


class Tally(Protocol):
    """Is told what an audience's reader can't know, and asked at the end whether the audience is taken as it is."""

    def duplicate(self, person: Planned, first: int) -> None:
        """Take note of a person who was in an earlier row of the audience already, or refuse them."""

    def left_out(self) -> Mapping[str, int]:
        """Return how many rows were left out, by reason, when all are read; or refuse the audience."""


class Strict:
    """Takes nobody twice."""

    def duplicate(self, person: Planned, first: int) -> None:
        """Refuse the audience."""
        who = mask_number(person.recipient)
        raise AudienceError(
            f"{person.place or f'row {person.seq}'}: {who} is the same person as row {first}."
        )

    def left_out(self) -> Mapping[str, int]:
        """Nobody."""
        return {}


@dataclass(slots=True)
class Reading:
    """An audience on its way into the ledger.

    :param fingerprint: of the template, and of people as they come, unless it is of the audience's name.
    :param size: of a batch.
    """

    people: Iterable[Planned]
    tally: Tally
    fingerprint: Fingerprint
    by_name: bool
    size: int
    total: int = 0
    excluded: Counter[str] = field(default_factory=Counter)

    def batches(self) -> Iterator[Batch]:
        """Yield people in batches, in each of which everybody is once; only the last, perhaps empty, is shorter."""
        batch: dict[str, Planned] = {}
        seq = 0
        for one in self.people:
            person = one if one.seq else replace(one, seq=seq + 1)
            seq = person.seq or 0
            if not self.by_name:
                # Who comes twice counts twice, so that a second reading finds the same without knowing who came before.
                self.fingerprint.add(person.recipient, person.variables)
            first = batch.setdefault(person.recipient, person)
            if first is not person:
                if person.aliases:
                    batch[person.recipient] = first.with_forms_of(person)
                self.tally.duplicate(person, first.seq or 0)
            elif len(batch) == self.size:
                yield list(batch.values())
                batch = {}
        yield list(batch.values())

    def note(self, batches: Iterable[Written]) -> None:
        """Take note of what was written."""
        for written in batches:
            self.total += written.count
            self.excluded.update(written.left_out)
            for person, first in written.duplicates:
                self.tally.duplicate(person, first)

    def left_out(self) -> dict[str, int]:
        """Return how many are not sent to, by reason, unless the audience is refused."""
        return dict(Counter(self.tally.left_out()) + self.excluded)


def _complete(order: Order, wanted: Campaign) -> Order:
    """See that people are in lanes where they must be: nobody's runner would find them."""
    return order if order.lanes is not None else parted(order, wanted)


class Planner(Views):
    """Writes campaigns."""

    def plan(
        self,
        wanted: Campaign,
        template: str,
        people: Iterable[Planned],
        tally: Tally | None = None,
        frozen: Frozen | None = None,
        *,
        known_by: str | None = None,
        order: Order | None = None,
    ) -> CampaignRecord:
        """Plan a campaign and all its recipients, or find it as it was planned.

        ``people`` are read as they are written, a batch at a time. Whatever goes wrong meanwhile leaves the ledger as
        it was, but for a person's pause or deadline. Where another task is planning it, its end is waited for.

        :param template: its text, part of the fingerprint.
        :param tally: who comes twice is refused where there is none.
        :param frozen: what to keep of the template for a resume after a wait.
        :param known_by: the audience's name, which is part of the fingerprint instead of its people; they are read
            for a new campaign only.
        :raises CampaignMismatchError: if the ledger has another audience or template under the id.
        :raises WaitTimeoutError: if another task is planning it all the time.
        :raises LeaseLostError: if this one was suspended for so long that another has taken over.
        """
        order, kept = _complete(order or Order(), wanted), frozen or Frozen.of(template)
        reading = Reading(people, tally or Strict(), Fingerprint(template), known_by is not None, order.batch)
        if known_by is not None:
            reading.fingerprint.add(known_by, "")
        batches = reading.batches()
        found = self.find(wanted.campaign_id)
        if found is not None and found.state is not CampaignState.PLANNING:
            return self._recognize(wanted, reading, batches)
        batch = next(batches)
        # What fits into one batch is written in one commit: single messages are.
        whole = reading.left_out() if len(batch) < order.batch else None
        held = self._enter(wanted, kept, order, reading, batch, whole)
        if held is None:
            return self._recognize(wanted, reading, batches)
        if whole is None:
            self._follow(held, order, reading, batch, batches)
            self._database.take_stock(delivery, delivery.c.campaign, delivery.c.state, delivery.c.lane)
        return CampaignRecord(held.number, wanted.ledger_id, wanted.channel_key, order.state, fresh=True)

    def _recognize(self, wanted: Campaign, reading: Reading, batches: Iterator[Batch]) -> CampaignRecord:
        """Find a campaign that is planned, by what was read and by what is left of it."""
        if not reading.by_name:
            for _ in batches:
                pass
            reading.left_out()
        return self._check(wanted, reading.fingerprint.hexdigest())

    @again_after_deadlock
    def _check(self, wanted: Campaign, fingerprint: str) -> CampaignRecord:
        with self._database.transaction() as connection:
            return plans.check(connection, wanted, fingerprint)

    def _enter(
        self,
        wanted: Campaign,
        kept: Frozen,
        order: Order,
        reading: Reading,
        batch: Batch,
        whole: Mapping[str, int] | None,
    ) -> Held | None:
        """Begin to plan, when nobody else does; ``None`` if it is planned.

        :param whole: who was left out, if the batch is all there is; it is written then.
        """
        waited, pause = 0.0, FIRST_LOOK_SECONDS
        while True:
            held = self._claim(wanted, kept, order, reading, batch, whole)
            if isinstance(held, Busy):
                if waited == 0.0:
                    log.info("Another task is planning campaign %s; waiting for it.", wanted.campaign_id)
                if waited >= PATIENCE_SECONDS:
                    raise WaitTimeoutError(
                        f"Another task has been planning campaign {wanted.campaign_id!r} for {waited:.0f} s. Run this "
                        "one again when it is done."
                    )
                order.wait(pause)
                waited, pause = waited + pause, min(2 * pause, LOOK_SECONDS)
            elif held is not None and held.leftover:
                log.warning(
                    "A task that planned campaign %s was killed; what it wrote is removed.",
                    wanted.campaign_id,
                )
                self._undo(held, order)
            else:
                return held

    @again_after_deadlock
    def _claim(
        self,
        wanted: Campaign,
        kept: Frozen,
        order: Order,
        reading: Reading,
        batch: Batch,
        whole: Mapping[str, int] | None,
    ) -> Held | Busy | None:
        with self._database.transaction() as connection:
            now = self._database.now(connection)
            held = planning.claim(connection, wanted, kept, order, secrets.token_hex(16), now)
            if whole is not None and isinstance(held, Held) and not held.leftover:
                written = planning.add(connection, held.number, batch, order, now)
                left_out = Counter(whole) + written.left_out
                fingerprint = reading.fingerprint.hexdigest()
                planning.conclude(connection, held, fingerprint, written.count, left_out, order.state, now)
            return held

    def _follow(
        self, held: Held, order: Order, reading: Reading, batch: Batch, batches: Iterator[Batch]
    ) -> None:
        """Write batch after batch, each while the next one is read; then set the campaign planned."""
        writer = Behind(partial(self._write, held, order), partial(self._keep, held), LEASE_SECONDS / 3)
        try:
            reading.note(writer.put(batch))
            for following in batches:
                reading.note(writer.put(following))
            reading.note(writer.finish())
            self._conclude(held, order, reading, reading.left_out())
        except BaseException as error:
            writer.end()
            # Nothing that tells why it failed may be lost for what can be done later: the lease ends by itself.
            with suppress(LedgerError):
                # A task that is told to stop has no time to remove a million rows.
                self._undo(held, order) if isinstance(error, Exception) else self._release(held)
            raise

    @again_after_deadlock
    def _write(self, held: Held, order: Order, batch: Batch) -> Written:
        with self._database.transaction() as connection:
            now = self._database.now(connection)
            planning.keep(connection, held, now)
            return planning.add(connection, held.number, batch, order, now)

    @again_after_deadlock
    def _keep(self, held: Held) -> None:
        with self._database.transaction() as connection:
            planning.keep(connection, held, self._database.now(connection))

    @again_after_deadlock
    def _conclude(self, held: Held, order: Order, reading: Reading, left_out: Mapping[str, int]) -> None:
        fingerprint = reading.fingerprint.hexdigest()
        with self._database.transaction() as connection:
            now = self._database.now(connection)
            planning.conclude(connection, held, fingerprint, reading.total, left_out, order.state, now)

    def _undo(self, held: Held, order: Order, *, whole: bool = False) -> None:
        """Remove a campaign and its people, unless somebody else has it.

        :param whole: also a pause or a deadline that a person set.
        """
        with suppress(LeaseLostError):
            last: str | None = ""
            while last is not None:
                last = self._remove(held, last, order.batch)
            self._forget(held, whole=whole)

    @again_after_deadlock
    def _remove(self, held: Held, after: str, count: int) -> str | None:
        with self._database.transaction() as connection:
            return planning.remove(connection, held, after, count, self._database.now(connection))

    @again_after_deadlock
    def _forget(self, held: Held, *, whole: bool) -> None:
        with self._database.transaction() as connection:
            remains.forget(connection, held, self._database.now(connection), whole=whole)

    @again_after_deadlock
    def _release(self, held: Held) -> None:
        with self._database.transaction() as connection:
            planning.release(connection, held)
