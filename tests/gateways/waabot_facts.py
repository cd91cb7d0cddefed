"""Requests to the Bots API and its answers; the tag names the source.

[PAGE] the vendor's page "whatsapp-bots" of 2023-07. [SDK] the vendor's client, 1.3.6, and its history. [REPO] other
pages of the vendor's documentation. [UPSTREAM] the open-source server below it, whatsapp-api-nodejs with Baileys of
2022: how what the page does not show must look. [STARTER] the author's published server starter.
Tokens, numbers and names are fictional ones of the same form.
"""

from __future__ import annotations

from typing import Any

from tests.gateways.wire_facts import Fact

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJfaWQiOiI2MWJiZGJlMzA4N2Q3NDRiNzQ4NTM1ZmYifQ.c2lnbmF0dXJl"
REFRESH = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjoiNjFiYmRiZTMwODdkIn0.cmVmcmVzaA"
RENEWED = "eyJhbGciOiJIUzI1NiJ9.eyJfaWQiOiI2MWJiZGJlMzA4N2Q3NDRiNzQ4NTM1ZmYifQ.cmVuZXdlZA"
BOT_ID = "61c08cdf2ff357329471bbb1"
SESSION_ID, ACCESS_TOKEN = "2ad8-07c9-447b-994d-eb8b", "0184-28a5-439a-a1cd-fc6f"
PAIR = {"session_id": SESSION_ID, "access_token": ACCESS_TOKEN}
PHONE, OWNER, GROUP = "5511900000000", "15550001000", "120363000000000001@g.us"
NAME = "Front desk"
URL = "https://picsum.photos/536/354"
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
DATA_URL = f"data:image/png;base64,{PICTURE}"


def done(message: str, data: Any) -> dict[str, Any]:
    """Return the envelope of a success [PAGE]."""
    return {"status": True, "message": message, "data": data}


def refused(message: str, error: Any = None) -> dict[str, Any]:
    """Return the envelope of a refusal [STARTER]."""
    return {"status": False, "message": message, "error": {} if error is None else error}


# [PAGE] the answer to createNewWhatsapp; [SDK] gives it a name.
SETTINGS: dict[str, Any] = {
    "bot_name": NAME,
    "status": "CONNECTED",
    "bot_timezone": "Africa/Harare",
    "bot_lang": "en",
    "default_msg": "{Hi|Hello} [name] your message has no keyword here.",
    "actions": {
        "send_default_msg": True,
        "reply_group_msgs": True,
        "reply_unread_msgs": True,
        "reply_msgs": True,
        "multi_device": False,
        "send_webhook": False,
    },
    "active_days": dict.fromkeys(
        ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), True
    ),
    "active_hours": {"from": "always", "to": "always"},
    "access_token": ACCESS_TOKEN,
}
BOT: dict[str, Any] = {
    "settings": SETTINGS,
    "_id": BOT_ID,
    "user_id": "61bbdbe3087d744b748535ff",
    "session_id": SESSION_ID,
    "createdAt": "2021-12-20T14:02:07.472Z",
    "updatedAt": "2021-12-20T14:02:07.472Z",
    "__v": 0,
}
CREATED = done("Whatsapp created successfully!", BOT)
#: [PAGE] a row of the list lacks the owner and the language, and has the number.
ROW = {
    **{name: value for name, value in BOT.items() if name != "user_id"},
    "settings": {"bot_number": OWNER, **{name: SETTINGS[name] for name in SETTINGS if name != "bot_lang"}},
}
LISTED = done("Whatsapp fetched successfully!", [ROW])
DELETED = done(
    "Whatsapp deleted successfully!", {"n": 1, "ok": 1, "deletedCount": 1}
)  # [REPO] of its siblings

# [SDK] the unwrapped answer of init; the address in it opens the bot.
INITIALIZED = done(
    "Initializing successfully",
    {
        "session_id": SESSION_ID,
        "webhook": {"enabled": False, "webhookUrl": None},
        "qrcode": {
            "base64": "",
            "url": f"https://api.waabot.com/api/v1/whatsapp/scan?session_id={SESSION_ID}&access_token={ACCESS_TOKEN}",
        },
    },
)


def instance(**data: Any) -> dict[str, Any]:
    """Return what GET instance answers [PAGE]; without data, of a bot that was never started [UPSTREAM]."""
    inner = {"error": False, "message": "Instance fetched successfully", "instance_data": data}
    return done("Status checked successfully", inner)


STARTING: dict[str, Any] = {
    "instance_key": "5bcb4f2f-2b5e-4b0c-8b0a-3f3b6f1f4a11",
    "webhookUrl": None,
    "user": {},
}
CONNECTED: dict[str, Any] = {
    **STARTING,
    "phone_connected": True,
    "user": {"id": f"{OWNER}:8@s.whatsapp.net", "name": "Waap Test"},
}
LOST = {**STARTING, "phone_connected": False}


def document(status: str) -> dict[str, Any]:
    """Return what GET instance answers since 2023-12 [SDK]: the bot, with a status that means something."""
    return done("Status checked successfully", {**BOT, "settings": {**SETTINGS, "status": status}})


QR_PAGE = f'<html><head><title>WhatsApp QrCode</title></head><body><img src="{DATA_URL}"></body></html>'
QR_ENVELOPE = {"error": False, "message": "QR Base64 fetched successfully", "qrcode": DATA_URL}

# [PAGE] what each update answers; the page's own sample matched nothing.
UPDATED = done(
    "Whatsapp settings updated successfully!",
    {"acknowledged": True, "modifiedCount": 1, "upsertedId": None, "upsertedCount": 0, "matchedCount": 1},
)
MATCHED_NOTHING = done(
    "Whatsapp settings updated successfully!",
    {"acknowledged": True, "modifiedCount": 0, "upsertedId": None, "upsertedCount": 0, "matchedCount": 0},
)
LOGGED_OUT = {"error": False, "message": "logout successfull", "errormsg": None}  # [UPSTREAM] sic

# [PAGE] the combined call's answer has a place for each part, and for a text nothing in it.
COMBINED: dict[str, Any] = {
    "message": {},
    "attachment": [],
    "contact": {},
    "image": {},
    "buttons": {},
    "location": {},
}
TEXT_SENT = done("Message sent successfully", COMBINED)
LOCATION_SENT = done(
    "Message sent successfully",
    {
        **COMBINED,
        "location": {"locationMessage": {"degreesLatitude": 6.556452, "degreesLongitude": 3.2774487}},
    },
)
DEPRECATED_ID = f"true_{PHONE}@c.us_3EB015715C3A6439227F"
DEPRECATED_SENT = done("Message sent successfully", DEPRECATED_ID)
MESSAGE_ID = "BAE59F1807A62E0D"


def frame(content: dict[str, Any]) -> dict[str, Any]:
    """Return the answer that tells a message's id [PAGE, of an image]."""
    data = {
        "key": {"remoteJid": f"{PHONE}@s.whatsapp.net", "fromMe": True, "id": MESSAGE_ID},
        "status": "PENDING",
        "message": content,
        "messageTimestamp": "1688996225",
    }
    return done("Message sent successfully", data)


IMAGE_SENT = frame(
    {
        "imageMessage": {
            "url": "https://mmg.whatsapp.net/v/t62.7118-24/1_n.enc",
            "mimetype": "image/jpeg",
            "caption": "look",
            "fileSha256": "AAAA",
            "fileLength": "130722",
            "height": 653,
            "width": 590,
            "mediaKey": "AAAA",
            "mediaKeyTimestamp": "1688996225",
        }
    }
)
BUTTONS = [
    {"type": "replyButton", "title": "Reply this text (REPLY)"},
    {"type": "urlButton", "title": "Click me (URL)", "payload": "https://google.com"},
    {"type": "callButton", "title": "Click to call (CALL)", "payload": OWNER},
]
BTNDATA = {"text": "title Head", "buttons": BUTTONS, "footerText": "title footer"}
MEDIA_BTNDATA = {
    "text": "Title of Message",
    "buttons": [BUTTONS[0], BUTTONS[2]],
    "footerText": "Footer text",
    "image": URL,
    "mediaType": "image",
    "mimeType": "image/jpeg",
}
MSGDATA = {
    "buttonText": "Choose",
    "text": "Which one?",
    "title": "Today",
    "description": "Until noon",
    "sections": [
        {"title": "All", "rows": [{"title": "First", "description": "The first one", "rowId": "one"}]}
    ],
    "listType": 0,
}
VCARD = {
    "fullName": "Ada Lovelace",
    "displayName": "Ada Lovelace",
    "organization": "Engines",
    "phoneNumber": OWNER,
}

# Refusals. [UPSTREAM] their texts; [STARTER] the envelope and the statuses of those about the account.
NOT_CONNECTED = refused("phone isn't connected")  # 401
UNKNOWN_PAIR = refused("invalid key supplied")  # 403
NO_PAIR = refused("no key query was present")  # 403
NOT_LOGGED_IN = refused("Oops! you are not an authorized user, kindly login.")  # 403
NOT_THERE = refused("Something went wrong!", "no account exists")  # 500
CRASHED = refused("Something went wrong!", "Cannot read properties of undefined (reading 'mimetype')")  # 500
INVALID = refused("chatId is a required field", ["chatId is a required field"])  # 400
TO = {"chatId": PHONE}

WIRE = (
    Fact("[PAGE][SDK] the name", "POST /whatsapp/createNewWhatsapp", {"bot_name": NAME}, CREATED),
    Fact("[PAGE]", "GET /whatsapp", {"session_id": "", "access_token": ""}, LISTED),
    Fact("[PAGE][REPO] the answer is its siblings'", f"DELETE /whatsapp/{BOT_ID}", None, DELETED),
    Fact("[PAGE][SDK] the answer", "POST /whatsapp/init", PAIR, INITIALIZED),
    Fact("[PAGE]", "GET /whatsapp/instance", PAIR, instance(**CONNECTED), query={"format": "base64"}),
    Fact("[SDK]", "GET /whatsapp/instance", PAIR, document("ONLINE"), query={"format": "base64"}),
    Fact("[PAGE][SDK] the answer", "GET /whatsapp/scan", None, DATA_URL, query={"format": "base64text"}),
    Fact("[UPSTREAM]", "GET /whatsapp/scan", None, QR_ENVELOPE, query={"format": "base64text"}),
    Fact("[PAGE][UPSTREAM] the page itself", "GET /whatsapp/scan", None, QR_PAGE),
    Fact("[PAGE][UPSTREAM] the answer", f"GET /whatsapp/instance/logout/{BOT_ID}", None, LOGGED_OUT),
    Fact(
        "[PAGE][SDK] the pair",
        "PUT /whatsapp/updateGeneral",
        {**PAIR, "bot_name": NAME, "bot_timezone": "+1", "bot_lang": "en", "default_msg": True},
        UPDATED,
    ),
    Fact("[PAGE][SDK] the pair", "PUT /whatsapp/updateActions", {**PAIR, "reply_msgs": False}, UPDATED),
    Fact("[PAGE][SDK] the pair", "PUT /whatsapp/updateActiveDays", {**PAIR, "sunday": False}, UPDATED),
    Fact(
        "[PAGE][SDK] the pair",
        "PUT /whatsapp/updateActiveHours",
        {**PAIR, "from": "00:00", "to": "5:00"},
        UPDATED,
    ),
    Fact("[PAGE]", "PUT /whatsapp/updateActions", {"reply_msgs": False}, MATCHED_NOTHING),
    Fact(
        "[PAGE] without an answer",
        "PUT /whatsapp/setWebhook",
        {
            **PAIR,
            "webhook_url": "https://hook.example/in",
            "events": ["onMessage", "onAnyMessage"],
            "requestConfig": {},
        },
        UPDATED,
    ),
    Fact("[PAGE]", "POST /whatsapp/message", {**PAIR, **TO, "message": "hi"}, TEXT_SENT, kind="text"),
    Fact(
        "[PAGE]",
        "POST /whatsapp/message",
        {**PAIR, **TO, "location": {"name": "Lagos", "lat": "6.556452", "lng": "3.2774487"}},
        LOCATION_SENT,
        kind="location",
    ),
    Fact(
        "[PAGE]",
        "POST /whatsapp/message",
        {**PAIR, **TO, "attachments": ["61c08cdf2ff357329471bbb9"]},
        done("Message sent successfully", {**COMBINED, "attachment": ["61c08cdf2ff357329471bbb9"]}),
        kind="image",
    ),
    Fact("[PAGE]", "POST /whatsapp/message/image", {**TO, "caption": "look"}, IMAGE_SENT, kind="image"),
    Fact(
        "[PAGE][UPSTREAM] the answer",
        "POST /whatsapp/message/video",
        {**TO, "caption": "look"},
        frame({"videoMessage": {"mimetype": "video/mp4", "fileLength": "9"}}),
        kind="video",
    ),
    Fact(
        "[PAGE][UPSTREAM] the answer",
        "POST /whatsapp/message/audio",
        TO,
        frame({"audioMessage": {"mimetype": "audio/ogg", "fileLength": "9", "ptt": True}}),
        kind="audio",
    ),
    Fact(
        "[PAGE][UPSTREAM] the answer",
        "POST /whatsapp/message/doc",
        {**TO, "filename": "offer.pdf"},
        frame({"documentMessage": {"mimetype": "application/pdf", "fileName": "offer.pdf"}}),
        kind="document",
    ),
    Fact(
        "[PAGE][UPSTREAM] the answer",
        "POST /whatsapp/message/fileurl",
        {
            **TO,
            "url": "https://files.example/a.jpg",
            "type": "image",
            "mimetype": "image/jpeg",
            "caption": "look",
        },
        IMAGE_SENT,
        kind="image",
    ),
    Fact(
        "[PAGE][UPSTREAM] the answer",
        "POST /whatsapp/message/button",
        {**TO, "btndata": BTNDATA},
        frame({"viewOnceMessage": {"message": {"templateMessage": {"hydratedTemplate": {}}}}}),
        kind="buttons",
    ),
    Fact(
        "[PAGE][UPSTREAM] the answer",
        "POST /whatsapp/message/MediaButton",
        {**TO, "btndata": MEDIA_BTNDATA},
        frame({"templateMessage": {"hydratedTemplate": {"imageMessage": {}}}}),
        kind="media_buttons",
    ),
    Fact(
        "[PAGE][UPSTREAM] the answer",
        "POST /whatsapp/message/list",
        {**TO, "msgdata": MSGDATA},
        frame({"viewOnceMessage": {"message": {"listMessage": {"listType": "SINGLE_SELECT"}}}}),
        kind="list",
    ),
    Fact(
        "[PAGE][UPSTREAM] the answer",
        "POST /whatsapp/message/contact",
        {**TO, "vcard": VCARD},
        frame({"contactMessage": {"displayName": "Ada Lovelace", "vcard": "BEGIN:VCARD"}}),
        kind="contact",
    ),
    Fact(
        "[PAGE]",
        "POST /whatsapp/sendText",
        {**PAIR, "to": PHONE, "message": "hi"},
        DEPRECATED_SENT,
        kind="text",
    ),
)
