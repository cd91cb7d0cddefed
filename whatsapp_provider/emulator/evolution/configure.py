"""Webhook and settings of an instance over HTTP, in the words of both versions."""

from __future__ import annotations

import re
from typing import Any

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.evolution.body import Data
from whatsapp_provider.emulator.evolution.create import SNAKE
from whatsapp_provider.emulator.evolution.hooks import EVENTS
from whatsapp_provider.emulator.evolution.instance import DEFAULT_SETTINGS, Instance
from whatsapp_provider.emulator.evolution.refusals import bad_request, crashed, undefined
from whatsapp_provider.emulator.evolution.schema import SWITCH, TEXT, Rule, Schema, demand


def _events(version: int) -> Rule:
    return Rule("array", item=Rule("string", values=EVENTS[version]))


NESTED = Schema(
    {
        "enabled": SWITCH,
        "url": TEXT,
        "headers": Rule("object"),
        "byEvents": SWITCH,
        "base64": SWITCH,
        "events": _events(2),
    },
    ("enabled", "url"),
)
WEBHOOK = {
    1: Schema(
        {
            "enabled": SWITCH,
            "url": TEXT,
            "webhook_by_events": SWITCH,
            "webhook_base64": SWITCH,
            "events": _events(1),
        },
        ("url",),
    ),
    2: Schema({"webhook": Rule("object", inner=NESTED)}, ("webhook",)),
}
REQUIRED = tuple(name for name, value in DEFAULT_SETTINGS.items() if isinstance(value, bool))
RULES = {name: SWITCH if name in REQUIRED else TEXT for name in DEFAULT_SETTINGS}
SETTINGS = {
    1: Schema(
        {SNAKE[name]: rule for name, rule in RULES.items()},
        tuple(SNAKE[name] for name in REQUIRED if name != "syncFullHistory"),
    ),
    2: Schema(RULES, REQUIRED),
}
NEVER_SET_V1 = {
    "enabled": False,
    "url": "",
    "events": [],
    "webhook_by_events": False,
    "webhook_base64": False,
}


async def set_webhook(instance: Instance, _request: Request, data: Data) -> Reply:
    """Answer POST webhook/set; keys that are left out keep their value, except the events."""
    demand(data, WEBHOOK[instance.server.version])
    if instance.server.version == 1:
        return _set_flat(instance, data)
    wanted = data["webhook"]
    events = wanted.get("events")
    if events is None and wanted["enabled"]:
        raise crashed(undefined("length"))
    changes: dict[str, Any] = {
        "url": wanted["url"],
        "enabled": wanted["enabled"],
        "events": tuple(events or EVENTS[2]) if wanted["enabled"] else (),
    }
    names = {"headers": "headers", "byEvents": "by_events", "base64": "base64"}
    changes |= {kept: wanted[name] for name, kept in names.items() if name in wanted}
    return json_reply(instance.webhook.change(**changes).row(instance.id), 201)


def _set_flat(instance: Instance, data: Data) -> Reply:
    if re.match(r"https?://[^\s/]+", data["url"]) is None:
        raise bad_request('Invalid "url" property')
    events = data.get("events")
    enabled = data.get("enabled", True)
    if events is None and enabled:
        raise crashed(undefined("length"))
    hook = instance.webhook.change(
        url=data["url"] if enabled else "",
        enabled=enabled,
        events=tuple(events or EVENTS[1]) if enabled else (),
        by_events=data.get("webhook_by_events", False),
        base64=data.get("webhook_base64", False),
    )
    shown = {"url": hook.url, "events": list(hook.events), "enabled": hook.enabled}
    return json_reply({"webhook": {"instanceName": instance.name, "webhook": shown}}, 201)


async def find_webhook(instance: Instance, _request: Request, _data: Data) -> Reply:
    """Answer GET webhook/find: a row, or ``null``."""
    hook = instance.webhook.hook
    if instance.server.version == 2:
        return json_reply(None if hook is None else hook.row(instance.id))
    if hook is None:
        return json_reply(NEVER_SET_V1)
    return json_reply(
        {
            "enabled": hook.enabled,
            "url": hook.url,
            "events": list(hook.events),
            "webhook_by_events": hook.by_events,
            "webhook_base64": hook.base64,
        }
    )


async def set_settings(instance: Instance, _request: Request, data: Data) -> Reply:
    """Answer POST settings/set with what was sent."""
    version = instance.server.version
    demand(data, SETTINGS[version])
    names = {name: name if version == 2 else SNAKE[name] for name in DEFAULT_SETTINGS}
    given = {name: data[wire] for name, wire in names.items() if wire in data}
    instance.settings.update(given)
    instance.settings_at = instance.world.clock.now()
    echo = {names[name]: value for name, value in given.items()}
    return json_reply({"settings": {"instanceName": instance.name, "settings": echo}}, 201)


async def find_settings(instance: Instance, _request: Request, _data: Data) -> Reply:
    """Answer GET settings/find."""
    if instance.server.version == 2:
        return json_reply(instance.settings)
    return json_reply({SNAKE[name]: value for name, value in instance.settings.items()})
