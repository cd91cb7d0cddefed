"""What WhatsCloud can do."""

from __future__ import annotations

from whatsapp_provider.gateways.base import Capabilities
from whatsapp_provider.gateways.whatscloud.sends import KINDS

_PAGES = "Connect the number on WhatsCloud's own pages"

CAPABILITIES = Capabilities(
    message_kinds=KINDS,
    message_status=True,
    templates=True,
    contact_book=True,
    notes={
        "create_channels": f"{_PAGES} and name its tenant in the connection: one tenant is one channel.",
        "pairing_qr": f"{_PAGES}: a number of the official API is not paired with a phone.",
        "webhooks": "Set the webhook on WhatsCloud's webhook page; it has no API for it.",
        "check_numbers": "Its check tells only whether a number is well formed, not whether it is on WhatsApp.",
        "create_templates": "Hand templates in on WhatsCloud's own pages or in WhatsApp Manager.",
        "groups": "A number of the official API is in no groups; the tenant's groups of contacts are audiences.",
        "message_status": "Of newer versions of the product; older ones have no such call.",
        "voice": "Send the recording as audio.",
        "buttons": "Up to three that reply, or one that opens a page; none that call.",
    },
)
