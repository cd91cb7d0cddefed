"""Whapi.Cloud for the contract suite."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.contract.harness import BASE, Refusal
from whatsapp_provider.emulator import Emulator
from whatsapp_provider.gateways.connection import ConnectionValues


class Whapi:
    settings: ClassVar[dict[str, Any]] = {}
    pairable_at_once = False
    send_path = "/whapi/gate/messages/"
    create_path = "/whapi/manager/channels$"
    events = ("messages.post", "statuses.post")
    unpaired = Refusal(401, {"error": {"code": 401, "message": "need channel authorization"}})
    used_up = Refusal(402, {"code": 402, "error": "trial version limit exceeded"})
    bad_recipient = Refusal(400, {"error": {"code": 400, "message": "/body/to must match pattern"}})

    def account(self, emulator: Emulator) -> ConnectionValues:
        return self._values(password=emulator.partner_token)

    def one_channel(self, emulator: Emulator, channel_id: str) -> ConnectionValues:
        token = emulator.whapi.channels[channel_id].token
        return self._values(channel_token=token, channel_id=channel_id)

    def _values(self, password: str = "", **extra: str) -> ConnectionValues:
        extra["manager_url"] = f"{BASE}/whapi/manager"
        return ConnectionValues("contract", host=f"{BASE}/whapi/gate", password=password, extra=extra)

    def secrets(self, emulator: Emulator) -> list[str]:
        tokens = [channel.token for channel in emulator.whapi.channels.values()]
        return [emulator.partner_token, *tokens]

    async def paired(self, emulator: Emulator) -> str:
        return (await emulator.paired_channel("contract")).id

    def in_network(self, emulator: Emulator, channel_id: str) -> str:
        return channel_id

    async def until_pairable(self, emulator: Emulator) -> None:
        await emulator.advance(60)
        for channel in emulator.whapi.channels.values():
            channel.wake()
        await emulator.advance(22)


HARNESSES = {"": Whapi()}
