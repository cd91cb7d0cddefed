"""Read an audience's rows: from memory, CSV, JSON lines and Parquet, each with its place for a message about it.

Nothing is opened here, and no more than a batch of a file is in memory.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
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
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise AudienceError(f"{name}: the columns are not separated by commas; write it anew with commas.")
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


#: A file and its name for messages.
Reader = Callable[..., Iterator[Row]]


def reader_for(name: str) -> Reader:
    """Return the reader for a file name.

    :raises ConfigurationError: naming the endings there are.
    """
    from whatsapp_provider.campaigns.tables import parquet_rows

    packed, plain = name.lower().endswith(".gz"), name.lower().removesuffix(".gz")
    readers: dict[str, Reader] = {"csv": csv_rows, "jsonl": jsonl_rows, "ndjson": jsonl_rows}
    if not packed:
        readers["parquet"] = parquet_rows
    ending = plain.rpartition(".")[2]
    if ending not in readers:
        raise ConfigurationError(
            f"Audience file {name!r}: the ending must be one of csv, jsonl, ndjson and parquet; .gz may follow, but "
            "for parquet."
        )
    return partial(_unpacked, readers[ending]) if packed else readers[ending]


def _unpacked(read: Reader, file: BinaryIO, *, name: str) -> Iterator[Row]:
    try:
        with gzip.GzipFile(fileobj=file) as unpacked:
            yield from read(unpacked, name=name)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise AudienceError(f"{name} is no gzip file, or the end of it is missing.") from None


def mapped(rows: Iterable[Row], columns: Mapping[str, str]) -> Iterator[Row]:
    """Give columns the names that the message knows; the others keep their own.

    :param columns: the name wanted, and the source's. It wins over a column of the source that has it already.
    :raises AudienceError: if the first row lacks one. A later one, of JSON lines, may.
    """
    renamed = set(columns.values())
    for number, row in enumerate(rows):
        missing = [name for name in columns.values() if name not in row.values]
        if missing and number == 0:
            there = redact(", ".join(map(str, row.values))) or "none"
            raise AudienceError(f"{row.place}: no column {missing[0]!r} (columns: {there}). Mend columns.")
        values = {name: value for name, value in row.values.items() if name not in renamed}
        values |= {name: row.values[source] for name, source in columns.items() if source in row.values}
        yield Row(row.place, values)


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
