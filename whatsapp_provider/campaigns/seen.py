"""Remember who came in which row, for audiences of any length."""

from __future__ import annotations

import sqlite3
from hashlib import blake2b
from typing import Protocol


class Seen(Protocol):
    """A ``dict`` is one, for few people."""

    def setdefault(self, key: str, default: int, /) -> int:
        """Return the row that a person came in first; if they are new, that is the one given."""


class SeenOnDisk:
    """Keeps a few megabytes in memory and the rest in a file that has no name and ends with the process.

    It holds hashes of people, and nothing else of them.
    """

    def __init__(self) -> None:
        # No name: SQLite makes a file of its own where such files belong, and unlinks it at once.
        self._database = sqlite3.connect("", isolation_level=None)
        for statement in (
            "PRAGMA journal_mode=OFF",
            "PRAGMA synchronous=OFF",
            "PRAGMA cache_size=-4000",
            "CREATE TABLE seen (person BLOB PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID",
            "BEGIN",
        ):
            self._database.execute(statement)

    def setdefault(self, key: str, default: int, /) -> int:
        """Return the row that a person came in first; if they are new, that is the one given."""
        person = blake2b(key.encode(), digest_size=16).digest()
        entered = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (person, default))
        if entered.rowcount == 1:
            return default
        (place,) = self._database.execute("SELECT place FROM seen WHERE person = ?", (person,)).fetchone()
        return int(place)
