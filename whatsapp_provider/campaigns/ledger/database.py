"""The ledger's database: SQLite on one host, PostgreSQL, MariaDB or MySQL where workers are many."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, wraps
from time import monotonic, sleep, time
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import Column, Connection, Insert, Row, Table, insert, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from whatsapp_provider.campaigns.ledger.engines import BUSY_SECONDS, normalize, open_engine, refuse_old_server
from whatsapp_provider.campaigns.ledger.failures import cause, is_out_of_reach, lacks_right, was_rolled_back
from whatsapp_provider.campaigns.ledger.moments import NOW
from whatsapp_provider.errors import LedgerError, LedgerUnavailableError

_KINDS = ("mysql", "postgresql", "sqlite")
_now = select(NOW)
#: How often a transaction is tried that ended for another's sake.
TRIES = 10
OwnClock = Callable[[], float]
_P = ParamSpec("_P")
_R = TypeVar("_R")


class DeadlockError(LedgerUnavailableError):
    """A transaction was rolled back whole because it stood in another's way; it may be done again at once."""


def again_after_deadlock(method: Callable[_P, _R]) -> Callable[_P, _R]:
    """Do a method again when its transaction was rolled back for another's sake, after a moment by chance.

    The method must be one transaction, and find its arguments as they were: an iterator would be used up.
    """

    @wraps(method)
    def repeated(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        deadline = monotonic() + BUSY_SECONDS
        for attempt in range(1, TRIES):
            try:
                return method(*args, **kwargs)
            except DeadlockError:
                if monotonic() > deadline:
                    raise
                # Those who met must not meet again.
                sleep(random.uniform(0, min(0.5, 0.01 * 2**attempt)))  # noqa: S311 - no secret
        return method(*args, **kwargs)

    return repeated


class Database:
    """The engine, its clock, and transactions whose errors carry no data.

    :param url: an SQLAlchemy URL; its password never reaches an error or a log.
    :param clock: stands in for the database's clock in tests; seconds since the epoch.
    """

    def __init__(self, url: str | URL, *, clock: OwnClock | None = None) -> None:
        try:
            self._url = normalize(make_url(url))
        except ArgumentError:
            raise LedgerUnavailableError(
                "The ledger's address is not a database URL such as postgresql+psycopg://user@host/database."
            ) from None
        if self._url.get_backend_name() not in _KINDS:
            raise LedgerUnavailableError(
                f"The ledger can't live in {self._url.get_backend_name()!r}; use one of {', '.join(_KINDS)}."
            )
        self._has_own_clock = clock is not None
        # A file's clock is that of its one host: asking the database for it would tell the same, later.
        self._clock = time if clock is None and self._url.get_backend_name() == "sqlite" else clock
        self.engine = open_engine(self._url)

    @property
    def url(self) -> URL | None:
        """Where another process finds the same database; ``None`` for one in memory, or with a clock of its own."""
        in_memory = self.is_sqlite and self._url.database in (None, "", ":memory:")
        return None if in_memory or self._has_own_clock else self._url

    @property
    def name(self) -> str:
        """What a message may say of it: no user, no password."""
        if self.is_sqlite:
            return f"SQLite file {self._url.database or ':memory:'}"
        return f"{self.dialect} database {self._url.database!r} on {self._url.host or 'a local socket'}"

    @property
    def dialect(self) -> str:
        """``sqlite``, ``postgresql``, or ``mysql``, which is MariaDB too."""
        return str(self.engine.dialect.name)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file, which only one host can use."""
        return self.dialect == "sqlite"

    def now(self, connection: Connection) -> float:
        """Return the time that leases and windows go by."""
        if self._clock is not None:
            return self._clock()
        return self.told(connection.execute(_now).one())

    def told(self, row: Row[Any]) -> float:
        """Return the time that a question with the column ``NOW`` was answered at."""
        return float(row.now) if self._clock is None else self._clock()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Begin, and commit at the end.

        :raises DeadlockError: if it was rolled back because another stood in its way.
        :raises LedgerUnavailableError: if the database can't be reached or is locked for too long.
        :raises LedgerError: for any other failure of the database.
        """
        try:
            with self._connect() as connection, connection.begin():
                refuse_old_server(connection.dialect)
                yield connection
        except SQLAlchemyError as error:
            raise self._told(error) from None

    def take_stock(self, table: Table, *columns: Column[Any]) -> None:
        """Tell PostgreSQL's planner what is in a table now, which it would find out by itself within minutes.

        Where all campaigns are known to it, it takes an unknown one for empty, and would read it whole at each turn.
        One that may not, or finds somebody else at it, leaves it.
        """
        if self.dialect == "postgresql":
            names = ", ".join(column.name for column in columns)
            with self.transaction() as connection:
                connection.exec_driver_sql(f"ANALYZE (SKIP_LOCKED) {table.name} ({names})")

    def _connect(self) -> Connection:
        try:
            return self.engine.connect()
        except OSError as error:
            # MariaDB's driver reads the files of certificates now, and leaves their errors as they are.
            raise LedgerUnavailableError(
                f"The ledger ({self.name}) can't be used: a file of its TLS settings can't be read "
                f"({error.strerror or type(error).__name__}). Check the connection's extra field."
            ) from None

    def _told(self, error: SQLAlchemyError) -> LedgerError:
        if lacks_right(error):
            return LedgerUnavailableError(
                f"The ledger ({self.name}) can't be used: its user lacks a right there ({cause(error)}). It "
                "must be able to make tables at the first use, and to read and write them."
            )
        if is_out_of_reach(error) or was_rolled_back(error):
            kind = DeadlockError if was_rolled_back(error) else LedgerUnavailableError
            return kind(
                f"The ledger ({self.name}) can't be used: {cause(error)}. Nothing is sent without it; check "
                "that the database is up and that its connection is right."
            )
        return LedgerError(f"The ledger ({self.name}) failed: {cause(error)}.")

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()


@dataclass(frozen=True, slots=True)
class Clock:
    """The database's time within a transaction."""

    database: Database
    connection: Connection

    def now(self) -> float:
        """Ask for it."""
        return self.database.now(self.connection)

    def told(self, row: Row[Any]) -> float:
        """Return what came with something else that was asked for; see ``NOW``."""
        return self.database.told(row)


@cache
def _insert_into(table: Table) -> Insert:
    return insert(table)


def insert_one(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Insert a row and return the number that the database gave it."""
    key = connection.execute(_insert_into(table), dict(values)).inserted_primary_key
    if key is None:
        raise LedgerError(f"The database gave no number for a new row of {table.name}.")
    return int(key[0])
