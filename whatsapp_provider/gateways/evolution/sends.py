"""Turn a message into a send request of either dialect, and its answer into a result."""

from __future__ import annotations

import mimetypes
from base64 import b64encode
from pathlib import PurePath
from typing import Any

from whatsapp_provider.errors import NoAnswerError, UnsupportedError
from whatsapp_provider.gateways import meta
from whatsapp_provider.gateways.evolution import kinds
from whatsapp_provider.gateways.evolution.dialects import Dialect
from whatsapp_provider.gateways.meta_templates import MetaTemplate, components
from whatsapp_provider.messages import (
    Audio,
    Buttons,
    CallButton,
    ContactCard,
    Document,
    Image,
    ListMessage,
    Location,
    Media,
    Message,
    TemplateMessage,
    Text,
    UrlButton,
    Video,
    Voice,
    button_ids,
    row_ids,
)
from whatsapp_provider.model import SendResult


def send_request(
    recipient: str, message: Message, dialect: Dialect, template: MetaTemplate | None = None
) -> tuple[str, dict[str, Any]]:
    """Return the route and the body of the request that sends ``message``.

    No ``delay`` is ever given: the server would hold the answer back for as long.

    :param template: of a message made from one, as Meta tells it.
    :raises UnsupportedError: for what the server does not take, such as a file that was uploaded before.
    :raises InputError: for what it would not take without more.
    """
    kinds.check(message)
    if isinstance(message, Text):
        text = {"text": message.body}
        return "sendText", _addressed(recipient, "textMessage", text, dialect)
    if isinstance(message, Voice):
        audio = {"audio": _source(message.media)[0]}
        return "sendWhatsAppAudio", _addressed(recipient, "audioMessage", audio, dialect)
    if not isinstance(message, Image | Video | Audio | Document):
        return _structured(recipient, message, dialect, template)
    return "sendMedia", _addressed(recipient, "mediaMessage", _media(message, dialect), dialect)


def _structured(
    recipient: str, message: Message, dialect: Dialect, template: MetaTemplate | None
) -> tuple[str, dict[str, Any]]:
    if isinstance(message, Location):
        return "sendLocation", _addressed(recipient, "locationMessage", _place(message), dialect)
    if isinstance(message, ContactCard):
        # Version 1's wrapper is the list itself.
        named = "contactMessage" if dialect is Dialect.V1 else "contact"
        return "sendContact", {"number": recipient, named: [_card(message)]}
    if isinstance(message, ListMessage):
        return "sendList", _addressed(recipient, "listMessage", _list(message), dialect)
    if isinstance(message, Buttons) and dialect is Dialect.V2:
        return "sendButtons", {"number": recipient, **_buttons(message)}
    if isinstance(message, TemplateMessage):
        content = {
            "name": message.name,
            "language": message.language,
            "components": components(message, template),
        }
        return "sendTemplate", _addressed(recipient, "templateMessage", content, dialect)
    raise UnsupportedError(
        f"Gateway 'evolution' can't send messages of kind {message.kind!r} on a server of version {dialect.value[1:]}."
    )


def _place(place: Location) -> dict[str, Any]:
    # It wants a name and an address, whether there are any or not.
    where = f"{place.latitude}, {place.longitude}"
    return {
        "latitude": place.latitude,
        "longitude": place.longitude,
        "name": place.name or where,
        "address": place.address or where,
    }


def _card(card: ContactCard) -> dict[str, str]:
    person = {"fullName": card.full_name, "wuid": card.phone, "phoneNumber": f"+{card.phone}"}
    return person | ({"organization": card.organization} if card.organization else {})


def _titled(title: str | None, body: str) -> dict[str, str]:
    """Return the two texts above buttons or a list: the first is always shown, the second not everywhere."""
    return {"title": title, "description": body} if title else {"title": body}


def _buttons(message: Buttons) -> dict[str, Any]:
    buttons: list[dict[str, str]] = []
    for button, key in zip(message.buttons, button_ids(message.buttons), strict=True):
        if isinstance(button, UrlButton):
            own = {"url": button.url}
        elif isinstance(button, CallButton):
            own = {"phoneNumber": f"+{button.phone.removeprefix('+')}"}
        else:
            own = {"id": key}
        buttons.append({"type": button.type, "displayText": button.title, **own})
    footer = {"footer": message.footer} if message.footer else {}
    return {**_titled(message.header, message.body), **footer, "buttons": buttons}


def _list(message: ListMessage) -> dict[str, Any]:
    sections = [
        {
            "title": section.title,
            "rows": [
                {"title": row.title, "rowId": key}
                | ({"description": row.description} if row.description else {})
                for row, key in zip(section.rows, keys, strict=True)
            ],
        }
        for section, keys in zip(message.sections, row_ids(message.sections), strict=True)
    ]
    # Its schema wants a footer.
    shown = {"footerText": message.footer or "", "buttonText": message.button}
    return {**_titled(message.title, message.body), **shown, "sections": sections}


def _addressed(recipient: str, wrapped: str, content: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    if dialect is Dialect.V1:
        return {"number": recipient, wrapped: content}
    return {"number": recipient, **content}


def _media(message: Image | Video | Audio | Document, dialect: Dialect) -> dict[str, Any]:
    media, mime_type = _source(message.media)
    content: dict[str, Any] = {"mediatype": message.kind, "media": media}
    if mime_type and dialect is Dialect.V2:
        content["mimetype"] = mime_type
    caption = getattr(message, "caption", None)
    if caption is not None:
        content["caption"] = caption
    filename = _filename(message, mime_type)
    if filename:
        content["fileName"] = filename
    return content


def _source(media: Media) -> tuple[str, str | None]:
    """Return the URL, or the file as bare base64 (a ``data:`` prefix is refused), and its type."""
    content = media.content()
    if content is None:
        return media.url or "", media.mime_type
    data, mime_type = content
    return b64encode(data).decode(), mime_type


def _filename(message: Image | Video | Audio | Document, mime_type: str | None) -> str | None:
    """Return a document's name; one given as bytes must have one."""
    if not isinstance(message, Document):
        return None
    media = message.media
    if message.filename or media.file:
        return message.filename or PurePath(media.file or "").name
    if media.data is None:
        return None
    return f"document{mimetypes.guess_extension(mime_type or '') or ''}"


def send_result(body: Any, secrets: tuple[str, ...] = ()) -> SendResult:
    """Return the result of a 2xx answer; only one with a message's id is a success.

    :param secrets: what the answer may quote of the request and must not bring into a log.
    :raises GatewayError: for an error of Meta's, which servers answer with 201, by its code.
    :raises NoAnswerError: if it does not say which message it sent.
    """
    key = body.get("key") if isinstance(body, dict) else None
    key = key if isinstance(key, dict) else {}
    message_id = key.get("id")
    if isinstance(message_id, str) and message_id:
        # Whatever the answer says: no server has heard more when it answers.
        told = (key.get("remoteJid"), key.get("remoteJidAlt"))
        return SendResult(message_id, chat_ids=tuple(one for one in told if isinstance(one, str) and one))
    if (refused := meta.found_in(body)) is not None:
        raise meta.refusal(*refused, status=201, secrets=secrets)
    raise NoAnswerError(
        "The server answered a send without a message id; the message may have been sent.",
        code="no_message_id",
    )
