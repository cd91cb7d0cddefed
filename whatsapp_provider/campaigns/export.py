"""Write a campaign's report, one row a recipient, as CSV, JSON lines or Parquet, holding a page of it at a time."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any, BinaryIO

from whatsapp_provider.campaigns.identity import address_forms
from whatsapp_provider.campaigns.ledger.rows import ReportRow
from whatsapp_provider.campaigns.ledger.sql_views import UNMASKABLE
from whatsapp_provider.campaigns.tables import parquet_library
from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.redaction import mask_number, redact

COLUMNS = (
    "recipient",
    "state",
    "code",
    "reason",
    "message_id",
    "attempt",
    "channel",
    "planned_at",
    "sent_at",
    "updated_at",
    "delivery",
)
#: Rows of a Parquet file that are read, and compressed, together.
ROW_GROUP = 20_000
Record = dict[str, Any]
#: Writes records into a file.
Writer = Callable[[Iterable[Record], BinaryIO], None]

#: What a spreadsheet takes for the beginning of a formula, in the wide forms of Japanese keyboards too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001 - those very signs
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
#: What it may pass over before it: blanks, signs without width, control characters.
_PASSED_OVER = re.compile(r"^[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff'\"]+")


def writer_for(name: str) -> Writer:
    """Return what writes a file of that name.

    :raises ConfigurationError: naming the endings there are, or the library that is missing.
    """
    packed, plain = name.lower().endswith(".gz"), name.lower().removesuffix(".gz")
    writers: dict[str, Writer] = {"csv": _write_csv, "jsonl": _write_lines, "ndjson": _write_lines}
    if not packed:
        writers["parquet"] = _write_parquet
    ending = plain.rpartition(".")[2]
    if ending not in writers:
        raise ConfigurationError(
            f"Report {name!r}: the ending must be one of csv, jsonl, ndjson and parquet; .gz may follow, but for "
            "parquet."
        )
    if ending == "parquet":
        # Now, and not when the ledger was read.
        parquet_library(name)
    return partial(_packed, writers[ending]) if packed else writers[ending]


def records(rows: Iterable[ReportRow], *, numbers: bool) -> Iterator[Record]:
    """Return the rows as they are shown.

    :param numbers: whether recipients are shown whole; otherwise they are ``…0001`` wherever they are named.
    """
    for row in rows:
        yield {
            "recipient": row.recipient if numbers else mask_number(row.recipient),
            "state": str(row.state),
            "code": row.code,
            "reason": row.reason if numbers or row.reason is None else redact(row.reason, limit=500),
            "message_id": row.message_id if numbers else _without(row.message_id, row.recipient),
            "attempt": row.attempt,
            "channel": row.channel,
            "planned_at": _moment(row.planned_at),
            "sent_at": _moment(row.sent_at),
            "updated_at": _moment(row.updated_at),
            "delivery": row.delivery,
        }


def safe_cell(value: Any) -> Any:
    """Return what a spreadsheet shows as it is: a text that it would run as a formula gets a ``'`` before it."""
    if not isinstance(value, str) or _NUMBER.fullmatch(value):
        return value
    bare = _PASSED_OVER.sub("", value)
    return f"'{value}" if value.startswith(_FORMULA) or bare.startswith(_FORMULA) else value


def _without(message_id: str | None, recipient: str) -> str | None:
    """Return a message's id without the number of whom it was sent to, which some gateways' ids hold."""
    if message_id is None or message_id.startswith(UNMASKABLE):
        return None
    shown = mask_number(recipient).partition("@")[0]
    for name in filter(None, (form.partition("@")[0] for form in address_forms(recipient))):
        message_id = message_id.replace(name, shown)
    return message_id


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _text(value: Any) -> Any:
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else value


def _write_csv(rows: Iterable[Record], file: BinaryIO) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([safe_cell(_text(value)) for value in row.values()])
    # The file is its owner's to close.
    text.detach()


def _write_lines(rows: Iterable[Record], file: BinaryIO) -> None:
    for row in rows:
        told = {name: _text(value) for name, value in row.items()}
        file.write(f"{json.dumps(told, ensure_ascii=False)}\n".encode())


def _write_parquet(rows: Iterable[Record], file: BinaryIO) -> None:
    parquet, arrow = parquet_library("report")
    moment = arrow.timestamp("us", tz="UTC")
    special: Mapping[str, Any] = {"attempt": arrow.int32(), "delivery": arrow.int64()}
    schema = arrow.schema(
        [(name, moment if name.endswith("_at") else special.get(name, arrow.string())) for name in COLUMNS]
    )
    waiting = iter(rows)
    with parquet.ParquetWriter(file, schema) as writer:
        while group := list(islice(waiting, ROW_GROUP)):
            writer.write_table(arrow.Table.from_pylist(group, schema=schema))


def _packed(write: Writer, rows: Iterable[Record], file: BinaryIO) -> None:
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
        write(rows, packed)  # type: ignore[arg-type]  # it is a binary file, and its stub says so in other words
