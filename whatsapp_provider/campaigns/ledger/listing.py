"""Put many people on a suppression list, or take them off it: the rows of a file or a query, a batch at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from whatsapp_provider.campaigns.identity import AliasKind, parse_alias, parse_form
from whatsapp_provider.campaigns.ledger.identities import LearnedFrom
from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.campaigns.readers import Row, reader_for, rows_of
from whatsapp_provider.errors import AudienceError, RecipientError
from whatsapp_provider.redaction import redact

BATCH = 500
SHOWN = 10  #: problems that are told

People = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Naming:
    """How a row names a person.

    :param column: holds a number, a WhatsApp id, or a user id of Meta's.
    :param region: ISO country code for numbers without country code.
    :param aliases: columns with further forms of theirs.
    """

    column: str = "phone"
    region: str | None = None
    aliases: Mapping[AliasKind, str] = field(default_factory=dict)

    def forms(self, row: Row) -> list[str]:
        """Return the forms that a row tells, canonical.

        :raises RecipientError: if one of them is none.
        :raises AudienceError: if a column is missing.
        """
        if missing := {self.column, *self.aliases.values()} - row.values.keys():
            columns = redact(", ".join(map(str, row.values))) or "none"
            raise AudienceError(f"{row.place}: no column {min(missing)!r} (columns: {columns}).")
        others = [parse_alias(kind, row.values[column]) for kind, column in self.aliases.items()]
        return [parse_form(row.values[self.column], region=self.region), *filter(None, others)]


@dataclass(slots=True)
class Listed:
    """What became of the rows.

    :param people: rows that name somebody.
    :param changed: how many of them were not on the list before, or were.
    :param invalid: rows that name nobody.
    """

    people: int = 0
    changed: int = 0
    invalid: int = 0
    problems: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Tell of the rows that name nobody.

        :raises AudienceError: if there are any; the others are done.
        """
        if self.invalid:
            more = f" And {self.invalid - SHOWN} more." if self.invalid > SHOWN else ""
            raise AudienceError(
                f"{self.invalid} rows name nobody: {' '.join(self.problems)}{more} The other {self.people} are done. "
                "Mend these, or say that invalid ones are to be skipped."
            )

    def to_dict(self) -> dict[str, int]:
        """Return the counts."""
        return {"people": self.people, "changed": self.changed, "invalid": self.invalid}


def change_all(
    ledger: Ledger, rows: Iterable[Row], naming: Naming, change: Callable[[People], int]
) -> Listed:
    """Change a list for everybody that the rows name, whatever is wrong with other rows.

    :param change: does so for a batch and returns for how many something changed.
    """
    told = Listed()
    everybody = _named(rows, naming, told)
    while batch := list(islice(everybody, BATCH)):
        if naming.aliases:
            ledger.link(batch, LearnedFrom.AUDIENCE)
        told.changed += change(batch)
        told.people += len(batch)
    return told


def change_file(ledger: Ledger, path: str, naming: Naming, change: Callable[[People], int]) -> Listed:
    """Change a list for everybody in a file on this machine; see :func:`change_all`.

    :raises AudienceError: if it can't be read.
    :raises ConfigurationError: if its name has none of the endings that are known.
    """
    read = reader_for(path)
    try:
        with Path(path).open("rb") as file:
            return change_all(ledger, read(file, name=Path(path).name), naming, change)
    except OSError as error:
        raise AudienceError(f"{Path(path).name} can't be read: {error.strerror}.") from None


def change_some(
    ledger: Ledger, people: Sequence[str], naming: Naming, change: Callable[[People], int]
) -> Listed:
    """Change a list for people who are named one by one; for none of them if one of them is nobody.

    :raises AudienceError: naming those who are nobody.
    """
    rows = list(rows_of(people, recipient_field=naming.column))
    nobody = Listed()
    forms = list(_named(rows, naming, nobody))
    nobody.check()
    return Listed(len(forms), change(forms))


def _named(rows: Iterable[Row], naming: Naming, told: Listed) -> Iterator[list[str]]:
    for row in rows:
        try:
            yield naming.forms(row)
        except RecipientError as error:
            told.invalid += 1
            if len(told.problems) < SHOWN:
                told.problems.append(f"{row.place}: {error}")
