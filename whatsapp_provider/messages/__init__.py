"""The kinds of message, as a tagged union: ``{"kind": "image", "media": {"url": …}, "caption": …}``.

A new kind is a new class and a new member of ``Message``; gateways that can't send it say so in
their capabilities. Validation happens here, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, get_args

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from whatsapp_provider.errors import InputError
from whatsapp_provider.messages.base import MAX_TEXT, Text
from whatsapp_provider.messages.cards import ContactCard, Location
from whatsapp_provider.messages.interactive import (
    Button,
    Buttons,
    CallButton,
    ListMessage,
    ListRow,
    ListSection,
    MediaButtons,
    ReplyButton,
    UrlButton,
    button_ids,
    row_ids,
)
from whatsapp_provider.messages.media import UNKNOWN_TYPE, Audio, Document, Image, Media, Video, Voice
from whatsapp_provider.messages.template import HeaderMedia, TemplateMessage

__all__ = [
    "KINDS",
    "MAX_TEXT",
    "UNKNOWN_TYPE",
    "Audio",
    "Button",
    "Buttons",
    "CallButton",
    "ContactCard",
    "Document",
    "HeaderMedia",
    "Image",
    "ListMessage",
    "ListRow",
    "ListSection",
    "Location",
    "Media",
    "MediaButtons",
    "Message",
    "ReplyButton",
    "TemplateMessage",
    "Text",
    "UrlButton",
    "Video",
    "Voice",
    "button_ids",
    "files",
    "message_text",
    "parse_message",
    "row_ids",
]

Message = Annotated[
    Text
    | Image
    | Video
    | Audio
    | Voice
    | Document
    | Location
    | ContactCard
    | Buttons
    | MediaButtons
    | ListMessage
    | TemplateMessage,
    Field(discriminator="kind"),
]

#: Every kind there is, for capabilities and documentation.
KINDS: frozenset[str] = frozenset(
    member.model_fields["kind"].default for member in get_args(get_args(Message)[0])
)

_adapter: TypeAdapter[Message] = TypeAdapter(Message)


def parse_message(value: str | Mapping[str, Any] | BaseModel) -> Message:
    """Return the message that a DAG author meant; a bare string is a text message.

    :raises InputError: naming the field that is wrong and never its content.
    """
    if isinstance(value, str):
        value = {"kind": "text", "body": value}
    try:
        return _adapter.validate_python(value)
    except ValidationError as error:
        problems = "; ".join(_describe(item) for item in error.errors(include_input=False, include_url=False))
        raise InputError(f"The message can't be sent: {problems}.") from None


def message_text(message: Message) -> str | None:
    """Return the text a person reads: the body or the caption; ``None`` where only the gateway could say it."""
    if isinstance(message, Text | Buttons | MediaButtons | ListMessage):
        return message.body
    return getattr(message, "caption", None)


def files(message: Message) -> tuple[Media, ...]:
    """Return the files that a message carries."""
    holder = message.header if isinstance(message, TemplateMessage) else message
    media = getattr(holder, "media", None)
    return (media,) if isinstance(media, Media) else ()


def _describe(problem: Any) -> str:
    place = ".".join(str(part) for part in problem["loc"]) or "message"
    return f"{place}: {problem['msg'].removeprefix('Value error, ')}"
