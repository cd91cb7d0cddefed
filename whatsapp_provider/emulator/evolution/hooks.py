"""An instance's webhook: its stored row, and the calls that go out."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from whatsapp_provider.emulator.asgi import json_bytes
from whatsapp_provider.emulator.outbox import Callback, Retries

if TYPE_CHECKING:
    from whatsapp_provider.emulator.evolution.instance import Instance

SHARED = (
    "MESSAGES_DELETE",
    "SEND_MESSAGE",
    "CONTACTS_SET",
    "CONTACTS_UPSERT",
    "CONTACTS_UPDATE",
    "PRESENCE_UPDATE",
    "CHATS_SET",
    "CHATS_UPSERT",
    "CHATS_UPDATE",
    "CHATS_DELETE",
    "GROUPS_UPSERT",
    "GROUP_UPDATE",
    "GROUP_PARTICIPANTS_UPDATE",
    "CONNECTION_UPDATE",
    "LABELS_EDIT",
    "LABELS_ASSOCIATION",
    "CALL",
    "TYPEBOT_START",
    "TYPEBOT_CHANGE_STATUS",
)
FIRST = ("APPLICATION_STARTUP", "QRCODE_UPDATED", "MESSAGES_SET", "MESSAGES_UPSERT")
LAST = ("REMOVE_INSTANCE", "LOGOUT_INSTANCE", "INSTANCE_CREATE", "INSTANCE_DELETE", "STATUS_INSTANCE")
# By version, in the order in which the validator lists them.
EVENTS: dict[int, tuple[str, ...]] = {
    1: (*FIRST, "MESSAGES_UPDATE", *SHARED, "NEW_JWT_TOKEN", "CHAMA_AI_ACTION"),
    2: (
        *FIRST,
        "MESSAGES_EDITED",
        "MESSAGES_UPDATE",
        *SHARED[:2],
        "SEND_MESSAGE_UPDATE",
        *SHARED[2:],
        *LAST,
    ),
}
FINAL = frozenset({400, 401, 403, 404, 422})
AGENT = {"accept": "application/json, text/plain, */*", "user-agent": "axios/1.12.2"}
TOKEN_SECONDS = 600


def iso(at: float) -> str:
    """Write a moment as the server does."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def row_id(instance: Instance) -> str:
    """Return an id of the server's database: 25 small letters and digits."""
    return f"cmw{instance.world.random.getrandbits(88):022x}"


@dataclass(slots=True)
class Hook:
    """The stored webhook; which of its keys the answer shows differs between the versions."""

    id: str
    created_at: float
    url: str = ""
    headers: dict[str, Any] | None = None
    enabled: bool = True
    events: tuple[str, ...] = ()
    by_events: bool = False
    base64: bool = False
    updated_at: float = 0.0

    def row(self, instance_id: str) -> dict[str, Any]:
        """Return the row of v2."""
        return {
            "id": self.id,
            "url": self.url,
            "headers": self.headers,
            "enabled": self.enabled,
            "events": list(self.events),
            "webhookByEvents": self.by_events,
            "webhookBase64": self.base64,
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
            "instanceId": instance_id,
        }


class Webhook:
    """What one instance tells, and to whom."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.hook: Hook | None = None
        self._wanted: frozenset[str] = frozenset()

    def change(self, **changes: Any) -> Hook:
        """Store a webhook; what is not named keeps its value."""
        now = self._instance.world.clock.now()
        if self.hook is None:
            self.hook = Hook(row_id(self._instance), now)
        for name, value in changes.items():
            setattr(self.hook, name, value)
        self.hook.updated_at = now
        called = self.hook.enabled and self.hook.url.startswith(("http://", "https://"))
        self._wanted = frozenset(self.hook.events) if called else frozenset()
        return self.hook

    def wants(self, event: str) -> bool:
        """Say whether an event is told to anybody."""
        return event in self._wanted

    def emit(self, event: str, data: Any, when_over: Callable[[], None] | None = None) -> None:
        """Tell an event, if it is wanted."""
        hook = self.hook
        if event not in self._wanted or hook is None:
            return
        instance = self._instance
        name = dotted(event)
        body: dict[str, Any] = {
            "event": name,
            "instance": instance.name,
            "data": data,
            "destination": hook.url,
            "date_time": iso(instance.world.clock.now()),
        }
        if instance.session.owner_jid is not None:
            body["sender"] = instance.session.owner_jid
        body["server_url"] = instance.server.url
        body["apikey"] = instance.token
        suffix = "/" + name.replace(".", "-") if hook.by_events else ""
        self.post(hook.url + suffix, name, body, when_over)

    def post(self, url: str, name: str, body: Any, when_over: Callable[[], None] | None = None) -> None:
        """Put one call into the outbox."""
        world = self._instance.world
        settings = world.settings
        retries = Retries(
            settings.evolution_webhook_attempts,
            settings.evolution_webhook_backoff,
            settings.evolution_webhook_backoff_cap,
            FINAL,
        )
        world.outbox.put(
            Callback(
                channel_id=self._instance.channel_id,
                event=name,
                method="POST",
                url=url,
                body=json_bytes(body),
                headers={**AGENT, **self._headers()},
                retries=retries,
                when_over=when_over,
            )
        )

    def _headers(self) -> dict[str, str]:
        headers = dict((self.hook.headers if self.hook else None) or {})
        secret = headers.pop("jwt_key", None)
        if secret is not None:
            # The key itself does not go out; it signs a token of ten minutes.
            headers["Authorization"] = f"Bearer {_token(str(secret), int(self._instance.world.clock.now()))}"
        return {name: str(value) for name, value in headers.items()}


def dotted(event: str) -> str:
    """Return an event's name as webhooks carry it."""
    special = {
        "GROUP_PARTICIPANTS_UPDATE": "group-participants.update",
        "TYPEBOT_CHANGE_STATUS": "typebot.change-status",
    }
    return special.get(event) or event.lower().replace("_", ".")


def _token(secret: str, now: int) -> str:
    claims = {"iat": now, "exp": now + TOKEN_SECONDS, "app": "evolution", "action": "webhook"}
    parts = [_base64url(json_bytes(part)) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signature = hmac.digest(secret.encode(), ".".join(parts).encode(), hashlib.sha256)
    return ".".join((*parts, _base64url(signature)))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
