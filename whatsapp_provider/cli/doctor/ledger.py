"""The ledger: which one it is, whether it can be used, and whether it is where it should be. Makes nothing."""

from __future__ import annotations

import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from whatsapp_provider.cli.doctor.disks import judge_disk
from whatsapp_provider.cli.doctor.findings import Finding, Topic
from whatsapp_provider.errors import WhatsAppError

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.engine import URL

LEDGER = Topic("ledger")
_HAS_VERSION = "SELECT count(*) FROM sqlite_master WHERE name = 'wa_version'"
_TABLES = "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
#: PostgreSQL: is it a copy, may we make tables, and are ours there and writable.
_RIGHTS = """
SELECT pg_is_in_recovery(),
       has_schema_privilege(current_schema(), 'CREATE'),
       to_regclass('wa_version') IS NOT NULL
"""
_WRITABLE = """
SELECT coalesce(bool_and(has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')
       AND has_table_privilege(oid, 'UPDATE')), false)
FROM pg_class WHERE relkind = 'r' AND starts_with(relname, 'wa_') AND pg_table_is_visible(oid)
"""

#: MariaDB and MySQL: our tables' columns, and may we make any; rights by a role are not listed there.
_MYSQL_COLUMNS = """
SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables
USING (table_schema, table_name)
WHERE table_schema = DATABASE() AND LEFT(table_name, 3) = 'wa_' AND table_type = 'BASE TABLE'
"""
_MYSQL_MAY_CREATE = """
SELECT count(*) FROM (
    SELECT grantee, privilege_type FROM information_schema.user_privileges UNION ALL
    SELECT grantee, privilege_type FROM information_schema.schema_privileges WHERE DATABASE() LIKE table_schema
) AS rights
WHERE privilege_type = 'CREATE' AND grantee = CONCAT("'", REPLACE(CURRENT_USER(), '@', "'@'"), "'")
"""


def look_at_ledger(has_database: bool, seconds: float) -> Iterator[Finding]:
    """Find the ledger as tasks do, then look at it.

    :param has_database: whether Airflow's metadata database, which may name the ledger, can be read.
    """
    from whatsapp_provider.hooks.ledger import locate_ledger

    if not has_database:
        yield LEDGER.warning("place", "Not looked at: which it is may stand in the metadata database.")
        return
    try:
        url = locate_ledger()
    except WhatsAppError as error:
        yield LEDGER.problem("place", str(error), "Nothing can be sent until then.")
        return
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        yield LEDGER.ok("place", f"SQLite file {path}, for tasks on one host.")
        yield judge_disk(LEDGER, path)
        yield look_at_file(url, path, seconds)
    else:
        yield LEDGER.ok("place", f"Database {url.database!r} on {url.host or 'a local socket'}.")
        yield _look_at_mysql(url) if url.get_backend_name() == "mysql" else _look_at_postgres(url)


def look_at_file(url: URL, path: Path, seconds: float) -> Finding:
    """Look at a file, or at the place where it would be made."""
    if not path.exists():
        return _look_at_place(path)
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=seconds)) as file:
            is_ledger = file.execute(_HAS_VERSION).fetchone()[0]
            tables = file.execute(_TABLES).fetchone()[0]
    except sqlite3.Error as error:
        return LEDGER.problem(
            "use",
            f"The file can't be read as SQLite's: {error}.",
            "Check its rights, or name another file in [whatsapp] ledger_path; nothing is sent without a ledger.",
        )
    if is_ledger:
        return _open(url)
    if not os.access(path, os.W_OK):
        return _no_right(path)
    if tables:
        return LEDGER.warning(
            "use",
            f"The file has {tables} other tables and none of the ledger; they would be added at the first use.",
            "Give the ledger a file of its own in [whatsapp] ledger_path.",
        )
    return LEDGER.ok("use", "The file is empty; its tables are made at the first use.")


def _look_at_place(path: Path) -> Finding:
    parent = path.parent
    while not parent.exists() and parent != parent.parent:
        parent = parent.parent
    if not parent.is_dir():
        return LEDGER.problem("use", f"The file can't be made: {parent} is no folder.", "Correct the path.")
    if not os.access(parent, os.W_OK | os.X_OK):
        return _no_right(parent)
    return LEDGER.ok("use", "There is no such file yet; it would be created at the first use.")


def _no_right(path: Path) -> Finding:
    return LEDGER.problem(
        "use",
        f"The user of this process may not write to {path}.",
        "Give the user that tasks run as the right to write there, or name another [whatsapp] ledger_path.",
    )


def _open(url: URL) -> Finding:
    """Open a ledger that is there, as a task would: SQLite takes the write lock at once."""
    from whatsapp_provider.campaigns.ledger.ledger import Ledger
    from whatsapp_provider.campaigns.ledger.migrations import UPGRADE_COMMAND
    from whatsapp_provider.campaigns.ledger.schema import VERSION

    try:
        ledger = Ledger(url, may_change_tables=False)
        try:
            found = ledger.version()
            if found is not None and found < VERSION:
                return LEDGER.warning(
                    "use",
                    f"It is of version {found}, and this package needs {VERSION}.",
                    f"Run '{UPGRADE_COMMAND}'; unless [whatsapp] ledger_auto_upgrade is off, the first task does it.",
                )
            ledger.prepare()
        finally:
            ledger.dispose()
    except WhatsAppError as error:
        return LEDGER.problem("use", str(error))
    return LEDGER.ok("use", f"Opened and writable; schema version {VERSION}.")


def _look_at_mysql(url: URL) -> Finding:
    try:
        with _transaction(url) as connection:
            tables = defaultdict[str, list[str]](list)
            for name, column in connection.exec_driver_sql(_MYSQL_COLUMNS):
                tables[name].append(column)
            may_create = connection.exec_driver_sql(_MYSQL_MAY_CREATE).scalar_one()
            for name, columns in tables.items():
                _write_nothing(connection, name, columns)
    except WhatsAppError as error:
        return LEDGER.problem("use", str(error))
    if "wa_version" in tables:
        return _open(url)
    if may_create:
        return LEDGER.ok("use", "The database can be used; the ledger's tables are made at the first use.")
    return LEDGER.warning(
        "use",
        "The database has no tables of the ledger, and the user has no right of its own to make them.",
        "Unless it has that right by a role, grant it ALL on the database.",
    )


def _write_nothing(connection: Connection, name: str, columns: Sequence[str]) -> None:
    """Change no row in each way that the ledger needs: that takes the right, and a server that can be written to."""
    from sqlalchemy import column, delete, false, insert, select, table, update

    ours = table(name, *map(column, columns))
    connection.execute(insert(ours).from_select(list(columns), select(ours).where(false())))
    connection.execute(update(ours).where(false()).values({columns[0]: ours.c[columns[0]]}))
    connection.execute(delete(ours).where(false()))


@contextmanager
def _transaction(url: URL) -> Iterator[Connection]:
    from whatsapp_provider.campaigns.ledger.database import Database

    database = Database(url)
    try:
        with database.transaction() as connection:
            yield connection
    finally:
        database.dispose()


def _look_at_postgres(url: URL) -> Finding:
    try:
        with _transaction(url) as connection:
            is_copy, may_create, is_there = connection.exec_driver_sql(_RIGHTS).one()
            may_write = is_there and connection.exec_driver_sql(_WRITABLE).scalar_one()
    except WhatsAppError as error:
        return LEDGER.problem("use", str(error))
    if is_copy:
        return LEDGER.problem(
            "use", "The server is a read-only copy.", "Name the primary server in the connection."
        )
    if is_there:
        if may_write:
            return _open(url)
        return LEDGER.problem("use", "The user may not write to the ledger's tables.", "Make it their owner.")
    if may_create:
        return LEDGER.ok("use", "The database can be used; the ledger's tables are made at the first use.")
    return LEDGER.problem(
        "use",
        "The database has no tables of the ledger, and the user may not make them.",
        "Grant it CREATE on the schema, or give it a database of its own.",
    )
