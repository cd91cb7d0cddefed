"""A channel's messages, by id and by chat, with how far each one got."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.network import Inbound
from whatsapp_provider.emulator.whapi.refusals import RefusalError, bad_request

# 3 and 4 are captured; the others were chosen by their order.
CODES = {"failed": 0, "pending": 1, "sent": 2, "delivered": 3, "read": 4, "played": 5, "deleted": 6}
SUFFIX = "@s.whatsapp.net"

Stored = dict[str, Any]


class History:
    """What a channel sent and received, bounded; the oldest are forgotten first."""

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._messages: dict[str, Stored] = {}
        self._added_at: dict[str, float] = {}
        self._changed_at: dict[str, float] = {}
        self._chats: dict[str, dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, message: Stored, at: float) -> None:
        """Remember a message."""
        message_id = message["id"]
        self._messages[message_id] = message
        self._added_at[message_id] = self._changed_at[message_id] = at
        chat = self._chats.get(message["chat_id"])
        if chat is None:
            self._chats[message["chat_id"]] = {message_id: None}
        else:
            chat[message_id] = None
        if len(self._messages) > self._limit():
            self._forget(next(iter(self._messages)))

    def _forget(self, message_id: str) -> None:
        message = self._messages.pop(message_id)
        self._changed_at.pop(message_id, None)
        self._added_at.pop(message_id, None)
        chat = self._chats[message["chat_id"]]
        del chat[message_id]
        if not chat:
            del self._chats[message["chat_id"]]

    def incoming(self, inbound: Inbound, message_id: str, at: float) -> Stored:
        """Remember what a phone wrote, and return it as the gate shows it."""
        message: Stored = {
            "id": message_id,
            "from_me": False,
            "type": "text",
            "chat_id": inbound.phone + SUFFIX,
            "timestamp": int(at),
            "source": "mobile",
        }
        if inbound.button_id is None:
            message["text"] = {"body": inbound.text}
        else:
            # The id of a button comes back with a prefix, as captured.
            button = {"id": f"ButtonsV3:{inbound.button_id}", "title": inbound.text}
            message["type"] = "reply"
            message["reply"] = {"type": "buttons_reply", "buttons_reply": button}
        if inbound.quoted_id is not None:
            message["context"] = {"quoted_id": inbound.quoted_id}
        message["from"] = inbound.phone
        message["from_name"] = inbound.name
        self.add(message, at)
        return message

    def get(self, message_id: str) -> Stored:
        """Return a message."""
        message = self._messages.get(message_id)
        if message is None:
            raise RefusalError(404, "Specified message not found")
        return message

    def advance(self, message_id: str, status: str, at: float) -> dict[str, Any] | None:
        """Move a message to a later status; return the status as webhooks tell it, if it moved."""
        message = self._messages.get(message_id)
        if message is None:
            return None
        before = message.get("status", "pending")
        if before == "failed" or (status != "failed" and CODES[status] <= CODES[before]):
            return None
        message["status"] = status
        self._changed_at[message_id] = at
        return self.status(message_id)

    def status(self, message_id: str) -> dict[str, Any]:
        """Return where a message stands; the timestamp is a text here, unlike in messages."""
        message = self.get(message_id)
        return {
            "id": message_id,
            "code": CODES[message["status"]],
            "status": message["status"],
            "recipient_id": message["chat_id"],
            "timestamp": str(int(self._changed_at[message_id])),
        }

    def was_there(self, message_id: str, moment: float) -> bool:
        """Say whether a message is as old as that."""
        return self._added_at[message_id] <= moment

    def newest_first(self, chat_id: str | None = None) -> Iterator[Stored]:
        """Return all messages, or those of a chat, the newest first."""
        if chat_id is None:
            yield from reversed(self._messages.values())
            return
        if chat_id not in self._chats:
            raise RefusalError(404, "Specified chat not found")
        for message_id in reversed(self._chats[chat_id]):
            yield self._messages[message_id]


def number(query: dict[str, str], name: str, default: int, low: int, high: int) -> int:
    """Read a whole number from the query, or refuse."""
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()):
        raise bad_request(f"/query/{name} must be integer")
    value = int(text)
    if value < low:
        raise bad_request(f"/query/{name} must be >= {low}")
    if value > high:
        raise bad_request(f"/query/{name} must be <= {high}")
    return value


def list_messages(history: History, request: Request, chat_id: str | None, *, until: float) -> Reply:
    """Answer GET /messages/list and /messages/list/{ChatID}; what came after ``until`` is not shown yet."""
    query = request.query
    count = number(query, "count", 100, 1, 500)
    offset = number(query, "offset", 0, 0, 1 << 53)
    time_from = number(query, "time_from", 0, 0, 1 << 53)
    time_to = number(query, "time_to", 1 << 53, 0, 1 << 53)
    from_me, author = query.get("from_me"), query.get("author")
    found = [
        message
        for message in history.newest_first(chat_id)
        if history.was_there(message["id"], until)
        and time_from <= message["timestamp"] <= time_to
        and (from_me is None or message["from_me"] is (from_me == "true"))
        and (author is None or message.get("from") == author.removesuffix(SUFFIX))
    ]
    if query.get("sort") == "asc":
        found.reverse()
    page = found[offset : offset + count]
    body: dict[str, Any] = {"messages": page, "count": len(page), "total": len(found), "offset": offset}
    if page:
        body["first"], body["last"] = page[0]["timestamp"], page[-1]["timestamp"]
    return json_reply(body)
