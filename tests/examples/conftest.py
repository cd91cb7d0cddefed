"""The emulator as each gateway there is: the same files run, and only the connection differs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest

from tests import loopback
from tests.contract.harness import BASE
from tests.hooks.world import CONN_ID, World, world
from whatsapp_provider.demo.gateways import connection_fields
from whatsapp_provider.emulator.evolution.instance import BUSINESS
from whatsapp_provider.errors import UnsupportedError, WhatsAppError
from whatsapp_provider.gateways.base import Capabilities
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.registry import GATEWAYS

__all__ = ["world"]


async def own_channel(gateway: str, world: World) -> dict[str, str]:
    """Make a channel that can send, and return the fields by which a connection names it as its own."""
    harness = next(iter(import_module(f"tests.contract.{gateway}").HARNESSES.values()))
    values = harness.one_channel(world.emulator, await harness.paired(world.emulator))
    return {name: str(value).replace(BASE, world.url) for name, value in values.extra.items()}


def _business(world: World) -> dict[str, str]:
    """Make an instance of Meta's API with the template of the examples."""
    instance = world.emulator.evolution.v2.paired("official", "15550001900", BUSINESS)
    body = {"type": "BODY", "text": "Hi {{1}}, your order {{2}} is on its way."}
    template = {"id": "1", "name": "order_update", "language": "en_US", "category": "UTILITY"}
    instance.templates.append({**template, "status": "APPROVED", "components": [body]})
    return {"instance": instance.name, "instance_token": instance.token}


#: Where a connection's own channel has no templates: makes one that has, and returns the fields that name it.
OFFICIAL: Mapping[str, Callable[[World], dict[str, str]]] = {"evolution": _business}


@dataclass
class Anywhere:
    """A world and the gateway by which Airflow reaches it."""

    gateway: str
    world: World
    fields: dict[str, Any]

    def can(self, flag: str) -> bool:
        """Say whether the gateway has an ability."""
        return bool(getattr(GATEWAYS[self.gateway].capabilities, flag))

    def refusal(self, flag: str) -> str:
        """Return what a task says that asks for an ability that the gateway has not."""
        with pytest.raises(UnsupportedError) as caught:
            GATEWAYS[self.gateway].capabilities.require(self.gateway, flag)
        told = str(caught.value)
        assert f"{self.gateway!r} can't {Capabilities.label(flag)}" in told
        return told

    def use_the_official_api(self) -> None:
        """Have a channel whose templates the examples send."""
        if self.gateway in OFFICIAL:
            self.world.connect(
                **{**self.fields, "extra": self.fields["extra"] | OFFICIAL[self.gateway](self.world)}
            )

    @contextmanager
    def somebody_scans(self) -> Iterator[None]:
        """Look at each channel's pairing as its page does, and let a phone scan what is shown."""
        over = threading.Event()

        def person() -> None:
            while not over.wait(0.1):
                for channel_id in asyncio.run(self._look()):
                    scan = {"channel_id": channel_id}
                    loopback.post(f"{self.world.url}/_emulator/scan", json=scan)

        thread = threading.Thread(target=person)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    async def _look(self) -> list[str]:
        """Return the channels that show a QR code."""
        values = ConnectionValues(
            CONN_ID, host=self.fields["host"], password=self.fields["password"], extra=self.fields["extra"]
        )
        gateway = GATEWAYS[self.gateway].open(values)
        shown = []
        for channel in await gateway.account().list_channels():
            try:
                if await gateway.channel(channel.ref).pairing_qr():
                    shown.append(channel.ref.channel_id)
            except WhatsAppError:  # paired, or not yet there
                continue
        return shown


@pytest.fixture(params=GATEWAYS)
def anywhere(request: pytest.FixtureRequest, world: World) -> Anywhere:
    fields = connection_fields(request.param, world.facts)
    fields["extra"] = asyncio.run(own_channel(request.param, world)) | fields["extra"]
    world.connect(**fields)
    return Anywhere(request.param, world, fields)
