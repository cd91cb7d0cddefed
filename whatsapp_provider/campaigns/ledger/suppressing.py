"""The suppression list, other forms of people, and what gateways said of numbers, for the rest of the package."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, or_, select

from whatsapp_provider.campaigns.ledger import numbers, spreading
from whatsapp_provider.campaigns.ledger.columns import kept
from whatsapp_provider.campaigns.ledger.database import again_after_deadlock
from whatsapp_provider.campaigns.ledger.identities import LearnedFrom
from whatsapp_provider.campaigns.ledger.schema import suppression
from whatsapp_provider.campaigns.ledger.spreading import Entry
from whatsapp_provider.campaigns.ledger.store import Store
from whatsapp_provider.campaigns.ledger.suppression import OPT_OUT, Source, suppressed
from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.model import NumberCheck

MAX_NAME = 64  #: characters of a list's name


@dataclass(frozen=True, slots=True)
class Suppression:
    """A form of a person on a list.

    :param recipient: their canonical form; ``None`` where it was erased.
    :param until: seconds since the epoch; for ever without. Past moments end it.
    """

    id: int
    name: str
    recipient: str | None = field(repr=False)
    source: str
    reason: str | None
    added_by: str
    added_at: float
    until: float | None


class Suppressing(Store):
    """Who is not to be written to, and who is who; each method is one transaction."""

    @again_after_deadlock
    def suppress(
        self,
        people: Sequence[Collection[str]],
        name: str = OPT_OUT,
        *,
        source: Source,
        by: str,
        reason: str | None = None,
        until: float | None = None,
    ) -> int:
        """Put people on a list, and return how many were not on it.

        Who is on it already stays on it for the longer of both times.

        :param people: some forms of each, canonical (``identity.parse_form``).
        :param by: who does so: kept.
        :param reason: what is to be remembered of it.
        :param until: seconds since the epoch; for ever without.
        :raises ConfigurationError: if the list or ``by`` has no name, or the time is over.
        """
        _check(name, by)
        self.prepare()
        with self._database.transaction() as connection:
            now = self._database.now(connection)
            if until is not None and until <= now:
                raise ConfigurationError("until is in the past: nobody would be on the list.")
            return spreading.suppress(connection, people, Entry(name, source, by, now, reason, until))

    @again_after_deadlock
    def unsuppress(
        self, people: Sequence[Collection[str]], name: str = OPT_OUT, *, by: str, note: str | None = None
    ) -> int:
        """Take people off a list by the word of a person, and return how many were on it.

        Their entries stay, ended, with who ended them.

        :param people: some forms of each, canonical.
        :param by: who does so: kept.
        :param note: why.
        :raises ConfigurationError: if the list or ``by`` has no name.
        """
        _check(name, by)
        self.prepare()
        with self._database.transaction() as connection:
            words = f"lifted by {by}: {note}" if note else f"lifted by {by}"
            return spreading.lift(connection, people, name, words, self._database.now(connection))

    @again_after_deadlock
    def suppressed(self, recipients: Sequence[str], lists: tuple[str, ...] | None = None) -> dict[str, str]:
        """Return who of them is not to be written to, with the list and why.

        :param recipients: canonical forms.
        :param lists: as in :func:`suppression.suppressed`.
        """
        self.prepare()
        with self._database.transaction() as connection:
            return suppressed(connection, recipients, lists, self._database.now(connection))

    @again_after_deadlock
    def suppressions(
        self, name: str | None = None, *, after: int = 0, limit: int = 1000, ended: bool = False
    ) -> Sequence[Suppression]:
        """Return a page of a list, or of all, in the order in which they were added: each form of a person is one.

        :param after: the last ``id`` of the page before.
        :param ended: those that ended, too.
        """
        self.prepare()
        query = select(suppression).where(suppression.c.id > after).order_by(suppression.c.id).limit(limit)
        if name is not None:
            query = query.where(suppression.c.list == name)
        with self._database.transaction() as connection:
            if not ended:
                query = query.where(_is_active(self._database.now(connection)))
            return [_read(row) for row in connection.execute(query)]

    def each_suppression(self, name: str | None = None, *, ended: bool = False) -> Iterator[Suppression]:
        """Yield a whole list, or all, a page at a time; see :meth:`suppressions`."""
        after = 0
        while page := self.suppressions(name, after=after, ended=ended):
            yield from page
            after = page[-1].id

    @again_after_deadlock
    def suppression_lists(self) -> dict[str, int]:
        """Return the lists by name, with how many forms of people are on each."""
        self.prepare()
        with self._database.transaction() as connection:
            query = (
                select(suppression.c.list, func.count())
                .where(_is_active(self._database.now(connection)))
                .group_by(suppression.c.list)
                .order_by(suppression.c.list)
            )
            return {row[0]: row[1] for row in connection.execute(query)}

    @again_after_deadlock
    def link(self, people: Sequence[Collection[str]], source: LearnedFrom) -> None:
        """Learn that each of these people has these forms, canonical; who is on a list by one is on it by all."""
        self.prepare()
        with self._database.transaction() as connection:
            spreading.link(connection, people, source, self._database.now(connection))

    @again_after_deadlock
    def keep_checks(self, gateway: str, checks: Mapping[str, NumberCheck]) -> None:
        """Remember a gateway's answers about numbers, by their canonical form."""
        self.prepare()
        with self._database.transaction() as connection:
            numbers.keep(connection, gateway, checks, self._database.now(connection))


def _check(name: str, by: str) -> None:
    if not name.strip() or len(name) > MAX_NAME or kept(name, MAX_NAME) != name:
        raise ConfigurationError(f"A suppression list's name has 1 to {MAX_NAME} characters.")
    if not by.strip():
        raise ConfigurationError("Somebody changes a suppression list: say who.")


def _is_active(now: float) -> Any:
    return or_(suppression.c.until.is_(None), suppression.c.until > now)


def _read(row: Any) -> Suppression:
    return Suppression(
        row.id, row.list, row.recipient, row.source, row.reason, row.added_by, row.added_at, row.until
    )
