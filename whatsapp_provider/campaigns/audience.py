"""Read an audience: rows of a list, of a CSV file, or of JSON lines, one person each.

Nothing is opened here. All problems of an audience are gathered into one error before anything is
sent, with the line of each and the number masked.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, BinaryIO

from whatsapp_provider.campaigns.identity import Recipient, parse_recipient
from whatsapp_provider.errors import AudienceError, ConfigurationError, RecipientError
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
class Row:
    """One row as read, with its place in the source."""

    place: str
    values: Mapping[str, Any] = field(repr=False)


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


def rows_of(items: Iterable[Any], *, recipient_field: str) -> Iterator[Row]:
    """Read rows from memory: mappings, or bare recipients.

    :raises AudienceError: if an item is neither.
    """
    for number, item in enumerate(items, start=1):
        place = f"row {number}"
        if isinstance(item, Mapping):
            yield Row(place, {str(key): value for key, value in item.items()})
        elif isinstance(item, str | int):
            yield Row(place, {recipient_field: item})
        else:
            raise AudienceError(
                f"Audience {place} is a {type(item).__name__}; give mappings such as "
                f"{{'{recipient_field}': '+15550000001', 'name': 'Ada'}} or bare numbers."
            )


def csv_rows(file: BinaryIO, *, name: str) -> Iterator[Row]:
    """Read a CSV file in UTF-8, with or without a byte order mark; the first line names the columns.

    :raises AudienceError: for other encodings, a missing header, or a line with too few or too many fields.
    """
    reader = csv.reader(_lines(file, name), strict=True)
    try:
        header = [column.strip() for column in next(reader, [])]
        _check_header(header, name)
        for values in reader:
            if not values:
                continue
            place = f"{name}, line {reader.line_num}"
            if len(values) != len(header):
                raise AudienceError(
                    f"{place}: {len(values)} fields where the header has {len(header)} columns; quote values "
                    "that contain a comma."
                )
            yield Row(place, dict(zip(header, values, strict=True)))
    except csv.Error as error:
        raise AudienceError(f"{name}, line {reader.line_num}: not valid CSV ({error}).") from None


def _check_header(header: list[str], name: str) -> None:
    if not any(header):
        raise AudienceError(f"{name} is empty: the first line must name the columns, e.g. phone,name.")
    if any(redact(column) != column for column in header):
        raise AudienceError(f"{name}: the first line must name the columns, and it holds a phone number.")
    if "" in header or len(set(header)) != len(header):
        raise AudienceError(
            f"{name}: each column needs a name of its own; the header is {', '.join(header)}."
        )


def jsonl_rows(file: BinaryIO, *, name: str) -> Iterator[Row]:
    """Read JSON lines: one object a line.

    :raises AudienceError: naming the line that is something else.
    """
    for number, line in enumerate(_lines(file, name), start=1):
        if not line.strip():
            continue
        place = f"{name}, line {number}"
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise AudienceError(f"{place}: not JSON ({error}).") from None
        if not isinstance(value, dict):
            raise AudienceError(f'{place}: a JSON object is needed, e.g. {{"phone": "+15550000001"}}.')
        yield Row(place, value)


def reader_for(name: str) -> Any:
    """Return the reader for a file name.

    :raises ConfigurationError: naming the endings there are.
    """
    ending = name.rpartition(".")[2].lower()
    readers = {"csv": csv_rows, "jsonl": jsonl_rows, "ndjson": jsonl_rows}
    if ending not in readers:
        raise ConfigurationError(
            f"Audience file {name!r}: the ending must be one of {', '.join(sorted(readers))}."
        )
    return readers[ending]


def _lines(file: BinaryIO, name: str) -> Iterator[str]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    number = 0
    try:
        for number, line in enumerate(text, start=1):  # noqa: B007 - read by the handler below
            yield line
    except UnicodeDecodeError:
        raise AudienceError(
            f"{name} is not UTF-8 (first seen after line {number}); convert it, e.g. from Latin-1 with "
            "iconv -f latin1 -t utf-8."
        ) from None


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
