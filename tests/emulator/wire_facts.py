"""What was seen on the wire or is in the vendor's documents, each with its source and date.

Numbers and names of real people are replaced by fictional ones of the same form.
"""

from __future__ import annotations

from typing import Any

# [SEED1] vendor's page "Channel creation", the answer to PUT /channels (creationTS: 2024-04-08).
CREATED_CHANNEL: dict[str, Any] = {
    "apiUrl": "https://gate.whapi.cloud/",
    "id": "SHAZAM-3HDYQ",
    "creationTS": 1712598267389,
    "ownerId": "DdEBesOO62Ika8Q8d491Vse2kQp2",
    "activeTill": 1713116667448,
    "token": "x" * 32,
    "server": 6,
    "stopped": False,
    "status": "active",
    "trial": 1713030267448,
    "mode": "trial",
    "name": "Bot for Ukindo",
    "projectId": "kpSv3OFq9PkP1W1Ogv7p",
}

# [WIRE-AT] a capture of GET /channels/{id}, 2025-12: its keys, in their order.
LISTED_CHANNEL_KEYS = [
    *("activeTill", "apiUrl", "creationTS", "id", "ownerId", "server", "token"),
    *("stopped", "trial", "status", "mode", "name", "projectId"),
]

# [PARTNER] schema 0.1.1, 2024-09.
CHANNEL_ID = r"(?:[A-Z]{6}-[A-Z0-9]{5}|[A-Z0-9]{12})"
PROJECT_ID = r"(?:[a-zA-Z0-9]{20}|default)"
CHANNEL_TOKEN = r"[a-zA-Z0-9]{32}"

# [WIRE-AT] DELETE /channels/{id}, 2025-12.
DELETED_CHANNEL = {"days": 0, "success": True}

# [WIRE-AT] GET /health of a channel before its pairing, 2025-12.
HEALTH: dict[str, Any] = {
    "start_at": 1766849130,
    "uptime": 182,
    "status": {"code": 2, "text": "LAUNCH"},
    "version": "1.8.7-18-g5f9aea44",
    "user": None,
    "ip": "157.180.0.159",
    "is_business": False,
    "channel_id": "SUPRMN-PXEFC",
    "api_version": "5f9aea44",
    "core_version": "29f50c024",
}
# [HELP] webhook examples (1, 2, 3, 5) and four independent clients (4).
HEALTH_CODES = {"INIT": 1, "LAUNCH": 2, "QR": 3, "AUTH": 4, "ERROR": 5}

# [WIRE-AT] GET /users/login, 2025-12: no code in time, then a code with 54 seconds to live.
QR_TIMEOUT = {"status": "TIMEOUT"}
QR_OK_KEYS = ["status", "expire", "base64"]
QR_PREFIX = "data:image/png;base64,"

# [WIRE-AT] GET /settings of a new channel, 2025-12.
NEW_SETTINGS: dict[str, Any] = {
    "media": {"auto_download": [], "init_avatars": False},
    "webhooks": [],
    "offline_mode": False,
    "full_history": False,
}
# [WIRE-AT] PATCH /settings, 2025-12: the request, and the hook as it comes back.
PATCH_REQUEST: dict[str, Any] = {
    "webhooks": [
        {
            "mode": "body",
            "events": [{"type": "messages", "method": "put"}],
            "url": "https://hook.example/api/webhook",
        }
    ]
}
PATCHED_HOOK: dict[str, Any] = {
    "url": "https://hook.example/api/webhook",
    "mode": "body",
    "events": [{"type": "messages", "method": "put"}],
}
# [SEED1] the first PATCH that the vendor recommends to partners.
FIRST_PATCH: dict[str, Any] = {
    "webhooks": [
        {
            "events": [{"type": "users", "method": "post"}, {"type": "channel", "method": "post"}],
            "mode": "body",
            "url": "https://hook.example/hook",
        }
    ],
    "callback_persist": True,
}

# [WIRE-AH] a stored API-sent message, 2025-07, in the envelope of [GATE] 1.8.7.
SENT_MESSAGE: dict[str, Any] = {
    "id": "PsqbJeDusXSe3ho-wBeFabHYIw",
    "from_me": True,
    "type": "text",
    "chat_id": "5511900000000@s.whatsapp.net",
    "timestamp": 1751579980,
    "source": "api",
    "device_id": 11,
    "status": "pending",
    "text": {"body": "Hello"},
    "from": "15550001000",
}
# [GATE] 1.8.7, 2025-10.
MESSAGE_ID = r"[A-Za-z0-9._]{4,30}-[A-Za-z0-9._]{4,14}(-[A-Za-z0-9._]{4,10})?(-[A-Za-z0-9._]{2,10})?"
MEDIA_ID = r"(?:media_init|[A-Za-z0-9]+-[0-9A-Fa-f-]+)"

# [COMM] the validator's texts, quoted by two independent users.
BAD_TO = r'/body/to must match pattern "^[\d-]{9,31}(@[\w\.]{1,})?$"'
NO_MEDIA = "/body/media must have required property 'media'"

# [HELP] incoming message, 2024-04.
INCOMING: dict[str, Any] = {
    "messages": [
        {
            "id": "p.w30M7fgwWD4XwHu.g4CA-gBgTwl0rVw",
            "from_me": False,
            "type": "text",
            "chat_id": "5511900000000@s.whatsapp.net",
            "timestamp": 1712995245,
            "source": "mobile",
            "text": {"body": "Hello world"},
            "from": "5511900000000",
            "from_name": "Gerald",
        }
    ],
    "event": {"type": "messages", "event": "post"},
    "channel_id": "MANTIS-M72HC",
}
# [HELP] statuses, 2024-04: the timestamp is a text.
STATUS: dict[str, Any] = {
    "statuses": [
        {
            "id": "YhNqCveDWW90_t8lzrW25w-wO4Twl0rVw",
            "code": 3,
            "status": "delivered",
            "recipient_id": "5511900000000@s.whatsapp.net",
            "timestamp": "1712995378",
        }
    ],
    "event": {"type": "statuses", "event": "post"},
    "channel_id": "MANTIS-M72HC",
}
# [HELP] account linked, and a channel's status, 2024-04.
LINKED: dict[str, Any] = {
    "user": {"id": "15550001000", "name": "Jonathan"},
    "event": {"type": "users", "event": "post"},
    "channel_id": "MANTIS-M72HC",
}
CHANNEL_STATUS: dict[str, Any] = {
    "health": {
        "start_at": 1713774883,
        "uptime": 78,
        "status": {"code": 3, "text": "QR"},
        "version": "1.8.3-74-gf7df472",
    },
    "event": {"type": "channel", "event": "post"},
    "channel_id": "MANTIS-M72HC",
}

# [COMM] GET /limits of a trial channel.
LIMITS: dict[str, Any] = {"messages": 150, "chats": [], "checks": 30, "requests": 980}

# [GATE] schema 1.8.7 with [COMM] texts: the object shape, and the flat one that two clients read.
NOT_AUTHORIZED = {"error": {"code": 401, "message": "need channel authorization"}}
FLAT_LIMIT = {"code": 402, "error": "trial version limit exceeded"}


def shape(value: Any) -> Any:
    """Return a value's form: its keys in order and the types of what is in it."""
    if isinstance(value, dict):
        return [(key, shape(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value).__name__
