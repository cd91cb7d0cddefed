"""Open the engine of each kind of database, with the settings that the ledger's guarantee rests on."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from whatsapp_provider.errors import LedgerUnavailableError

BUSY_SECONDS = 30.0  #: how long a file's lock is waited for
LOCK_SECONDS = 10  #: how long MariaDB waits for a row's lock
#: A worker that was frozen in the middle of a transaction keeps its locks no longer than this.
IDLE_SECONDS = 60

REST_SECONDS = 1.0  #: a connection that was used so lately is taken to be there still
_RESTS_SINCE = "rests since"

_EXTRAS = {"postgresql": "postgres", "mysql": "mariadb"}
_ALIASES = {"mysql": "mysql+pymysql", "mariadb": "mysql+pymysql", "mariadb+pymysql": "mysql+pymysql"}
_TLS = ("ca", "capath", "cert", "key", "cipher")
#: Older servers can't pass over rows that another runner has locked.
_OLDEST = {True: (10, 6), False: (8, 0, 1)}


def open_engine(url: URL) -> Engine:
    """Open an engine; nothing is asked of the server yet.

    :raises LedgerUnavailableError: if there is no driver, the folder can't be made, or the TLS options are wrong.
    """
    dialect = url.get_backend_name()
    # hide_parameters: numbers and values must not be quoted by a traceback.
    options: dict[str, Any] = {"hide_parameters": True}
    if dialect == "sqlite":
        _make_folder(url)
        options["connect_args"] = {"timeout": BUSY_SECONDS}
    else:
        options["isolation_level"] = "READ COMMITTED"
    if dialect == "mysql":
        url, options["connect_args"] = _mysql(url)
        # Who borrows a connection commits or rolls back. The pool would ask the server for it once more.
        options["pool_reset_on_return"] = None
    try:
        engine = create_engine(url, **options)
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(dialect, dialect)
        raise LedgerUnavailableError(
            f"The ledger's driver {error.name!r} is not installed; pip install "
            f"'airflow-provider-whatsapp[{extra}]'."
        ) from None
    if dialect == "sqlite":
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
        return engine
    _ask_after_a_rest(engine)
    if dialect == "postgresql":
        event.listen(engine, "connect", _postgres_connect)
    return engine


def _ask_after_a_rest(engine: Engine) -> None:
    """Ask a connection that rested whether its server is still there, before it is used.

    SQLAlchemy's own ``pool_pre_ping`` asks each time, which is a tenth of a busy run's turn.
    """

    def rested(_connection: Any, record: ConnectionPoolEntry) -> None:
        record.info[_RESTS_SINCE] = monotonic()

    def ask(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        since = record.info.get(_RESTS_SINCE)
        if since is None or monotonic() - since < REST_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            # The pool makes another one.
            raise DisconnectionError from error

    event.listen(engine, "checkin", rested)
    event.listen(engine, "checkout", ask)


def normalize(url: URL) -> URL:
    """Return the address with our driver for MariaDB and MySQL, whose dialects are one here."""
    return url.set(drivername=_ALIASES.get(url.drivername, url.drivername))


def refuse_old_server(dialect: Dialect) -> None:
    """Refuse a server whose runners would wait for each other's rows instead of passing over them.

    :raises LedgerUnavailableError: if it is older than MariaDB 10.6 or MySQL 8.0.1.
    """
    if dialect.name != "mysql":
        return
    is_mariadb = bool(getattr(dialect, "is_mariadb", False))
    found: tuple[Any, ...] = getattr(dialect, "server_version_info", None) or ()
    numbers = tuple(part for part in found if isinstance(part, int))
    if numbers < _OLDEST[is_mariadb]:
        told = ".".join(map(str, numbers))
        raise LedgerUnavailableError(
            f"The ledger's server is {'MariaDB' if is_mariadb else 'MySQL'} {told}; the ledger needs MariaDB 10.6 or "
            "MySQL 8.0.1, or newer."
        )


def _mysql(url: URL) -> tuple[URL, dict[str, Any]]:
    settings = (
        # Local time goes back an hour once a year, and the clock with it.
        "time_zone='+00:00'",
        # A value that is too long fails, as it does elsewhere; it is never cut.
        "sql_mode='STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
        f"innodb_lock_wait_timeout={LOCK_SECONDS}",
        # MySQL takes this for a comment.
        f"autocommit=0 /*M! , idle_transaction_timeout={IDLE_SECONDS} */",
    )
    arguments: dict[str, Any] = {
        "charset": "utf8mb4",
        "init_command": f"SET SESSION {', '.join(settings)}",
        **_tls(url.query),
    }
    if url.password is not None:
        # The driver would take text for Latin-1; servers and their own clients hash UTF-8.
        arguments["password"] = str(url.password).encode()
    return url.difference_update_query(["ssl_mode", "charset", *(f"ssl_{name}" for name in _TLS)]), arguments


def _tls(query: Mapping[str, Any]) -> dict[str, Any]:
    """Return the driver's TLS arguments for MySQL's own ``ssl_mode`` and the files beside it."""
    files = {name: str(query[f"ssl_{name}"]) for name in _TLS if f"ssl_{name}" in query}
    mode = str(query.get("ssl_mode", "")).upper()
    has_ca = "ca" in files or "capath" in files
    match mode:
        case "DISABLED":
            return {"ssl_disabled": True}
        case "" | "PREFERRED":
            return {"ssl": files} if files else {}
        case "REQUIRED":
            return {"ssl": {**files, "verify_mode": has_ca, "check_hostname": False}}
        case "VERIFY_CA" | "VERIFY_IDENTITY" if has_ca:
            # Without a CA of its own the driver leaves the name unchecked, whatever it is told.
            return {"ssl": {**files, "verify_mode": True, "check_hostname": mode == "VERIFY_IDENTITY"}}
        case "VERIFY_CA" | "VERIFY_IDENTITY":
            raise LedgerUnavailableError(
                f"The ledger's ssl_mode {mode} needs the file of a CA: give ssl its 'ca'."
            )
    raise LedgerUnavailableError(
        f"The ledger's ssl_mode {mode!r} is unknown; use DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY."
    )


def _postgres_connect(connection: Any, _record: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'")
    connection.commit()


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
