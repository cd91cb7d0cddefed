"""People's data has an end: erase one person, show one person all that is there, purge what is old."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, Connection

from whatsapp_provider.campaigns.identity import parse_form
from whatsapp_provider.campaigns.ledger import disclosure, erased, erasure, leftovers, retention
from whatsapp_provider.campaigns.ledger.database import again_after_deadlock
from whatsapp_provider.campaigns.ledger.erasure import Erasure
from whatsapp_provider.campaigns.ledger.retention import Purged
from whatsapp_provider.campaigns.ledger.scrub import scrub
from whatsapp_provider.campaigns.ledger.store import Store
from whatsapp_provider.campaigns.rules import DAY
from whatsapp_provider.errors import ConfigurationError

_R = TypeVar("_R")


def form_of(written: object, region: str | None = None) -> str:
    """Return the canonical form of a person as somebody wrote it.

    :param region: ISO country code for a number without country code.
    :raises ConfigurationError: if nothing was written.
    :raises RecipientError: if it is neither a number nor an id.
    """
    if written is None or str(written).strip() in {"", "None"}:
        raise ConfigurationError("The person came out as nothing; give a number or an id of who is meant.")
    return parse_form(written, region=region or None)


class People(Store):
    """What people may ask of those who keep their data.

    What takes many transactions may be broken off anywhere, and goes on by being done again.
    """

    def erase(self, person: str, *, by: str, suppress: bool = True) -> Erasure:
        """Erase one person by any form of theirs: nothing of them remains but a keyed hash of each form.

        What waits for them is not sent. What is being sent at this moment is, and its result names nobody.

        :param person: one form, canonical (``identity.Recipient.key``).
        :param by: who does it: kept with the hashes.
        :param suppress: whether the hashes go on the list ``opt_out``, so that another audience with this person in
            it does not reach them.
        :raises LedgerUnavailableError: if all is done but that the SQLite file still has bytes of it.
        """
        if not by.strip():
            raise ConfigurationError("A person is erased by somebody: say by whom.")
        self.prepare()
        forms = self._in_one(
            lambda connection, now: erasure.begin(connection, person, by, now, suppress=suppress)
        )
        total = self._erase_deliveries(forms, by)
        after: int | None = 0
        while after is not None:
            after = self._strip_campaigns(forms, after)
        ends = leftovers.endings(forms)
        total += Erasure(notes=sum(self._strike(column, ends) for column in leftovers.WORDS if ends))
        total += self._in_one(lambda connection, _: erasure.lists(connection, forms))
        total += Erasure(named_by=self._in_one(lambda connection, _: leftovers.named_by(connection, ends)))
        # A batch of an audience may have been on its way when the first look was taken.
        total += self._erase_deliveries(forms, by)
        scrub(self._database)
        return total

    def _erase_deliveries(self, forms: Collection[str], by: str) -> Erasure:
        total = Erasure()
        while some := self._in_one(lambda connection, now: erasure.deliveries(connection, forms, by, now)):
            total += some
        return total

    def _strip_campaigns(self, forms: Collection[str], after: int) -> int | None:
        return self._in_one(lambda connection, _: erasure.campaigns(connection, forms, after))

    def _strike(self, column: Column[Any], ends: Collection[str]) -> int:
        struck, after = self._strike_page(column, ends, None)
        while after is not None:
            some, after = self._strike_page(column, ends, after)
            struck += some
        return struck

    def _strike_page(self, column: Column[Any], ends: Collection[str], after: Any) -> tuple[int, Any]:
        return self._in_one(lambda connection, _: leftovers.strike_words(connection, column, ends, after))

    def disclose(self, person: str) -> dict[str, Any]:
        """Return all that is there about one person, by any form of theirs, as JSON has it.

        :param person: one form, canonical.
        """
        self.prepare()
        return self._in_one(lambda connection, now: disclosure.disclosed(connection, person, now))

    def names_of(self, recipient: str) -> tuple[str, str]:
        """Return what a delivery to somebody may be named after: them, or the hash that they left."""
        self.prepare()
        return self._in_one(lambda connection, _: erased.names_of(connection, recipient))

    def purge(
        self, older_than: float, *, delete_older_than: float | None = None, dry_run: bool = False
    ) -> Purged:
        """Take people's data out of campaigns that ended long ago, and delete those that ended longer ago.

        :param older_than: seconds since a campaign's end after which its recipients become keyed hashes and their
            values go; longer if a frequency cap of the ledger looks back farther.
        :param delete_older_than: seconds after which it goes whole: a task of it that is cleared then sends again.
        :param dry_run: only say what would be done.
        :raises LedgerUnavailableError: if all is done but that the SQLite file still has bytes of it.
        """
        self.prepare()
        before, delete_before = self._in_one(
            lambda connection, now: _moments(connection, now, older_than, delete_older_than)
        )
        found = self._in_one(lambda connection, _: retention.look(connection, before, delete_before))
        if dry_run:
            return found
        done = Purged(kept_in_doubt=found.kept_in_doubt, kept_open=found.kept_open)
        if delete_before is not None:
            for number in self._ended(delete_before, whole=True):
                done += self._delete(number, delete_before)
        for number in self._ended(before, whole=False):
            done += self._forget_people(number, before)
        if done.deliveries or done.deleted_campaigns:
            scrub(self._database)
        return done

    def _ended(self, before: float, *, whole: bool) -> Iterator[int]:
        after = 0
        while page := self._ended_page(before, after, whole=whole):
            yield from page
            after = page[-1]

    def _ended_page(self, before: float, after: int, *, whole: bool) -> Sequence[int]:
        return self._in_one(lambda connection, _: retention.ended(connection, before, after, whole=whole))

    def _forget_people(self, number: int, before: float) -> Purged:
        gone, after = self._take_names(number, before, "")
        while after is not None:
            some, after = self._take_names(number, before, after)
            gone += some
        whole = self._in_one(lambda connection, now: retention.end_of(connection, number, before, now))
        return Purged(campaigns=int(whole or gone > 0), deliveries=gone)

    def _take_names(self, number: int, before: float, after: str) -> tuple[int, str | None]:
        return self._in_one(lambda connection, _: retention.take_names(connection, number, before, after))

    def _delete(self, number: int, before: float) -> Purged:
        deleted = 0
        while some := self._in_one(lambda connection, _: retention.delete_some(connection, number, before)):
            deleted += some
        return Purged(deleted_campaigns=int(some is not None), deleted_deliveries=deleted)

    @again_after_deadlock
    def _in_one(self, work: Callable[[Connection, float], _R]) -> _R:
        """Do something in a transaction of its own; it is given the database's time."""
        with self._database.transaction() as connection:
            return work(connection, self._database.now(connection))


def _moments(
    connection: Connection, now: float, older_than: float, delete_older_than: float | None
) -> tuple[float, float | None]:
    """Return before which moments campaigns must have ended, to lose their people and to go whole.

    :raises ConfigurationError: for ages that are no use.
    """
    if not older_than >= DAY:
        raise ConfigurationError(
            "Campaigns are purged a day after their end at the earliest: news of them still come."
        )
    if delete_older_than is not None and not delete_older_than >= older_than:
        raise ConfigurationError("Campaigns can't be deleted before their people's data is purged.")
    cap = retention.widest_cap(connection)
    delete_before = None if delete_older_than is None else now - max(delete_older_than, cap)
    return now - max(older_than, cap), delete_before
