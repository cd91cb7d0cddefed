"""A bot's webhook, in both formats that its documents hint at; what really arrives was never recorded.

``open-wa`` has the names of ``setWebhook`` (``onMessage``, ``onAck``), ``baileys`` the form of whatsapp-api-nodejs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from whatsapp_provider.emulator.asgi import json_bytes
from whatsapp_provider.emulator.network import Inbound
from whatsapp_provider.emulator.outbox import Callback, Retries

if TYPE_CHECKING:
    from whatsapp_provider.emulator.waabot.bot import Bot

#: It is called once, whatever the answer.
ONCE = Retries(attempts=1, first=0, most=0)
ALL = "all"
PHONE_SUFFIX = "@s.whatsapp.net"
OPEN_WA_SUFFIX = "@c.us"


def open_wa_chat(chat_id: str) -> str:
    """Return a chat's id as open-wa writes it."""
    return chat_id.replace(PHONE_SUFFIX, OPEN_WA_SUFFIX)


def open_wa_id(message_id: str, chat_id: str, *, from_me: bool) -> str:
    """Return a message's id as open-wa writes it: the direction and the chat before it."""
    if message_id.startswith("true_"):
        return message_id
    return f"{'true' if from_me else 'false'}_{open_wa_chat(chat_id)}_{message_id}"


class Hook:
    """What one bot tells, and to whom."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self.url = ""
        self.events: list[str] = [ALL]
        self.request: dict[str, Any] = {}
        self.id = ""

    def change(
        self, url: str, events: list[str] | None = None, request: dict[str, Any] | None = None
    ) -> bool:
        """Store a webhook, an empty URL being none; say whether anything is new."""
        before = (self.url, self.events, self.request)
        self.url = url
        self.events = self.events if events is None else events
        self.request = self.request if request is None else request
        self.id = self.id or self._bot.new_uuid()
        return before != (self.url, self.events, self.request)

    # -- what happened ----------------------------------------------------------------------

    def connection(self, state: str) -> None:
        """Tell that the phone was linked or dropped the bot."""
        if self._baileys():
            self._post_baileys("connection", {"connection": state})
            return
        if state == "open":
            self._post_open_wa("onStateChanged", "CONNECTED")
        else:
            self._post_open_wa("onStateChanged", "UNPAIRED")
            self._post_open_wa("onLogout", True)

    def received(self, message: Inbound, message_id: str) -> None:
        """Tell what a phone wrote."""
        chat_id = message.phone + PHONE_SUFFIX
        if self._baileys():
            self._message_baileys(message_id, chat_id, message.text, from_me=False, name=message.name)
            return
        data = self._message(message_id, chat_id, message.text, "chat", from_me=False)
        data["notifyName"] = message.name
        data["sender"] = {"id": open_wa_chat(chat_id), "pushname": message.name, "isMe": False}
        if message.quoted_id is not None:
            data["quotedMsgObj"] = {"id": message.quoted_id}
        events = ["onMessage", "onAnyMessage"]
        if message.button_id is not None:
            data |= {"type": "buttons_response", "selectedButtonId": message.button_id}
            events = ["onButton", *events]
        for event in events:
            self._post_open_wa(event, data)

    def sent(self, message_id: str, chat_id: str, text: str, kind: str) -> None:
        """Tell an own message."""
        if self._baileys():
            self._message_baileys(message_id, chat_id, text, from_me=True, name=None)
        elif self.wants("onAnyMessage"):
            self._post_open_wa("onAnyMessage", self._message(message_id, chat_id, text, kind, from_me=True))

    def ack(self, message_id: str, chat_id: str, text: str, kind: str, ack: int) -> None:
        """Tell how far a message has come; the other format has no event for it."""
        if not self._baileys() and self.wants("onAck"):
            data = self._message(message_id, chat_id, text, kind, from_me=True)
            self._post_open_wa("onAck", {**data, "ack": ack})

    # -- how it is told ---------------------------------------------------------------------

    def wants(self, event: str) -> bool:
        """Say whether an event of open-wa is told to anybody."""
        return bool(self.url) and (event in self.events or ALL in self.events) and self._switched_on()

    def _switched_on(self) -> bool:
        if not self._bot.world.settings.waabot_webhook_switch:
            return True
        return self._bot.row["settings"]["actions"]["send_webhook"] is True

    def _baileys(self) -> bool:
        return self._bot.world.settings.waabot_webhook_format == "baileys"

    def _message(
        self, message_id: str, chat_id: str, text: str, kind: str, *, from_me: bool
    ) -> dict[str, Any]:
        """Return a message in the words of open-wa."""
        bot = self._bot
        chat, own = open_wa_chat(chat_id), f"{bot.phone}{OPEN_WA_SUFFIX}"
        group = chat.endswith("@g.us")
        now = int(bot.world.clock.now())
        return {
            "id": open_wa_id(message_id, chat_id, from_me=from_me),
            "body": text,
            "text": text,
            "type": kind,
            "t": now,
            "notifyName": "",
            "from": own if from_me else chat,
            "to": chat if from_me else own,
            "self": "out" if from_me else "in",
            "ack": 0 if from_me else 1,
            "isGroupMsg": group,
            "isMedia": kind in ("image", "video", "ptt", "audio", "document"),
            "fromMe": from_me,
            "sender": {"id": own if from_me else chat, "isMe": from_me},
            "chat": {"id": chat, "isGroup": group},
            "chatId": chat,
            "timestamp": now,
        }

    def _post_open_wa(self, event: str, data: Any) -> None:
        if not self.wants(event):
            return
        bot = self._bot
        body = {
            "ts": int(bot.world.clock.now() * 1000),
            "sessionId": bot.session_id,
            "id": bot.new_uuid(),
            "event": event,
            "data": data,
            "webhook_id": self.id,
        }
        self._post(event, body)

    def _message_baileys(
        self, message_id: str, chat_id: str, text: str, *, from_me: bool, name: str | None
    ) -> None:
        message: dict[str, Any] = {
            "key": {"remoteJid": chat_id, "fromMe": from_me, "id": message_id},
            "messageTimestamp": str(int(self._bot.world.clock.now())),
        }
        if name is not None:
            message["pushName"] = name
        message["message"] = {"conversation": text}
        # Upstream puts the instance's key under ``key`` and then lets the message's own overwrite it.
        self._post_baileys("message", {**message, "text": {"messages": [message], "type": "notify"}})

    def _post_baileys(self, kind: str, body: dict[str, Any]) -> None:
        if self.url and self._switched_on():
            self._post(kind, {"type": kind, "body": body, "instanceKey": self._bot.instance_key})

    def _post(self, event: str, body: dict[str, Any]) -> None:
        """Call once; what ``requestConfig`` has of method and headers is merged in, as axios does."""
        headers = self.request.get("headers")
        self._bot.world.outbox.put(
            Callback(
                channel_id=self._bot.id,
                event=event,
                method=str(self.request.get("method") or "POST").upper(),
                url=self.url,
                body=json_bytes(body),
                headers={str(k): str(v) for k, v in headers.items()} if isinstance(headers, dict) else {},
                retries=ONCE,
            )
        )
