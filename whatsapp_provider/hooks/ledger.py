"""Find the ledger: a connection where there is one, else an SQLite file beside Airflow's own."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook, conf

from whatsapp_provider.errors import ConfigurationError, LedgerUnavailableError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

    from whatsapp_provider.campaigns.ledger.ledger import Ledger

SECTION = "whatsapp"
DEFAULT_CONN_ID = "whatsapp_ledger"
#: Executors whose tasks all run on the scheduler's host, where a file can be shared.
_ONE_HOST = ("LocalExecutor", "SequentialExecutor")
_POSTGRES, _MYSQL = "postgresql+psycopg", "mysql+pymysql"
_DRIVERS = {
    "mariadb": _MYSQL,
    "mysql": _MYSQL,
    "postgres": _POSTGRES,
    "postgresql": _POSTGRES,
    "sqlite": "sqlite",
}
#: Connection extras that each driver understands; nothing else is handed on.
_PASSED_ON = {
    _POSTGRES: ("sslmode", "sslrootcert", "sslcert", "sslkey", "options", "application_name"),
    _MYSQL: ("unix_socket", "ssl_mode"),
}
#: What Airflow's MySQL connections name below ``ssl``.
_SSL_FILES = ("ca", "capath", "cert", "key", "cipher")


def open_ledger(conn_id: str | None = None) -> Ledger:
    """Return the ledger that this Airflow is configured for.

    :param conn_id: another connection to it, e.g. of a user who may change tables.
    :raises ConfigurationError: if it would be a file, and tasks run on several hosts.
    :raises LedgerUnavailableError: if its connection is named in the configuration or the environment, and
        Airflow can't give it.
    """
    from whatsapp_provider.campaigns.ledger.ledger import Ledger

    return Ledger(locate_ledger(conn_id), may_change_tables=_may_change_tables())


def locate_ledger(conn_id: str | None = None) -> URL:
    """Return where the ledger is or would be; nothing there is opened, made or asked.

    :param conn_id: as :func:`open_ledger`.
    :raises ConfigurationError: as :func:`open_ledger`.
    :raises LedgerUnavailableError: as :func:`open_ledger`.
    """
    named = conn_id or _configured()
    try:
        connection = BaseHook.get_connection(named)
    except AirflowNotFoundException:
        if conn_id is not None:
            raise LedgerUnavailableError(
                f"There is no connection {conn_id!r} to the ledger. {_made(conn_id)}"
            ) from None
        connection = None
    return _locate(named, connection)


async def open_ledger_async(*, look_only: bool = False) -> Ledger:
    """Return the ledger from async code, as :func:`open_ledger` does.

    Its methods block: call them in a thread.

    :param look_only: make no tables where there are none: a triggerer on a host of its own may find a file of its own.
    """
    from airflow.providers.common.compat.connection import get_async_connection

    conn_id = _configured()
    try:
        connection = await get_async_connection(conn_id)
    except AirflowNotFoundException:
        connection = None
    return await asyncio.to_thread(_open, conn_id, connection, _may_change_tables() and not look_only)


def _may_change_tables() -> bool:
    return bool(conf.getboolean(SECTION, "ledger_auto_upgrade", fallback=True))


def _configured() -> str:
    return conf.get(SECTION, "ledger_conn_id", fallback="") or DEFAULT_CONN_ID


def _is_required(conn_id: str) -> bool:
    """Whether somebody said that there is such a connection: then a file must not be used in its stead."""
    named = bool(conf.get(SECTION, "ledger_conn_id", fallback=""))
    return named or f"AIRFLOW_CONN_{conn_id.upper()}" in os.environ


def _open(conn_id: str, connection: Any, may_change_tables: bool) -> Ledger:
    from whatsapp_provider.campaigns.ledger.ledger import Ledger

    return Ledger(_locate(conn_id, connection), may_change_tables=may_change_tables)


def _locate(conn_id: str, connection: Any) -> URL:
    url = _find(conn_id, connection)
    if url.get_backend_name() == "sqlite":
        _refuse_on_many_hosts(conn_id)
    return url


def _find(conn_id: str, connection: Any) -> URL:
    if connection is None:
        # Airflow says "not found" of an outage and of an unreadable definition too, and another ledger would
        # not know what was sent.
        if _is_required(conn_id):
            raise LedgerUnavailableError(
                f"Airflow can't give the connection {conn_id!r}, which the ledger is to be found by: it is missing, "
                "can't be read, or can't be asked for now. Nothing is sent without the ledger. If it is missing: "
                f"{_made(conn_id)}"
            ) from None
        return _file(_default_path(), f"[{SECTION}] ledger_path")
    return _url(connection)


def _made(conn_id: str) -> str:
    return (
        f"Make it with 'airflow connections add {conn_id} --conn-type postgres --conn-host HOST --conn-schema DATABASE "
        "--conn-login USER --conn-password PASSWORD', or with --conn-type mysql."
    )


def _default_path() -> str:
    path = conf.get(SECTION, "ledger_path", fallback="")
    if path:
        return str(path)
    from airflow.configuration import AIRFLOW_HOME

    return str(Path(AIRFLOW_HOME) / "whatsapp" / "ledger.db")


def _file(path: str, source: str) -> URL:
    from sqlalchemy.engine import URL

    whole = Path(path).expanduser()
    if not whole.is_absolute():
        # Each process has a working folder of its own, and would find a ledger of its own there.
        raise ConfigurationError(
            f"{source}: the ledger's file needs an absolute path, not {path!r}; otherwise each task might find "
            "another file and send again what was sent."
        )
    return URL.create("sqlite", database=str(whole))


def _url(connection: Any) -> URL:
    from sqlalchemy.engine import URL

    kind = connection.conn_type
    if kind not in _DRIVERS:
        raise ConfigurationError(
            f"Connection {connection.conn_id!r} is of type {kind!r}; the ledger needs one of "
            f"{', '.join(sorted(_DRIVERS))}."
        )
    if kind == "sqlite":
        return _file(connection.schema or connection.host or "", f"Connection {connection.conn_id!r}")
    # Airflow's own reading of it takes a broken one for an empty one, and may not be done in a thread.
    extra = _object(connection, connection.extra or "{}", "the extra field")
    driver = _DRIVERS[kind]
    query = {name: str(extra[name]) for name in _PASSED_ON[driver] if name in extra}
    if driver == _MYSQL and "ssl" in extra:
        files = _object(connection, extra["ssl"], "ssl in the extra field")
        query |= {f"ssl_{name}": str(files[name]) for name in _SSL_FILES if name in files}
    return URL.create(
        driver,
        username=connection.login or None,
        password=connection.password or None,
        host=connection.host or None,
        port=connection.port,
        database=connection.schema or None,
        query=query,
    )


def _object(connection: Any, value: Any, what: str) -> Mapping[str, Any]:
    """Return a JSON object, which may be given as text."""
    try:
        read = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        read = None
    if not isinstance(read, Mapping):
        raise ConfigurationError(f"Connection {connection.conn_id!r}: {what} must be a JSON object.")
    return read


def _refuse_on_many_hosts(conn_id: str) -> None:
    many = [name for name in _executors() if name not in _ONE_HOST]
    if many:
        raise ConfigurationError(
            f"The ledger is an SQLite file, and {', '.join(many)} runs tasks on several hosts, which would each "
            f"have a file of their own. Make a PostgreSQL or MariaDB connection with the id {conn_id!r}."
        )


def _executors() -> list[str]:
    if os.environ.get("AIRFLOW_IS_K8S_EXECUTOR_POD"):
        # Such a pod is told that its own executor is the local one.
        return ["KubernetesExecutor"]
    configured = conf.get("core", "executor", fallback="LocalExecutor")
    # Separated by comma or, for teams, semicolon; each perhaps with a team, an alias and a package before it.
    names = (re.split("[=:.]", entry)[-1].strip() for entry in re.split("[;,]", configured))
    return [name for name in names if name]
