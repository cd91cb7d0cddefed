"""Evolution API for the contract suite: a server of version 2, and one of version 1."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.contract.harness import BASE, Refusal
from whatsapp_provider.emulator import Emulator
from whatsapp_provider.gateways.connection import ConnectionValues


def envelope(status: int, message: Any) -> dict[str, Any]:
    return {"status": status, "error": "Bad Request", "response": {"message": message}}


class Evolution:
    # A server that hears WhatsApp's own acknowledgement, as they do in the field, though not reliably.
    settings: ClassVar = {"evolution_server_ack": True}
    events = ("MESSAGES_UPSERT", "SEND_MESSAGE")
    pairable_at_once = True
    unpaired = Refusal(500, envelope(500, "Cannot read properties of undefined (reading 'onWhatsApp')"))
    used_up = Refusal(
        201,
        {"message": "(#131042) Payment issue", "type": "OAuthException", "code": 131042, "fbtrace_id": "A"},
    )
    bad_recipient = Refusal(400, envelope(400, [{"jid": "0@s.whatsapp.net", "exists": False, "number": "0"}]))

    def __init__(self, version: str) -> None:
        self._version = version
        self._base = f"/evolution/{version}"
        self.send_path = f"{self._base}/message/"
        self.create_path = f"{self._base}/instance/create$"

    def account(self, emulator: Emulator) -> ConnectionValues:
        return self._values(password=emulator.settings.evolution_key)

    def one_channel(self, emulator: Emulator, channel_id: str) -> ConnectionValues:
        token = self._instances(emulator)[channel_id].token
        return self._values(instance=channel_id, instance_token=token)

    def _values(self, password: str = "", **extra: str) -> ConnectionValues:
        return ConnectionValues("contract", host=f"{BASE}{self._base}", password=password, extra=extra)

    def _instances(self, emulator: Emulator) -> Any:
        return getattr(emulator.evolution, self._version).instances

    def secrets(self, emulator: Emulator) -> list[str]:
        tokens = [instance.token for instance in self._instances(emulator).values()]
        return [emulator.settings.evolution_key, *tokens]

    async def paired(self, emulator: Emulator) -> str:
        server = getattr(emulator.evolution, self._version)
        name: str = server.paired(f"contract {len(server.instances)}").name
        return name

    def in_network(self, emulator: Emulator, channel_id: str) -> str:
        return channel_id

    async def until_pairable(self, emulator: Emulator) -> None:
        await emulator.advance(5)


HARNESSES = {"v2": Evolution("v2"), "v1": Evolution("v1")}
