"""Find the ledger: a connection where there is one, else an SQLite file beside Airflow's own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook, conf

from whatsapp_provider.errors import ConfigurationError

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
    """
    from whatsapp_provider.campaigns.ledger.ledger import Ledger

    conn_id = conf.get(SECTION, "ledger_conn_id", fallback=DEFAULT_CONN_ID)
    try:
        connection = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        ledger = Ledger(f"sqlite:///{_default_path()}")
    else:
        ledger = Ledger(_url(connection))
    if ledger.is_sqlite:
        _refuse_on_many_hosts(conn_id)
    return ledger


def _default_path() -> Path:
    path = conf.get(SECTION, "ledger_path", fallback="")
    if path:
        return Path(path).expanduser()
    from airflow.configuration import AIRFLOW_HOME

    return Path(AIRFLOW_HOME) / "whatsapp" / "ledger.db"


def _url(connection: Any) -> URL:
    from sqlalchemy.engine import URL

    kind = connection.conn_type
    if kind not in _DRIVERS:
        raise ConfigurationError(
            f"Connection {connection.conn_id!r} is of type {kind!r}; the ledger needs one of "
            f"{', '.join(sorted(_DRIVERS))}."
        )
    if kind == "sqlite":
        return URL.create("sqlite", database=connection.schema or connection.host)
    extra = connection.extra_dejson
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
    executors = conf.get("core", "executor", fallback="LocalExecutor")
    names = [name.rpartition(":")[2].rpartition(".")[2].strip() for name in executors.split(",")]
    many = [name for name in names if name not in _ONE_HOST]
    if many:
        raise ConfigurationError(
            f"The ledger is an SQLite file, and {', '.join(many)} runs tasks on several hosts, which would each "
            f"have a file of their own. Make a PostgreSQL connection with the id {conn_id!r}."
        )
