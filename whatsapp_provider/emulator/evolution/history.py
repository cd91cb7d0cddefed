"""An instance's messages, with the updates that were heard of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from whatsapp_provider.emulator.evolution.hooks import row_id
from whatsapp_provider.emulator.evolution.session import SUFFIX
from whatsapp_provider.emulator.network import Inbound

if TYPE_CHECKING:
    from whatsapp_provider.emulator.evolution.instance import Instance

# A status never goes back; an error comes only to what has not arrived.
RANKS = {
    "SERVER_ACK": 1,
    "SENT": 1,
    "DELIVERY_ACK": 2,
    "DELIVERED": 2,
    "ERROR": 2,
    "FAILED": 2,
    "READ": 3,
}


class Stored:
    """One message: what the server keeps of it."""

    __slots__ = ("at", "data", "id", "key", "rank", "updates", "webhook_url")

    def __init__(self, row: str, data: dict[str, Any], webhook_url: str | None, at: float) -> None:
        self.id = row
        self.at = at
        self.data = data
        self.key: dict[str, Any] = data["key"]
        self.rank = 0
        self.updates: list[dict[str, Any]] = []
        self.webhook_url = webhook_url


class History:
    """What an instance sent and received, bounded; the oldest are forgotten first."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._world = instance.world
        self._messages: dict[str, Stored] = {}

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, data: dict[str, Any], webhook_url: str | None = None) -> None:
        """Remember a message, as its send was answered."""
        messages = self._messages
        messages[data["key"]["id"]] = Stored(
            row_id(self._instance), data, webhook_url, self._world.clock.now()
        )
        if len(messages) > self._world.settings.history_limit:
            del messages[next(iter(messages))]

    def get(self, key_id: str) -> Stored | None:
        """Return a message by the id in its key."""
        return self._messages.get(key_id)

    def newest_first(self) -> Iterator[Stored]:
        """Return all messages, the newest first."""
        return reversed(self._messages.values())

    def counts(self) -> dict[str, int]:
        """Return the ``_count`` of a row."""
        strangers = {m.key["remoteJid"] for m in self._messages.values() if not m.key["fromMe"]}
        return {"Message": len(self._messages), "Contact": len(strangers), "Chat": len(strangers)}

    # -- updates ----------------------------------------------------------------------------

    def update(self, key_id: str, status: str) -> None:
        """Note how far a message got, and tell the webhook."""
        stored = self._messages.get(key_id)
        if stored is None or not stored.key["fromMe"] or RANKS[status] <= stored.rank:
            return
        stored.rank = RANKS[status]
        if status in ("ERROR", "FAILED"):
            # Nothing comes after it.
            stored.rank = RANKS["READ"]
        row = self._row(stored, status)
        stored.updates.append(row)
        webhook = self._instance.webhook
        if webhook.wants("MESSAGES_UPDATE") or stored.webhook_url:
            told = self._told(row)
            webhook.emit("MESSAGES_UPDATE", told)
            if stored.webhook_url:
                webhook.post(stored.webhook_url, "template.status", told)

    def _row(self, stored: Stored, status: str) -> dict[str, Any]:
        instance, jid = self._instance, stored.key["remoteJid"]
        if instance.server.version == 1:
            return {
                "_id": row_id(instance)[1:],
                "remoteJid": jid,
                "fromMe": True,
                "id": stored.key["id"],
                "status": status,
                "datetime": int(self._world.clock.now() * 1000),
                "owner": instance.name,
            }
        meta = instance.business
        return {
            "id": row_id(instance),
            "keyId": stored.key["id"],
            "remoteJid": jid,
            # Of messages that went over Meta the server says that others wrote them.
            "fromMe": not meta,
            "participant": jid if meta else None,
            "pollUpdates": None,
            "status": status,
            "messageId": stored.id,
            "instanceId": instance.id,
        }

    def _told(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return an update as webhooks carry it: without the row's own id and what is empty."""
        if self._instance.server.version == 1:
            return {name: value for name, value in row.items() if name != "_id"}
        names = ["keyId", "remoteJid", "fromMe", "status", "instanceId", "messageId"]
        if self._instance.business:
            names = ["messageId", "keyId", "remoteJid", "fromMe", "participant", "status", "instanceId"]
        return {name: row[name] for name in names}

    # -- what phones write ------------------------------------------------------------------

    def incoming(self, message: Inbound) -> str:
        """Remember what a phone wrote, tell it, and return its id."""
        instance = self._instance
        jid = message.phone + SUFFIX
        key_id = f"3EB0{self._world.random.getrandbits(72):018X}"
        data: dict[str, Any] = {"key": {"remoteJid": jid, "fromMe": False, "id": key_id}}
        if not instance.baileys:
            meta_id = f"wamid.{key_id}" if instance.business else key_id
            data["key"] = {"id": meta_id, "remoteJid": jid, "fromMe": False}
        data["pushName"] = message.name
        if instance.baileys and instance.server.version == 2:
            lid = f"9{message.phone}@lid"
            data["key"] = {
                "remoteJid": jid,
                "remoteJidAlt": lid,
                "fromMe": False,
                "id": key_id,
                "participant": "",
                "addressingMode": "pn",
            }
            data["status"] = "DELIVERY_ACK"
        data |= _content(message)
        data["messageTimestamp"] = int(self._world.clock.now())
        owner = ("instanceId", instance.id) if instance.server.version == 2 else ("owner", instance.name)
        source = ("source", "web" if instance.baileys else "unknown")
        data |= dict((owner, source) if instance.baileys else (source, owner))
        self.add(data)
        instance.webhook.emit("MESSAGES_UPSERT", data)
        return str(data["key"]["id"])


def _content(message: Inbound) -> dict[str, Any]:
    if message.button_id is not None:
        reply = {"selectedId": message.button_id, "selectedDisplayText": message.text}
        return {"message": {"templateButtonReplyMessage": reply}, "messageType": "templateButtonReplyMessage"}
    content: dict[str, Any] = {"message": {"conversation": message.text}}
    if message.quoted_id is not None:
        content["contextInfo"] = {"stanzaId": message.quoted_id}
    return {**content, "messageType": "conversation"}
