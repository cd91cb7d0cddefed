"""Turn a message into a call of the Bots API, and its answer into a result (the bodies of its page, call by call)."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, NoReturn
from urllib.parse import urlsplit

from whatsapp_provider.errors import NoAnswerError, RecipientError, UnsupportedError
from whatsapp_provider.exchange import Answer, Form, Upload
from whatsapp_provider.gateways.waabot.calls import (
    SEND_BUTTONS,
    SEND_CONTACT,
    SEND_FILE,
    SEND_LIST,
    SEND_MEDIA_BUTTONS,
    SEND_MESSAGE,
    SEND_TEXT_DEPRECATED,
    SEND_URL,
    Call,
)
from whatsapp_provider.messages import (
    Audio,
    Button,
    Buttons,
    CallButton,
    ContactCard,
    Document,
    Image,
    ListMessage,
    Location,
    Media,
    MediaButtons,
    Message,
    Text,
    UrlButton,
    Video,
    row_ids,
)
from whatsapp_provider.model import SendResult

KINDS = frozenset(
    {
        "text",
        "image",
        "video",
        "audio",
        "document",
        "location",
        "contact",
        "buttons",
        "media_buttons",
        "list",
    }
)
#: The chat ids that the API takes; it would make a person of any other.
_SERVERS = frozenset({"s.whatsapp.net", "c.us", "g.us"})
_BUTTON_IMAGE = "image/jpeg"  #: where the address does not tell the image's type; the page's own
_DEPRECATED_ID = re.compile(r"true_[^_]+_([0-9A-Za-z]+)(?:_|\Z)")
_File = Image | Video | Audio | Document


@dataclass(frozen=True, slots=True)
class SendRequest:
    """One send; the body is JSON or a form."""

    call: Call
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    form: Form | None = field(default=None, repr=False)


def check_message(message: Message) -> None:
    """Refuse what would be sent without a part of it, or not at all.

    :raises UnsupportedError: naming the part.
    """
    if message.kind not in KINDS:
        _refuse(f"send messages of kind {message.kind!r}")
    if isinstance(message, Location) and message.address is not None:
        _refuse("send a location's address; put it into the name")
    if isinstance(message, Buttons) and message.header is not None:
        _refuse("send buttons with a header; put it into the body")
    if isinstance(message, MediaButtons) and (message.media_kind != "image" or message.media.url is None):
        _refuse("send media buttons with anything but an image that is given by its url")
    if isinstance(message, _File):
        _check_file(message)


def _check_file(message: _File) -> None:
    media, caption = message.media, getattr(message, "caption", None)
    if media.media_id is not None and caption is not None:
        _refuse("send a caption with an attachment (media_id); send it as a text of its own")
    if not isinstance(message, Document):
        return
    if message.filename is not None and (media.url is not None or media.media_id is not None):
        _refuse("name a document that it loads by itself; leave out the filename, or use data or file")
    if caption is not None and media.url is None:
        _refuse("send a caption with a document that is uploaded; use url, or send it as a text of its own")


def _refuse(what: str) -> NoReturn:
    raise UnsupportedError(f"Gateway 'waabot' can't {what}.")


def chat_id(recipient: str) -> str:
    """Return how the API is told of a chat: digits, or the whole id of a group.

    :raises RecipientError: for a kind of chat that it does not know.
    """
    name, at, server = recipient.partition("@")
    if at and server not in _SERVERS:
        raise RecipientError(f"Waabot sends to numbers and groups, not to chats of {server!r}.")
    # Without its server, a group of today's form would be taken for a person.
    return recipient if server == "g.us" else name.removeprefix("+")


def send_request(recipient: str, message: Message, *, deprecated_text: bool = False) -> SendRequest:
    """Return the call that sends ``message``.

    :param deprecated_text: send texts by the older call.
    :raises UnsupportedError: for a message that can't be sent as it is.
    :raises InputError: if a file can't be read.
    :raises RecipientError: for a kind of chat that the API does not know.
    """
    check_message(message)
    to = chat_id(recipient)
    if isinstance(message, Text):
        if deprecated_text:
            return SendRequest(SEND_TEXT_DEPRECATED, {"to": to, "message": message.body})
        return SendRequest(SEND_MESSAGE, {"chatId": to, "message": message.body})
    if isinstance(message, Location):
        return SendRequest(SEND_MESSAGE, {"chatId": to, "location": _location(message)})
    if isinstance(message, ContactCard):
        return SendRequest(SEND_CONTACT, {"chatId": to, "vcard": _vcard(message)})
    if isinstance(message, Buttons):
        return SendRequest(SEND_BUTTONS, {"chatId": to, "btndata": _buttoned(message)})
    if isinstance(message, MediaButtons):
        return SendRequest(SEND_MEDIA_BUTTONS, {"chatId": to, "btndata": _media_buttons(message)})
    if isinstance(message, ListMessage):
        return SendRequest(SEND_LIST, {"chatId": to, "msgdata": _list(message)})
    if isinstance(message, _File):
        return _file(to, message)
    _refuse(f"send messages of kind {message.kind!r}")


def _location(message: Location) -> dict[str, str]:
    # Texts, as the page has them.
    place = {"lat": str(message.latitude), "lng": str(message.longitude)}
    return place | ({"name": message.name} if message.name else {})


def _vcard(message: ContactCard) -> dict[str, str]:
    return {
        "fullName": message.full_name,
        "displayName": message.full_name,
        # Left out, the card would say "undefined".
        "organization": message.organization or "",
        "phoneNumber": message.phone.removeprefix("+"),
    }


def _button(button: Button) -> dict[str, str]:
    # A reply button has no id here: an answer carries its title.
    if isinstance(button, UrlButton):
        return {"type": "urlButton", "title": button.title, "payload": button.url}
    if isinstance(button, CallButton):
        return {"type": "callButton", "title": button.title, "payload": button.phone.removeprefix("+")}
    return {"type": "replyButton", "title": button.title}


def _buttoned(message: Buttons | MediaButtons) -> dict[str, Any]:
    return {
        "text": message.body,
        "buttons": [_button(button) for button in message.buttons],
        "footerText": message.footer or "",
    }


def _media_buttons(message: MediaButtons) -> dict[str, Any]:
    mime_type = _type_of(message.media) or _BUTTON_IMAGE
    image = {"image": message.media.url, "mediaType": message.media_kind, "mimeType": mime_type}
    return {**_buttoned(message), **image}


def _list(message: ListMessage) -> dict[str, Any]:
    ids = row_ids(message.sections)
    return {
        "buttonText": message.button,
        "text": message.body,
        "title": message.title or "",
        # What stands below the list; the name is the wire's.
        "description": message.footer or "",
        "sections": [
            {
                "title": section.title,
                "rows": [
                    {"title": row.title, "description": row.description or "", "rowId": row_id}
                    for row, row_id in zip(section.rows, names, strict=True)
                ],
            }
            for section, names in zip(message.sections, ids, strict=True)
        ],
        "listType": 0,
    }


def _file(to: str, message: _File) -> SendRequest:
    media = message.media
    if media.media_id is not None:
        return SendRequest(SEND_MESSAGE, {"chatId": to, "attachments": [media.media_id]})
    caption = getattr(message, "caption", None)
    fields = {"chatId": to}
    if (content := media.content()) is not None:
        name = _filename(message, content[1])
        if isinstance(message, Document):
            fields["filename"] = name
        elif caption is not None:
            fields["caption"] = caption
        return SendRequest(SEND_FILE[message.kind], form=Form(fields, {"file": Upload(name, *content)}))
    fields |= {"url": media.url or "", "type": message.kind}
    if mime_type := _type_of(media):
        fields["mimetype"] = mime_type
    if caption is not None:
        fields["caption"] = caption
    return SendRequest(SEND_URL, form=Form(fields))


def _filename(message: _File, mime_type: str) -> str:
    named = getattr(message, "filename", None) or PurePath(message.media.file or "").name
    return named or f"{message.kind}{mimetypes.guess_extension(mime_type) or ''}"


def _type_of(media: Media) -> str | None:
    """Return the type of a file given by its address, as far as that tells it."""
    return media.mime_type or mimetypes.guess_type(urlsplit(media.url or "").path)[0]


def send_result(answer: Answer) -> SendResult:
    """Return the result of a 2xx answer that does not refuse.

    A text's answer has no message id, and says nothing more than that it was sent.

    :raises NoAnswerError: if it neither says so nor names the message, or tells an error beside it.
    """
    body = answer.json()
    message_id = _message_id(body)
    said_so = message_id is not None or (isinstance(body, dict) and body.get("status") is True)
    if not said_so:
        raise NoAnswerError(
            "Waabot's answer to a send neither says that it was done nor names the message; it may have been sent.",
            status=answer.status,
            code="no_message_id",
        )
    if _tells_an_error(body):
        raise NoAnswerError(
            "Waabot's answer to a send says that it was done and tells an error; the message may have been sent.",
            status=answer.status,
            code="done_and_error",
        )
    return SendResult(message_id)


def _tells_an_error(body: Any) -> bool:
    """Whether the envelope, or the inner server's in it, has an error beside what it says was done."""
    while isinstance(body, dict):
        if body.get("error"):
            return True
        body = body.get("data")
    return False


def _message_id(body: Any) -> str | None:
    """Return the id that stands in ``data.key.id``, or in the older call's answer in a text with the chat's number.

    That text is ``true_<chat>_<id>``, in groups with the sender behind it; the number has no place where ids go.
    """
    data = body.get("data") if isinstance(body, dict) else None
    if isinstance(data, str):
        found = _DEPRECATED_ID.match(data)
        return found[1] if found else None
    while isinstance(data, dict):
        key = data.get("key")
        message_id = key.get("id") if isinstance(key, dict) else None
        if isinstance(message_id, str) and message_id:
            return message_id
        data = data.get("data")
    return None
