"""The emulator as each gateway there is: the same files run, and only the connection differs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.hooks.world import CONN_ID, World, world
from whatsapp_provider.demo.gateways import connection_fields
from whatsapp_provider.errors import WhatsAppError
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.registry import GATEWAYS

__all__ = ["world"]


def _whapi(world: World) -> dict[str, str]:
    return {"channel_id": world.channel_id}


def _evolution(world: World) -> dict[str, str]:
    return {"instance": world.emulator.evolution.v2.paired("main", "15550001000").name}


#: Makes the channel that the connection itself names, and returns the fields that name it.
OWN_CHANNEL: Mapping[str, Callable[[World], dict[str, str]]] = {"evolution": _evolution, "whapi": _whapi}


@dataclass
class Anywhere:
    """A world and the gateway by which Airflow reaches it."""

    gateway: str
    world: World
    fields: dict[str, Any]

    @contextmanager
    def somebody_scans(self) -> Iterator[None]:
        """Look at each channel's pairing as its page does, and let a phone scan what is shown."""
        over = threading.Event()

        def person() -> None:
            while not over.wait(0.1):
                for channel_id in asyncio.run(self._look()):
                    scan = {"channel_id": channel_id}
                    httpx.post(f"{self.world.url}/_emulator/scan", json=scan, trust_env=False)

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
    fields["extra"] |= OWN_CHANNEL[request.param](world)
    world.connect(**fields)
    return Anywhere(request.param, world, fields)
