"""The Bots API for the contract suite: a server that answers as the documents have it, and one of the end of 2023."""

from __future__ import annotations

from typing import Any

from tests.contract.harness import BASE, Refusal
from whatsapp_provider.emulator import Emulator
from whatsapp_provider.gateways.connection import ConnectionValues


def failed(message: str, error: str | None = None) -> dict[str, Any]:
    return {"status": False, "message": message, "error": error}


class Waabot:
    pairable_at_once = False
    send_path = "/waabot/api/v1/whatsapp/message"
    create_path = "/waabot/api/v1/whatsapp/createNewWhatsapp$"
    events = ("onMessage", "onAck")
    kinds_without_id = ("text", "location")
    unpaired = Refusal(401, failed("phone isn't connected"))
    used_up = Refusal(402, failed("Payment required"))
    bad_recipient = Refusal(500, failed("Something went wrong!", "no account exists"))

    def __init__(self, shape: str) -> None:
        self.settings: dict[str, Any] = {"waabot_strict_auth": True, "waabot_instance_shape": shape}

    def account(self, emulator: Emulator) -> ConnectionValues:
        return self._values(
            password=emulator.settings.waabot_token, refresh_token=emulator.settings.waabot_refresh_token
        )

    def one_channel(self, emulator: Emulator, channel_id: str) -> ConnectionValues:
        # The pair alone is enough where a server asks for no bearer; the documents show it both ways.
        emulator.configure(waabot_strict_auth=False)
        bot = emulator.waabot.bots[channel_id]
        return self._values(
            session_secret=bot.session_id, access_token=bot.access_token, channel_id=channel_id
        )

    def _values(self, password: str = "", **extra: str) -> ConnectionValues:
        return ConnectionValues("contract", host=f"{BASE}/waabot/api/v1", password=password, extra=extra)

    def secrets(self, emulator: Emulator) -> list[str]:
        bots = emulator.waabot.bots.values()
        pairs = [half for bot in bots for half in (bot.session_id, bot.access_token)]
        return [emulator.settings.waabot_token, emulator.settings.waabot_refresh_token, *pairs]

    async def paired(self, emulator: Emulator) -> str:
        channel_id: str = emulator.waabot.paired_bot(f"contract {len(emulator.waabot.bots)}").id
        return channel_id

    def in_network(self, emulator: Emulator, channel_id: str) -> str:
        return channel_id

    async def until_pairable(self, emulator: Emulator) -> None:
        await emulator.advance(5)


HARNESSES = {"": Waabot("seed"), "2023-12": Waabot("2023-12")}
