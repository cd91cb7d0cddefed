"""Sending: texts with or without buttons, media, templates; and how far a message got."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.network import Outgoing
from whatsapp_provider.emulator.whatscloud import contacts, meta, templates
from whatsapp_provider.emulator.whatscloud.body import Data, Upload, read_body
from whatsapp_provider.emulator.whatscloud.history import FAILED, Sent, status_data
from whatsapp_provider.emulator.whatscloud.refusals import not_found
from whatsapp_provider.emulator.whatscloud.rules import Complaints, Rule, Rules, check, demand, true

if TYPE_CHECKING:
    from whatsapp_provider.emulator.whatscloud.tables import Row
    from whatsapp_provider.emulator.whatscloud.tenant import Tenant

SUFFIX = "@s.whatsapp.net"
#: What a person would call a text of these types.
LOGGED_AS = {"text": "text", "interactive": "buttons", "cta_url": "buttons"}
KILOBYTES = {"image": 5120, "video": 16384, "audio": 16384, "document": 102_400}
MIME_TYPES = {
    "image": ("image/jpeg", "image/png"),
    "video": ("video/mp4", "video/3gpp"),
    "audio": ("audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"),
    "document": (),
}
USUAL_TYPE = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/mpeg",
    "document": "application/octet-stream",
}
#: What the phone network calls the types that have no kind of their own.
ON_THE_PHONE = {"interactive": "buttons", "cta_url": "buttons"}
_CONTACT = Rule(kind="array")
TEXT: Rules = {
    "phone_number": Rule(required=True),
    "message_body": Rule(required=True, high=4096),
    "message_type": Rule(values=("text", "interactive", "cta_url")),
    "header": Rule(high=60),
    "footer": Rule(high=60),
    "contact": _CONTACT,
}
BUTTONS: Rules = {"buttons": Rule(kind="array", required=True, low=1, high=3)}
BUTTON: Rules = {"id": Rule(required=True, high=256), "title": Rule(required=True, high=20)}
LINK: Rules = {
    "button_text": Rule(required=True, high=20),
    "button_url": Rule(kind="url", required=True),
}
MEDIA: Rules = {
    "phone_number": Rule(required=True, low=10, high=15),
    "media_type": Rule(required=True, values=tuple(KILOBYTES)),
    "media_url": Rule(kind="url"),
    "caption": Rule(high=1024),
    "filename": Rule(high=255),
    "contact": _CONTACT,
}
TEMPLATE: Rules = {
    "phone_number": Rule(required=True, low=8, high=15),
    "template_name": Rule(required=True),
    "template_language": Rule(required=True, low=2, high=10),
    "from_phone_number_id": Rule(),
    **{f"header_{kind}_url": Rule(kind="url") for kind in ("image", "video", "document")},
    **{
        f"header_{kind}_file": Rule(kind="file", high=KILOBYTES[kind])
        for kind in ("image", "video", "document")
    },
    "header_document_name": Rule(high=255),
    "header_field_1": Rule(),
    **{f"field_{number}": Rule() for number in range(1, 11)},
    **{f"button_{place}": Rule() for place in range(3)},
    "contact": _CONTACT,
    "auto_generate_otp": Rule(kind="boolean"),
}


class Draft(NamedTuple):
    """A message that passed the validator; ``content`` is its part of what Meta is asked."""

    kind: str
    text: str | None
    content: Data
    file: str | Upload | None = None
    file_kind: str = ""
    file_name: str | None = None
    free: bool = True
    said: str = "Message sent successfully"
    more: Mapping[str, Any] = {}


async def send_text(tenant: Tenant, request: Request) -> Reply:
    """Answer POST /messages/send."""
    data = await read_body(request)
    kind = data.get("message_type") or "text"
    complaints = check(data, TEXT)
    if kind == "interactive":
        complaints |= check(data, BUTTONS)
        buttons = data.get("buttons")
        for place, button in enumerate(buttons if isinstance(buttons, list) else ()):
            given = button if isinstance(button, dict) else {}
            complaints |= check(given, BUTTON, inside=f"buttons.{place}.")
    elif kind == "cta_url":
        complaints |= check(data, LINK)
    demand(complaints)
    draft = Draft(LOGGED_AS[kind], data["message_body"], _text_content(kind, data))
    return await _send(tenant, request, data, draft)


async def send_media(tenant: Tenant, request: Request) -> Reply:
    """Answer POST /messages/media: one of a URL and a file."""
    data = await read_body(request)
    kind = str(data.get("media_type"))
    rules = MEDIA
    if kind in KILOBYTES:
        file_rule = Rule(kind="file", high=KILOBYTES[kind], mime_types=MIME_TYPES[kind])
        rules = {**MEDIA, "media_file": file_rule}
    complaints = check(data, rules)
    url, file = data.get("media_url"), data.get("media_file")
    if url is None and file is None:
        complaints["media_url"] = ["The media url field is required when media file is not present."]
    elif url is not None and file is not None:
        complaints["media_url"] = ["The media url field prohibits media file from being present."]
    demand(complaints)
    caption = None if kind == "audio" else data.get("caption")
    name = data.get("filename") if kind == "document" else None
    shown = {"link": url} if url else {"id": "uploaded"}
    if caption is not None:
        shown["caption"] = caption
    if name is not None:
        shown["filename"] = name
    said = "Media message sent successfully"
    draft = Draft(kind, caption, {"type": kind, kind: shown}, url or file, kind, name, said=said)
    return await _send(tenant, request, data, draft)


async def send_template(tenant: Tenant, request: Request) -> Reply:
    """Answer POST /messages/template."""
    data = await read_body(request)
    demand(check(data, TEMPLATE))
    row = templates.wanted(tenant.templates, data)
    more: Data = {"template_name": row["template_name"]}
    if row["category"] == "AUTHENTICATION":
        if true(data.get("auto_generate_otp")):
            data["field_1"] = more["otp"] = f"{tenant.world.random.randrange(1_000_000):06d}"
        # Meta wants the code twice: to be read, and to be copied.
        data.setdefault("button_0", data.get("field_1"))
    demand(templates.lacks(row, data))
    text, components, file = templates.fill(row, data)
    template = {
        "name": row["template_name"],
        "language": {"code": row["language"]},
        "components": components,
    }
    draft = Draft(
        "template",
        text,
        {"type": "template", "template": template},
        file,
        (row["header_data_format"] or "").lower(),
        data.get("header_document_name"),
        free=False,
        said="Template message sent successfully",
        more=more,
    )
    return await _send(tenant, request, data, draft)


async def status(tenant: Tenant, request: Request) -> Reply:
    """Answer GET /messages/{id}/status."""
    message = tenant.history.messages.get(request.params["id"])
    if message is None:
        raise not_found("Message")
    return json_reply({"status": "success", "data": status_data(message)})


async def _send(tenant: Tenant, request: Request, data: Data, draft: Draft) -> Reply:
    """Ask Meta, hand over, remember, answer."""
    world, settings = tenant.world, tenant.world.settings
    digits = contacts.digits_of(data["phone_number"])
    demand(_phone_complaints(digits))
    if tenant.contacts.by_phone(digits) is None:
        contacts.ask_for_room(tenant)
    code = tenant.meta_code(digits, free=draft.free)
    if code is None and isinstance(draft.file, str) and _unreachable(draft.file):
        code = meta.NO_DOWNLOAD
    if request.unsent:
        code = meta.UNDELIVERABLE
    if code is not None and (request.unsent or not settings.whatscloud_meta_late):
        tenant.counts["refused"] += 1
        raise meta.refusal(code, settings, f"A{world.random.getrandbits(48):x}")
    if settings.send_latency:
        await world.wait(settings.send_latency)
    contact = tenant.contacts.by_phone(digits)
    created = contact is None
    given = data.get("contact")
    contact = contact or contacts.make(tenant, data["phone_number"], given if isinstance(given, dict) else {})
    asked = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": digits, **draft.content}
    sent = tenant.remember(digits, contact, draft.kind, draft.text, asked)
    if code is None:
        media = _summary(draft)
        kind = ON_THE_PHONE.get(draft.kind, draft.kind)
        outgoing = Outgoing(sent.id, digits + SUFFIX, kind, draft.text, media)
        world.network.send(tenant.channel_id, outgoing)
    else:
        world.timeline.call_later(settings.sent_after or 0, tenant.tick, sent.id, FAILED, code)
    tenant.counts["accepted"] += 1
    answer = {"status": "success", "message": draft.said}
    return json_reply({**answer, "data": {**_told(tenant, sent, data, created=created), **draft.more}})


def _phone_complaints(digits: str) -> Complaints:
    """Refuse what has no digits at all; the rules only count characters."""
    return {} if digits else {"phone_number": ["The phone number field format is invalid."]}


def _told(tenant: Tenant, sent: Sent, data: Data, *, created: bool) -> Row:
    """Return what the answer tells of a message, with Meta's id where the settings want it."""
    told: Row = {
        "message_id": sent.id,
        "contact_id": sent.contact_id,
        "phone": data["phone_number"],
        "status": "sent",
        "sent_at": sent.changed_at,
        "chat_id": sent.contact_id + 80,
        "contact_created": created,
    }
    place = tenant.world.settings.whatscloud_message_id
    if place not in ("both", "data"):
        del told["message_id"]
    if place in ("both", "whatsapp_response"):
        message = {"id": sent.id}
        if sent.kind == "template":
            message["message_status"] = "accepted"
        person = {"input": data["phone_number"], "wa_id": sent.phone}
        told["whatsapp_response"] = {
            "messaging_product": "whatsapp",
            "contacts": [person],
            "messages": [message],
        }
    return told


def _text_content(kind: str, data: Data) -> Data:
    if kind == "text":
        return {"type": "text", "text": {"body": data["message_body"]}}
    if kind == "cta_url":
        parameters = {"display_text": data["button_text"], "url": data["button_url"]}
        interactive: Data = {"type": "cta_url", "action": {"name": "cta_url", "parameters": parameters}}
    else:
        buttons = [{"type": "reply", "reply": button} for button in data["buttons"]]
        interactive = {"type": "button", "action": {"buttons": buttons}}
    interactive["body"] = {"text": data["message_body"]}
    if data.get("header"):
        interactive["header"] = {"type": "text", "text": data["header"]}
    if data.get("footer"):
        interactive["footer"] = {"text": data["footer"]}
    return {"type": "interactive", "interactive": interactive}


def _unreachable(url: str) -> bool:
    return (urlsplit(url).hostname or "").endswith(".invalid")


def _summary(draft: Draft) -> dict[str, Any] | None:
    """Return what the truth log keeps of a file."""
    if draft.file is None:
        return None
    usual = USUAL_TYPE[draft.file_kind]
    if isinstance(draft.file, str):
        link = {"source": "url", "mime_type": usual, "size": 0, "sha256": None}
        return {**link, "filename": draft.file_name, "link": draft.file}
    name, mime_type, content = draft.file
    return {
        "source": "file",
        "mime_type": mime_type or usual,
        "size": len(content),
        "sha256": base64.b64encode(hashlib.sha256(content).digest()).decode(),
        "filename": draft.file_name or name or None,
        "link": None,
    }
