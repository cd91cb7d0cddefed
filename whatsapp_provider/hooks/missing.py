"""What is said where Airflow gives no connection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.providers.common.compat.sdk import AirflowNotFoundException

from whatsapp_provider.gateways.registry import GATEWAYS


class WhatsAppConnectionNotFoundError(AirflowNotFoundException):
    """Airflow has no such connection, or can't give it now.

    It says "not found" of an outage of its database or secrets backend too, so a task's ``retries`` count.
    """


@contextmanager
def named(conn_id: str) -> Iterator[None]:
    """Say of a connection that is not found what it is for and how it is made.

    :raises WhatsAppConnectionNotFoundError: in the stead of Airflow's own.
    """
    try:
        yield
    except AirflowNotFoundException:
        kinds = ", ".join(line.connection_type for line in GATEWAYS.values())
        raise WhatsAppConnectionNotFoundError(
            f"Airflow has no connection {conn_id!r}, or can't read it or ask for it now; nothing was done. WhatsApp "
            "operators, sensors and hooks name it as whatsapp_conn_id. If it is missing, make it: 'airflow connections "
            f"add {conn_id} --conn-type TYPE --conn-password TOKEN', TYPE being one of {kinds}, or under Admin → "
            "Connections."
        ) from None
