"""What the Bots API can do."""

from __future__ import annotations

from whatsapp_provider.gateways.base import Capabilities
from whatsapp_provider.gateways.waabot.sends import KINDS

CAPABILITIES = Capabilities(
    message_kinds=KINDS,
    create_channels=True,
    pairing_qr=True,
    logout=True,
    webhooks=True,
    profile=True,
    settings=True,
    notes={
        "webhooks": "One for each bot; the API tells no events of it, and its later servers not even the address.",
        "message_status": "Not by asking; a webhook with the event onAck may tell it.",
        "audio": "Sent as a file, the API makes a voice message of it; given by its address, it stays a sound file.",
        "voice": "Send kind audio with data or file.",
        "media_buttons": "With an image only, given by its address.",
        "buttons": "WhatsApp may not show buttons that unofficial gateways send, though it accepts them.",
        "list": "WhatsApp may not show lists that unofficial gateways send, though it accepts them.",
        "restart": "A bot that has lost its phone is started anew when its QR code is asked for.",
    },
)
