"""The Bots API as far as a test needs it: what it was asked, and what it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from email import message_from_bytes
from typing import Any

import httpx

from tests.gateways import waabot_facts as facts
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.waabot.channel import WaabotChannel
from whatsapp_provider.gateways.waabot.connection import WaabotConfig
from whatsapp_provider.gateways.waabot.gateway import WaabotGateway
from whatsapp_provider.model import ChannelRef
from whatsapp_provider.transport import Wire

REF = ChannelRef("waabot", facts.BOT_ID, facts.NAME)
BASE = "/api/v1"


@dataclass(frozen=True)
class Asked:
    """One request as it came; ``files`` are name and content by field."""

    what: str
    query: dict[str, str]
    bearer: str | None
    refresh: str | None
    content_type: str
    body: Any
    files: dict[str, tuple[str, bytes]]


class WaabotServer:
    """Answers ``GET /path`` with what was said; the last answer for ever."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.pauses: list[float] = []
        self._answers: dict[str, list[httpx.Response | Exception]] = {}
        self.wire = Wire(transport=httpx.MockTransport(self._respond))
        self.say("GET /whatsapp", facts.LISTED)

    def say(self, what: str, *answers: Any, status: int = 200, **headers: str) -> None:
        """Answer so from now on: each answer is a body, a response, or an exception to raise."""
        self._answers[what] = [
            answer
            if isinstance(answer, httpx.Response | Exception)
            else httpx.Response(status, json=answer, headers=headers)
            for answer in answers
        ]

    def say_instance(self, *answers: Any) -> None:
        """Answer looks at the bot so."""
        self.say("GET /whatsapp/instance", *answers)

    def say_scan(self, *texts: str) -> None:
        """Answer with these QR codes as bare text."""
        self.say("GET /whatsapp/scan", *(httpx.Response(200, text=text) for text in texts))

    def _respond(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().partition("?")[0]
        assert path.startswith(BASE), path
        what = f"{request.method} {path.removeprefix(BASE)}"
        self.asked.append(_asked(what, request))
        queue = self._answers.get(what)
        assert queue, f"nobody expected {what}"
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def calls(self, what: str) -> list[Asked]:
        """Return the requests of this kind."""
        return [asked for asked in self.asked if asked.what == what]

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def gateway(self, *, token: str = facts.TOKEN, **extra: Any) -> WaabotGateway:
        """Return a gateway of a connection with this token and these extra fields."""
        values = ConnectionValues(
            "whatsapp_test", password=token, host=f"https://waabot.example{BASE}", extra=extra
        )
        return WaabotGateway(WaabotConfig.read(values), self.wire, sleep=self._pause)

    def channel(self, **extra: Any) -> WaabotChannel:
        """Return the bot of the documented answers, reached by the account."""
        return self.gateway(**extra).channel(REF)

    def own_channel(self) -> WaabotChannel:
        """Return the same bot, reached by its pair alone."""
        gateway = self.gateway(
            token="",
            session_secret=facts.SESSION_ID,
            access_token=facts.ACCESS_TOKEN,
            channel_id=facts.BOT_ID,
        )
        return gateway.channel(REF)


def _asked(what: str, request: httpx.Request) -> Asked:
    kind = request.headers.get("content-type", "")
    body: Any = None
    files: dict[str, tuple[str, bytes]] = {}
    if kind.startswith("multipart/"):
        body = {}
        for part in message_from_bytes(b"Content-Type: " + kind.encode() + b"\n\n" + request.content).walk():
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            if part.get_filename() is not None:
                files[str(name)] = (str(part.get_filename()), content if isinstance(content, bytes) else b"")
            elif name is not None:
                body[name] = content.decode() if isinstance(content, bytes) else ""
    elif request.content:
        body = json.loads(request.content)
    bearer = request.headers.get("authorization")
    return Asked(
        what,
        dict(request.url.params),
        bearer.removeprefix("Bearer ") if bearer else None,
        request.headers.get("x-refresh"),
        kind.partition(";")[0],
        body,
        files,
    )
