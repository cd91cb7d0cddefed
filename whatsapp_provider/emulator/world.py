"""What all dialects share: one clock, one phone network, one set of faults, one outbox."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

from whatsapp_provider.emulator.clock import Clock, Timeline
from whatsapp_provider.emulator.faults import Faults
from whatsapp_provider.emulator.network import PhoneNetwork
from whatsapp_provider.emulator.outbox import Outbox
from whatsapp_provider.emulator.settings import EmulatorSettings

if TYPE_CHECKING:
    import httpx


class World:
    """The state under the dialects."""

    def __init__(
        self,
        settings: EmulatorSettings,
        clock: Clock,
        webhook_transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.timeline = Timeline(clock)
        self.faults = Faults()
        self.network = PhoneNetwork(clock, self.timeline, lambda: self.settings)
        self.outbox = Outbox(clock, self.timeline, self.faults, lambda: self.settings, webhook_transport)
        # What each dialect keeps of its own, by the dialect's name.
        self.accounts: dict[str, object] = {}
        self.random = random.Random(settings.seed)  # noqa: S311 - ids of a fake gateway, not secrets

    async def wait(self, seconds: float) -> None:
        """Let a request take its time: really on a port, by moving a manual clock in a test."""
        if seconds <= 0:
            return
        if self.clock.manual:
            await self.advance(seconds)
        else:
            await asyncio.sleep(seconds)

    async def advance(self, seconds: float) -> None:
        """Let so much time pass, doing everything in it in its order."""
        target = self.clock.now() + seconds
        self.timeline.run_due()
        await self.outbox.drain()
        while (due := self.timeline.next_due()) is not None and due <= target:
            self.clock.move_to(due)
            self.timeline.run_due()
            await self.outbox.drain()
        self.clock.move_to(target)
