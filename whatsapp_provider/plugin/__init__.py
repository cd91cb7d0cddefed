"""What this package adds to Airflow's own pages: one page on which a phone is paired with a channel.

Airflow imports this module in every process, workers too. So it names things and loads nothing: the
page's web application begins to exist at the first request for it.
"""

from __future__ import annotations

from airflow.providers.common.compat.sdk import AirflowPlugin

from whatsapp_provider.plugin.lazy import LazyApp
from whatsapp_provider.plugin.urls import PAIRING_PATH, PREFIX


class WhatsAppPlugin(AirflowPlugin):
    """The pairing page under ``/whatsapp``, and its entry in Airflow's menu."""

    name = "whatsapp"
    fastapi_apps = [  # noqa: RUF012 - how Airflow declares it
        {"app": LazyApp("whatsapp_provider.plugin.app", "app"), "url_prefix": PREFIX, "name": "WhatsApp"}
    ]
    # Addresses without a leading slash follow Airflow to wherever its base_url puts it.
    external_views = [  # noqa: RUF012 - how Airflow declares it
        {
            "name": "WhatsApp pairing",
            "href": PAIRING_PATH.lstrip("/"),
            "destination": "nav",
            "category": "admin",
            "url_route": "whatsapp-pairing",
            "icon": f"{PREFIX.lstrip('/')}/assets/icon.svg",
            "icon_dark_mode": f"{PREFIX.lstrip('/')}/assets/icon-dark.svg",
        }
    ]
