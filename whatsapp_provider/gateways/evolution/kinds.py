"""Which kinds of message an instance can send: that hangs on its integration and on the server's version.

Captured from 2.3.6 for each integration; documents of 1.7 and source of 1.8 for version 1. Two of them are taken and
often not shown by phones: buttons and lists of WHATSAPP-BAILEYS (reports of users).
"""

from __future__ import annotations

from whatsapp_provider.errors import InputError, UnsupportedError
from whatsapp_provider.gateways.evolution.dialects import Dialect
from whatsapp_provider.gateways.meta_limits import check_interactive
from whatsapp_provider.messages import (
    Buttons,
    ContactCard,
    HeaderMedia,
    ListMessage,
    Message,
    TemplateMessage,
    files,
)

BAILEYS, BUSINESS, EVOLUTION = "WHATSAPP-BAILEYS", "WHATSAPP-BUSINESS", "EVOLUTION"
#: What all integrations of both versions send.
EVERYWHERE = frozenset({"text", "image", "video", "audio", "document"})
_CARDS = frozenset({"location", "contact"})
#: What they send beside it. A media button's file has no documented place, so no integration sends one.
_FURTHER = {
    # Its list is refused by an error in the server's own code.
    (BAILEYS, Dialect.V2): _CARDS | {"voice", "buttons"},
    (BUSINESS, Dialect.V2): _CARDS | {"voice", "buttons", "list", "template"},
    # Its voice notes must be uploaded parts of a form.
    (EVOLUTION, Dialect.V2): {"buttons"},
    # Version 1 has taken its buttons back.
    (BAILEYS, Dialect.V1): _CARDS | {"voice", "list"},
    (BUSINESS, Dialect.V1): _CARDS | {"voice", "list", "template"},
    (EVOLUTION, Dialect.V1): frozenset(),
}
KINDS = EVERYWHERE.union(*_FURTHER.values())
LEAST_DIGITS = 10  #: of the number on a contact card


def require(kind: str, integration: str, dialect: Dialect, name: str) -> None:
    """Refuse a kind that an instance can't send.

    :param integration: an unknown one is taken at its word: the server will say.
    :raises UnsupportedError: naming the instance, its integration and the kind.
    """
    further = _FURTHER.get((integration, dialect))
    if further is not None and kind not in EVERYWHERE | further:
        raise UnsupportedError(
            f"Gateway 'evolution' can't send messages of kind {kind!r} from instance {name!r}: its integration is "
            f"{integration} on a server of version {dialect.value[1:]}, which sends "
            f"{', '.join(sorted(EVERYWHERE | further))}."
        )


def check(message: Message, integration: str | None = None) -> None:
    """Refuse a message that the server would not take, or would not show as it is.

    :param integration: ``None`` where the kind does not hang on it.
    :raises UnsupportedError: for what no instance of that integration can send.
    :raises InputError: for what this one message lacks.
    """
    if not isinstance(message, TemplateMessage) and any(media.media_id for media in files(message)):
        raise UnsupportedError(
            "Gateway 'evolution' keeps no uploaded files, so media_id means nothing to it; use url, data or file."
        )
    if isinstance(message, ContactCard) and len(message.phone) < LEAST_DIGITS:
        raise InputError(
            f"Evolution API wants at least {LEAST_DIGITS} digits in the number of a contact card."
        )
    if isinstance(message, Buttons):
        _check_buttons(message, integration)
    if integration == BUSINESS:
        check_interactive(message)
    if isinstance(message, ListMessage) and integration == BUSINESS and (message.title or message.footer):
        raise UnsupportedError(_SHOWS_THE_TEXT_ALONE.format("list", "title or footer"))
    header = message.header if isinstance(message, TemplateMessage) else None
    if isinstance(header, HeaderMedia) and header.media.url is None:
        raise UnsupportedError(
            "Meta downloads a template's header from an address: give its media as url, not as data, file or media_id."
        )


_SHOWS_THE_TEXT_ALONE = (
    "Gateway 'evolution' hands on one text of a message of kind {!r} on WHATSAPP-BUSINESS; leave out its {}."
)


def _check_buttons(message: Buttons, integration: str | None) -> None:
    replies = sum(button.type == "reply" for button in message.buttons)
    if replies not in {0, len(message.buttons)}:
        raise UnsupportedError("Gateway 'evolution' can't mix reply buttons with other ones in a message.")
    if integration != BUSINESS:
        return
    if message.header or message.footer:
        raise UnsupportedError(_SHOWS_THE_TEXT_ALONE.format("buttons", "header and footer"))
    if not replies:
        raise UnsupportedError(
            "Gateway 'evolution' can't send buttons that open a page or call from an instance of WHATSAPP-BUSINESS; "
            "templates can have them."
        )
