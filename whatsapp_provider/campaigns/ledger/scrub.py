"""Leave nothing of what was deleted in the ledger's file.

SQLite frees the places of rows that were changed or deleted and leaves their bytes there, in the file and in the log
beside it, until something else needs them. A server's files are its administrator's (``docs/data.md``).
"""

from __future__ import annotations

import sqlite3
from typing import Any, cast

from sqlalchemy.exc import SQLAlchemyError

from whatsapp_provider.campaigns.ledger.database import Database
from whatsapp_provider.errors import LedgerUnavailableError


def scrub(database: Database) -> bool:
    """Write an SQLite file anew from what is in it; return ``False`` for a server: that is its administrator's.

    Runs wait meanwhile. It takes seconds for a million deliveries, and as much space again.

    :raises LedgerUnavailableError: if another process kept it from that.
    """
    if not database.is_sqlite:
        return False
    try:
        borrowed = database.engine.raw_connection()
        try:
            _rewrite(cast("Any", borrowed.driver_connection), database.name)
        finally:
            borrowed.close()
    except (sqlite3.Error, SQLAlchemyError) as error:
        raise _not_done(database.name, str(error)) from None
    return True


def _rewrite(connection: sqlite3.Connection, name: str) -> None:
    # Not only free pages: those in use have old bytes in their gaps, from before any setting could have prevented it.
    connection.execute("VACUUM")
    # The log has the new file in it, and what came before.
    [(busy, *_)] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    if busy:
        raise _not_done(name, "another process is reading it")


def _not_done(name: str, why: str) -> LedgerUnavailableError:
    return LedgerUnavailableError(
        f"The data is gone from the tables of the ledger ({name}), and its file still has bytes of it, for it could "
        f"not be written anew: {why}. Do the same again."
    )
