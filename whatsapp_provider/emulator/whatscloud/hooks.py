"""Webhooks, which only the product's pages set (here: settings), in the two forms known."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

from whatsapp_provider.emulator.asgi import json_bytes
from whatsapp_provider.emulator.outbox import Callback, Retries
from whatsapp_provider.emulator.whatscloud.body import Data
from whatsapp_provider.emulator.whatscloud.tables import Row
from whatsapp_provider.emulator.world import World

RETRIES = Retries(attempts=3, first=1.0, most=2.0)


class Webhooks:
    """Tells one address of rows and messages, signed."""

    def __init__(self, world: World, channel_id: str, tenant_id: int) -> None:
        self._world = world
        self._channel_id = channel_id
        self._tenant_id = tenant_id

    def row(self, model: str, event: str, row: Row, before: Row | None = None) -> None:
        """Tell that a contact, status or source was created, updated or deleted."""
        if not self._world.settings.whatscloud_webhook_url:
            return
        if self._world.settings.whatscloud_webhook_form == "n8n":
            body = self._described(model, event, row, before)
        else:
            body = {
                "event": event,
                "model": f"App\\Models\\Tenant\\{model.capitalize()}",
                "data": {"id": row["id"], "attributes": row, "relations": {}},
                "original": before,
                "timestamp": self._now().isoformat(timespec="seconds"),
            }
        self._post(f"{model}.{event}", body)

    def message(self, event: str, data: Data) -> None:
        """Tell of a message: ``message.sent`` and the like."""
        if not self._world.settings.whatscloud_webhook_url:
            return
        body = {
            "event": event,
            "model": "WhatsAppMessage",
            "data": {**data, "tenant_id": self._tenant_id},
            "timestamp": self._now().isoformat(timespec="seconds"),
        }
        self._post(event, body, {"X-Webhook-Event": event})

    def _described(self, model: str, event: str, row: Row, before: Row | None) -> Data:
        """Return the form that a flow tool reads."""
        now, random, name = self._now(), self._world.random, self._world.settings.whatscloud_tenant
        changed = None if before is None else [key for key in row if row[key] != before.get(key)]
        return {
            "event": {
                "id": f"evt_{int(now.timestamp())}_{random.getrandbits(24):06x}",
                "type": f"{model}.{event}",
                "timestamp": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
                "version": "1.0",
            },
            "tenant": {"id": self._tenant_id, "name": name, "domain": name},
            "data": {
                "resource": {"type": model, "id": row["id"], "attributes": row},
                "relationships": {},
            },
            "changes": {"previous": before, "current": row, "modified_fields": changed},
            "metadata": {
                "source": "api_webhook_manager",
                "environment": "production",
                "request_id": f"{random.getrandbits(128):032x}",
            },
        }

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._world.clock.now(), UTC)

    def _post(self, event: str, body: Any, headers: dict[str, str] | None = None) -> None:
        settings = self._world.settings
        raw = json_bytes(body)
        # Over the raw body, and without the name of the algorithm before it.
        signature = hmac.new(settings.whatscloud_webhook_secret.encode(), raw, hashlib.sha256).hexdigest()
        self._world.outbox.put(
            Callback(
                channel_id=self._channel_id,
                event=event,
                method="POST",
                url=settings.whatscloud_webhook_url,
                body=raw,
                headers={"X-Webhook-Signature": signature, **(headers or {})},
                retries=RETRIES,
            )
        )
