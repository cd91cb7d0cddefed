"""Connections to gateways other than the world's own, at the same emulator."""

from __future__ import annotations

from typing import Any

from tests.hooks.world import World
from whatsapp_provider.demo.gateways import connection_fields


def at_evolution(world: World, name: str = "main", **wish: Any) -> Any:
    """Let the connection reach an Evolution server of version 2, and return a paired instance of it."""
    instance = world.emulator.evolution.v2.paired(name, **wish)
    fields = connection_fields("evolution", world.facts)
    fields["extra"] |= {"instance": name}
    world.connect(**fields)
    return instance


def at_whatscloud(world: World) -> Any:
    """Let the connection reach a WhatsCloud tenant, and return it."""
    facts = world.facts
    extra = {"tenant": facts["whatscloud_tenant"]}
    host, token = facts["whatscloud_url"], facts["whatscloud_token"]
    world.connect(conn_type="whatscloud", host=host, password=token, extra=extra)
    return world.emulator.whatscloud
