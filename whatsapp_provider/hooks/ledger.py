"""Find the ledger: a connection where there is one, else an SQLite file beside Airflow's own."""

from __future__ import annotations

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
_DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg", "sqlite": "sqlite"}
#: Connection extras that libpq understands; nothing else is handed on.
_PASSED_ON = ("sslmode", "sslrootcert", "sslcert", "sslkey", "options", "application_name")


def open_ledger() -> Ledger:
    """Return the ledger that this Airflow is configured for.

    :raises ConfigurationError: if it would be a file, and tasks run on several hosts.
    :raises LedgerUnavailableError: if its connection is named in the configuration or the environment, and
        Airflow can't give it.
    """
    from whatsapp_provider.campaigns.ledger.ledger import Ledger

    conn_id = conf.get(SECTION, "ledger_conn_id", fallback=DEFAULT_CONN_ID) or DEFAULT_CONN_ID
    url = _find(conn_id)
    if url.get_backend_name() == "sqlite":
        _refuse_on_many_hosts(conn_id)
    return Ledger(url)


def _find(conn_id: str) -> URL:
    try:
        connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        # Airflow says "not found" of an outage and of an unreadable definition too, and another ledger would
        # not know what was sent.
        if conn_id != DEFAULT_CONN_ID or f"AIRFLOW_CONN_{conn_id.upper()}" in os.environ:
            raise LedgerUnavailableError(
                f"Airflow can't give the connection {conn_id!r}, which the ledger is to be found by: it is missing, "
                "can't be read, or can't be asked for now. Nothing is sent without the ledger."
            ) from None
        return _file(_default_path(), f"[{SECTION}] ledger_path")
    return _url(connection)


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
    extra = connection.extra_dejson
    if not isinstance(extra, Mapping):
        raise ConfigurationError(f"Connection {connection.conn_id!r}: the extra field must be a JSON object.")
    return URL.create(
        _DRIVERS[kind],
        username=connection.login or None,
        password=connection.password or None,
        host=connection.host or None,
        port=connection.port,
        database=connection.schema or None,
        query={name: str(extra[name]) for name in _PASSED_ON if name in extra},
    )


def _refuse_on_many_hosts(conn_id: str) -> None:
    many = [name for name in _executors() if name not in _ONE_HOST]
    if many:
        raise ConfigurationError(
            f"The ledger is an SQLite file, and {', '.join(many)} runs tasks on several hosts, which would each "
            f"have a file of their own. Make a PostgreSQL connection with the id {conn_id!r}."
        )


def _executors() -> list[str]:
    if os.environ.get("AIRFLOW_IS_K8S_EXECUTOR_POD"):
        # Such a pod is told that its own executor is the local one.
        return ["KubernetesExecutor"]
    configured = conf.get("core", "executor", fallback="LocalExecutor")
    # Separated by comma or, for teams, semicolon; each perhaps with a team, an alias and a package before it.
    names = (re.split("[=:.]", entry)[-1].strip() for entry in re.split("[;,]", configured))
    return [name for name in names if name]
