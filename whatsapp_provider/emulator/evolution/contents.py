"""What a message looks like in an answer: by Baileys, by Meta, and on the EVOLUTION integration."""

from __future__ import annotations

import json
import uuid
from typing import Any, NamedTuple

from whatsapp_provider.emulator.evolution.body import Data
from whatsapp_provider.emulator.evolution.media import MediaFile

Content = dict[str, Any]
MEDIA_TYPES = {
    "image": "imageMessage",
    "video": "videoMessage",
    "audio": "audioMessage",
    "document": "documentMessage",
    "voice": "audioMessage",
    "short": "ptvMessage",
    "sticker": "stickerMessage",
}


class Draft(NamedTuple):
    """One message on its way: ``kind`` and ``text`` are what the truth log shows."""

    kind: str
    text: str | None
    message: Content
    message_type: str
    file: MediaFile | None = None


def text_of(kind: str, data: Data) -> str | None:
    """Return what a person would read of a message."""
    if kind == "contact":
        text = data["contact"][0]["fullName"]
    elif kind in ("buttons", "list"):
        text = data.get("description") or data.get("title")
    elif kind in ("poll", "location", "template"):
        text = data.get("title") or data.get("name")
    else:
        text = data.get("text") or data.get("caption") or data.get("reaction") or data.get("content")
    return text if isinstance(text, str) else None


def vcard(person: Data) -> str:
    """Return a contact as the server writes it."""
    digits = "".join(c for c in person.get("wuid") or person["phoneNumber"] if c.isdigit())
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"N:{person['fullName']}", f"FN:{person['fullName']}"]
    if person.get("organization"):
        lines.append(f"ORG:{person['organization']};")
    if person.get("email"):
        lines.append(f"EMAIL:{person['email']}")
    if person.get("url"):
        lines.append(f"URL:{person['url']}")
    lines += [f"item1.TEL;waid={digits}:{person['phoneNumber']}", "item1.X-ABLabel:Celular", "END:VCARD"]
    return "\n".join(lines)


def _contact(people: list[Data]) -> Content:
    if len(people) == 1:
        return {"displayName": people[0]["fullName"], "vcard": vcard(people[0])}
    cards = [{"displayName": person["fullName"], "vcard": vcard(person)} for person in people]
    return {"displayName": f"{len(people)} contacts", "contacts": cards}


def _location(data: Data) -> Content:
    return {
        "degreesLatitude": data["latitude"],
        "degreesLongitude": data["longitude"],
        "name": data["name"],
        "address": data["address"],
    }


def _reaction(data: Data, now_ms: int | None) -> Content:
    key = {"id": data["key"]["id"], "remoteJid": data["key"]["remoteJid"], "fromMe": data["key"]["fromMe"]}
    if now_ms is None:
        return {"key": key, "text": data["reaction"]}
    return {"text": data["reaction"], "key": key, "senderTimestampMs": now_ms}


# -- Baileys --------------------------------------------------------------------------------------


def by_baileys(kind: str, data: Data, file: MediaFile | None, now_ms: int, secret: bytes) -> Draft:
    """Return a message as Baileys makes it."""
    text = text_of(kind, data)
    if file is not None:
        return Draft(kind, text, *_baileys_media(kind, text, file), file)
    if kind == "location":
        return Draft(kind, text, {"locationMessage": _location(data)}, "locationMessage")
    if kind == "contact":
        name = "contactMessage" if len(data["contact"]) == 1 else "contactsArrayMessage"
        return Draft(kind, text, {name: _contact(data["contact"])}, name)
    if kind == "poll":
        poll = {
            "name": data["name"],
            "selectableOptionsCount": data["selectableCount"],
            "options": [{"optionName": value} for value in data["values"]],
        }
        context = {"messageSecret": {str(at): byte for at, byte in enumerate(secret)}}
        # One choice and many choices are two types on the wire; the server shows both under their name.
        name = "pollCreationMessageV3"
        return Draft(kind, text, {"messageContextInfo": context, name: poll}, name)
    if kind == "buttons":
        shown = {"viewOnceMessage": {"message": _buttons(data, secret)}}
        return Draft(kind, text, shown, "viewOnceMessage")
    if kind == "reaction":
        return Draft(kind, text, {"reactionMessage": _reaction(data, now_ms)}, "reactionMessage")
    if kind == "list":
        names = ("title", "description", "footerText", "buttonText", "sections")
        shown = {name: data[name] for name in names if name in data}
        return Draft(kind, text, {"listMessage": shown}, "listMessage")
    return Draft(kind, text, {"conversation": text or ""}, "conversation")


def _baileys_media(kind: str, text: str | None, file: MediaFile) -> tuple[Content, str]:
    name = MEDIA_TYPES[kind]
    shown: Content = {"mimetype": file.mime_type, "fileLength": str(file.size)}
    if file.sha256 is not None:
        shown["fileSha256"] = file.sha256
    if kind == "document":
        shown["fileName"] = file.filename
    if kind == "voice":
        shown["ptt"] = True
    if text is not None and kind not in ("voice", "sticker"):
        shown["caption"] = text
    return {name: shown}, name


def _buttons(data: Data, secret: bytes) -> Content:
    body = f"*{data.get('title', '')}*\n\n{data.get('description', '')}\n"
    shown: Content = {"body": {"text": body}}
    if "footer" in data:
        shown["footer"] = {"text": data["footer"]}
    made_by = {"from": "api", "templateId": str(uuid.UUID(bytes=secret[:16], version=4))}
    shown["nativeFlowMessage"] = {
        "buttons": [_button(item) for item in data["buttons"]],
        "messageParamsJson": _compact(made_by),
    }
    return {"interactiveMessage": shown}


def _button(item: Data) -> Content:
    """Return a button with its parameters as a text of JSON; a reply is told by its id, a link by its URL."""
    names = {"reply": "quick_reply", "copy": "cta_copy", "url": "cta_url", "call": "cta_call"}
    keys = {"displayText": "display_text", "id": "id", "copyCode": "copy_code", "url": "url"}
    keys["phoneNumber"] = "phone_number"
    params = {wire: item[name] for name, wire in keys.items() if name in item}
    return {"name": names.get(item["type"], "payment_info"), "buttonParamsJson": _compact(params)}


def _compact(data: Content) -> str:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False)


# -- Meta -----------------------------------------------------------------------------------------


def by_meta(kind: str, data: Data, file: MediaFile | None, media_id: str) -> Draft:
    """Return a message as the Meta Cloud integration shows it: much of it as plain text."""
    text = text_of(kind, data)
    if file is not None:
        return Draft(kind, text, *_meta_media(kind, data, file, media_id), file)
    if kind == "location":
        return Draft(kind, text, {"locationMessage": _location(data)}, "locationMessage")
    plain = "conversation"
    if kind == "contact":
        return Draft(kind, text, {"contact": _contact(data["contact"])}, plain)
    if kind == "reaction":
        return Draft(kind, text, {"reactionMessage": _reaction(data, None)}, plain)
    shown = text or ""
    if kind == "template":
        shown = f"▶️{data['name']}◀️"
    elif kind == "list":
        titles = [
            f"{s['title']}\n{''.join(row['title'] + chr(10) for row in s['rows'])}" for s in data["sections"]
        ]
        shown = f"{data['title']}\n{''.join(titles)}"
    elif kind == "buttons":
        labels = "".join(f"▶️ {button.get('displayText', '')}\n" for button in data["buttons"])
        shown = f"{data.get('title', '')}\n{labels}"
    return Draft(kind, text, {plain: shown}, plain)


def _meta_media(kind: str, data: Data, file: MediaFile, media_id: str) -> tuple[Content, str]:
    name = MEDIA_TYPES[kind]
    shown: Content = {"caption": data["caption"]} if "caption" in data else {}
    shown |= {"fileName": file.filename, "mediaType": name.removesuffix("Message"), "media": file.media}
    if kind != "voice":
        shown["gifPlayback"] = False
    linked = file.source == "url"
    shown |= {"id": file.media if linked else media_id, "type": "link" if linked else "id"}
    return {name: {**shown, "mimetype": file.mime_type}}, name


# -- the EVOLUTION integration --------------------------------------------------------------------


def by_evolution(kind: str, data: Data, file: MediaFile | None) -> Draft:
    """Return a message as the EVOLUTION integration shows it: nearly what was asked for."""
    text = text_of(kind, data)
    if file is not None:
        return Draft(kind, text, {"mediaUrl": file.media}, MEDIA_TYPES[kind], file)
    if kind == "buttons":
        names = ("title", "description", "footer", "buttons")
        return Draft(kind, text, {name: data[name] for name in names if name in data}, "buttonMessage")
    message: Content = {"conversation": data.get("text", "")}
    if data.get("quoted"):
        message["quoted"] = data["quoted"]["key"]
    return Draft(kind, text, message, "conversation")
