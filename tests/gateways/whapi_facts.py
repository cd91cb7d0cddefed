"""Answers of Whapi as captured or documented; the tag names the source.

[SEED1] the vendor's page on channel creation, 2024-04. [PARTNER] partner schema 0.1.1, 2024-09.
[GATE] gate schema 1.8.7, 2025-10. [HELP] the vendor's help pages, 2024. [SKILL] the vendor's skill for agents, 2026-04.
[WIRE-AT] captures of one account, 2025-12. [WIRE-AH] one stored message, 2025-07. [COMM] what several independent
clients handle.
Tokens, numbers and names are fictional ones of the same form.
"""

from __future__ import annotations

from typing import Any

from tests.gateways.wire_facts import Fact

PARTNER_TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.cGFydG5lcg.c2lnbmF0dXJl"
CHANNEL_TOKEN = "gW3kZ0bYt7LhXq2mRv8PnCs5DfJa1UeT"
PHONE = "5511900000000"

# [SEED1] the answer to PUT /channels.
CREATED: dict[str, Any] = {
    "apiUrl": "https://gate.whapi.cloud/",
    "id": "SHAZAM-3HDYQ",
    "creationTS": 1712598267389,
    "ownerId": "DdEBesOO62Ika8Q8d491Vse2kQp2",
    "activeTill": 1713116667448,
    "token": CHANNEL_TOKEN,
    "server": 6,
    "stopped": False,
    "status": "active",
    "trial": 1713030267448,
    "mode": "trial",
    "name": "Bot for Ukindo",
    "projectId": "kpSv3OFq9PkP1W1Ogv7p",
}
CHANNEL_ID = CREATED["id"]
BEFORE_ITS_END = CREATED["activeTill"] / 1000 - 3600

# [PARTNER] a project, and both forms of a list that clients read ([COMM] two of them a bare list).
PROJECT: dict[str, Any] = {
    "id": "kpSv3OFq9PkP1W1Ogv7p",
    "name": "Main",
    "ownerId": "DdEBesOO62Ika8Q8d491Vse2kQp2",
    "creationTS": 1712000000000,
    "users": ["DdEBesOO62Ika8Q8d491Vse2kQp2"],
    "isDefault": True,
}
OTHER_PROJECT = {**PROJECT, "id": "a1b2c3d4e5f6g7h8i9j0", "name": "Other", "isDefault": False}
PROJECTS = {"projects": [OTHER_PROJECT, PROJECT], "count": 2, "total": 2, "offset": 0}

SUCCESS = {"success": True}  # [PARTNER]
DELETED = {"days": 0, "success": True}  # [WIRE-AT]

# [WIRE-AT] GET /health before pairing; [GATE][COMM] with a phone.
HEALTH: dict[str, Any] = {
    "start_at": 1766849130,
    "uptime": 182,
    "status": {"code": 2, "text": "LAUNCH"},
    "version": "1.8.7-18-g5f9aea44",
    "user": None,
    "ip": "157.180.0.159",
    "is_business": False,
    "channel_id": CHANNEL_ID,
    "api_version": "5f9aea44",
    "core_version": "29f50c024",
}
USER = {"id": "15550001000", "name": "Jonathan", "pushname": "Jonathan", "is_business": False, "saved": True}

# [WIRE-AT] GET /users/login. The image here is the smallest picture there is.
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
QR_OK = {"status": "OK", "expire": 54, "base64": f"data:image/png;base64,{PICTURE}"}
QR_TIMEOUT = {"status": "TIMEOUT"}
CODE = {"code": "123-456"}  # [GATE]

# [WIRE-AT] GET and PATCH /settings.
SETTINGS: dict[str, Any] = {
    "media": {"auto_download": [], "init_avatars": False},
    "webhooks": [],
    "offline_mode": False,
    "full_history": False,
}
HOOK: dict[str, Any] = {
    "url": "https://hook.example/api/webhook",
    "mode": "body",
    "events": [{"type": "messages", "method": "put"}],
}

# [WIRE-AH] in the envelope of [GATE].
MESSAGE: dict[str, Any] = {
    "id": "PsqbJeDusXSe3ho-wBeFabHYIw",
    "from_me": True,
    "type": "text",
    "chat_id": f"{PHONE}@s.whatsapp.net",
    "timestamp": 1751579980,
    "source": "api",
    "device_id": 11,
    "status": "pending",
    "text": {"body": "Hello"},
    "from": "15550001000",
}
SENT = {"sent": True, "message": MESSAGE}

# [HELP] one status; its timestamp is a text.
DELIVERED = {
    "id": MESSAGE["id"],
    "code": 3,
    "status": "delivered",
    "recipient_id": f"{PHONE}@s.whatsapp.net",
    "timestamp": "1712995378",
}

# [GATE] POST /contacts; the form of wa_id is not settled ([COMM] clients handle both).
CHECKED = {
    "contacts": [
        {"input": PHONE, "status": "valid", "wa_id": f"{PHONE}@s.whatsapp.net"},
        {"input": "61000000000", "status": "invalid"},
    ]
}

# [COMM] texts of the request validator.
BAD_TO = r'/body/to must match pattern "^[\d-]{9,31}(@[\w\.]{1,})?$"'
NO_MEDIA = "/body/media must have required property 'media'"
# [COMM] Cloudflare, in front of the gate.
CLOUDFLARE = {"title": "Error 1010: Access denied", "detail": "browser signature banned", "status": 403}
CLOUDFLARE_PAGE = "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>…</body></html>"


def health(text: str, *, paired: bool = False) -> dict[str, Any]:
    """Return a body of /health with a status text."""
    return {**HEALTH, "status": {"code": 99, "text": text}, "user": USER if paired else None}


def error(message: str, code: int = 400, **further: str) -> dict[str, Any]:
    """Return an error in the shape of [GATE] and [PARTNER]."""
    return {"error": {"code": code, "message": message, **further}}


def flat(message: str, code: int = 400) -> dict[str, Any]:
    """Return an error in the flat shape that [COMM] reads."""
    return {"code": code, "error": message}


def _send(
    kind: str, path: str, content: dict[str, Any], shown: dict[str, Any], source: str = "[GATE]"
) -> Fact:
    """Return a send: its request by the schema, its answer in the envelope of [GATE] around [WIRE-AH]."""
    message = {name: value for name, value in MESSAGE.items() if name != "text"}
    answer = {"sent": True, "message": {**message, "type": path, path: shown}}
    return Fact(source, f"POST /messages/{path}", {"to": PHONE, **content}, answer, kind=kind)


_URL = "https://files.example/a.bin"
_FILE = {"id": "bin-b4-71", "mime_type": "image/png", "file_size": 70, "timestamp": 1751579980}
_REPLY = {"type": "quick_reply", "title": "Confirm", "id": "btn_confirm"}
#: [GATE][SKILL] the exact shapes of the action.
BUTTONS = {
    "type": "button",
    "header": {"text": "H"},
    "body": {"text": "B"},
    "footer": {"text": "F"},
    "action": {"buttons": [_REPLY]},
}
ROW = {"id": "billing", "title": "Billing", "description": "Invoices"}
LIST = {
    "type": "list",
    "body": {"text": "Choose:"},
    "action": {"list": {"label": "Open menu", "sections": [{"title": "Topics", "rows": [ROW]}]}},
}
PLACE = {"latitude": 52.5, "longitude": 13.4, "name": "Office", "address": "A street 1"}
CARD = {"name": "Ana", "vcard": "BEGIN:VCARD\nVERSION:3.0\nFN:Ana\nEND:VCARD"}

GROUP: dict[str, Any] = {
    "id": "120363012345678901@g.us",
    "name": "Customers",
    "type": "group",
    "participants": [],
}
_OWN, _LISTED = f"/channels/{CHANNEL_ID}", {"channels": [CREATED], "count": 1, "total": 1, "offset": 0}
_GROUPS = {"groups": [GROUP], "count": 1, "total": 1, "offset": 0}
_EXTENDED = {"days": 10, "comment": "Auto top-up"}
_FIRST_HOOK = {"webhooks": [HOOK], "callback_persist": True}

WIRE: tuple[Fact, ...] = (
    Fact("[SEED1]", "PUT /channels", {"name": CREATED["name"], "projectId": CREATED["projectId"]}, CREATED),
    Fact("[PARTNER]", "GET /channels/list", None, _LISTED, query={"count": "100", "offset": "0"}),
    Fact("[PARTNER]", f"GET /channels/list/{CREATED['projectId']}", None, _LISTED),
    Fact("[WIRE-AT]", f"GET {_OWN}", None, CREATED),
    Fact("[WIRE-AT]", f"DELETE {_OWN}", None, DELETED),
    Fact("[HELP]", f"POST {_OWN}/extend", _EXTENDED, SUCCESS),
    Fact("[HELP]", f"PATCH {_OWN}/mode", {"mode": "live"}, SUCCESS),
    *(Fact("[PARTNER]", f"POST {_OWN}/{what}", None, SUCCESS) for what in ("start", "stop", "restart")),
    Fact("[PARTNER]", "GET /projects", None, PROJECTS, query={"count": "100", "offset": "0"}),
    Fact("[WIRE-AT]", "GET /health", None, HEALTH, query={"wakeup": "true"}),
    Fact("[WIRE-AT]", "GET /users/login", None, QR_OK, query={"wakeup": "true"}),
    Fact("[GATE]", "GET /users/login/rowdata", None, {"status": "OK", "rowdata": "2@abc", "expire": 54}),
    Fact("[GATE]", f"GET /users/login/{PHONE}", None, CODE),
    Fact("[GATE]", "POST /users/logout", None, SUCCESS),
    Fact("[WIRE-AT]", "GET /settings", None, SETTINGS),
    Fact("[SEED1]", "PATCH /settings", _FIRST_HOOK, {**SETTINGS, "webhooks": [HOOK]}),
    Fact("[GATE]", "POST /contacts", {"contacts": [PHONE, "61000000000"]}, CHECKED),
    Fact("[HELP]", f"GET /statuses/{MESSAGE['id']}", None, {"statuses": [DELIVERED]}),
    Fact("[GATE]", f"GET /messages/list/{PHONE}@s.whatsapp.net", None, {"messages": [MESSAGE], "count": 1}),
    Fact("[GATE]", "GET /groups", None, _GROUPS, query={"count": "100", "offset": "0"}),
    Fact("[GATE]", f"GET /groups/{GROUP['id']}", None, GROUP),
    Fact("[GATE] [WIRE-AH]", "POST /messages/text", {"to": PHONE, "body": "Hello"}, SENT, kind="text"),
    *(
        _send(kind, kind, {"media": _URL}, {**_FILE, "link": _URL})
        for kind in ("image", "video", "audio", "voice", "document")
    ),
    _send("location", "location", PLACE, PLACE),
    _send("contact", "contact", CARD, CARD),
    _send("buttons", "interactive", BUTTONS, BUTTONS, "[GATE] [SKILL]"),
    _send("media_buttons", "interactive", {**BUTTONS, "media": _URL}, {**BUTTONS, "media": _FILE}),
    _send("list", "interactive", LIST, LIST, "[GATE] [SKILL]"),
)
