"""Merge one webhook into a channel's list; the gate replaces the whole list at each change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.model import Webhook

#: The vendor's advice for a channel before its phone is paired.
DEFAULT_EVENTS = ("channel.post", "messages.post", "statuses.post", "users.delete", "users.post")
MAX_HEADERS = 5  #: by the gate's schema
_OURS = ("url", "mode", "events", "headers")


def check(webhook: Webhook) -> None:
    """Refuse what the gate would refuse without saying why.

    :raises ConfigurationError: naming the event or the limit.
    """
    for event in webhook.events:
        kind, dot, method = event.partition(".")
        if not (kind and dot and method) or "." in method:
            raise ConfigurationError(
                f"Whapi's events are written type.method, e.g. 'messages.post'; got {event!r}."
            )
    if len(webhook.headers or ()) > MAX_HEADERS:
        raise ConfigurationError(f"Whapi sends at most {MAX_HEADERS} headers with a webhook.")


def from_wire(entry: dict[str, Any]) -> Webhook:
    """Read one entry of the settings."""
    # Entries made elsewhere may lack a method or use retired names; they are shown as they are.
    events = (f"{event.get('type') or ''}.{event.get('method') or ''}" for event in entry.get("events") or ())
    headers = {name: str(value) for name, value in (entry.get("headers") or {}).items()}
    return Webhook(url=str(entry.get("url") or ""), events=tuple(sorted(events)), headers=headers)


def to_wire(webhook: Webhook) -> dict[str, Any]:
    """Write one entry; the event is told in the body, so that one URL serves all events."""
    events = [
        dict(zip(("type", "method"), event.split(".", 1), strict=True))
        for event in sorted(webhook.events or DEFAULT_EVENTS)
    ]
    entry: dict[str, Any] = {"url": webhook.url, "mode": "body", "events": events}
    return entry | ({"headers": dict(webhook.headers)} if webhook.headers else {})


def merged(existing: Sequence[dict[str, Any]], webhook: Webhook) -> list[dict[str, Any]] | None:
    """Return the list with the webhook added or changed, ``None`` if it is there already."""
    kept = [other for other in existing if other.get("url") != webhook.url]
    same = [other for other in existing if other.get("url") == webhook.url]
    if webhook.headers is None:
        webhook = replace(
            webhook, headers=next((other["headers"] for other in same if other.get("headers")), {})
        )
    entry = to_wire(webhook)
    if len(same) == 1 and from_wire(same[0]) == from_wire(entry) and same[0].get("mode", "body") == "body":
        return None
    # What this package does not know of (an age limit, say) stays as it was set.
    further = {key: value for key, value in (same[0] if same else {}).items() if key not in _OURS}
    return [*kept, entry | further]


def without(existing: Sequence[dict[str, Any]], url: str) -> list[dict[str, Any]] | None:
    """Return the list without the webhook of that URL, ``None`` if it was not there."""
    kept = [other for other in existing if other.get("url") != url]
    return None if len(kept) == len(existing) else kept
