"""WhatsCloud's API as far as a test needs it: what it was asked, and what it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from email import message_from_bytes
from typing import Any

import httpx

from tests.gateways import whatscloud_facts as facts
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.whatscloud.account import WhatsCloudAccount
from whatsapp_provider.gateways.whatscloud.channel import WhatsCloudChannel
from whatsapp_provider.gateways.whatscloud.connection import WhatsCloudConfig
from whatsapp_provider.gateways.whatscloud.gateway import WhatsCloudGateway
from whatsapp_provider.model import ChannelRef
from whatsapp_provider.transport import Wire

REF = ChannelRef("whatscloud", facts.TENANT, facts.TENANT)
ROOT = f"/api/v1/{facts.TENANT}"


@dataclass(frozen=True)
class Asked:
    """One request as it came; ``files`` are name, type and content by field."""

    what: str
    host: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    files: dict[str, tuple[str, str, bytes]]


class WhatsCloudServer:
    """Answers ``GET /path``, below the tenant, with what was said; the last answer for ever."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.pauses: list[float] = []
        self._answers: dict[str, list[httpx.Response | Exception]] = {}
        self.wire = Wire(transport=httpx.MockTransport(self._respond))

    def say(self, what: str, *answers: Any, status: int = 200, **headers: str) -> None:
        """Answer so from now on: each answer is a body, a response, or an exception to raise."""
        self._answers[what] = [
            answer
            if isinstance(answer, httpx.Response | Exception)
            else httpx.Response(status, json=answer, headers=headers)
            for answer in answers
        ]

    def refuse(self, what: str, name: str) -> None:
        """Answer with a refusal of the facts."""
        status, body = facts.REFUSALS[name]
        self.say(what, body, status=status)

    def _respond(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().partition("?")[0]
        assert path.startswith(f"{ROOT}/"), path
        what = f"{request.method} {path.removeprefix(ROOT)}"
        body, files = _body(request)
        query, headers = dict(request.url.params), dict(request.headers)
        self.asked.append(Asked(what, request.url.host, query, headers, body, files))
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

    def gateway(self, *, host: str = "", **extra: Any) -> WhatsCloudGateway:
        """Return a gateway of a connection with these extra fields."""
        values = ConnectionValues(
            "whatsapp_test", password=facts.TOKEN, host=host, extra={"tenant": facts.TENANT, **extra}
        )
        return WhatsCloudGateway(WhatsCloudConfig.read(values), self.wire, sleep=self._pause)

    def channel(self, **extra: Any) -> WhatsCloudChannel:
        """Return the tenant's channel."""
        return self.gateway(**extra).channel(REF)

    def account(self, **extra: Any) -> WhatsCloudAccount:
        """Return the tenant."""
        return self.gateway(**extra).account()


def _body(request: httpx.Request) -> tuple[Any, dict[str, tuple[str, str, bytes]]]:
    content_type = request.headers.get("content-type", "")
    if not content_type.startswith("multipart/"):
        return (json.loads(request.content) if request.content else None), {}
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    fields: dict[str, str] = {}
    files: dict[str, tuple[str, str, bytes]] = {}
    for part in message_from_bytes(head + request.content).get_payload():
        name = str(part.get_param("name", header="content-disposition"))  # type: ignore[union-attr] - a part
        content = part.get_payload(decode=True)  # type: ignore[union-attr] - as above
        if (filename := part.get_filename()) is None:  # type: ignore[union-attr] - as above
            fields[name] = content.decode()  # type: ignore[union-attr] - as above
        else:
            files[name] = (filename, part.get_content_type(), content)  # type: ignore[union-attr, assignment] - as above
    return fields, files
