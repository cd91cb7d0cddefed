"""Turn an audience's rows into people, each once.

All problems of an audience are gathered into one error before anything is sent, with the line of each and the
number masked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from whatsapp_provider.campaigns.identity import Recipient, parse_recipient
from whatsapp_provider.campaigns.readers import Row
from whatsapp_provider.errors import AudienceError, RecipientError
from whatsapp_provider.redaction import redact

SHOWN_PROBLEMS = 10


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
    """

    recipient_field: str = "phone"
    known_by: str | None = None
    region: str | None = None
    on_invalid: Policy = Policy.FAIL
    on_duplicate: Policy = Policy.FAIL


@dataclass(frozen=True, slots=True)
class Person:
    """One recipient with the values for their message."""

    place: str
    recipient: Recipient
    variables: Mapping[str, Any] = field(repr=False)


@dataclass(slots=True)
class Skipped:
    """How many rows were left out, by reason."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, reason: str) -> None:
        """Count one."""
        self.counts[reason] = self.counts.get(reason, 0) + 1


def people(rows: Iterable[Row], options: AudienceOptions, skipped: Skipped) -> Iterator[Person]:
    """Return each person once, in order.

    :param skipped: counts who was left out where the options allow it.
    :raises AudienceError: after all rows were read, listing the first problems; also when nobody is left.
    """
    problems: list[str] = []
    seen: dict[str, str] = {}
    for row in rows:
        if options.recipient_field not in row.values:
            columns = redact(", ".join(map(str, row.values))) or "none"
            raise AudienceError(
                f"{row.place}: no column {options.recipient_field!r} (columns: {columns}). Name the column "
                "with the numbers by recipient_field."
            )
        try:
            recipient = parse_recipient(row.values[options.recipient_field], region=options.region)
        except RecipientError as error:
            _left_out(options.on_invalid, "invalid recipient", f"{row.place}: {error}", problems, skipped)
            continue
        if recipient.key in seen:
            told = f"{row.place}: {recipient.masked} is the same person as {seen[recipient.key]}."
            _left_out(options.on_duplicate, "duplicate", told, problems, skipped)
            continue
        seen[recipient.key] = row.place
        if not problems:
            yield Person(row.place, recipient, row.values)
    if problems:
        raise AudienceError(_summary(problems))
    if not seen:
        raise AudienceError("The audience is empty: there is nobody to send to.")


def _left_out(policy: Policy, reason: str, told: str, problems: list[str], skipped: Skipped) -> None:
    if policy is Policy.SKIP:
        skipped.add(reason)
    else:
        problems.append(told)


def _summary(problems: list[str]) -> str:
    shown = " ".join(problems[:SHOWN_PROBLEMS])
    more = f" And {len(problems) - SHOWN_PROBLEMS} more." if len(problems) > SHOWN_PROBLEMS else ""
    return (
        f"{len(problems)} rows of the audience can't be sent to: {shown}{more} Nothing was sent. Mend them, or "
        'pass on_invalid="skip" or on_duplicate="skip" to leave such rows out.'
    )
