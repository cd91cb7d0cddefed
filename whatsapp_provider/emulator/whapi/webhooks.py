"""Which webhooks a channel has, and what is sent to them."""

from __future__ import annotations

from typing import Any

from whatsapp_provider.emulator.asgi import json_bytes
from whatsapp_provider.emulator.outbox import Callback
from whatsapp_provider.emulator.world import World

MODES = ("body", "path", "method")
MAX_HEADERS = 5
OLD_NAMES = {"message": "messages", "ack": "statuses", "chat": "chats", "status": "channel"}
DEFAULT_EVENTS = [{"type": "message", "method": "put"}]

# The pairs that /settings/events returns; the vendor's own list was never captured.
EVENTS = [
    {"type": kind, "method": method}
    for kind, methods in (
        ("messages", ("post", "put", "patch", "delete")),
        ("statuses", ("post", "put")),
        ("chats", ("post", "put", "patch", "delete")),
        ("contacts", ("post", "patch")),
        ("groups", ("post", "put", "patch")),
        ("presences", ("post",)),
        ("labels", ("post", "delete")),
        ("calls", ("post",)),
        ("users", ("post", "delete")),
        ("channel", ("post", "patch")),
        ("service", ("post",)),
    )
    for method in methods
]


def default_settings() -> dict[str, Any]:
    """Return the settings of a new channel, as captured."""
    return {
        "media": {"auto_download": [], "init_avatars": False},
        "webhooks": [],
        "offline_mode": False,
        "full_history": False,
    }


class Webhooks:
    """The subscriptions of one channel, looked up by event."""

    def __init__(self, world: World, channel_id: str) -> None:
        self._world = world
        self._channel_id = channel_id
        self._subscriptions: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = {}
        self._backoff: float | None = None
        self._backoff_cap: float | None = None
        self.subscribed = False

    def configure(self, settings: dict[str, Any]) -> None:
        """Take over changed settings."""
        self._subscriptions = {}
        for hook in settings["webhooks"]:
            events = hook.get("events") or DEFAULT_EVENTS
            pairs = {(OLD_NAMES.get(e["type"], e["type"]), e["method"]) for e in events}
            for kind, method in pairs:
                self._add(kind, method, method, hook)
                if method == "put" and (kind, "post") not in pairs:
                    self._add(kind, "post", "put", hook)
        self.subscribed = bool(self._subscriptions)
        step = settings.get("callback_backoff_delay_ms")
        cap = settings.get("max_callback_backoff_delay_ms")
        self._backoff = step / 1000 if step else None
        self._backoff_cap = cap / 1000 if cap else None

    def _add(self, kind: str, happened: str, told_as: str, hook: dict[str, Any]) -> None:
        self._subscriptions.setdefault((kind, happened), []).append((told_as, hook))

    def wants(self, kind: str, method: str) -> bool:
        """Say whether anybody listens to an event."""
        return (kind, method) in self._subscriptions

    def emit(self, kind: str, method: str, payload: dict[str, Any]) -> None:
        """Tell all who subscribed."""
        for told_as, hook in self._subscriptions.get((kind, method), ()):
            self.call(hook, kind, told_as, payload)

    def call(self, hook: dict[str, Any], kind: str, method: str, payload: dict[str, Any]) -> None:
        """Put one call into the outbox, in the hook's mode."""
        body = {**payload, "event": {"type": kind, "event": method}, "channel_id": self._channel_id}
        url, verb = hook["url"], "POST"
        mode = hook.get("mode", "body")
        if mode == "path":
            url = f"{url.rstrip('/')}/{kind}/{method}"
        elif mode == "method":
            url, verb = f"{url.rstrip('/')}/{kind}", method.upper()
        self._world.outbox.put(
            Callback(
                channel_id=self._channel_id,
                event=f"{kind}.{method}",
                method=verb,
                url=url,
                body=json_bytes(body),
                headers=dict(hook.get("headers") or {}),
                backoff=self._backoff,
                backoff_cap=self._backoff_cap,
            )
        )
