"""Whapi's two hosts and an Evolution server as far as a test needs them, and the emulator."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.gateways import whapi_facts as facts
from tests.gateways.evolution_server import EvolutionServer
from tests.gateways.waabot_server import WaabotServer
from tests.gateways.whatscloud_server import WhatsCloudServer
from whatsapp_provider.emulator import Emulator, EmulatorSettings
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.whapi.channel import WhapiChannel
from whatsapp_provider.gateways.whapi.connection import WhapiConfig
from whatsapp_provider.gateways.whapi.gateway import WhapiGateway
from whatsapp_provider.model import ChannelRef
from whatsapp_provider.transport import Wire

REF = ChannelRef("whapi", facts.CHANNEL_ID, "Bot for Ukindo")
Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@dataclass(frozen=True)
class Asked:
    """One request as it came: where to, with which token, with what."""

    host: str
    method: str
    path: str
    query: dict[str, str]
    token: str
    body: Any

    @classmethod
    def of(cls, request: httpx.Request) -> Asked:
        return cls(
            request.url.host.partition(".")[0],
            request.method,
            request.url.raw_path.decode().partition("?")[0],
            dict(request.url.params),
            request.headers["authorization"].removeprefix("Bearer "),
            json.loads(request.content) if request.content else None,
        )


class Hosts:
    """Answers ``GET manager /path`` with what was said; the last answer for ever."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.pauses: list[float] = []
        self._answers: dict[str, list[Answer]] = {}
        self.wire = Wire(transport=httpx.MockTransport(self._respond))

    def say(self, what: str, *answers: Any, status: int = 200, **headers: str) -> None:
        """Answer so: each answer is a body, a response, an exception to raise, or a function."""
        queue = self._answers.setdefault(what, [])
        for answer in answers:
            if isinstance(answer, httpx.Response | Exception) or callable(answer):
                queue.append(answer)
            else:
                queue.append(httpx.Response(status, json=answer, headers=headers))

    def unsay(self, what: str) -> None:
        """Forget the answers."""
        del self._answers[what]

    def _respond(self, request: httpx.Request) -> httpx.Response:
        asked = Asked.of(request)
        self.asked.append(asked)
        key = f"{asked.method} {asked.host} {asked.path}"
        queue = self._answers.get(key)
        assert queue, f"nobody expected {key}"
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return answer(request)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def gateway(self, *, partner: str = facts.PARTNER_TOKEN, host: str = "", **extra: Any) -> WhapiGateway:
        values = ConnectionValues("whatsapp_test", password=partner, host=host, extra=extra)
        return WhapiGateway(
            WhapiConfig.read(values), self.wire, now=lambda: facts.BEFORE_ITS_END, sleep=self.pause
        )

    def channel(self) -> WhapiChannel:
        """Return the channel of the captured answers, reached by its own token alone."""
        gateway = self.gateway(partner="", channel_token=facts.CHANNEL_TOKEN, channel_id=facts.CHANNEL_ID)
        return gateway.channel(REF)


@pytest.fixture
def hosts() -> Hosts:
    return Hosts()


@pytest.fixture
def server() -> EvolutionServer:
    return EvolutionServer()


@pytest.fixture
def waabot() -> WaabotServer:
    return WaabotServer()


@pytest.fixture
def whatscloud() -> WhatsCloudServer:
    return WhatsCloudServer()


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    world = Emulator(EmulatorSettings(seed=11))
    yield world
    await world.aclose()


@pytest.fixture
def live(emulator: Emulator) -> WhapiGateway:
    """A gateway of the emulator's account."""
    values = ConnectionValues(
        "whatsapp_test",
        host="http://emulator/whapi/gate",
        password=emulator.partner_token,
        extra={"manager_url": "http://emulator/whapi/manager"},
    )

    async def pause(seconds: float) -> None:
        await emulator.advance(seconds)

    wire = Wire(transport=httpx.ASGITransport(app=emulator.app))
    return WhapiGateway(WhapiConfig.read(values), wire, now=emulator.clock.now, sleep=pause)
