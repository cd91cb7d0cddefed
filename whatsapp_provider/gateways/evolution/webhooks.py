"""The one webhook of an instance: how it is read, compared and written."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.gateways.evolution.dialects import Dialect, check_events
from whatsapp_provider.gateways.evolution.payloads import WebhookRow
from whatsapp_provider.model import Webhook


def told(row: WebhookRow | None) -> list[Webhook]:
    """Return the webhook, if there is one that is called."""
    if row is None or not row.enabled or not row.url:
        return []
    return [Webhook(row.url, tuple(sorted(row.events or ())), dict(row.headers or {}))]


def wanted(webhook: Webhook, row: WebhookRow | None, dialect: Dialect, *, replace: bool) -> Any:
    """Return the body that sets the webhook, ``None`` if it is set so already.

    :param row: what is set now.
    :raises ConfigurationError: if another URL's webhook is in its place, or the server can't do what is asked.
    """
    events = check_events(webhook.events, dialect)
    if webhook.headers and dialect is Dialect.V1:
        raise ConfigurationError("Evolution API v1 sends no headers with a webhook; leave them out.")
    current = next(iter(told(row)), None)
    if current is not None and current.url != webhook.url and not replace:
        host = urlsplit(current.url).hostname or "an unnamed host"
        raise ConfigurationError(
            f"The instance has a webhook at {host} already, and a server keeps one for each instance. Remove it, "
            "or say replace=True to put this one in its place."
        )
    is_same = current is not None and current.url == webhook.url
    headers = webhook.headers
    if headers is None:
        # Another URL's headers may hold its secret.
        headers = (current.headers if is_same and current else None) or {}
    new = Webhook(webhook.url, tuple(events), dict(headers))
    if current == new:
        return None
    by_events = bool(is_same and row and row.by_events)
    base64 = bool(is_same and row and row.base64)
    return body(dialect, new, enabled=True, by_events=by_events, base64=base64)


def removed(url: str, dialect: Dialect) -> Any:
    """Return the body after which the URL is not called; its headers are forgotten."""
    return body(dialect, Webhook(url), enabled=False)


def body(
    dialect: Dialect, webhook: Webhook, *, enabled: bool, by_events: bool = False, base64: bool = False
) -> dict[str, Any]:
    """Return what ``POST /webhook/set`` takes; what is left out would keep its old value."""
    common = {"enabled": enabled, "url": webhook.url, "events": list(webhook.events)}
    if dialect is Dialect.V1:
        return {**common, "webhook_by_events": by_events, "webhook_base64": base64}
    headers = dict(webhook.headers or {})
    return {"webhook": {**common, "headers": headers, "byEvents": by_events, "base64": base64}}
