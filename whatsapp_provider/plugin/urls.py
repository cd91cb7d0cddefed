"""Where the pairing page is, for whoever links to it. Standard library only."""

from __future__ import annotations

from urllib.parse import urlencode

PREFIX = "/whatsapp"
PAIRING_PATH = f"{PREFIX}/pair"


def pairing_url(base_url: str, conn_id: str, channel: str = "") -> str:
    """Return the address of the page on which a phone is paired with a channel.

    :param base_url: of Airflow's API server (``[api] base_url``), with or without a path.
    :param conn_id: the connection of the gateway.
    :param channel: id or name; empty for the channel that the connection itself names.
    """
    query = {"conn_id": conn_id} | ({"channel": channel} if channel else {})
    return f"{base_url.rstrip('/')}{PAIRING_PATH}?{urlencode(query)}"
