"""What Whapi.Cloud can do."""

from __future__ import annotations

from whatsapp_provider.gateways.base import Capabilities
from whatsapp_provider.gateways.whapi.sends import KINDS

_NO_TEMPLATES = "Its channels are linked phones, which need no templates: send the text itself."

CAPABILITIES = Capabilities(
    message_kinds=KINDS,
    create_channels=True,
    channel_lifecycle=True,
    restart=True,
    pairing_qr=True,
    pairing_code=True,
    logout=True,
    webhooks=True,
    message_status=True,
    check_numbers=True,
    history=True,
    several_webhooks=True,
    groups=True,
    profile=True,
    settings=True,
    notes={
        "templates": _NO_TEMPLATES,
        "create_templates": _NO_TEMPLATES,
        "template": _NO_TEMPLATES,
    },
)
