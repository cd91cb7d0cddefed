"""Make the ledger's tables and add what a newer version has more, one process at a time.

Statements that change tables are carried out by whoever may: a role without the right gets a refusal that
names the command for one that has it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Column, Connection, Inspector, func, insert, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from whatsapp_provider.campaigns.ledger import keys, sql_views
from whatsapp_provider.campaigns.ledger.database import Database, again_after_deadlock
from whatsapp_provider.campaigns.ledger.failures import cause, lacks_right
from whatsapp_provider.campaigns.ledger.schema import (
    OLDEST_READER,
    REPLACED_INDEXES,
    VERSION,
    metadata,
    version,
)
from whatsapp_provider.errors import LedgerError, LedgerUnavailableError

UPGRADE_COMMAND = "airflow whatsapp ledger upgrade"
LOCK = "whatsapp_provider.ledger"
LOCK_SECONDS = 30
#: Where one of these is, Airflow's own tables are.
_AIRFLOWS = frozenset({"dag_run", "task_instance"})


def found_version(connection: Connection) -> int | None:
    """Return the version of the tables that are there, ``None`` where there are none.

    Tables of a newer version that this package may use count as its own version.
    """
    if not inspect(connection).has_table(version.name):
        return None
    newest = connection.execute(select(func.max(version.c.version))).scalar_one()
    if newest is None:
        return None
    if newest > VERSION and _oldest_reader(connection, newest) <= VERSION:
        return VERSION
    return int(newest)


def _oldest_reader(connection: Connection, newest: int) -> int:
    # Asked of newer ledgers only, which all have the column.
    told = connection.execute(select(version.c.oldest_reader).where(version.c.version == newest)).scalar_one()
    return newest if told is None else int(told)


def look(database: Database) -> int | None:
    """Return the version of the tables, as :func:`found_version` tells it.

    :raises LedgerUnavailableError: if the database can't be reached.
    """
    with database.transaction() as connection:
        return found_version(connection)


def check(database: Database, *, may_change: bool) -> None:
    """See that the tables are of this version; make or upgrade them if ``may_change``.

    :raises LedgerUnavailableError: if the right for it is missing, or it is left to a person.
    :raises LedgerError: if the tables are of a newer version that this package can't use.
    """
    found = look(database)
    if found == VERSION:
        return
    if found is not None and found > VERSION:
        raise LedgerError(
            f"The ledger ({database.name}) is of version {found}, and this package can use version {VERSION}. "
            "Install the package version that wrote it, or use another ledger."
        )
    if not may_change:
        raise _left_to_a_person(database, found)
    upgrade(database)


@again_after_deadlock
def upgrade(database: Database) -> int | None:
    """Make the tables, or add what this version has more; return the version that was found.

    Processes of the version before may go on meanwhile.

    :raises LedgerUnavailableError: if the right for it is missing.
    """
    with database.transaction() as connection, _alone(connection):
        found = found_version(connection)
        if found is None or found < VERSION:
            _refuse_airflows_own(connection, database)
            try:
                _add_what_is_missing(connection)
            except SQLAlchemyError as error:
                if not lacks_right(error):
                    raise
                raise _without_right(database, found, error) from None
            keys.make(connection)
            connection.execute(insert(version).values(version=VERSION, oldest_reader=OLDEST_READER))
    return found


def _without_right(database: Database, found: int | None, error: SQLAlchemyError) -> LedgerUnavailableError:
    return LedgerUnavailableError(
        f"The ledger ({database.name}) {_state(found)}, and its user may not change tables ({cause(error)}). Run "
        f"'{UPGRADE_COMMAND}' as a user who may."
    )


def _state(found: int | None) -> str:
    return "has no tables yet" if found is None else f"is of version {found}, and {VERSION} is needed"


def _left_to_a_person(database: Database, found: int | None) -> LedgerUnavailableError:
    return LedgerUnavailableError(
        f"The ledger ({database.name}) {_state(found)}. Changing tables is left to a person here ([whatsapp] "
        f"ledger_auto_upgrade): run '{UPGRADE_COMMAND}'."
    )


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Make other processes that would change the tables wait; SQLite's transaction does so by itself."""
    dialect = connection.dialect.name
    if dialect == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:lock))"), {"lock": LOCK})
    if dialect not in {"mysql", "mariadb"}:
        yield
        return
    # Changes of tables commit by themselves there, so the lock is not the transaction's.
    taken = connection.execute(
        text("SELECT GET_LOCK(:lock, :seconds)"), {"lock": LOCK, "seconds": LOCK_SECONDS}
    ).scalar_one()
    if taken != 1:
        raise LedgerUnavailableError(f"Another process has changed the ledger's tables for {LOCK_SECONDS} s.")
    try:
        yield
        # While the lock is held: who gets it next would not see the version yet, and note it again.
        connection.exec_driver_sql("COMMIT")
    finally:
        # A lost connection has lost its locks, and would hide why.
        if not connection.invalidated:
            connection.execute(text("SELECT RELEASE_LOCK(:lock)"), {"lock": LOCK})


def _refuse_airflows_own(connection: Connection, database: Database) -> None:
    inspector = inspect(connection)
    # Of the one schema that the ledger's tables go to: others may be in sight.
    if _AIRFLOWS & set(inspector.get_table_names(schema=inspector.default_schema_name)):
        raise LedgerUnavailableError(
            f"The ledger ({database.name}) would share a schema with Airflow's own tables. Give it a database or, "
            "on PostgreSQL, a schema of its own (docs/campaigns.md says how)."
        )


def _add_what_is_missing(connection: Connection) -> None:
    """Bring whatever is there to this version: each step is looked at first, so a broken-off one goes on."""
    # Alembic comes with Airflow; loaded here, for this happens once in a ledger's life.
    from alembic.migration import MigrationContext
    from alembic.operations import Operations

    inspector = inspect(connection)
    before = set(inspector.get_table_names())
    with _quietly():
        operations = Operations(MigrationContext.configure(connection))
    # Old tables before new ones, which refer to them: a weaker lock first would meet a runner's in a circle.
    for table in metadata.sorted_tables:
        if table.name not in before:
            continue
        there = {column["name"] for column in inspector.get_columns(table.name)}
        for column in table.columns:
            if column.name not in there:
                operations.add_column(table.name, Column(column.name, column.type, nullable=column.nullable))
        _add_indexes(operations, inspector, table.name)
    metadata.create_all(connection, checkfirst=True)
    sql_views.make(connection)


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep Alembic from telling tasks and people at a command line which database it speaks to."""
    log = logging.getLogger("alembic.runtime.migration")
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(level)


def _add_indexes(operations: object, inspector: Inspector, name: str) -> None:
    there = {index["name"] for index in inspector.get_indexes(name)}
    for index in metadata.tables[name].indexes:
        if index.name not in there:
            index.create(operations.get_bind())  # type: ignore[attr-defined]  # alembic's type is not exported
    # After the one that does its work: processes of the version before go on meanwhile, and fast.
    for name_of_old in there & REPLACED_INDEXES:
        operations.drop_index(name_of_old, name)  # type: ignore[attr-defined]  # as above
