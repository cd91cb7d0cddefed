"""The hook that Airflow's connection form for Evolution API names."""

from __future__ import annotations

from whatsapp_provider.hooks.whatsapp import WhatsAppHook


class EvolutionHook(WhatsAppHook):
    """:class:`~whatsapp_provider.hooks.whatsapp.WhatsAppHook` for connections of type ``evolution_api``."""

    conn_type = "evolution_api"
    hook_name = "WhatsApp: Evolution API"
