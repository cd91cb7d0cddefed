"""Who may pair a channel, asked of Airflow's own auth manager.

Whoever pairs a phone takes the channel over, and with it what the connection is for. That is a
change of the connection's other end, so it takes the right to *edit* the connection (``PUT``), not
only to see it: a person with that right could point the connection elsewhere anyway, so the page
gives away nothing new. With Airflow's simple auth manager these are the roles Op and Admin.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import ConnectionDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.configuration import conf
from airflow.models import Connection
from airflow.utils.session import create_session
from fastapi import HTTPException, Query
from sqlalchemy import select

from whatsapp_provider.gateways.registry import GATEWAYS

MOST_LISTED = 200

ConnId = Annotated[str, Query(max_length=250)]


def may_pair(user: GetUserDep, conn_id: ConnId = "") -> None:
    """Let through who may edit the connection; it is not looked at before.

    :raises HTTPException: 403 otherwise; 401 without a login comes from Airflow's user dependency.
    """
    if not is_allowed(user, conn_id):
        raise HTTPException(403, "Pairing a channel takes the right to edit its connection.")


def is_allowed(user: Any, conn_id: str) -> bool:
    """Tell whether the user may edit that connection, or connections at all where none is named."""
    details = ConnectionDetails(conn_id=conn_id or None, **_team(conn_id))
    allowed = get_auth_manager().is_authorized_connection(method="PUT", details=details, user=user)
    return allowed is True


def own_connections(user: Any) -> list[dict[str, str]]:
    """Return the WhatsApp connections that Airflow stores and the user may edit, by id.

    Those in environment variables or a secrets backend can't be listed; their ids can be typed.
    """
    kinds = [line.connection_type for line in GATEWAYS.values()]
    query = (
        select(Connection.conn_id, Connection.conn_type)
        .where(Connection.conn_type.in_(kinds))
        .order_by(Connection.conn_id)
        .limit(MOST_LISTED)
    )
    with create_session() as session:
        rows: Iterable[Any] = session.execute(query).all()
    return [{"conn_id": conn_id, "type": kind} for conn_id, kind in rows if is_allowed(user, conn_id)]


def _team(conn_id: str) -> dict[str, str | None]:
    if not conn_id or not conf.getboolean("core", "multi_team", fallback=False):
        return {}
    return {"team_name": Connection.get_team_name(conn_id)}
