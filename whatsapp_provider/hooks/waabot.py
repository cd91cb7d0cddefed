"""The hook that Airflow's connection form for the Bots API names."""

from __future__ import annotations

from whatsapp_provider.hooks.whatsapp import WhatsAppHook


class WaabotHook(WhatsAppHook):
    """:class:`~whatsapp_provider.hooks.whatsapp.WhatsAppHook` for connections of type ``waabot``."""

    conn_type = "waabot"
    hook_name = "WhatsApp: Bots API"
