"""Rows with typed values: of a query, of a Parquet file; packed files; and columns under other names."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pyarrow
import pytest
from pyarrow import parquet

from tests.campaigns.support import Desk, number
from whatsapp_provider.campaigns.audience import AudienceOptions
from whatsapp_provider.campaigns.plan import plan_campaign
from whatsapp_provider.campaigns.readers import Row, mapped, reader_for, rows_of
from whatsapp_provider.campaigns.render import MessageTemplate
from whatsapp_provider.campaigns.tables import BATCH, parquet_rows, table_rows
from whatsapp_provider.errors import AudienceError, ConfigurationError

ADA = "+15550000001"


def values(rows: Iterable[Row]) -> list[dict[str, Any]]:
    return [dict(row.values) for row in rows]


def in_parquet(columns: dict[str, Any]) -> io.BytesIO:
    file = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), file)
    file.seek(0)
    return file


class Tier(Enum):
    GOLD = "gold"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, None),
        (True, True),
        ("Zoë", "Zoë"),
        (1.5, 1.5),
        (float("nan"), None),
        (Decimal(15550000001), 15550000001),
        (Decimal("1.5E+3"), 1500),
        (Decimal("10.50"), "10.50"),
        (Decimal("NaN"), None),
        (date(2030, 3, 1), "2030-03-01"),
        (datetime(2030, 3, 1, 9, tzinfo=UTC), "2030-03-01T09:00:00+00:00"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (Tier.GOLD, "gold"),
        ([Decimal("1.0"), (date(2030, 3, 1),)], ["1.0", ["2030-03-01"]]),
        ({"price": Decimal("1.0")}, {"price": "1.0"}),
    ],
)
def test_a_databases_values_are_kept_as_what_a_message_can_show(value: Any, kept: Any) -> None:
    assert values(table_rows(["phone", "value"], [(ADA, value)], name="query")) == [
        {"phone": ADA, "value": kept}
    ]


def test_a_value_that_can_not_be_kept_is_told_by_its_row_and_column() -> None:
    with pytest.raises(AudienceError, match=r"query, row 2: column 'photo' holds a bytes") as caught:
        values(table_rows(["phone", "photo"], [(ADA, None), (ADA, b"Ada")], name="query"))
    assert "Ada" not in str(caught.value)


@pytest.mark.parametrize("columns", [["phone", "phone"], ["phone", ""], ["phone", "?column?"]])
def test_each_column_needs_a_name_of_its_own(columns: list[str]) -> None:
    with pytest.raises(AudienceError, match="each column needs a name of its own"):
        values(table_rows(columns, [], name="query"))


def test_a_campaign_goes_to_the_people_of_a_parquet_file(desk: Desk) -> None:
    file = in_parquet(
        {"phone": [15550000001, 15550000002], "name": ["Ada", "Bo"], "due": [date(2030, 3, 1)] * 2}
    )
    rows = parquet_rows(file, name="people.parquet")
    record = plan_campaign(
        desk.ledger, desk.campaign(), MessageTemplate("{{ name }}, {{ due }}"), rows, AudienceOptions()
    )
    assert desk.counts(record) == {"planned": 2}


def test_a_parquet_file_is_read_batch_by_batch() -> None:
    count = 20 * BATCH
    file = in_parquet({"phone": range(count), "note": [f"{index:0500}" for index in range(count)]})
    before = pyarrow.total_allocated_bytes()
    rows = iter(parquet_rows(file, name="people.parquet"))
    first = next(rows)
    assert (first.place, first.values["phone"]) == ("people.parquet, row 1", 0)
    # 500 letters each: all rows together take 10 million.
    assert pyarrow.total_allocated_bytes() - before < 5_000_000
    assert sum(1 for _ in rows) == count - 1


@pytest.mark.parametrize("content", [b"", b"phone,name\n", b"PAR1" + b"\x00" * 40 + b"PAR1"])
def test_what_is_no_parquet_is_told(content: bytes) -> None:
    with pytest.raises(AudienceError, match=r"people.parquet can't be read as Parquet"):
        values(parquet_rows(io.BytesIO(content), name="people.parquet"))


def test_without_its_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    file = in_parquet({"phone": [ADA]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'airflow-provider-whatsapp\[parquet\]'"):
        values(parquet_rows(file, name="people.parquet"))


@pytest.mark.parametrize(
    ("name", "text"), [("people.csv.gz", f"phone\n{ADA}\n"), ("P.JSONL.GZ", f'{{"phone": "{ADA}"}}\n')]
)
def test_packed_text_is_unpacked(name: str, text: str) -> None:
    file = io.BytesIO(gzip.compress(text.encode()))
    (row,) = reader_for(name)(file, name=name)
    assert row.values == {"phone": ADA}
    assert name in row.place


@pytest.mark.parametrize(
    "content",
    [b"phone\n", gzip.compress(b"phone\n" * 999)[:-9], gzip.compress(b"p")[:12] + b"\xff" * 20],
    ids=["not packed", "cut off", "broken"],
)
def test_what_is_not_whole_when_it_is_unpacked_is_told(content: bytes) -> None:
    with pytest.raises(AudienceError, match=r"people.csv.gz is no gzip file, or the end of it is missing"):
        values(reader_for("people.csv.gz")(io.BytesIO(content), name="people.csv.gz"))


@pytest.mark.parametrize("name", ["people.gz", "people.parquet.gz", "people.gz.xlsx", "people.csv.gz.gz"])
def test_other_endings_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="must be one of csv, jsonl, ndjson and parquet"):
        reader_for(name)


def named(columns: dict[str, str], *rows: dict[str, Any]) -> list[dict[str, Any]]:
    return values(mapped(rows_of(rows, recipient_field="phone"), columns))


def test_columns_are_given_the_names_that_the_message_knows_and_others_keep_theirs() -> None:
    assert named(
        {"phone": "mobile_number", "name": "first_name"},
        {"mobile_number": ADA, "first_name": "Ada", "city": "Lund"},
    ) == [{"phone": ADA, "name": "Ada", "city": "Lund"}]


def test_the_name_that_is_asked_for_wins_and_columns_may_change_places() -> None:
    assert named({"name": "nick"}, {"name": "Augusta", "nick": "Ada"}) == [{"name": "Ada"}]
    assert named({"a": "b", "b": "a"}, {"a": 1, "b": 2}) == [{"a": 2, "b": 1}]
    assert named({"phone": "id", "key": "id"}, {"id": ADA}) == [{"phone": ADA, "key": ADA}]


def test_a_column_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(AudienceError, match=r"row 1: no column 'mobil' \(columns: mobile, name\)"):
        named({"phone": "mobil"}, {"mobile": ADA, "name": "Ada"})


def test_what_a_later_row_lacks_is_missing_in_its_message_only() -> None:
    rows = named({"phone": "id", "name": "nick"}, {"id": ADA, "nick": "Ada"}, {"id": number(2)})
    assert rows[1] == {"phone": number(2)}
