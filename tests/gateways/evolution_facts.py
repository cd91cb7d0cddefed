"""Answers of Evolution servers; the tag names the source.

[WIRE2] captured from Evolution API 2.3.6. [SRC2] its source. [DOC1] the documented create of version 1, and the
bodies of its sends (1.7.1). [SRC1] source of 1.8.
Names, numbers, keys and pictures are fictional ones of the same form.
"""

from __future__ import annotations

from typing import Any

from tests.emulator.evolution_facts import captured
from tests.gateways.wire_facts import Fact

GLOBAL_KEY = "evo-global-key-for-tests"
INSTANCE_TOKEN = "72E0711D-2898-49C5-A20A-8C8361A3816F"
NAME = "wa1"
OWNER, PHONE = "15550001000", "5511900000000"

# [WIRE2] GET / without a key; [SRC1] has "swagger" where version 2 has the rest.
WELCOME: dict[str, Any] = {
    "status": 200,
    "message": "Welcome to the Evolution API, it is working!",
    "version": "2.3.6",
    "clientName": "evolution",
    "manager": "http://127.0.0.1:18080/manager",
    "documentation": "https://doc.evolution-api.com",
    "whatsappWebVersion": "2.3000.1027934701",
}
WELCOME_1 = {
    "status": 200,
    "message": "Welcome to the Evolution API, it is working!",
    "version": "1.8.6",
    "swagger": "http://127.0.0.1:18080/docs",
    "manager": "http://127.0.0.1:18080/manager",
    "documentation": "https://doc.evolution-api.com",
}
VALID = {"status": 200, "message": "Credentials are valid"}  # [WIRE2] POST /verify-creds

# [WIRE2] POST /instance/create with qrcode: false; [DOC1] the documented answer.
CREATED: dict[str, Any] = {
    "instance": {
        "instanceName": NAME,
        "instanceId": "d30e618d-66be-4a6e-b1de-2fa0390fab39",
        "integration": "WHATSAPP-BAILEYS",
        "webhookWaBusiness": None,
        "accessTokenWaBusiness": "",
        "status": "close",
    },
    "hash": INSTANCE_TOKEN,
    "webhook": {},
    "websocket": {},
    "rabbitmq": {},
    "nats": {},
    "sqs": {},
    "settings": {
        "rejectCall": False,
        "msgCall": "",
        "groupsIgnore": False,
        "alwaysOnline": False,
        "readMessages": False,
        "readStatus": False,
        "syncFullHistory": False,
        "wavoipToken": "",
    },
}
CREATED_1: dict[str, Any] = {
    "instance": {
        "instanceName": NAME,
        "instanceId": "af6c5b7c-ee27-4f94-9ea8-192393746ddd",
        "webhook_wa_business": None,
        "access_token_wa_business": "",
        "status": "created",
    },
    "hash": {"apikey": INSTANCE_TOKEN},
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
SETTINGS: dict[str, Any] = CREATED["settings"]  # [WIRE2] GET /settings/find
SETTINGS_1: dict[str, Any] = CREATED_1["settings"]  # [DOC1]

# [WIRE2] one row of GET /instance/fetchInstances.
ROW: dict[str, Any] = {
    "id": "106b1c26-b4d6-4e59-85a7-d842d9ec6a66",
    "name": NAME,
    "connectionStatus": "close",
    "ownerJid": None,
    "profileName": None,
    "profilePicUrl": None,
    "integration": "WHATSAPP-BAILEYS",
    "number": None,
    "businessId": None,
    "token": INSTANCE_TOKEN,
    "clientName": "evolution",
    "disconnectionReasonCode": None,
    "disconnectionObject": None,
    "disconnectionAt": None,
    "Setting": {"id": "cmwpno4sy0001r27d7pnhcycm", **CREATED["settings"]},
    "_count": {"Message": 0, "Contact": 0, "Chat": 0},
}
OWNED = {"ownerJid": f"{OWNER}@s.whatsapp.net", "profileName": "Loja Teste"}
# [SRC1] one row.
ROW_1: dict[str, Any] = {
    "instance": {
        "instanceName": NAME,
        "instanceId": "af6c5b7c-ee27-4f94-9ea8-192393746ddd",
        "owner": f"{OWNER}@s.whatsapp.net",
        "profileName": "Loja Teste",
        "profilePictureUrl": None,
        "profileStatus": "",
        "status": "open",
        "serverUrl": "http://127.0.0.1:18080",
        "apikey": INSTANCE_TOKEN,
        "integration": {"integration": "WHATSAPP-BAILEYS", "token": INSTANCE_TOKEN},
    }
}

# [WIRE2] the shapes of GET /instance/connect, all of them 200. The picture is the smallest there is.
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
QR: dict[str, Any] = {
    "pairingCode": None,
    "code": "2@vHLCBosS2ULiz,GnBNbh71t9hE1Ds7X1Yf,g3MmtPFcRSGu,JIABSKHsF4e9",
    "base64": f"data:image/png;base64,{PICTURE}",
    "count": 1,
}
CODE = {**QR, "pairingCode": "LD3YY79N", "count": 5}
NO_QR = {"count": 0}
FAILED = {"error": True, "message": "[object Object]"}  # also the answer to a restart of what is closed
LOGGED_OUT = {"status": "SUCCESS", "error": False, "response": {"message": "Instance logged out"}}
DELETED = {"status": "SUCCESS", "error": False, "response": {"message": "Instance deleted"}}

# [WIRE2] GET /webhook/find; the JSON literal null where none was ever set. [SRC1] version 1's.
HOOK: dict[str, Any] = {
    "id": "cmwpno4so0000r27davorj7k9",
    "url": "https://hook.example/secret-path",
    "headers": {"X-Custom": "abc", "authorization": "Bearer hook-secret"},
    "enabled": True,
    "events": ["QRCODE_UPDATED", "MESSAGES_UPSERT"],
    "webhookByEvents": False,
    "webhookBase64": True,
    "createdAt": "2026-11-21T00:14:16.392Z",
    "updatedAt": "2026-11-21T00:14:16.392Z",
    "instanceId": "106b1c26-b4d6-4e59-85a7-d842d9ec6a66",
}
HOOK_1 = {"enabled": True, "url": "https://hook.example/secret-path", "events": ["MESSAGES_UPSERT"]}

# [WIRE2] the answer to a send: Baileys, and the Cloud API's error in a 201.
SENT: dict[str, Any] = {
    "key": {"remoteJid": f"{PHONE}@s.whatsapp.net", "fromMe": True, "id": "3EB0F4C1CB8606621E014F"},
    "pushName": "Você",
    "status": "PENDING",
    "message": {"conversation": "hello"},
    "messageType": "conversation",
    "messageTimestamp": 1795220810,
    "instanceId": "064d2e96-0291-42cd-941a-32ea3b9f2d3e",
    "source": "web",
}
META_ERROR: dict[str, Any] = {
    "message": "(#131030) Recipient phone number not in allowed list",
    "type": "OAuthException",
    "code": 131030,
    "error_data": {"messaging_product": "whatsapp", "details": "Recipient phone number not in allowed list"},
    "fbtrace_id": "AFake2",
}
# [WIRE2] texts of refused sends, with their statuses.
NEVER_PAIRED = "Cannot read properties of undefined (reading 'onWhatsApp')"  # 500, a bare string
CLOSED = "Connection Closed"  # 500, a bare string
CLOSED_LISTED = "Error: Connection Closed"  # 400, in a list
NOT_THERE = [{"jid": f"{PHONE}@s.whatsapp.net", "exists": False, "number": PHONE}]  # 400
NO_TEXT = [['instance requires property "text"']]  # 400
UNAVAILABLE = "Method not available on Evolution Channel"  # 400
UNKNOWN_GROUP = "[object Object]"  # 400
NOT_MEDIA = "Owned media must be a url or base64"  # 400
NO_GRAPH = "TypeError: Cannot read properties of undefined (reading 'message')"  # 400
# [WIRE2] the loser of two creations of one name; what follows is the server's own code.
LOST_RACE = (
    "\nInvalid `a.integrationSession.update()` invocation in\n/tmp/server/dist/main.js:1:2345\n\n"
    + "async create(t){const e=secretSource(t);" * 100
    + "\nUnique constraint failed on the fields: (`name`)"
)


def refused(status: int, message: Any) -> dict[str, Any]:
    """Return the error envelope of [WIRE2]; a text that was raised on purpose comes in a list."""
    words = {
        400: "Bad Request",
        401: "Unauthorized",
        403: "Forbidden",
        404: "Not Found",
        500: "Internal Server Error",
    }
    return {"status": status, "error": words[status], "response": {"message": message}}


def missing(name: str = NAME) -> dict[str, Any]:
    """Return the answer of an instance's routes where there is none ([WIRE2])."""
    return refused(404, [f'The "{name}" instance does not exist'])


def unlisted(name: str = NAME) -> dict[str, Any]:
    """Return the answer of fetchInstances with a filter that nothing matches ([WIRE2])."""
    return refused(404, [f'Instance "{name}" not found'])


def taken(name: str = NAME) -> dict[str, Any]:
    """Return the refusal of a name in use ([WIRE2])."""
    return refused(403, [f'This name "{name}" is already in use.'])


def state(word: str | None, name: str = NAME) -> dict[str, Any]:
    """Return an answer of connectionState ([WIRE2]); without a word, as right after the server's start."""
    return {"instance": {"instanceName": name} | ({"state": word} if word else {})}


#: Kinds by the routes that send them, where the route says it all.
_KINDS = {
    "sendText": "text",
    "sendWhatsAppAudio": "voice",
    "sendLocation": "location",
    "sendContact": "contact",
    "sendButtons": "buttons",
    "sendList": "list",
    "sendTemplate": "template",
}
_CAPTURED = (
    *("server", "create", "fetch", "configure", "edges", "offline"),
    *("baileys_live", "baileys_lifecycle", "baileys_sends", "business_sends", "evolution_sends"),
)


def _as_fact(exchange: dict[str, Any]) -> Fact:
    """Return a captured exchange ([WIRE2]) as a fact; a refused send shows nothing of its kind."""
    path, _, query = exchange["path"].partition("?")
    body, answer = exchange["body"], exchange["answer"]
    kind = None
    if isinstance(body, dict) and isinstance(answer, dict) and "key" in answer:
        kind = body.get("mediatype") or _KINDS.get(path.split("/")[2])
    parameters = dict(part.split("=", 1) for part in query.split("&")) if query else {}
    asked = f"{exchange['method']} {path}"
    return Fact("[WIRE2]", asked, body, answer, exchange["status"], kind, parameters)


def _media(kind: str) -> Fact:
    """Return a send of a kind that was not captured: its request by the schema, its answer as of the others."""
    url = f"https://files.example/a.{kind}"
    request = {"number": PHONE, "mediatype": kind, "media": url}
    answer = {**SENT, "message": {f"{kind}Message": {}}, "messageType": f"{kind}Message"}
    return Fact("[SRC2] sendMedia", f"POST /message/sendMedia/{NAME}", request, answer, 201, kind)


def _v1(route: str, kind: str, wrapped: str, content: Any) -> Fact:
    """Return a send as version 1 wants it ([DOC1]), with the answer of [SRC1]."""
    answer = {
        "key": SENT["key"],
        "message": {"extendedTextMessage": {"text": "…"}},
        "messageTimestamp": "1795220810",
        "status": "PENDING",
    }
    body = {"number": PHONE, wrapped: content}
    return Fact("[DOC1] [SRC1]", f"POST /message/{route}/{NAME}", body, answer, 201, kind)


#: [SRC2] a group as fetchAllGroups and findGroupInfos tell it.
GROUP: dict[str, Any] = {
    "id": "120363000000000000@g.us",
    "subject": "Customers",
    "subjectOwner": f"{OWNER}@s.whatsapp.net",
    "subjectTime": 1795220810,
    "pictureUrl": None,
    "size": 2,
    "creation": 1795220810,
    "owner": f"{OWNER}@s.whatsapp.net",
    "desc": None,
    "descId": None,
    "restrict": False,
    "announce": False,
}
MEMBERS = [
    {"id": f"{OWNER}@s.whatsapp.net", "admin": "superadmin"},
    {"id": f"{PHONE}@s.whatsapp.net", "admin": None},
]
PROFILE = {
    "wuid": f"{OWNER}@s.whatsapp.net",
    "name": "Loja Teste",
    "numberExists": True,
    "picture": None,
    "status": None,
    "isBusiness": False,
}
_GROUP_ID = {"groupJid": GROUP["id"]}
_PLACE = {"latitude": -23.5, "longitude": -46.6, "name": "HQ", "address": "Av. X"}
_PERSON = {"fullName": "Ana", "wuid": "15550000001", "phoneNumber": "+15550000001"}
_LIST = {
    "title": "T",
    "description": "D",
    "footerText": "F",
    "buttonText": "Open",
    "sections": [{"title": "S", "rows": [{"title": "R1", "description": "d", "rowId": "r1"}]}],
}

WIRE: tuple[Fact, ...] = (
    *(_as_fact(exchange) for name in _CAPTURED for exchange in captured(name)),
    _media("audio"),
    _media("video"),
    Fact("[SRC2]", f"GET /group/fetchAllGroups/{NAME}", None, [GROUP], query={"getParticipants": "false"}),
    Fact(
        "[SRC2]",
        f"GET /group/findGroupInfos/{NAME}",
        None,
        {**GROUP, "participants": MEMBERS},
        query=_GROUP_ID,
    ),
    Fact("[SRC2]", f"GET /group/participants/{NAME}", None, {"participants": MEMBERS}, query=_GROUP_ID),
    Fact("[SRC2]", f"POST /chat/fetchProfile/{NAME}", {}, PROFILE),
    Fact("[SRC1]", f"PUT /instance/restart/{NAME}", None, state("open")),
    _v1("sendText", "text", "textMessage", {"text": "hi"}),
    _v1("sendWhatsAppAudio", "voice", "audioMessage", {"audio": "https://files.example/a.ogg"}),
    _v1("sendLocation", "location", "locationMessage", _PLACE),
    _v1("sendContact", "contact", "contactMessage", [_PERSON]),
    _v1("sendList", "list", "listMessage", _LIST),
    _v1("sendTemplate", "template", "templateMessage", {"name": "a", "language": "en_US", "components": []}),
)
