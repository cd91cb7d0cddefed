"""An emulator that stands still, and clients of its two hosts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.emulator.evolution_wire import Evolution
from tests.emulator.waabot_wire import Waabot
from tests.emulator.whatscloud_wire import WhatsCloud
from whatsapp_provider.emulator import Emulator, EmulatorSettings
from whatsapp_provider.emulator.whapi.channel import WhapiChannel


class Wire:
    """A client that knows the hosts and the tokens."""

    def __init__(self, emulator: Emulator, http: httpx.AsyncClient) -> None:
        self.emulator = emulator
        self.http = http

    async def manager(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.emulator.partner_token}"}
        return await self.http.request(method, f"/whapi/manager{path}", headers=headers, **request)

    async def gate(self, token: str, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}", **request.pop("headers", {})}
        return await self.http.request(method, f"/whapi/gate{path}", headers=headers, **request)

    async def control(self, method: str, path: str, **request: Any) -> httpx.Response:
        return await self.http.request(method, f"/_emulator{path}", **request)

    async def create(self, name: str = "Bot for Ukindo") -> dict[str, Any]:
        answer = await self.manager("PUT", "/channels", json={"name": name, "projectId": "default"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def status(self, token: str, query: str = "") -> str:
        return (await self.gate(token, "GET", f"/health{query}")).json()["status"]["text"]

    async def until_qr(self) -> dict[str, Any]:
        channel = await self.create()
        await self.emulator.advance(60)
        await self.gate(channel["token"], "GET", "/health")
        await self.emulator.advance(22)
        return channel

    async def text(self, channel: WhapiChannel, to: str, body: str = "Hello") -> httpx.Response:
        return await self.gate(channel.token, "POST", "/messages/text", json={"to": to, "body": body})


class Receiver:
    """A webhook's other side: an ASGI app that notes calls and answers as told."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.answers: list[int] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive()).get("body", b"")
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        call = {"method": scope["method"], "path": scope["path"], "headers": headers, "body": body}
        self.calls.append(call)
        status = self.answers.pop(0) if self.answers else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def events(self) -> list[str]:
        """Return the events in the order of arrival."""
        return [f"{e['type']}.{e['event']}" for e in (call["event"] for call in self.bodies())]

    def bodies(self) -> list[dict[str, Any]]:
        """Return the payloads in the order of arrival."""
        return [httpx.Response(200, content=call["body"]).json() for call in self.calls]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def emulator(receiver: Receiver) -> AsyncIterator[Emulator]:
    world = Emulator(EmulatorSettings(seed=7), webhook_transport=httpx.ASGITransport(app=receiver))
    yield world
    await world.aclose()


@pytest.fixture
async def wire(emulator: Emulator) -> AsyncIterator[Wire]:
    transport = httpx.ASGITransport(app=emulator.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://emulator") as http:
        yield Wire(emulator, http)


@pytest.fixture
async def channel(emulator: Emulator) -> WhapiChannel:
    return await emulator.paired_channel("Jonathan", "15550001000")


@pytest.fixture
def evolution(wire: Wire) -> Evolution:
    return Evolution(wire.emulator, wire.http)


@pytest.fixture
def evolution_v1(wire: Wire) -> Evolution:
    return Evolution(wire.emulator, wire.http, version=1)


@pytest.fixture
def waabot(wire: Wire) -> Waabot:
    return Waabot(wire.emulator, wire.http)


@pytest.fixture
def whatscloud(wire: Wire) -> WhatsCloud:
    return WhatsCloud(wire.emulator, wire.http)
