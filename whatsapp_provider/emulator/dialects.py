"""The table of dialects: one line each, loaded when an emulator is built.

A dialect's package has ``mounts(world)``, which returns its path prefixes and what answers there, and
``facts(world, url)``, which returns by which addresses and with which credentials it is reached. One that is measured
may have ``fast_lane(emulator, inner)``: a protocol that answers the plainest requests itself and hands the others on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from whatsapp_provider.emulator.asgi import Reply, Request
from whatsapp_provider.emulator.world import World

if TYPE_CHECKING:
    from whatsapp_provider.emulator.app import Emulator

Endpoint = Callable[[Request, str], Awaitable[Reply]]

DIALECTS: dict[str, str] = {
    "whapi": "whatsapp_provider.emulator.whapi",
    "evolution": "whatsapp_provider.emulator.evolution",
    "whatscloud": "whatsapp_provider.emulator.whatscloud",
    "waabot": "whatsapp_provider.emulator.waabot",
}


def mount_all(world: World) -> list[tuple[str, Endpoint]]:
    """Return every dialect's prefixes, the longest first."""
    mounted: list[tuple[str, Endpoint]] = []
    for module in DIALECTS.values():
        mounted.extend(import_module(module).mounts(world).items())
    return sorted(mounted, key=lambda item: -len(item[0]))


def facts_of_all(world: World, url: str) -> dict[str, Any]:
    """Return what a client needs to know of every dialect, where the emulator listens at ``url``."""
    told: dict[str, Any] = {}
    for module in DIALECTS.values():
        told |= import_module(module).facts(world, url)
    return told


def with_fast_lanes(emulator: Emulator, protocol: asyncio.Protocol) -> asyncio.Protocol:
    """Return what serves a connection with every dialect's short way before the usual one."""
    for module in map(import_module, DIALECTS.values()):
        if hasattr(module, "fast_lane"):
            protocol = module.fast_lane(emulator, protocol)
    return protocol
