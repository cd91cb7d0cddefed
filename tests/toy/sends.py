"""Turn a message into the toy's request, and its answer into a result."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from tests.toy.answers import READER, Said
from whatsapp_provider.errors import NoAnswerError, RecipientRejectedError, UnsupportedError
from whatsapp_provider.gateways.reading import digits_of
from whatsapp_provider.messages import Image, Media, Message, Text
from whatsapp_provider.model import SendResult


def send_request(recipient: str, message: Message) -> dict[str, Any]:
    body: dict[str, Any] = {"whom": digits_of(recipient)}
    if isinstance(message, Text):
        return {**body, "words": message.body}
    if not isinstance(message, Image):
        raise UnsupportedError(f"Gateway 'toy' can't send messages of kind {message.kind!r}.")
    if message.caption is not None:
        body["words"] = message.caption
    return {**body, "picture": _picture(message.media)}


def _picture(media: Media) -> str:
    if media.media_id is not None:
        raise UnsupportedError("Gateway 'toy' keeps no uploaded files; use url, data or file.")
    content = media.content()
    return media.url or "" if content is None else b64encode(content[0]).decode()


def send_result(body: Any) -> SendResult:
    said = READER.one(Said, body)
    if not said.done:
        raise RecipientRejectedError("The toy said that it did not send.", status=200, code="not_done")
    if not said.id:
        raise NoAnswerError("The toy told no message id; the message may have been sent.")
    return SendResult(said.id)
