"""Turn a message into a send request of either dialect, and its answer into a result."""

from __future__ import annotations

import mimetypes
from base64 import b64encode
from pathlib import PurePath
from typing import Any

from whatsapp_provider.errors import (
    CredentialRejectedError,
    GatewayError,
    NoAnswerError,
    QuotaExceededError,
    RateLimitedError,
    RecipientRejectedError,
    RequestRejectedError,
    TemporarilyUnavailableError,
    UnsupportedError,
)
from whatsapp_provider.gateways.evolution.dialects import Dialect
from whatsapp_provider.messages import Audio, Document, Image, Media, Message, Text, Video, Voice
from whatsapp_provider.model import SendResult
from whatsapp_provider.redaction import redact

KINDS = frozenset({"text", "image", "video", "audio", "voice", "document"})

#: Meta's codes of the Cloud API, which a server hands on in a 201; what is not here halts.
_META: dict[int, type[GatewayError]] = {
    **dict.fromkeys((0, 3, 10, 190, 200, 131005), CredentialRejectedError),
    131042: QuotaExceededError,  # a payment that is due
    **dict.fromkeys((4, 80007, 130429, 131048, 131056), RateLimitedError),
    **dict.fromkeys((2, 131016, 131057), TemporarilyUnavailableError),
    # The person: not on WhatsApp, not allowed, ourselves, out of the 24 hours, held back, unsubscribed; their file.
    **dict.fromkeys(
        (130472, 131021, 131026, 131030, 131047, 131049, 131050, 131052, 131053), RecipientRejectedError
    ),
}


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
    if isinstance(body, dict) and _is_metas(body):
        raise _refused_by_meta(body)
    raise NoAnswerError(
        "The server answered a send without a message id; the message may have been sent.",
        code="no_message_id",
    )


def _is_metas(body: dict[str, Any]) -> bool:
    code = body.get("code")
    is_number = isinstance(code, int) and not isinstance(code, bool)
    return is_number and (
        "fbtrace_id" in body or "error_data" in body or body.get("type") == "OAuthException"
    )


def _refused_by_meta(body: dict[str, Any]) -> GatewayError:
    code = int(body["code"])
    details = body.get("error_data")
    told = [body.get("message"), details.get("details") if isinstance(details, dict) else None]
    said = redact(" ".join(text for text in told if isinstance(text, str)) or "no explanation")
    kind = _META.get(code, CredentialRejectedError if 200 < code < 300 else RequestRejectedError)
    return kind(f"Meta refused the message with code {code}: {said}", status=201, code=f"meta_{code}")
