"""Turn a message into WhatsCloud's send request, and its answer into a result."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from whatsapp_provider.errors import NoAnswerError, UnsupportedError
from whatsapp_provider.exchange import Answer, Form, Upload
from whatsapp_provider.gateways.whatscloud.answers import meta_code, refused_by_meta
from whatsapp_provider.gateways.whatscloud.limits import check_limits, phone_of
from whatsapp_provider.gateways.whatscloud.templates import check_placeable, in_order
from whatsapp_provider.messages import (
    Audio,
    Buttons,
    Document,
    HeaderMedia,
    Image,
    Media,
    Message,
    ReplyButton,
    TemplateMessage,
    Text,
    Video,
    button_ids,
)
from whatsapp_provider.model import MessageStatus, SendResult
from whatsapp_provider.templates import OfficialTemplate

KINDS = frozenset({"text", "image", "video", "audio", "document", "buttons", "template"})

_STATUS = {
    "pending": MessageStatus.PENDING,
    "sent": MessageStatus.SENT,
    "delivered": MessageStatus.DELIVERED,
    "read": MessageStatus.READ,
    "failed": MessageStatus.FAILED,
}


def status_of(word: str | None) -> MessageStatus:
    """Return our word for WhatsCloud's."""
    return _STATUS.get((word or "").lower(), MessageStatus.UNKNOWN)


@dataclass(frozen=True, slots=True)
class SendRequest:
    """What is posted: JSON, or a form where a file goes with it."""

    path: str
    fields: dict[str, Any] = field(repr=False)
    files: Mapping[str, Upload] = field(default_factory=dict, repr=False)

    @property
    def body(self) -> dict[str, Any]:
        """The body, as the API client's request takes it."""
        if not self.files:
            return {"json": self.fields}
        return {"form": Form({name: str(value) for name, value in self.fields.items()}, self.files)}


def send_request(recipient: str, message: Message, template: OfficialTemplate | None = None) -> SendRequest:
    """Return the request that sends ``message``.

    :param template: the one that the message names; needed where its values have names.
    :raises RecipientError: for what is no phone number.
    :raises UnsupportedError: for what the API has no fields for.
    :raises InputError: for what is too long or too large.
    """
    check_limits(message)
    to = {"phone_number": phone_of(recipient)}
    if isinstance(message, Text):
        return SendRequest("/messages/send", {**to, "message_body": message.body})
    if isinstance(message, Buttons):
        return SendRequest("/messages/send", {**to, **_buttons(message)})
    if isinstance(message, TemplateMessage):
        return _template(to, message, template)
    if isinstance(message, Image | Video | Audio | Document):
        return _media(to, message)
    raise UnsupportedError(f"Gateway 'whatscloud' can't send messages of kind {message.kind!r}.")


def _buttons(message: Buttons) -> dict[str, Any]:
    lines = {"header": message.header, "footer": message.footer}
    content = {"message_body": message.body, **{name: text for name, text in lines.items() if text}}
    first = message.buttons[0]
    if not isinstance(first, ReplyButton):
        page = {"button_text": first.title, "button_url": getattr(first, "url", "")}
        return {**content, "message_type": "cta_url", **page}
    ids = button_ids(message.buttons)
    buttons = [{"id": name, "title": button.title} for name, button in zip(ids, message.buttons, strict=True)]
    return {**content, "message_type": "interactive", "buttons": buttons}


def _media(to: dict[str, str], message: Image | Video | Audio | Document) -> SendRequest:
    fields: dict[str, Any] = {**to, "media_type": message.kind}
    caption = getattr(message, "caption", None)
    if caption is not None:
        fields["caption"] = caption
    given = message.filename if isinstance(message, Document) else None
    upload = _upload(message.media, given, message.kind)
    if isinstance(message, Document) and (name := given or (upload.filename if upload else None)):
        fields["filename"] = name
    if upload is None:
        return SendRequest("/messages/media", {**fields, "media_url": message.media.url})
    return SendRequest("/messages/media", fields, {"media_file": upload})


def _template(to: dict[str, str], message: TemplateMessage, template: OfficialTemplate | None) -> SendRequest:
    check_placeable(message, template)
    fields: dict[str, Any] = {
        **to,
        "template_name": message.name,
        "template_language": message.language,
        **{f"field_{place}": value for place, value in enumerate(in_order(message, template), 1)},
        **{f"button_{place}": value for place, value in sorted(message.buttons.items())},
    }
    files: dict[str, Upload] = {}
    header = message.header
    if isinstance(header, str):
        fields["header_field_1"] = header
    elif isinstance(header, HeaderMedia):
        upload = _upload(header.media, header.filename, header.kind)
        if upload is None:
            fields[f"header_{header.kind}_url"] = header.media.url
        else:
            files[f"header_{header.kind}_file"] = upload
        if header.kind == "document" and (name := header.filename or (upload.filename if upload else None)):
            fields["header_document_name"] = name
    return SendRequest("/messages/template", fields, files)


def _upload(media: Media, filename: str | None, kind: str) -> Upload | None:
    """Return the file where it is at hand, ``None`` for a URL."""
    content = media.content()
    if content is None:
        return None
    data, mime_type = content
    name = filename or (PurePath(media.file).name if media.file else None)
    return Upload(name or f"{kind}{mimetypes.guess_extension(mime_type) or ''}", data, mime_type)


def send_result(answer: Answer, said: str) -> SendResult:
    """Return the result of a 2xx answer; only one that says ``success`` is one.

    Some versions tell no id with texts and templates, so a success without one is accepted all the same.

    :param said: what was answered, fit for a log.
    :raises GatewayError: for an error of Meta's, by its code.
    :raises NoAnswerError: if it does not say whether something was sent.
    """
    body = answer.json()
    code, message_id = meta_code(body), _message_id(body)
    if code is not None and message_id is None and not _names_an_id(body.get("data")):
        raise refused_by_meta(code, said, answer, body)
    data = body.get("data") if isinstance(body, Mapping) else None
    word = data.get("status") if isinstance(data, Mapping) else None
    status = status_of(word) if isinstance(word, str) else MessageStatus.UNKNOWN
    # A success that calls its own message failed says two things.
    if code is not None or not _is_success(body, message_id) or status is MessageStatus.FAILED:
        raise NoAnswerError(
            f"{said} It does not say whether the message was sent.", status=answer.status, code="no_success"
        )
    # Accepted by Meta is all that an answer can tell.
    return SendResult(message_id, MessageStatus.PENDING if status is MessageStatus.UNKNOWN else status)


def _is_success(body: Any, message_id: str | None) -> bool:
    """Whether it says so, and hands on no answer of Meta's that names no message."""
    if not isinstance(body, Mapping) or body.get("status") != "success":
        return False
    if body.get("error") or body.get("errors"):
        return False
    data = body.get("data")
    answered = data.get("whatsapp_response") if isinstance(data, Mapping) else None
    return message_id is not None or answered is None


def _names_an_id(value: Any, levels: int = 5) -> bool:
    """Whether a message may be named somewhere in it, though perhaps none that can be read."""
    if not levels:
        return False
    if isinstance(value, Mapping):
        return any(
            (name in {"id", "message_id"} and item not in (None, "")) or _names_an_id(item, levels - 1)
            for name, item in value.items()
        )
    return isinstance(value, list) and any(_names_an_id(item, levels - 1) for item in value)


def _message_id(body: Any) -> str | None:
    """Return ``data.message_id``, or the id of Meta's own answer in ``data.whatsapp_response``."""
    data = body.get("data") if isinstance(body, Mapping) else None
    if not isinstance(data, Mapping):
        return None
    answered = data.get("whatsapp_response")
    messages = answered.get("messages") if isinstance(answered, Mapping) else None
    first = messages[0] if isinstance(messages, list) and messages else None
    metas = first.get("id") if isinstance(first, Mapping) else None
    for found in (data.get("message_id"), metas):
        if isinstance(found, str) and found.strip():
            return found.strip()
    return None
