"""Read the rows of a query over any of Airflow's SQL hooks, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from importlib import import_module
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseHook

from whatsapp_provider.audiences import SqlAudience
from whatsapp_provider.errors import (
    AudienceError,
    AudienceUnavailableError,
    ConfigurationError,
    WhatsAppError,
)
from whatsapp_provider.redaction import redact

if TYPE_CHECKING:
    from whatsapp_provider.campaigns.readers import Row

#: Rows that are fetched at once.
BATCH = 1000
#: Kinds of errors by the names that all drivers share (PEP 249). Some quote a row's values ...
_QUOTING = frozenset({"DataError", "IntegrityError"})
#: ... some are of the query, and a retry meets them again.
_FINAL = frozenset({"ProgrammingError", "NotSupportedError"})
#: SQLite's codes of what it can't make of a query, which Python calls operational as it does a locked file.
_SQLITE_ERROR, _SQLITE_SCHEMA = 1, 17


def query_rows(query: SqlAudience) -> Iterator[Row]:
    """Yield the rows of a query, from one snapshot of its database.

    :raises AudienceError: if the query is wrong, gives no rows or none that can be kept.
    :raises AudienceUnavailableError: if the database can't be reached now.
    :raises ConfigurationError: if the connection is of no SQL database.
    """
    from whatsapp_provider.campaigns.tables import table_rows

    name = f"query on {query.conn_id!r}"
    records = _records(query)
    columns = next(records)
    if not columns:
        raise AudienceError(f"The {name} gives no rows; it must be one SELECT.")
    yield from table_rows([str(column) for column in columns], records, name=name)


def _records(query: SqlAudience) -> Iterator[Sequence[Any]]:
    """Yield the names of the columns, then the records."""
    try:
        with closing(_hook(query.conn_id).get_conn()) as connection:
            cursor = _streaming_cursor(connection)
            # Without parameters a % in the query is only that.
            cursor.execute(query.sql, *([query.parameters] if query.parameters else []))
            batch = cursor.fetchmany(BATCH)
            yield [column[0] for column in cursor.description or ()]
            while batch:
                yield from (_values(record) for record in batch)
                batch = cursor.fetchmany(BATCH)
    except WhatsAppError:
        raise
    except Exception as error:
        raise _told(error, query) from None


def _values(record: Any) -> Sequence[Any]:
    # Some connections are set to give rows as mappings.
    return list(record.values()) if isinstance(record, Mapping) else list(record)


def _streaming_cursor(connection: Any) -> Any:
    """Return a cursor that leaves the result with the server; most drivers' own do."""
    driver = type(connection).__module__.partition(".")[0]
    if driver in ("psycopg", "psycopg2"):
        return connection.cursor(name="whatsapp_audience")
    if driver in ("MySQLdb", "pymysql"):
        return connection.cursor(import_module(f"{driver}.cursors").SSCursor)
    return connection.cursor()


def _hook(conn_id: str) -> Any:
    connection = BaseHook.get_connection(conn_id)
    kind = connection.conn_type
    try:
        hook = connection.get_hook()
    except Exception as error:
        # Airflow says so in another class in each version.
        raise ConfigurationError(
            f"Connection {conn_id!r} is of type {kind!r}, and no provider that is installed has a hook for it "
            f"({type(error).__name__}). Install it, e.g. apache-airflow-providers-{kind}."
        ) from None
    try:
        from airflow.providers.common.sql.hooks.sql import DbApiHook
    except ImportError:
        raise ConfigurationError(
            "A query as audience needs Airflow's common SQL provider; pip install apache-airflow-providers-common-sql."
        ) from None
    if not isinstance(hook, DbApiHook):
        raise ConfigurationError(f"Connection {conn_id!r} is of type {kind!r}, which is no SQL database.")
    return hook


def _told(error: Exception, query: SqlAudience) -> WhatsAppError:
    """Return the driver's failure without the values of parameters and rows."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    given = query.parameters or ()
    values = given.values() if isinstance(given, Mapping) else given
    lines = [] if kinds & _QUOTING else str(error).strip().splitlines()
    said = (
        redact(lines[0], secrets=tuple(str(value) for value in values if str(value).strip())) if lines else ""
    )
    why = f"{type(error).__name__}: {said}" if said else type(error).__name__
    if kinds & (_QUOTING | _FINAL) or _is_of_the_query(error):
        return AudienceError(f"The query on {query.conn_id!r} failed ({why}).")
    return AudienceUnavailableError(f"The audience's database {query.conn_id!r} can't be read now ({why}).")


def _is_of_the_query(error: Exception) -> bool:
    """Whether SQLite found fault with the query itself."""
    code = getattr(error, "sqlite_errorcode", None)
    # A syntax error in a connection's first query has the code of a table that was changed meanwhile, which passes.
    return code == _SQLITE_ERROR or (code == _SQLITE_SCHEMA and "schema has changed" not in str(error))
