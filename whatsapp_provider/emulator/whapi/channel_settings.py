"""The gate's settings: webhooks and the few switches beside them."""

from __future__ import annotations

import copy
from typing import Any

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.whapi.channel import WhapiChannel
from whatsapp_provider.emulator.whapi.messages import read_json
from whatsapp_provider.emulator.whapi.refusals import RefusalError
from whatsapp_provider.emulator.whapi.webhooks import EVENTS, MAX_HEADERS, MODES, default_settings

# Only these are ever named in ``changes``.
NAMED_IN_CHANGES = (
    "callback_backoff_delay_ms",
    "max_callback_backoff_delay_ms",
    "callback_persist",
    "media",
    "webhooks",
    "on_call_pager",
    "pass_through",
    "sent_status",
    "proxy",
    "mobile_proxy",
)
KNOWN = frozenset({*NAMED_IN_CHANGES, "offline_mode", "full_history", "pdo_sync", "ignored_presences"})
RANGES = {
    "callback_backoff_delay_ms": (3_000, 15_000),
    "max_callback_backoff_delay_ms": (600_000, 3_600_000),
}
HOOK_EXTRAS = ("headers", "send_undecrypted_ad", "webhook_max_age_seconds")
METHODS = frozenset({"post", "put", "delete", "patch"})


async def get_settings(channel: WhapiChannel, _request: Request) -> Reply:
    """Answer GET /settings."""
    return json_reply(channel.settings)


async def patch_settings(channel: WhapiChannel, request: Request) -> Reply:
    """Answer PATCH /settings: only what is in the request changes; webhooks as a whole array."""
    ready_at = channel.provisioned_at + channel.world.settings.settings_warmup_seconds
    if channel.world.clock.now() < ready_at:
        raise RefusalError(503, "Service Unavailable")
    data = read_json(request)
    before = copy.deepcopy(channel.settings)
    after = copy.deepcopy(channel.settings)
    for name, value in data.items():
        if name in KNOWN:
            after[name] = _checked(name, value, before)
    channel.settings = after
    channel.webhooks.configure(after)
    changes = [name for name in NAMED_IN_CHANGES if before.get(name) != after.get(name)]
    return json_reply({"before_update": before, "after_update": after, "changes": changes})


def _wrong() -> RefusalError:
    return RefusalError(400, "Wrong settings format")


def _checked(name: str, value: Any, before: dict[str, Any]) -> Any:
    if name == "webhooks":
        if not isinstance(value, list):
            raise _wrong()
        return [_hook(hook) for hook in value]
    if name == "media":
        if not isinstance(value, dict):
            raise _wrong()
        return {**before["media"], **value}
    if name in RANGES:
        low, high = RANGES[name]
        if not isinstance(value, int | float) or not low <= value <= high:
            raise _wrong()
    return value


def _hook(hook: Any) -> dict[str, Any]:
    """Return a webhook with its keys in the order the gate gives them back."""
    if not isinstance(hook, dict) or not isinstance(hook.get("url"), str):
        raise _wrong()
    mode = hook.get("mode", "body")
    events = hook.get("events", [{"type": "message", "method": "put"}])
    headers = hook.get("headers", {})
    if mode not in MODES or not isinstance(events, list) or not isinstance(headers, dict):
        raise _wrong()
    if len(headers) > MAX_HEADERS:
        raise _wrong()
    for event in events:
        if not isinstance(event, dict) or "type" not in event or event.get("method") not in METHODS:
            raise _wrong()
    clean: dict[str, Any] = {"url": hook["url"], "mode": mode, "events": events}
    clean.update({name: hook[name] for name in HOOK_EXTRAS if name in hook})
    return clean


async def delete_settings(channel: WhapiChannel, _request: Request) -> Reply:
    """Answer DELETE /settings."""
    if channel.settings == default_settings():
        raise RefusalError(409, "Settings already reset")
    channel.settings = default_settings()
    channel.webhooks.configure(channel.settings)
    return json_reply({"success": True})


async def allowed_events(_channel: WhapiChannel, _request: Request) -> Reply:
    """Answer GET /settings/events."""
    return json_reply(EVENTS)


async def webhook_test(channel: WhapiChannel, request: Request) -> Reply:
    """Answer POST /settings/webhook_test with a call of that type; its real payload is unknown."""
    data = read_json(request)
    if not all(isinstance(data.get(name), str) for name in ("type", "url", "mode")):
        raise RefusalError(400, "Wrong parameters")
    if data["mode"] not in MODES:
        raise RefusalError(400, "Wrong parameters")
    hook = {"url": data["url"], "mode": data["mode"], "headers": data.get("headers") or {}}
    channel.webhooks.call(hook, data["type"], "post", {data["type"]: []})
    return json_reply({"success": True})
