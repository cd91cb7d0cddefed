"""The hook that Airflow's connection form for Whapi.Cloud names."""

from __future__ import annotations

from whatsapp_provider.hooks.whatsapp import WhatsAppHook


class WhapiHook(WhatsAppHook):
    """:class:`~whatsapp_provider.hooks.whatsapp.WhatsAppHook` for connections of type ``whapi``."""

    conn_type = "whapi"
    hook_name = "WhatsApp: Whapi.Cloud"
