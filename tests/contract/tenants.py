"""Two accounts of one gateway, each at an emulator of its own, reached through one pool."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace

import httpx

from tests.contract.conftest import Subject
from whatsapp_provider.emulator import Emulator, EmulatorSettings
from whatsapp_provider.emulator.settings import SECRETS_END
from whatsapp_provider.gateways.base import ChannelGateway, Gateway
from whatsapp_provider.transport import Wire


@dataclass
class Tenant:
    """One of them; ``asked`` are the headers and bodies that came to its host."""

    name: str
    subject: Subject
    emulator: Emulator
    wire: Wire
    asked: list[str] = field(default_factory=list)
    channel_id: str = ""

    async def pair(self) -> None:
        self.channel_id = await self.subject.harness.paired(self.emulator)
        values = self.subject.harness.account(self.emulator)
        extra = {name: self._here(str(value)) for name, value in values.extra.items()}
        self.gateway: Gateway = self.subject.line.open(
            replace(values, conn_id=self.name, host=self._here(values.host), extra=extra), wire=self.wire
        )
        self.channel: ChannelGateway = self.gateway.channel(self.subject.ref(self.channel_id))

    def ledger_key(self) -> str:
        return self.subject.ref(self.channel_id).key(self.gateway.channel_scope)

    def _here(self, url: str) -> str:
        return url.replace("//emulator", f"//{self.name}")

    def secrets(self) -> list[str]:
        return self.subject.harness.secrets(self.emulator)


class _ByHost(httpx.AsyncBaseTransport):
    def __init__(self) -> None:
        self.tenants: dict[str, Tenant] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        tenant = self.tenants[request.url.host]
        tenant.asked.append(f"{request.headers.raw!r} {request.content!r} {request.url}")
        return await httpx.ASGITransport(app=tenant.emulator.app).handle_async_request(request)


@asynccontextmanager
async def two_tenants(subject: Subject) -> AsyncIterator[list[Tenant]]:
    """Yield two tenants, each with keys of its own."""
    transport = _ByHost()
    wire = Wire(transport=transport)
    for name in ("tenant-a", "tenant-b"):
        secrets = [item for item in fields(EmulatorSettings) if item.name.endswith(SECRETS_END)]
        own = {item.name: f"{item.default}.{name}" for item in secrets if item.default}
        settings = EmulatorSettings(seed=ord(name[-1]), **own)
        transport.tenants[name] = Tenant(name, subject, Emulator(settings), wire)
    yield list(transport.tenants.values())
    for tenant in transport.tenants.values():
        await tenant.emulator.aclose()
    await wire.aclose()
