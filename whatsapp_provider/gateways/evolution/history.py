"""What an instance remembers of its messages: their steps, and what was sent to a chat."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from pydantic import Field

from whatsapp_provider.errors import NoAnswerError
from whatsapp_provider.gateways.evolution.payloads import StatusRow, read, read_list
from whatsapp_provider.gateways.reading import Payload
from whatsapp_provider.model import HistoryEntry, MessageStatus

PAGE = 100  #: messages asked for at once; version 2 calls this ``offset``
#: The steps in the order in which a message comes through them: Baileys' words, and Meta's in capitals.
_STEPS = {
    "PENDING": (0, MessageStatus.PENDING),
    "SERVER_ACK": (1, MessageStatus.SENT),
    "SENT": (1, MessageStatus.SENT),
    "DELIVERY_ACK": (3, MessageStatus.DELIVERED),
    "DELIVERED": (3, MessageStatus.DELIVERED),
    "READ": (4, MessageStatus.READ),
    "PLAYED": (4, MessageStatus.READ),
    "DELETED": (5, MessageStatus.DELETED),
    # A refusal of WhatsApp's; a phone that has the message anyhow outweighs it.
    "ERROR": (2, MessageStatus.FAILED),
    "FAILED": (2, MessageStatus.FAILED),
}
_KINDS = {
    "conversation": "text",
    "extendedTextMessage": "text",
    "imageMessage": "image",
    "videoMessage": "video",
    "documentMessage": "document",
    "documentWithCaptionMessage": "document",
    "audioMessage": "audio",
    "pttMessage": "voice",
    "locationMessage": "location",
    "contactMessage": "contact",
    "contact": "contact",  # on WHATSAPP-BUSINESS, as the content of a "conversation"
    "buttonMessage": "buttons",
    "listMessage": "list",
}
#: How Baileys shows the two texts above buttons: the first in bold.
_TITLED = re.compile(r"\*(.*?)\*(?:\n\n(.*))?", re.DOTALL)


def furthest(words: Iterable[str | None]) -> MessageStatus:
    """Return how far a message has come, from updates without order that repeat and skip steps.

    No update at all is no news: the message is on its way.
    """
    steps = [_STEPS[word.upper()] for word in words if word and word.upper() in _STEPS]
    return max(steps, key=lambda step: step[0])[1] if steps else MessageStatus.PENDING


class KeyRow(Payload):
    """Who and which a message is."""

    id: str
    fromMe: bool = False  # noqa: N815 - the wire's spelling


class MessageRow(Payload):
    """A stored message."""

    key: KeyRow
    messageType: str | None = None  # noqa: N815 - the wire's spelling
    message: dict[str, Any] | None = Field(default=None, repr=False)
    messageTimestamp: float = 0.0  # noqa: N815 - the wire's spelling
    # Version 2; the row's own status stays as it was at first.
    MessageUpdate: list[StatusRow] | None = None

    @property
    def entry(self) -> HistoryEntry:
        """The message in our words."""
        message = self.message or {}
        kind = self.messageType or next(iter(message), "")
        if kind not in message and (named := [name for name in message if name in _KINDS]):
            kind = named[0]
        # One integration shows the content of buttons without a name of its own.
        content = message if kind == "buttonMessage" and kind not in message else message.get(kind)
        if (native := _native(message)) is not None:
            kind, content = "buttonMessage", native
        is_voice = isinstance(content, dict) and content.get("ptt") is True
        return HistoryEntry(
            message_id=self.key.id,
            sent_at=self.messageTimestamp,
            kind="voice" if is_voice else _KINDS.get(kind, kind),
            text=_text(message, content),
            status=furthest(row.status for row in self.MessageUpdate or ()),
        )


class Page(Payload):
    """One page of version 2."""

    records: list[MessageRow]
    pages: int = 1


class Pages(Payload):
    """``POST /chat/findMessages`` of version 2."""

    messages: Page


class History:
    """Reads ``findMessages``.

    :param ask: makes the request with this body.
    :param paged: whether the answer comes in pages (version 2) or as one list (version 1).
    """

    def __init__(self, ask: Callable[[dict[str, Any]], Awaitable[Any]], *, paged: bool) -> None:
        self._ask = ask
        self._paged = paged

    async def sent_to(self, recipient: str, *, since: float, limit: int) -> list[HistoryEntry]:
        """Return what was sent to one chat since a moment, newest first."""
        if "@" in recipient:
            return await self._sent_to(recipient, since, limit)
        found = await self._sent_to(f"{recipient}@s.whatsapp.net", since, limit)
        # The integration EVOLUTION keeps a recipient as it was given.
        return found or await self._sent_to(recipient, since, limit)

    async def _sent_to(self, chat: str, since: float, limit: int) -> list[HistoryEntry]:
        where = {"key": {"remoteJid": chat, "fromMe": True}}
        found: dict[str, HistoryEntry] = {}
        seen: set[str] = set()
        page = 1
        while True:
            rows, is_last = await self._page(where, page)
            sent = [row.entry for row in rows if row.key.fromMe]
            found |= {entry.message_id: entry for entry in sent if entry.sent_at >= since}
            fresh = {row.key.id for row in rows} - seen
            if not (fresh or is_last):
                # Asked for another page it gives the same: what is missing would be taken for never sent.
                raise NoAnswerError("The server repeats a page of its history.", code="endless_list")
            seen |= fresh
            # Newest first, so an older one ends it; pages move while messages come, so ids are kept once.
            if is_last or len(found) >= limit or any(entry.sent_at < since for entry in sent):
                return sorted(found.values(), key=lambda entry: entry.sent_at, reverse=True)[:limit]
            page += 1

    async def _page(self, where: dict[str, Any], page: int) -> tuple[list[MessageRow], bool]:
        if not self._paged:
            return read_list(MessageRow, await self._ask({"where": where})), True
        answer = read(Pages, await self._ask({"where": where, "page": page, "offset": PAGE}))
        return answer.messages.records, page >= answer.messages.pages or not answer.messages.records


def _text(message: dict[str, Any], content: Any) -> str | None:
    """Return body or caption."""
    found = message.get("conversation")
    if not isinstance(found, str) and isinstance(content, dict):
        # Of the two texts above buttons and lists the first stands for both where there is one only.
        names = ("text", "caption", "description", "title")
        found = next((content[name] for name in names if content.get(name)), None)
    return found if isinstance(found, str) else None


def _native(message: dict[str, Any]) -> dict[str, str] | None:
    """Return the texts of buttons as Baileys makes them, ``None`` for anything else."""
    inner: Any = message
    for name in ("viewOnceMessage", "message", "interactiveMessage"):
        inner = inner.get(name) if isinstance(inner, dict) else None
    if not isinstance(inner, dict) or "nativeFlowMessage" not in inner:
        return None
    body = inner.get("body")
    text = body.get("text") if isinstance(body, dict) else None
    found = _TITLED.fullmatch(text.strip()) if isinstance(text, str) else None
    return {"title": found[1], "description": found[2] or ""} if found else {}
