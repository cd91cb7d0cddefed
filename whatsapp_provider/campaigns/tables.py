"""Rows of what has columns with types: a query's result, a Parquet file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from math import isnan
from typing import Any, BinaryIO
from uuid import UUID

from whatsapp_provider.campaigns.readers import Row
from whatsapp_provider.errors import AudienceError, ConfigurationError
from whatsapp_provider.redaction import redact

#: Rows of a Parquet file that are in memory at once.
BATCH = 1000
#: What PostgreSQL calls a column that has no name.
_UNNAMED = ("", "?column?")


def table_rows(columns: Sequence[str], records: Iterable[Sequence[Any]], *, name: str) -> Iterator[Row]:
    """Read records whose values stand in the order of the columns.

    :param name: of the source, for messages.
    :raises AudienceError: if a column has no name of its own, or a value can't be kept.
    """
    if any(column in _UNNAMED for column in columns) or len(set(columns)) != len(columns):
        raise AudienceError(
            f"{name}: each column needs a name of its own (SELECT … AS name); they are "
            f"{redact(', '.join(columns)) or 'none'}."
        )
    for number, record in enumerate(records, start=1):
        place = f"{name}, row {number}"
        yield Row(
            place,
            {column: _kept(value, column, place) for column, value in zip(columns, record, strict=True)},
        )


def parquet_rows(file: BinaryIO, *, name: str) -> Iterator[Row]:
    """Read a Parquet file batch by batch.

    :raises AudienceError: if it is none, or a value can't be kept.
    :raises ConfigurationError: if its library is not installed.
    """
    parquet, arrow = parquet_library(name)
    try:
        source = parquet.ParquetFile(file)
        columns = source.schema_arrow.names
        batches = source.iter_batches(batch_size=BATCH)
        yield from table_rows(columns, _records(batches), name=name)
    except (arrow.ArrowException, OSError) as error:
        # One of a storage has a number; it may pass, and a retry finds the file.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise AudienceError(f"{name} can't be read as Parquet ({type(error).__name__}).") from None


def _records(batches: Iterable[Any]) -> Iterator[Sequence[Any]]:
    for batch in batches:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def parquet_library(name: str) -> tuple[Any, Any]:
    """Return pyarrow's module for Parquet, and pyarrow.

    :param name: of the file that needs them.
    :raises ConfigurationError: naming the extra that brings them.
    """
    try:
        # Loaded here: a large library that only those need who have such files.
        import pyarrow  # type: ignore[import-untyped]  # it has no annotations
        from pyarrow import parquet
    except ImportError:
        raise ConfigurationError(
            f"{name}: Parquet needs pyarrow, which is not installed; pip install 'airflow-provider-whatsapp[parquet]'."
        ) from None
    return parquet, pyarrow


def _kept(value: Any, column: str, place: str) -> Any:
    """Return a value as JSON can hold it, for the ledger keeps it so."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            # What a data frame writes for no value.
            return None if isnan(value) else value
        case Decimal():
            return _number(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta() | UUID():
            return str(value)
        case Enum():
            return _kept(value.value, column, place)
        case Mapping():
            return {str(key): _kept(one, column, place) for key, one in value.items()}
        case list() | tuple():
            return [_kept(one, column, place) for one in value]
    raise AudienceError(
        f"{place}: column {redact(column)!r} holds a {type(value).__name__}, which can't be kept in the ledger. "
        "Leave it out, or make it a text."
    )


def _number(value: Decimal) -> int | str | None:
    """Return a whole number as one, others as they are written: a price keeps its cents."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        return None
    return int(value) if exponent >= 0 else format(value, "f")
