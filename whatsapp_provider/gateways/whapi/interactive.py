"""The contents of Whapi's sends beside plain text: files, cards, buttons and lists (gate schema 1.8.7)."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from whatsapp_provider.messages import (
    Button,
    Buttons,
    CallButton,
    ContactCard,
    ListMessage,
    Media,
    MediaButtons,
    UrlButton,
    button_ids,
    row_ids,
)


def media_fields(media: Media) -> dict[str, str]:
    """Return a file as an address, an uploaded file's id, or its content."""
    content = media.content()
    if content is None:
        named = {"media": media.url or media.media_id or ""}
        return named | ({"mime_type": media.mime_type} if media.mime_type else {})
    data, mime_type = content
    return {"media": f"data:{mime_type};base64,{b64encode(data).decode()}", "mime_type": mime_type}


def vcard(card: ContactCard) -> str:
    """Return a card as the gate takes it: a vCard of version 3.0 with WhatsApp's own mark of a number."""
    name = _escaped(card.full_name)
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"N:;{name};;;", f"FN:{name}"]
    if card.organization:
        lines.append(f"ORG:{_escaped(card.organization)}")
    lines += [f"TEL;type=CELL;waid={card.phone}:+{card.phone}", "END:VCARD"]
    return "\n".join(lines)


def _escaped(text: str) -> str:
    """Return a text as a vCard has it: what separates values in it is marked (RFC 2426)."""
    for sign in "\\,;":
        text = text.replace(sign, f"\\{sign}")
    return text


def interactive(message: Buttons | MediaButtons | ListMessage) -> dict[str, Any]:
    """Return the content of ``POST /messages/interactive``."""
    header = message.header if isinstance(message, Buttons) else getattr(message, "title", None)
    texts = {"header": header, "body": message.body, "footer": message.footer}
    content: dict[str, Any] = {name: {"text": text} for name, text in texts.items() if text is not None}
    if isinstance(message, ListMessage):
        return {"type": "list", **content, "action": {"list": _list(message)}}
    if isinstance(message, MediaButtons):
        # A file given with its content tells its type in the text itself.
        content["media"] = media_fields(message.media)["media"]
    named = zip(message.buttons, button_ids(message.buttons), strict=True)
    return {
        "type": "button",
        **content,
        "action": {"buttons": [_button(button, key) for button, key in named]},
    }


def _button(button: Button, key: str) -> dict[str, str]:
    if isinstance(button, UrlButton):
        return {"type": "url", "title": button.title, "id": key, "url": button.url}
    if isinstance(button, CallButton):
        return {
            "type": "call",
            "title": button.title,
            "id": key,
            "phone_number": button.phone.removeprefix("+"),
        }
    return {"type": "quick_reply", "title": button.title, "id": key}


def _list(message: ListMessage) -> dict[str, Any]:
    sections = [
        {
            "title": section.title,
            "rows": [
                {"id": key, "title": row.title}
                | ({"description": row.description} if row.description else {})
                for row, key in zip(section.rows, keys, strict=True)
            ],
        }
        for section, keys in zip(message.sections, row_ids(message.sections), strict=True)
    ]
    return {"label": message.button, "sections": sections}
