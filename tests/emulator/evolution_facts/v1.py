"""What the documentation of version 1 (1.7.1) shows of a create."""

from __future__ import annotations

from typing import Any

EVENTS = ["APPLICATION_STARTUP"]
#: The documented request, with values in the places of its types.
CREATE: dict[str, Any] = {
    "instanceName": "teste-docs",
    "token": "123456",
    "qrcode": True,
    "number": "5511900000101",
    "integration": "WHATSAPP-BAILEYS",
    "webhook": "https://hook.example/v1",
    "webhook_by_events": True,
    "events": EVENTS,
    "reject_call": True,
    "msg_call": "busy",
    "groups_ignore": True,
    "always_online": True,
    "read_messages": True,
    "read_status": True,
    "websocket_enabled": True,
    "websocket_events": EVENTS,
    "rabbitmq_enabled": True,
    "rabbitmq_events": EVENTS,
    "sqs_enabled": True,
    "sqs_events": EVENTS,
    "typebot_url": "https://bot.example",
    "typebot": "bot",
    "typebot_expire": 123,
    "typebot_keyword_finish": "bye",
    "typebot_delay_message": 123,
    "typebot_unknown_message": "what?",
    "typebot_listening_from_me": True,
    "proxy": {
        "host": "proxy.example",
        "port": "8080",
        "protocol": "http",
        "username": "somebody",
        "password": "nobody",
    },
}
CHATWOOT: dict[str, Any] = {
    "chatwoot_account_id": 123,
    "chatwoot_token": "token",
    "chatwoot_url": "https://chat.example",
    "chatwoot_sign_msg": True,
    "chatwoot_reopen_conversation": True,
    "chatwoot_conversation_pending": True,
}
#: The documented answer to a create without settings.
CREATED: dict[str, Any] = {
    "instance": {
        "instanceName": "teste-docs",
        "instanceId": "af6c5b7c-ee27-4f94-9ea8-192393746ddd",
        "webhook_wa_business": None,
        "access_token_wa_business": "",
        "status": "created",
    },
    "hash": {"apikey": "123456"},
    "settings": {
        "reject_call": False,
        "msg_call": "",
        "groups_ignore": True,
        "always_online": False,
        "read_messages": False,
        "read_status": False,
        "sync_full_history": False,
    },
}
