from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib import import_module

import httpx
import pytest

from tests.contract.harness import Harness
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
        return self.line.open(values or self.harness.account(self.emulator), wire=wire)

    def ref(self, channel_id: str) -> ChannelRef:
        return ChannelRef(self.line.name, channel_id)

    async def paired(self) -> ChannelGateway:
        return self.open().channel(self.ref(await self.harness.paired(self.emulator)))

    def can(self, *flags: str) -> None:
        """Skip the test where the gateway says that it has no such ability."""
        for flag in flags:
            if not getattr(self.line.capabilities, flag):
                pytest.skip(f"{self.line.name} can't {self.line.capabilities.label(flag)}")


@pytest.fixture(params=GATEWAYS.values(), ids=lambda line: line.name)
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    line: GatewayLine = request.param
    harness: Harness = import_module(f"tests.contract.{line.name}").HARNESS
    emulator = Emulator(EmulatorSettings(seed=5, sent_after=1, delivered_after=2))
    yield Subject(line, harness, emulator)
    await emulator.aclose()
