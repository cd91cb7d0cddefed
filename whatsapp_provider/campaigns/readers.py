"""Read an audience's rows: from memory, CSV and JSON lines, each with its place for a message about it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from whatsapp_provider.errors import AudienceError, ConfigurationError
from whatsapp_provider.redaction import redact


@dataclass(frozen=True, slots=True)
class Row:
    """One row as read, with its place in the source."""

    place: str
    values: Mapping[str, Any] = field(repr=False)


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
