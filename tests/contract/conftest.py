from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import httpx
import pytest

from tests.contract.harness import Harness
from tests.toy.line import TOY, register
from whatsapp_provider.emulator import Emulator, EmulatorSettings
from whatsapp_provider.gateways.base import ChannelGateway, Gateway
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.registry import GATEWAYS, GatewayLine
from whatsapp_provider.model import ChannelRef
from whatsapp_provider.transport import Wire


@dataclass
class Subject:
    """The gateway under test, at an emulator of its own."""

    line: GatewayLine
    harness: Harness
    emulator: Emulator

    def open(self, values: ConnectionValues | None = None) -> Gateway:
        wire = Wire(transport=httpx.ASGITransport(app=self.emulator.app))
        return self.line.open(
            values or self.harness.account(self.emulator), wire=wire, sleep=self.emulator.advance
        )

    def ref(self, channel_id: str) -> ChannelRef:
        return ChannelRef(self.line.name, channel_id)

    async def paired(self) -> ChannelGateway:
        return self.open().channel(self.ref(await self.harness.paired(self.emulator)))

    def can(self, *flags: str) -> None:
        """Skip the test where the gateway says that it has no such ability."""
        for flag in flags:
            if not getattr(self.line.capabilities, flag):
                pytest.skip(f"{self.line.name} can't {self.line.capabilities.label(flag)}")

    def lacks(self, flag: str) -> None:
        """Skip the test where the gateway says that it has this ability."""
        if getattr(self.line.capabilities, flag):
            pytest.skip(f"{self.line.name} can {self.line.capabilities.label(flag)}")


def lines() -> Iterator[Any]:
    """Yield each line of the registry, and one that is for tests only, with each of its harnesses."""
    for line in [*GATEWAYS.values(), TOY]:
        for variant, harness in import_module(f"tests.contract.{line.name}").HARNESSES.items():
            yield pytest.param((line, harness), id="-".join(filter(None, (line.name, variant))))


@pytest.fixture(params=lines())
async def subject(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Subject]:
    line, harness = request.param
    if line is TOY:
        register(monkeypatch)
    emulator = Emulator(EmulatorSettings(seed=5, sent_after=1, delivered_after=2, **harness.settings))
    yield Subject(line, harness, emulator)
    await emulator.aclose()
