"""Turn an audience's rows into people.

All problems of an audience are gathered into one error before anything is sent, with the line of the first ones and
the number masked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from whatsapp_provider.campaigns.identity import AliasKind, Recipient, parse_alias, parse_recipient
from whatsapp_provider.campaigns.ledger.records import Exclusion, Planned
from whatsapp_provider.campaigns.readers import Row
from whatsapp_provider.campaigns.seen import Seen
from whatsapp_provider.errors import AudienceError, RecipientError
from whatsapp_provider.redaction import mask_number, redact

SHOWN_PROBLEMS = 10

#: Says of a row why its person is not written to, though they could be; refuses what it can't understand.
Judge = Callable[[Row], Exclusion | None]


class Policy(StrEnum):
    """What to do with a row that can't be sent to."""

    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class AudienceOptions:
    """How to read rows.

    :param recipient_field: the column that holds the number or WhatsApp id.
    :param known_by: the name of an audience that people join and leave: a campaign to it goes on with those who were
        planned, and is another one under another name.
    :param region: ISO country code for numbers without country code.
    :param on_invalid: what to do with a recipient that is no number.
    :param on_duplicate: what to do with a person who comes twice, in whatever format; ``skip`` keeps the first.
    :param judge: who is left out by what their row says, e.g. of their consent.
    :param aliases: columns with other forms of a person; who is suppressed, or in another row, by one of them is so.
    """

    recipient_field: str = "phone"
    known_by: str | None = None
    region: str | None = None
    on_invalid: Policy = Policy.FAIL
    on_duplicate: Policy = Policy.FAIL
    judge: Judge | None = None
    aliases: Mapping[AliasKind, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Person:
    """One recipient with the values for their message.

    :param number: of their row, from 1, a header not counted.
    :param exclusion: why they are not written to.
    :param aliases: other forms of theirs, canonical.
    """

    place: str
    recipient: Recipient
    variables: Mapping[str, Any] = field(repr=False)
    number: int = 0
    exclusion: Exclusion | None = None
    aliases: tuple[str, ...] = field(default=(), repr=False)


class Findings:
    """What is found in an audience besides people it can be sent to. It stays small however long the audience is."""

    def __init__(self, options: AudienceOptions) -> None:
        self._options = options
        #: How many rows were left out, by reason.
        self.counts: dict[str, int] = {}
        self.people = 0
        self._bad = 0
        self._may_skip = False
        self._shown: list[tuple[int, str]] = []

    @property
    def refused(self) -> bool:
        """Whether the audience is refused at its end, so that nothing more is to be made of its people."""
        return self._bad > 0

    def invalid(self, number: int, place: str, error: Exception) -> None:
        """Take note of a row that names nobody."""
        self._note(self._options.on_invalid, "invalid recipient", number, f"{place}: {error}")

    def unclear(self, number: int, error: Exception) -> None:
        """Take note of a row that can't be judged."""
        self._bad_row(number, str(error))

    def duplicate(self, person: Planned, first: int) -> None:
        """Take note of somebody who came before."""
        told = f"{person.place}: {mask_number(person.recipient)} is the same person as row {first}."
        self._note(self._options.on_duplicate, "duplicate", person.seq or 0, told)

    def left_out(self) -> Mapping[str, int]:
        """Return how many rows were left out, by reason, when all are read.

        :raises AudienceError: listing the first problems; also when there is nobody.
        """
        if self._bad:
            raise AudienceError(self._summary())
        if not self.people:
            raise AudienceError("The audience is empty: there is nobody to send to.")
        return self.counts

    def _note(self, policy: Policy, reason: str, number: int, told: str) -> None:
        if policy is Policy.SKIP:
            self.counts[reason] = self.counts.get(reason, 0) + 1
            return
        self._may_skip = True
        self._bad_row(number, told)

    def _bad_row(self, number: int, told: str) -> None:
        self._bad += 1
        # Who comes twice is noticed a little later than what is wrong with the rows that follow.
        self._shown = sorted([*self._shown, (number, told)])[:SHOWN_PROBLEMS]

    def _summary(self) -> str:
        shown = " ".join(told for _, told in self._shown)
        more = f" And {self._bad - len(self._shown)} more." if self._bad > len(self._shown) else ""
        skip = (
            ', or pass on_invalid="skip" or on_duplicate="skip" to leave such rows out'
            if self._may_skip
            else ""
        )
        return f"{self._bad} rows of the audience can't be sent to: {shown}{more} Nothing was sent. Mend them{skip}."


def parsed(rows: Iterable[Row], options: AudienceOptions, findings: Findings) -> Iterator[Person]:
    """Yield the person of each row that names one, as often as they come.

    :param findings: is told of the other rows.
    :raises AudienceError: if the column with the numbers is missing.
    """
    for number, row in enumerate(rows, start=1):
        if options.recipient_field not in row.values:
            columns = redact(", ".join(map(str, row.values))) or "none"
            raise AudienceError(
                f"{row.place}: no column {options.recipient_field!r} (columns: {columns}). Name the column "
                "with the numbers by recipient_field."
            )
        try:
            recipient = parse_recipient(row.values[options.recipient_field], region=options.region)
            aliases = _aliases(row, options) if options.aliases else ()
            exclusion = options.judge(row) if options.judge else None
        except RecipientError as error:
            findings.invalid(number, row.place, error)
            continue
        except AudienceError as error:
            findings.unclear(number, error)
            continue
        findings.people += 1
        yield Person(row.place, recipient, row.values, number, exclusion, aliases)


def _aliases(row: Row, options: AudienceOptions) -> tuple[str, ...]:
    found = []
    for kind, column in options.aliases.items():
        if column not in row.values:
            raise AudienceError(f"{row.place}: no column {column!r}, which holds each person's {kind}.")
        found.append(parse_alias(kind, row.values[column]))
    return tuple(alias for alias in found if alias)


def people(
    rows: Iterable[Row],
    options: AudienceOptions,
    findings: Findings,
    seen: Seen | None = None,
    again: list[Planned] | None = None,
) -> Iterator[Person]:
    """Yield each person once, in order.

    :param findings: counts who was left out where the options allow it.
    :param seen: where it is kept who came already; in memory unless it is given.
    :param again: is given those who come again and tell further forms of themselves, with nothing to send.
    :raises AudienceError: after all rows were read, listing the first problems; also when nobody is left.
    """
    seen = {} if seen is None else seen
    for person in parsed(rows, options, findings):
        first = seen.setdefault(person.recipient.key, person.number)
        if first != person.number:
            findings.duplicate(outline(person), first)
            if again is not None and person.aliases:
                again.append(outline(person))
        elif not findings.refused:
            yield person
    findings.left_out()


def outline(person: Person) -> Planned:
    """Return what tells a person from others, and nothing to send."""
    key = person.recipient.key
    place, aliases = person.place, person.aliases
    return Planned(key, person.recipient.address, "", None, person.number, place, aliases=aliases)
