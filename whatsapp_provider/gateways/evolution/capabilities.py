"""What an Evolution API server can do."""

from __future__ import annotations

from whatsapp_provider.gateways.base import Capabilities
from whatsapp_provider.gateways.evolution.kinds import KINDS

_BUSINESS_ONLY = "On WHATSAPP-BUSINESS instances only."
_NOT_EVOLUTION = "Not on EVOLUTION instances."
_BAILEYS_ONLY = "On WHATSAPP-BAILEYS instances only."

CAPABILITIES = Capabilities(
    message_kinds=KINDS,
    create_channels=True,
    restart=True,
    pairing_qr=True,
    pairing_code=True,
    logout=True,
    webhooks=True,
    message_status=True,
    check_numbers=True,
    history=True,
    groups=True,
    profile=True,
    settings=True,
    templates=True,
    create_templates=True,
    notes={
        "channel_lifecycle": "Its instances have no paid days, and run until they are deleted.",
        "several_webhooks": "An instance has one webhook; another's is replaced only where the task says so.",
        "pairing_qr": _BAILEYS_ONLY,
        "pairing_code": _BAILEYS_ONLY,
        "check_numbers": _BAILEYS_ONLY,
        "groups": _BAILEYS_ONLY,
        "profile": "Of other than WHATSAPP-BAILEYS instances only what the server's list of them tells.",
        "history": "Of servers that store messages.",
        "message_status": "Of servers that store messages.",
        "templates": _BUSINESS_ONLY,
        "create_templates": _BUSINESS_ONLY,
        "template": _BUSINESS_ONLY,
        "voice": _NOT_EVOLUTION,
        "buttons": "On servers of version 2; of WHATSAPP-BAILEYS instances many phones don't show them.",
        "contact": _NOT_EVOLUTION,
        "list": "On WHATSAPP-BUSINESS instances, and on WHATSAPP-BAILEYS ones of version 1.",
        "location": _NOT_EVOLUTION,
    },
)
