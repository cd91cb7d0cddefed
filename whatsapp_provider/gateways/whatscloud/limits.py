"""What WhatsCloud takes of a message: refused here, before anything is sent.

Sources: the field rules of the public pages of the same product; sizes of files are Meta's.
"""

from __future__ import annotations

from pathlib import Path, PurePath

from whatsapp_provider.errors import InputError, RecipientError, UnsupportedError
from whatsapp_provider.gateways.meta_limits import check_interactive
from whatsapp_provider.gateways.reading import digits_of
from whatsapp_provider.media.kinds import OFFICIAL_BYTES
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
    UrlButton,
    Video,
)

MAX_BODY = 4096  #: characters of a text
MAX_CAPTION = 1024
MAX_NAME = 255  #: of a file
MAX_LANGUAGE = 10
_PEOPLE = {"", "s.whatsapp.net", "c.us"}


def phone_of(recipient: str) -> str:
    """Return the number as the API takes it, with ``+``.

    :param recipient: digits, or a person's WhatsApp id.
    :raises RecipientError: for groups and other chats.
    """
    name, _, server = recipient.partition("@")
    digits = digits_of(name)
    if server not in _PEOPLE or not 8 <= len(digits) <= 15:
        kind = "groups" if server == "g.us" else "what is no phone number"
        raise RecipientError(f"Gateway 'whatscloud' sends to phone numbers alone, not to {kind}.")
    return f"+{digits}"


def check_limits(message: Message) -> None:
    """Refuse what the API would refuse, or would take for something else.

    :raises UnsupportedError: for what it never takes.
    :raises InputError: for what is too long or too large; contents are not told.
    """
    if isinstance(message, Text):
        _short("body", message.body, MAX_BODY)
    elif isinstance(message, Image | Video | Audio | Document):
        check_media(message.media, message.kind)
        _short("caption", getattr(message, "caption", None), MAX_CAPTION)
        _short("filename", getattr(message, "filename", None), MAX_NAME)
    elif isinstance(message, Buttons):
        _check_buttons(message)
    elif isinstance(message, TemplateMessage):
        _short("language", message.language, MAX_LANGUAGE)
        if isinstance(message.header, HeaderMedia):
            check_media(message.header.media, message.header.kind)
            _short("header.filename", message.header.filename, MAX_NAME)


def check_media(media: Media, kind: str) -> None:
    """Refuse a file that the API does not take."""
    if media.media_id is not None:
        raise UnsupportedError(
            "Gateway 'whatscloud' keeps no uploaded files, so media_id means nothing to it; use url, data or file."
        )
    size = _size_of(media)
    if size > OFFICIAL_BYTES[kind]:
        raise InputError(
            f"The message can't be sent: its {kind} has {size:,} bytes, and WhatsApp takes {OFFICIAL_BYTES[kind]:,}."
        )


def _size_of(media: Media) -> int:
    if media.file is None:
        return len(media.data or b"")
    try:
        return Path(media.file).stat().st_size
    except OSError as error:
        name = PurePath(media.file).name
        raise InputError(
            f"Media file {name!r} can't be read: {error.strerror}. Check that the worker has it."
        ) from None


def _check_buttons(message: Buttons) -> None:
    replies = [button for button in message.buttons if isinstance(button, ReplyButton)]
    pages = [button for button in message.buttons if isinstance(button, UrlButton)]
    if len(replies) != len(message.buttons) and (len(pages), len(message.buttons)) != (1, 1):
        raise UnsupportedError(
            "Gateway 'whatscloud' can't send messages of kind 'buttons' with these: it takes up to three reply "
            "buttons, or one url button by itself, and no call button."
        )
    check_interactive(message)


def _short(field: str, text: str | None, limit: int) -> None:
    if text is not None and len(text) > limit:
        raise InputError(
            f"The message can't be sent: {field} has {len(text)} characters, and WhatsCloud takes {limit}."
        )
