"""A short way for plain texts, for measurements: a server that is slower than its clients measures itself.

It stands before the web server and answers ``POST /whapi/gate/messages/text`` itself where nothing special is
asked of it: a text and a number, no fault armed, no webhook, no trial limit enforced. Everything else goes the
usual way. The answer is the usual one and the phone's count is the truth; but the message is kept nowhere, so it
has no text in the truth log, no ticks, and no place in a history.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, cast

from whatsapp_provider.emulator.asgi import JSON_TYPE, json_bytes
from whatsapp_provider.emulator.socket_faults import END_OF_HEAD, content_length
from whatsapp_provider.emulator.whapi.messages import REQUIRED, SUFFIX, TO, sent_message

if TYPE_CHECKING:
    from whatsapp_provider.emulator.app import Emulator
    from whatsapp_provider.emulator.whapi.channel import WhapiChannel

PATH = "/whapi/gate/messages/text"
_FIRST_LINE = f"POST {PATH} HTTP/1.1\r\n".encode()
_BEARER = b"\r\nauthorization: bearer "
_FIELDS = set(REQUIRED["text"])
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: " + JSON_TYPE + b"\r\ncontent-length: %d\r\n\r\n"


class FastLane(asyncio.Protocol):
    """One connection. What it does not answer, the protocol behind it gets, as it came.

    A request begins where a piece of data does: like the layer behind, it is not for clients that pipeline.
    """

    def __init__(self, emulator: Emulator, inner: asyncio.Protocol) -> None:
        self._emulator = emulator
        self._inner = inner
        self._transport: asyncio.Transport
        self._begun = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Tell the protocol behind."""
        # A cast, because uvloop's transports are no subclass of asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the protocol behind."""
        self._inner.connection_lost(exc)

    def eof_received(self) -> bool | None:
        """Tell the protocol behind."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """Tell the protocol behind."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Tell the protocol behind."""
        self._inner.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Answer a whole plain text, wait for the rest of one, or pass on what it is."""
        if self._begun:
            data, self._begun = self._begun + data, b""
        elif not data.startswith(_FIRST_LINE):
            self._inner.data_received(data)
            return
        end = data.find(END_OF_HEAD)
        body = end + len(END_OF_HEAD)
        length = content_length(data[:body]) if end >= 0 else -1
        if end < 0 or 0 <= len(data) - body < length:
            self._begun = data
        elif length < 0 or not self._answer(data[:end], data[body:]):
            self._inner.data_received(data)

    def _answer(self, head: bytes, body: bytes) -> bool:
        """Send a plain text; ``False`` if it is none, or something is to be done with it besides."""
        emulator = self._emulator
        settings, faults = emulator.settings, emulator.faults
        channel = self._channel(head)
        if channel is None or channel.webhooks.subscribed or settings.enforce_trial or faults.armed:
            return False
        try:
            data = json.loads(body)
        except ValueError:
            return False
        if not _is_plain(data) or not channel.can_send():
            return False
        channel.trial.count_request()
        channel.trial.count_message(data["to"])
        if emulator.socket is not None:
            emulator.socket.begin("POST", PATH)
        if settings.send_latency:
            loop = asyncio.get_running_loop()
            loop.call_later(settings.send_latency, self._send, channel, data)
        else:
            self._send(channel, data)
        return True

    def _channel(self, head: bytes) -> WhapiChannel | None:
        lower = head.lower()
        start = lower.find(_BEARER)
        if start < 0:
            return None
        start += len(_BEARER)
        end = lower.find(b"\r\n", start)
        token = head[start : end if end >= 0 else len(head)].strip().decode("latin-1")
        channel = self._emulator.whapi.by_token.get(token)
        return channel if channel is not None and channel.provisioned else None

    def _send(self, channel: WhapiChannel, data: dict[str, Any]) -> None:
        chat_id = data["to"] + SUFFIX
        message = sent_message(channel, "text", chat_id, {"body": data["body"]}, None)
        emulator = self._emulator
        emulator.network.tally(channel.id, data["to"])
        emulator.requests.add(emulator.clock.now(), "POST", PATH, 200)
        reply = json_bytes({"sent": True, "message": message})
        if not self._transport.is_closing():
            self._transport.write(_HEAD % len(reply) + reply)


def _is_plain(data: Any) -> bool:
    return (
        isinstance(data, dict)
        and data.keys() == _FIELDS
        and isinstance(data["body"], str)
        and isinstance(data["to"], str)
        and "@" not in data["to"]
        and TO.match(data["to"]) is not None
    )
