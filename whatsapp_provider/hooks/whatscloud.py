"""The hook that Airflow's connection form for WhatsCloud names."""

from __future__ import annotations

from whatsapp_provider.hooks.whatsapp import WhatsAppHook


class WhatsCloudHook(WhatsAppHook):
    """:class:`~whatsapp_provider.hooks.whatsapp.WhatsAppHook` for connections of type ``whatscloud``."""

    conn_type = "whatscloud"
    hook_name = "WhatsApp: WhatsCloud"
