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
        "restart": "A bot that has lost its phone is started anew when its QR code is asked for.",
        "pairing_code": "Pair it by QR code.",
        "webhooks": "One for each bot; the API tells no events of it, and its later servers not even the address.",
        "message_status": "A webhook with the event onAck may tell it; its deliveries are documented nowhere.",
        "history": "A message in doubt is held until a person says what became of it.",
        "groups": "A group can be a recipient all the same, by its id: 1203…@g.us.",
        "text": "No message id is told, unless the connection has the text call deprecated.",
        "location": "Without an address, which goes into the name; no message id is told.",
        "document": "With a caption only if given by its url, with a filename only if not.",
        "audio": "Given as data or file, people get a voice message; given by its url, a sound file.",
        "voice": "Send kind audio with data or file.",
        "media_buttons": "With an image only, given by its url; WhatsApp may not show the buttons.",
        "buttons": "WhatsApp may not show what unofficial gateways send of these, though it accepts them.",
        "list": "WhatsApp may not show what unofficial gateways send of these, though it accepts them.",
    },
)
