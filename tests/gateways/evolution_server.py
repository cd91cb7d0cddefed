"""An Evolution server as far as a test needs it: what it was asked, and what it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx

from tests.gateways import evolution_facts as facts
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.evolution.channel import EvolutionChannel
from whatsapp_provider.gateways.evolution.connection import EvolutionConfig
from whatsapp_provider.gateways.evolution.gateway import EvolutionGateway
from whatsapp_provider.model import ChannelRef
from whatsapp_provider.transport import Wire

REF = ChannelRef("evolution", facts.NAME, facts.NAME)


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    what: str
    query: dict[str, str]
    key: str | None
    body: Any


class EvolutionServer:
    """Answers ``GET /path`` with what was said; the last answer for ever. A server of 2.3.6 at first."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.pauses: list[float] = []
        self._answers: dict[str, list[httpx.Response | Exception]] = {}
        self.wire = Wire(transport=httpx.MockTransport(self._respond))
        self.say("GET /", facts.WELCOME)

    def say(self, what: str, *answers: Any, status: int = 200) -> None:
        """Answer so from now on: each answer is a body, a response, or an exception to raise."""
        self._answers[what] = [
            answer if isinstance(answer, httpx.Response | Exception) else _json(status, answer)
            for answer in answers
        ]

    def refuse(self, what: str, status: int, message: Any) -> None:
        """Answer with the error envelope."""
        self.say(what, facts.refused(status, message), status=status)

    def is_in(self, word: str | None, **row: Any) -> None:
        """Have the instance, in this state and with this row."""
        self.say(f"GET /instance/connectionState/{facts.NAME}", facts.state(word))
        self.say("GET /instance/fetchInstances", [{**facts.ROW, **row}])

    def _respond(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().partition("?")[0]
        what = f"{request.method} {path}"
        body = json.loads(request.content) if request.content else None
        self.asked.append(Asked(what, dict(request.url.params), request.headers.get("apikey"), body))
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

    def gateway(self, *, key: str = facts.GLOBAL_KEY, host: str = "http://evo.example", **extra: Any) -> Any:
        """Return a gateway of a connection with this key and these extra fields."""
        values = ConnectionValues("whatsapp_test", password=key, host=host, extra=extra)
        return EvolutionGateway(EvolutionConfig.read(values), self.wire, sleep=self._pause)

    def channel(self, **extra: Any) -> EvolutionChannel:
        """Return the instance of the captured answers."""
        channel: EvolutionChannel = self.gateway(**extra).channel(REF)
        return channel


def _json(status: int, body: Any) -> httpx.Response:
    # httpx takes None for no body, and a server's null is one.
    return httpx.Response(status, content=json.dumps(body), headers={"content-type": "application/json"})
