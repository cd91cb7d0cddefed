"""Which WhatsApp connections there are."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from whatsapp_provider.cli.doctor.findings import Finding, Topic
from whatsapp_provider.gateways.registry import GATEWAYS

CONNECTIONS = Topic("connections")
_PREFIX = "AIRFLOW_CONN_"
_BY_ID = "Those of a secrets backend can't be listed; name them with --conn-id."


class KnownConnections:
    """The connections to look at: those asked for, of the metadata database and of environment variables.

    Each is looked at once, though Airflow takes ids of variables in upper case.
    """

    def __init__(self, asked: Sequence[str]) -> None:
        self._ids: dict[str, str] = {}
        self._add(asked)
        #: Whether Airflow's metadata database could be read.
        self.has_database = False

    @property
    def ids(self) -> list[str]:
        """The ids, sorted."""
        return sorted(self._ids.values())

    def look(self, _seconds: float) -> Iterator[Finding]:
        """List them, and say where each was found."""
        from sqlalchemy.exc import SQLAlchemyError

        counts = [f"{len(self._ids)} named with --conn-id"] if self._ids else []
        # Also where the database can't be had: it is asked last.
        ours, unreadable = _in_environment()
        self._add(ours)
        try:
            stored = _stored()
        except SQLAlchemyError as error:
            yield CONNECTIONS.problem(
                "metadata database",
                f"Airflow's metadata database can't be read ({type(error).__name__}), nor the connections in it.",
                "Check [database] sql_alchemy_conn and that the database is up; 'airflow db migrate' makes its tables.",
            )
        else:
            self.has_database = True
            self._add(stored)
            counts.append(f"{len(stored)} in Airflow's metadata database")
        counts.append(f"{len(ours)} in environment variables")
        yield self._told(", ".join(counts))
        for name in unreadable:
            yield CONNECTIONS.warning(
                name,
                "Airflow can't read this environment variable as a connection.",
                'Write it as JSON, e.g. \'{"conn_type": "…", "password": "…"}\', or as a URI.',
            )

    def _add(self, conn_ids: Sequence[str]) -> None:
        for conn_id in conn_ids:
            self._ids.setdefault(conn_id.upper(), conn_id)

    def _told(self, counts: str) -> Finding:
        found = f"WhatsApp connections: {counts}."
        if self._ids:
            return CONNECTIONS.ok("list", found, _BY_ID if _has_secrets_backend() else "")
        kinds = ", ".join(sorted(line.connection_type for line in GATEWAYS.values()))
        return CONNECTIONS.warning(
            "list",
            found,
            f"Add one under Admin → Connections or with 'airflow connections add' (type: {kinds}). {_BY_ID}",
        )


def _stored() -> list[str]:
    from airflow.models import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import select

    kinds = [line.connection_type for line in GATEWAYS.values()]
    with create_session() as session:
        return list(session.scalars(select(Connection.conn_id).where(Connection.conn_type.in_(kinds))))


def _in_environment() -> tuple[list[str], list[str]]:
    """Return the ids of WhatsApp connections, and the variables that can't be read."""
    from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

    kinds = {line.connection_type for line in GATEWAYS.values()}
    ours, unreadable = [], []
    for name in sorted(os.environ):
        if not name.startswith(_PREFIX):
            continue
        conn_id = name.removeprefix(_PREFIX).lower()
        try:
            connection = BaseHook.get_connection(conn_id)
        except AirflowNotFoundException:
            unreadable.append(name)
            continue
        if connection.conn_type in kinds:
            ours.append(conn_id)
    return ours, unreadable


def _has_secrets_backend() -> bool:
    from airflow.providers.common.compat.sdk import conf

    return bool(conf.get("secrets", "backend", fallback=""))
