"""The table of dialects: one line each, loaded when an emulator is built.

A dialect's package has ``mounts(world)``, which returns its path prefixes and what answers there, and
``facts(world, url)``, which returns by which addresses and with which credentials it is reached.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from whatsapp_provider.emulator.asgi import Reply, Request
from whatsapp_provider.emulator.world import World

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
