"""Turn a message into a send request of either dialect, and its answer into a result."""

from __future__ import annotations

import mimetypes
from base64 import b64encode
from pathlib import PurePath
from typing import Any

from whatsapp_provider.errors import NoAnswerError, UnsupportedError
from whatsapp_provider.gateways import meta
from whatsapp_provider.gateways.evolution.dialects import Dialect
from whatsapp_provider.messages import Audio, Document, Image, Media, Message, Text, Video, Voice
from whatsapp_provider.model import SendResult

KINDS = frozenset({"text", "image", "video", "audio", "voice", "document"})


def send_request(recipient: str, message: Message, dialect: Dialect) -> tuple[str, dict[str, Any]]:
    """Return the route and the body of the request that sends ``message``.

    No ``delay`` is ever given: the server would hold the answer back for as long.

    :raises UnsupportedError: for a file that was uploaded before; these servers keep none.
    """
    if isinstance(message, Text):
        text = {"text": message.body}
        return "sendText", _addressed(recipient, "textMessage", text, dialect)
    if isinstance(message, Voice):
        audio = {"audio": _source(message.media)[0]}
        return "sendWhatsAppAudio", _addressed(recipient, "audioMessage", audio, dialect)
    if not isinstance(message, Image | Video | Audio | Document):
        raise UnsupportedError(f"Gateway 'evolution' can't send messages of kind {message.kind!r}.")
    return "sendMedia", _addressed(recipient, "mediaMessage", _media(message, dialect), dialect)


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
    if media.media_id is not None:
        raise UnsupportedError(
            "Gateway 'evolution' keeps no uploaded files, so media_id means nothing to it; use url, data or file."
        )
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


def send_result(body: Any) -> SendResult:
    """Return the result of a 2xx answer; only one with a message's id is a success.

    :raises GatewayError: for an error of Meta's, which servers answer with 201, by its code.
    :raises NoAnswerError: if it does not say which message it sent.
    """
    key = body.get("key") if isinstance(body, dict) else None
    message_id = key.get("id") if isinstance(key, dict) else None
    if isinstance(message_id, str) and message_id:
        # Whatever the answer says: no server has heard more when it answers.
        return SendResult(message_id)
    if (refused := meta.found_in(body)) is not None:
        raise meta.refusal(*refused, status=201)
    raise NoAnswerError(
        "The server answered a send without a message id; the message may have been sent.",
        code="no_message_id",
    )
