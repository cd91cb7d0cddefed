"""The emulator in a process of its own, and the connection that workers reach it by."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from tests.chaos.settings import ChaosSettings
from tests.chaos.weather import faults
from whatsapp_provider.emulator import Emulator, EmulatorSettings
from whatsapp_provider.emulator.clock import RealClock
from whatsapp_provider.emulator.server import serve
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.model import ChannelRef


@dataclass(frozen=True, slots=True)
class Line:
    """A paired channel and how to reach it."""

    gateway: str
    channel_id: str
    host: str
    password: str = field(repr=False)
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def channel(self) -> ChannelRef:
        """The channel."""
        return ChannelRef(self.gateway, self.channel_id)

    @property
    def values(self) -> ConnectionValues:
        """The connection."""
        return ConnectionValues("chaos", host=self.host, password=self.password, extra=self.extra)


def emulate(settings: ChaosSettings, truth: Path, owner: Connection) -> None:
    """Serve until the owner hangs up; the truth log goes to a file, line by line.

    :param owner: told the line, once the emulator listens.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(_emulate(settings, truth, owner))


async def _emulate(settings: ChaosSettings, truth: Path, owner: Connection) -> None:
    world = EmulatorSettings(
        seed=settings.seed,
        send_latency=settings.send_latency,
        sent_after=None,
        history_limit=3 * settings.recipients,
        history_lag=settings.settle / 2,
    )
    emulator = Emulator(world, clock=RealClock())
    for fault in faults(settings):
        emulator.faults.add(fault)
    hung_up = asyncio.Event()
    with truth.open("w", buffering=1) as stream:
        emulator.network.write_truth_to(stream)
        async with serve(emulator) as server:
            owner.send(_line(settings, emulator, server.facts()))
            asyncio.get_running_loop().add_reader(owner.fileno(), hung_up.set)
            await hung_up.wait()


def _line(settings: ChaosSettings, emulator: Emulator, facts: dict[str, str]) -> Line:
    if settings.gateway == "evolution":
        instance = emulator.evolution.v2.paired("chaos")
        return Line("evolution", instance.name, facts["evolution_url"], facts["evolution_key"])
    if settings.gateway == "whatscloud":
        tenant = {"tenant": facts["whatscloud_tenant"]}
        return Line(
            "whatscloud", tenant["tenant"], facts["whatscloud_url"], facts["whatscloud_token"], tenant
        )
    if settings.gateway == "waabot":
        bot, token = emulator.waabot.paired_bot("chaos"), {"refresh_token": facts["waabot_refresh_token"]}
        return Line("waabot", bot.id, facts["waabot_url"], facts["waabot_token"], token)
    channel = emulator.whapi.paired_channel("chaos")
    extra = {"manager_url": facts["manager_url"]}
    return Line("whapi", channel.id, facts["gate_url"], facts["partner_token"], extra)
