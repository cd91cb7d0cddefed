"""Open the ledger's database: SQLite on one host, PostgreSQL where workers are many."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, insert, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, OperationalError, SQLAlchemyError

from whatsapp_provider.errors import LedgerError, LedgerUnavailableError

#: The database's own clock in seconds, as SQL.
_NOW = {
    "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())::double precision",
}
BUSY_SECONDS = 30.0
_NO_RIGHT = "42501"  #: PostgreSQL's code for a missing privilege
Clock = Callable[[], float]


class Database:
    """The engine, its clock, and transactions whose errors carry no data.

    :param url: an SQLAlchemy URL; its password never reaches an error or a log.
    :param clock: stands in for the database's clock in tests; seconds since the epoch.
    """

    def __init__(self, url: str | URL, *, clock: Clock | None = None) -> None:
        try:
            self._url = make_url(url)
        except ArgumentError:
            raise LedgerUnavailableError(
                "The ledger's address is not a database URL such as postgresql+psycopg://user@host/database."
            ) from None
        self._clock = clock
        self.engine = _engine(self._url)

    @property
    def name(self) -> str:
        """What a message may say of it: no user, no password."""
        if self.is_sqlite:
            return f"SQLite file {self._url.database or ':memory:'}"
        return f"{self.dialect} database {self._url.database!r} on {self._url.host or 'a local socket'}"

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return str(self.engine.dialect.name)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file, which only one host can use."""
        return self.dialect == "sqlite"

    def now(self, connection: Connection) -> float:
        """Return the time that leases and windows go by."""
        if self._clock is not None:
            return self._clock()
        return float(connection.execute(text(_NOW[self.dialect])).scalar_one())

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Begin, and commit at the end.

        :raises LedgerUnavailableError: if the database can't be reached or is locked for too long.
        :raises LedgerError: for any other failure of the database.
        """
        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            if _lacks_rights(error):
                raise LedgerUnavailableError(
                    f"The ledger ({self.name}) can't be used: its user lacks a right there ({_cause(error)}). It "
                    "must be able to make tables at the first use, and to read and write them."
                ) from None
            if _is_out_of_reach(error):
                raise LedgerUnavailableError(
                    f"The ledger ({self.name}) can't be used: {_cause(error)}. Nothing is sent without it; check "
                    "that the database is up and that its connection is right."
                ) from None
            raise LedgerError(f"The ledger ({self.name}) failed: {_cause(error)}.") from None

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def insert_one(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Insert a row and return the number that the database gave it."""
    key = connection.execute(insert(table).values(dict(values))).inserted_primary_key
    if key is None:
        raise LedgerError(f"The database gave no number for a new row of {table.name}.")
    return int(key[0])


def _is_out_of_reach(error: SQLAlchemyError) -> bool:
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    # Plain DatabaseError: SQLite says so of a file that is no database.
    return lost or isinstance(error, OperationalError) or type(error) is DatabaseError


def _lacks_rights(error: SQLAlchemyError) -> bool:
    return getattr(getattr(error, "orig", None), "sqlstate", None) == _NO_RIGHT


def _cause(error: SQLAlchemyError) -> str:
    """Name the failure without statement and parameters, which hold numbers and texts."""
    original = getattr(error, "orig", None)
    if original is None:
        return type(error).__name__
    told = str(original).strip().splitlines()
    # Other errors may quote the offending value; these speak of the server or the file.
    if told and _is_out_of_reach(error):
        return f"{type(original).__name__}: {told[0]}"
    return type(original).__name__


def _engine(url: URL) -> Engine:
    dialect = url.get_backend_name()
    if dialect not in _NOW:
        raise LedgerUnavailableError(
            f"The ledger can't live in {dialect!r}; use one of {', '.join(sorted(_NOW))}."
        )
    # hide_parameters: numbers and values must not be quoted by a traceback.
    options: dict[str, Any] = {"hide_parameters": True}
    if dialect == "sqlite":
        _make_folder(url)
        options["connect_args"] = {"timeout": BUSY_SECONDS}
    else:
        options |= {"pool_pre_ping": True, "isolation_level": "READ COMMITTED"}
    try:
        engine = create_engine(url, **options)
    except ModuleNotFoundError as error:
        raise LedgerUnavailableError(
            f"The ledger's driver {error.name!r} is not installed; pip install "
            "'airflow-provider-whatsapp[postgres]'."
        ) from None
    if dialect == "sqlite":
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
    return engine


def _make_folder(url: URL) -> None:
    if not url.database or url.database == ":memory:":
        return
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerUnavailableError(
            f"The ledger's folder {str(folder)!r} can't be made: {error.strerror}."
        ) from None


def _sqlite_connect(connection: Any, _record: Any) -> None:
    # Begin and commit are ours: the driver would begin too late, after the first read.
    connection.isolation_level = None
    _use_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: Any) -> None:
    # SQLite does not wait for a lock here, as it does elsewhere: workers that meet a new file at once would fail.
    deadline = monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or monotonic() > deadline:
                raise
            sleep(0.02)
        else:
            return


def _sqlite_begin(connection: Connection) -> None:
    # Taking the write lock at once: a read that becomes a write can't wait for it and fails instead.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
