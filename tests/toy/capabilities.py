"""What the toy can do."""

from __future__ import annotations

from whatsapp_provider.gateways.base import Capabilities

CAPABILITIES = Capabilities(
    message_kinds=frozenset({"text", "image"}),
    profile=True,
    notes={
        "create_channels": "Lines are ordered by letter.",
        "image": "By address or as bytes; it keeps no uploaded files.",
    },
)
