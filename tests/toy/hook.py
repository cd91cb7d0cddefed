"""The hook that the toy's connection form names."""

from __future__ import annotations

from whatsapp_provider.hooks.whatsapp import WhatsAppHook


class ToyHook(WhatsAppHook):
    conn_type = "toy"
    hook_name = "WhatsApp: Toy"
