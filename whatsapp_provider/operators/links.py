"""Links that Airflow shows on a task's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink, conf

from whatsapp_provider.hooks.channels import as_ref
from whatsapp_provider.plugin.urls import pairing_url

if TYPE_CHECKING:
    from airflow.sdk.types import TaskInstanceKey


def pairing_page(conn_id: str, channel: str) -> str:
    """Return the address of the pairing page; empty without ``[api] base_url``, as only a browser knows it then."""
    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return pairing_url(base, conn_id, channel) if base else ""


class PairingLink(BaseOperatorLink):
    """Leads from a waiting task to the page that shows the QR code."""

    name = "Pair a channel"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:
        """Return the page's address; Airflow asks on the worker, when the task is deferred or ends."""
        ref = as_ref(operator.channel)
        channel = ref.channel_id if ref else str(operator.channel or "")
        # Airflow hides an empty link.
        return pairing_page(operator.whatsapp_conn_id, channel)
