"""The page about people's data names every column of the ledger, each once, and none that is not there."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from sqlalchemy import String, Text

from whatsapp_provider.campaigns.ledger.schema import metadata

PAGE = (Path(__file__).parent.parent / "docs" / "data.md").read_text("utf-8")
NOBODYS = "\N{EN DASH}"
THERE = {(table.name, column.name) for table in metadata.sorted_tables for column in table.columns}


def lines() -> list[tuple[str, list[str], str, str]]:
    """Table, columns, what is in them, and whose it is, of each line of the page's table."""
    [body] = re.findall(r"<!-- columns -->(.*?)<!-- /columns -->", PAGE, re.DOTALL)
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in body.splitlines()
        if line.startswith("| `")
    ]
    return [
        (table.strip("`"), re.findall(r"`(\w+)`", columns), what, whose)
        for table, columns, what, whose in rows
    ]


def test_each_column_of_the_ledger_is_told_once() -> None:
    told = Counter((table, column) for table, columns, _, _ in lines() for column in columns)
    assert THERE - set(told) == set(), "say on docs/data.md what is in it, and whose it is"
    assert set(told) - THERE == set()
    assert max(told.values()) == 1


def test_each_line_says_what_is_there_and_whose_it_is() -> None:
    assert all(what and whose in {"P", "S", NOBODYS} for _, _, what, whose in lines())


def test_every_table_with_a_persons_texts_is_told_to_administrators() -> None:
    """Of what is erased a server keeps the bytes: its administrator is told of which tables."""
    texts = {
        (table.name, column.name)
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, String | Text)
    }
    persons = {
        table
        for table, columns, _, whose in lines()
        for column in columns
        if whose == "P" and (table, column) in texts
    }
    [row] = re.findall(r"^\| PostgreSQL \| old versions.*$", PAGE, re.MULTILINE)
    assert set(re.findall(r"`(wa_\w+)`", row)) >= persons
