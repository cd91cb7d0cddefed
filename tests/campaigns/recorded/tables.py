"""What is in a database, and how its tables are made, as somebody sees it who has nothing of ours."""

from __future__ import annotations

from typing import Any

from sqlalchemy import MetaData, inspect, select

from tests.campaigns.recorded.version_1 import engine


def rows_of(url: str) -> dict[str, Any]:
    """Return all that is in the tables, by name and column."""
    opened, there = engine(url), MetaData()
    there.reflect(opened)
    with opened.connect() as connection:
        rows = {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in there.sorted_tables
        }
    opened.dispose()
    return {name: sorted(found, key=str) for name, found in rows.items()}


def tables_of(url: str) -> dict[str, Any]:
    """Return how the tables are made."""
    opened = engine(url)
    inspector = inspect(opened)
    made = {
        name: {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(name)
            },
            "key": inspector.get_pk_constraint(name)["constrained_columns"],
            "indexes": sorted(
                (i["name"], i["column_names"], i["unique"]) for i in inspector.get_indexes(name)
            ),
            "unique": sorted(tuple(u["column_names"]) for u in inspector.get_unique_constraints(name)),
            "foreign": sorted(
                (tuple(f["constrained_columns"]), f["referred_table"])
                for f in inspector.get_foreign_keys(name)
            ),
        }
        for name in inspector.get_table_names()
    }
    opened.dispose()
    return made


def versions(url: str) -> list[int]:
    return [row["version"] for row in rows_of(url)["wa_version"]]
