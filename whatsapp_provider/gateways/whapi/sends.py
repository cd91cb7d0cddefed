"""Turn a message into Whapi's send request, and its answer into a result."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from whatsapp_provider.errors import NoAnswerError, RecipientRejectedError, UnsupportedError
from whatsapp_provider.gateways.whapi.interactive import interactive, media_fields, vcard
from whatsapp_provider.gateways.whapi.payloads import SentPayload, read
from whatsapp_provider.messages import (
    Audio,
    Buttons,
    ContactCard,
    Document,
    Image,
    ListMessage,
    Location,
    MediaButtons,
    Message,
    Text,
    Video,
    Voice,
)
from whatsapp_provider.model import MessageStatus, SendResult

#: Lists and both kinds with buttons are the gate's ``interactive``, which the vendor calls not stable; the other
#: endpoints are named like our kinds.
KINDS = frozenset(
    {
        *("text", "image", "video", "audio", "voice", "document"),
        *("location", "contact", "buttons", "media_buttons", "list"),
    }
)

_STATUS = {
    "failed": MessageStatus.FAILED,
    "pending": MessageStatus.PENDING,
    "sent": MessageStatus.SENT,
    "delivered": MessageStatus.DELIVERED,
    "read": MessageStatus.READ,
    "played": MessageStatus.READ,
    "deleted": MessageStatus.DELETED,
}


def status_of(word: str | None) -> MessageStatus:
    """Return our word for Whapi's; the string decides, its code differs between versions."""
    return _STATUS.get((word or "").lower(), MessageStatus.UNKNOWN)


def send_request(recipient: str, message: Message) -> tuple[str, dict[str, Any]]:
    """Return path and body of the request that sends ``message``."""
    if isinstance(message, Text):
        return "/messages/text", {"to": recipient, "body": message.body}
    if isinstance(message, Location):
        place = message.model_dump(include={"latitude", "longitude", "name", "address"}, exclude_none=True)
        return "/messages/location", {"to": recipient, **place}
    if isinstance(message, ContactCard):
        card = {"name": message.full_name, "vcard": vcard(message)}
        return "/messages/contact", {"to": recipient, **card}
    if isinstance(message, Buttons | MediaButtons | ListMessage):
        return "/messages/interactive", {"to": recipient, **interactive(message)}
    if not isinstance(message, Image | Video | Audio | Voice | Document):
        raise UnsupportedError(f"Gateway 'whapi' can't send messages of kind {message.kind!r}.")
    body = {"to": recipient, **media_fields(message.media)}
    caption = getattr(message, "caption", None)
    if caption is not None:
        body["caption"] = caption
    if isinstance(message, Document):
        filename = message.filename or (PurePath(message.media.file).name if message.media.file else None)
        if filename:
            body["filename"] = filename
    return f"/messages/{message.kind}", body


def send_result(body: Any) -> SendResult:
    """Return the result of a 2xx answer.

    :raises RecipientRejectedError: if it says that nothing was sent.
    :raises NoAnswerError: if it does not say which message it sent.
    """
    payload = read(SentPayload, body)
    if payload.sent is False:
        raise RecipientRejectedError("Whapi answered 200 with sent: false.", status=200, code="sent_false")
    if payload.message is None:
        raise NoAnswerError(
            "Whapi answered 200 without a message id; the message may have been sent.",
            status=200,
            code="no_message_id",
        )
    # A fresh message without a status is on its way.
    chat = payload.message.chat_id
    told = (chat,) if isinstance(chat, str) and chat else ()
    return SendResult(payload.message.id, status_of(payload.message.status or "pending"), told)
