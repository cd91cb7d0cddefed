"""One instance: what was asked for at its creation, its session, its webhook, its messages."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from whatsapp_provider.emulator.evolution.history import History
from whatsapp_provider.emulator.evolution.hooks import Webhook, iso, row_id
from whatsapp_provider.emulator.evolution.session import SUFFIX, Session
from whatsapp_provider.emulator.network import Inbound

if TYPE_CHECKING:
    from whatsapp_provider.emulator.evolution.servers import EvolutionServer

BAILEYS, BUSINESS, EVOLUTION = INTEGRATIONS = ("WHATSAPP-BAILEYS", "WHATSAPP-BUSINESS", "EVOLUTION")
# By the names of v2; v1 says the same in snake case.
DEFAULT_SETTINGS: dict[str, Any] = {
    "rejectCall": False,
    "msgCall": "",
    "groupsIgnore": False,
    "alwaysOnline": False,
    "readMessages": False,
    "readStatus": False,
    "syncFullHistory": False,
    "wavoipToken": "",
}
FIRST_TEMPLATE = 1_000_016
# What the network says, in the words of Baileys and of Meta.
BAILEYS_WORDS = {"sent": "SERVER_ACK", "delivered": "DELIVERY_ACK", "read": "READ", "failed": "ERROR"}
META_WORDS = {"sent": "SENT", "delivered": "DELIVERED", "read": "READ", "failed": "FAILED"}


@dataclass(slots=True)
class Wish:
    """What a create asked for, in one form for both versions."""

    name: str
    integration: str = BAILEYS
    token: str = ""
    number: str | None = None
    business_id: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)


class Instance:
    """One WhatsApp number's place at the server; also the network's port to it."""

    def __init__(self, server: EvolutionServer, wish: Wish, channel_id: str) -> None:
        self.server = server
        self.world = server.world
        self.channel_id = channel_id
        self.name = wish.name
        self.integration = wish.integration
        self.baileys = wish.integration == BAILEYS
        self.business = wish.integration == BUSINESS
        self.id = str(uuid.UUID(int=self.world.random.getrandbits(128), version=4))
        self.token = wish.token or self._new_token()
        self.number = wish.number
        self.business_id = wish.business_id
        self.settings = {**DEFAULT_SETTINGS, **wish.settings}
        self.settings_id = row_id(self)
        self.created_at = self.updated_at = self.world.clock.now()
        self.settings_at = self.created_at
        self.deleting = False
        self.webhook = Webhook(self)
        self.session = Session(self)
        self.history = History(self)
        self.templates: list[dict[str, Any]] = []

    def _new_token(self) -> str:
        return str(uuid.UUID(int=self.world.random.getrandbits(128), version=4)).upper()

    def add_template(self, wanted: dict[str, Any], status: str = "APPROVED") -> dict[str, Any]:
        """Have a template in Meta's words; one that is handed in over HTTP is approved by and by."""
        template = {
            "id": str(FIRST_TEMPLATE + len(self.templates)),
            "name": wanted["name"],
            "language": wanted["language"],
            "category": wanted["category"],
            "status": status,
            "components": wanted["components"],
        }
        self.templates.append(template)
        return template

    def judge_template(self, name: str, status: str) -> None:
        """Let Meta approve, reject, pause or disable a template in all its languages."""
        for template in self.templates:
            if template["name"] == name:
                template["status"] = status

    # -- what the network needs -------------------------------------------------------------

    def linkable(self) -> bool:
        """Say whether a phone could be linked now; others than Baileys get theirs at birth."""
        return self.session.scannable() if self.baileys else self.session.phone is None

    def linked(self, phone: str) -> None:
        """Learn that a phone was linked."""
        self.session.linked(phone)
        self.updated_at = self.world.clock.now()

    def unlinked(self) -> None:
        """Learn that the phone dropped this device."""
        self.session.unlinked()
        self.updated_at = self.world.clock.now()

    def receipt(self, message_id: str, status: str) -> None:
        """Note a tick and tell it; the EVOLUTION integration never hears of any."""
        if self.baileys:
            # The plain acknowledgement of WhatsApp's server makes no update, unless set so.
            if status != "sent" or self.world.settings.evolution_server_ack:
                self.history.update(message_id, BAILEYS_WORDS[status])
        elif self.business:
            self.history.update(message_id, META_WORDS[status])

    def inbound(self, message: Inbound) -> str:
        """Take a message that a phone wrote."""
        return self.history.incoming(message)

    def force(self, state: str) -> None:
        """Put the session into a state, for tests of trouble."""
        self.session.force(state)
        self.updated_at = self.world.clock.now()

    def describe(self) -> dict[str, Any]:
        """Return what the control API shows."""
        return {
            "gateway": "evolution",
            "name": self.name,
            "state": self.session.state,
            "phone": self.session.phone,
            "mode": f"v{self.server.version} {self.integration}",
            "messages": len(self.history),
        }

    # -- what the answers show --------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return the answer of ``connectionState``."""
        return {"instance": {"instanceName": self.name, "state": self.session.state}}

    def row(self) -> dict[str, Any]:
        """Return the row of ``fetchInstances``, as the version has it."""
        return self._row_v2() if self.server.version == 2 else {"instance": self._row_v1()}

    def _row_v2(self) -> dict[str, Any]:
        session = self.session
        return {
            "id": self.id,
            "name": self.name,
            "connectionStatus": session.state,
            "ownerJid": session.owner_jid,
            "profileName": session.profile_name,
            "profilePicUrl": None,
            "integration": self.integration,
            "number": self.number,
            "businessId": self.business_id,
            "token": self.token,
            "clientName": "evolution",
            "disconnectionReasonCode": session.reason,
            "disconnectionObject": session.reason_object,
            "disconnectionAt": None if session.lost_at is None else iso(session.lost_at),
            "createdAt": iso(self.created_at),
            "updatedAt": iso(self.updated_at),
            **dict.fromkeys(("Chatwoot", "Proxy", "Rabbitmq", "Nats", "Sqs", "Websocket")),
            "Setting": {
                "id": self.settings_id,
                **self.settings,
                "createdAt": iso(self.created_at),
                "updatedAt": iso(self.settings_at),
                "instanceId": self.id,
            },
            "_count": self.history.counts(),
        }

    def _row_v1(self) -> dict[str, Any]:
        session = self.session
        row: dict[str, Any] = {"instanceName": self.name, "instanceId": self.id}
        if session.state == "open":
            row["owner"] = session.owner_jid
            row["profileName"] = session.profile_name or "not loaded"
            row["profilePictureUrl"] = None
            row["profileStatus"] = ""
        return {
            **row,
            "status": session.state,
            "serverUrl": self.server.url,
            "apikey": self.token,
            "integration": {"integration": self.integration, **self.server.meta_addresses(self)},
        }

    def jid(self) -> str | None:
        """Return the chat id of the linked phone."""
        return None if self.session.phone is None else self.session.phone + SUFFIX
