"""A name that somebody takes who shares no ledger with us, between our look and our creation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from whatsapp_provider.campaigns.ledger.ledger import Ledger
from whatsapp_provider.emulator import Emulator
from whatsapp_provider.emulator.evolution.instance import Wish
from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.registry import GATEWAYS
from whatsapp_provider.hooks.provisioning import Created, create_once
from whatsapp_provider.model import ChannelSpec
from whatsapp_provider.transport import Wire


class Overtaken(httpx.AsyncBaseTransport):
    """The emulator; somebody creates the instance just before our creation comes."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._inner = httpx.ASGITransport(app=emulator.app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        server = self._emulator.evolution.v2
        if request.url.path.endswith("/instance/create") and "news" not in server.instances:
            server.add(Wish("news"))
        return await self._inner.handle_async_request(request)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.prepare()
    yield ledger
    ledger.dispose()


def create(ledger: Ledger, emulator: Emulator, owner: str, *, may_reuse: bool) -> Created:
    values = ConnectionValues(
        "evo", host="http://emulator/evolution/v2", password=emulator.settings.evolution_key
    )
    gateway = GATEWAYS["evolution"].open(values, wire=Wire(transport=Overtaken(emulator)))
    return create_once(
        gateway, ledger, ChannelSpec("news"), owner=owner, may_reuse=may_reuse, sleep=lambda _: None
    )


def test_a_name_that_was_taken_meanwhile_is_reused_or_refused_like_any_other(ledger: Ledger) -> None:
    emulator = Emulator()
    made = create(ledger, emulator, "one", may_reuse=True)
    assert (made.created, made.channel.ref.channel_id) == (False, "news")
    del emulator.evolution.v2.instances["news"]
    with pytest.raises(ConfigurationError, match=r"named 'news' already"):
        create(ledger, emulator, "two", may_reuse=False)
    # Neither kept the name for itself: the next one finds it without waiting.
    assert create(ledger, emulator, "three", may_reuse=True).created is False
