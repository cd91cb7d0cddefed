"""A report as a file: what is in it, whom it names, and what a spreadsheet does with it."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pyarrow import parquet

from tests.campaigns.support import Desk, number
from whatsapp_provider.campaigns.export import COLUMNS, ROW_GROUP, records, safe_cell, writer_for
from whatsapp_provider.campaigns.ledger.rows import ReportRow
from whatsapp_provider.campaigns.ledger.states import DeliveryState
from whatsapp_provider.errors import ConfigurationError

NOON = datetime(2030, 3, 1, 12, tzinfo=UTC)


def row(index: int = 1, **values: Any) -> ReportRow:
    usual: dict[str, Any] = {
        "delivery": index,
        "recipient": number(index),
        "state": DeliveryState.ACCEPTED,
        "code": None,
        "reason": None,
        "message_id": f"true_{number(index)}@c.us_3EB0",
        "attempt": 1,
        "channel": "whapi:TESTER-1",
        "planned_at": NOON.timestamp(),
        "sent_at": NOON.timestamp() + 1.5,
        "updated_at": NOON.timestamp() + 2,
    }
    return ReportRow(**{**usual, **values})


def file_of(name: str, *rows: ReportRow, numbers: bool = False) -> bytes:
    file = io.BytesIO()
    writer_for(name)(records(rows, numbers=numbers), file)
    return file.getvalue()


MASKED = {
    "recipient": "…0001",
    "state": "accepted",
    "code": None,
    "reason": None,
    "message_id": "true_…0001@c.us_3EB0",
    "attempt": 1,
    "channel": "whapi:TESTER-1",
    "planned_at": "2030-03-01T12:00:00.000+00:00",
    "sent_at": "2030-03-01T12:00:01.500+00:00",
    "updated_at": "2030-03-01T12:00:02.000+00:00",
    "delivery": 1,
}


def test_a_report_in_csv() -> None:
    found = list(csv.DictReader(io.StringIO(file_of("r.csv", row()).decode(), newline="")))
    assert found == [{name: "" if value is None else str(value) for name, value in MASKED.items()}]


def test_a_report_in_json_lines_keeps_its_types() -> None:
    told = file_of("r.jsonl", row(), row(2)).decode().splitlines()
    assert json.loads(told[0]) == MASKED
    assert len(told) == 2
    assert file_of("r.ndjson", row()) == file_of("r.jsonl", row())


def test_a_report_in_parquet_has_moments_as_such() -> None:
    table = parquet.read_table(io.BytesIO(file_of("r.parquet", row(), row(2, sent_at=None))))
    first, second = table.to_pylist()
    assert first["sent_at"] == datetime(2030, 3, 1, 12, 0, 1, 500_000, UTC)
    assert second["sent_at"] is None
    assert {name: first[name] for name in ("recipient", "attempt", "delivery", "code")} == {
        "recipient": "…0001",
        "attempt": 1,
        "delivery": 1,
        "code": None,
    }


@pytest.mark.parametrize("name", ["r.csv", "r.parquet", "r.jsonl"])
def test_a_report_of_nobody_has_its_columns(name: str) -> None:
    content = file_of(name)
    if name == "r.csv":
        assert content.decode().strip().split(",") == list(COLUMNS)
    elif name == "r.parquet":
        assert parquet.read_table(io.BytesIO(content)).column_names == list(COLUMNS)
    else:
        assert content == b""


@pytest.mark.parametrize("name", ["r.csv", "r.jsonl"])
def test_a_packed_report_is_the_same_unpacked(name: str) -> None:
    packed = file_of(f"{name}.gz", row(), row(2))
    assert gzip.decompress(packed) == file_of(name, row(), row(2))
    assert packed[4:8] == bytes(4), "a retry writes the same bytes, whenever it is"


@pytest.mark.parametrize("name", ["report", "report.xlsx", "report.parquet.gz", "report.json"])
def test_other_endings_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="must be one of csv, jsonl, ndjson and parquet"):
        writer_for(name)


def test_without_its_library_parquet_is_refused_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigurationError, match=r"airflow-provider-whatsapp\[parquet\]"):
        writer_for("r.parquet")


@pytest.mark.parametrize("name", ["r.csv", "r.jsonl", "r.parquet"])
@pytest.mark.parametrize(
    ("recipient", "message_id"),
    [
        (number(1), f"true_{number(1)}@c.us_3EB0"),
        ("5511900000001", "false_551100000001@c.us_3EB0"),
        ("120363000000000001@g.us", "120363000000000001@g.us_3EB0"),
    ],
)
def test_nobodys_number_is_in_a_report_unless_numbers_are_asked_for(
    name: str, recipient: str, message_id: str
) -> None:
    reason = f"Forbidden to send to this recipient: {recipient}"
    values = {"recipient": recipient, "message_id": message_id, "reason": reason}
    digits = recipient.partition("@")[0].encode()
    told = file_of(name, row(**values))
    assert digits not in told
    assert message_id.encode() not in told
    whole = file_of(name, row(**values), numbers=True)
    assert digits in whole
    assert message_id.encode() in whole


def test_an_id_with_the_number_in_base64_is_left_out_unless_numbers_are_asked_for() -> None:
    official = row(message_id="wamid.HBgLMTU1NTAwMDAwMDE")
    assert json.loads(file_of("r.jsonl", official))["message_id"] is None
    assert json.loads(file_of("r.jsonl", official, numbers=True))["message_id"] == official.message_id


def test_rows_are_read_as_they_are_written() -> None:
    under_way = 0

    def rows() -> Iterator[ReportRow]:
        nonlocal under_way
        for index in range(ROW_GROUP):
            under_way = index - written.tell() // 10
            yield same

    class Counting(io.RawIOBase):
        size = 0

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.size += len(data)
            return len(data)

        def tell(self) -> int:
            return self.size

    written, same = Counting(), row()
    writer_for("r.csv")(records(rows(), numbers=False), written)  # type: ignore[arg-type]
    assert under_way < 0, "long before the last row was read, most were written"


def test_a_parquet_report_is_written_in_groups() -> None:
    same = row()
    content = file_of("r.parquet", *[same] * (ROW_GROUP + 1))
    file = parquet.ParquetFile(io.BytesIO(content))
    assert [file.metadata.row_group(place).num_rows for place in range(file.num_row_groups)] == [ROW_GROUP, 1]


NASTY = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://x?"&A1)',
    "+1+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\u00a0=1",
    "\u200b=1",
    "\ufeff=1",
    "\x00=1",
    "'=1",
    '"=1',
    "\ttext",
    "＝1",  # noqa: RUF001 - the wide sign
    "－1+1",  # noqa: RUF001
    "-",
    "+",
    "--1",
    "+1 555 000 0001",
    "-1e5+A1",
]


@pytest.mark.parametrize("cell", NASTY)
def test_a_cell_that_a_spreadsheet_would_run_is_made_text(cell: str) -> None:
    assert safe_cell(cell) == f"'{cell}"
    (found,) = csv.DictReader(
        io.StringIO(file_of("r.csv", row(reason=cell), numbers=True).decode(), newline="")
    )
    assert found["reason"] == f"'{cell}"


@pytest.mark.parametrize(
    "cell", ["", "15550000001", "-5", "+15550000001", "-1.25", "a=1", "3EB0-1", "…0001", 7, None]
)
def test_other_cells_stay_as_they_are(cell: Any) -> None:
    assert safe_cell(cell) == cell


def test_every_text_of_a_row_is_made_safe() -> None:
    texts = ("recipient", "code", "reason", "message_id", "channel")
    (found,) = csv.DictReader(
        io.StringIO(file_of("r.csv", row(**dict.fromkeys(texts, "=1+1")), numbers=True).decode(), newline="")
    )
    assert [found[name] for name in texts] == ["'=1+1"] * len(texts)


def test_other_forms_keep_texts_as_they_are() -> None:
    assert json.loads(file_of("r.jsonl", row(reason="=1+1")))["reason"] == "=1+1"


def test_a_ledgers_rows_can_be_written(desk: Desk) -> None:
    record = desk.plan(3)
    desk.run(record)
    file = io.BytesIO()
    writer_for("r.csv")(records(desk.ledger.rows(record, page=2), numbers=True), file)
    found = list(csv.DictReader(io.StringIO(file.getvalue().decode(), newline="")))
    assert [(one["recipient"], one["state"]) for one in found] == [
        (number(index), "accepted") for index in range(3)
    ]
