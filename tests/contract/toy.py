"""The toy for the contract suite."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from tests.contract.harness import BASE, Refusal
from tests.toy.dialect import Server
from whatsapp_provider.emulator import Emulator
from whatsapp_provider.gateways.connection import ConnectionValues


class Toy:
    settings: ClassVar[dict[str, Any]] = {}
    pairable_at_once = True
    send_path = "/toy/lines/.*/say"
    create_path = "no such path"
    events = ("", "")
    unpaired = Refusal(409, {"error": "no phone"})
    used_up = Refusal(402, {"error": "pay"})
    bad_recipient = Refusal(422, {"error": "whom?"})

    def account(self, emulator: Emulator) -> ConnectionValues:
        return ConnectionValues("contract", host=f"{BASE}/toy", password=_server(emulator).key)

    def one_channel(self, emulator: Emulator, channel_id: str) -> ConnectionValues:
        extra = {"line_id": channel_id, "line_token": _server(emulator).lines[channel_id].key}
        return ConnectionValues("contract", host=f"{BASE}/toy", extra=extra)

    def secrets(self, emulator: Emulator) -> list[str]:
        return [_server(emulator).key, *(line.key for line in _server(emulator).lines.values())]

    async def paired(self, emulator: Emulator) -> str:
        return _server(emulator).paired("contract").id

    def in_network(self, emulator: Emulator, channel_id: str) -> str:
        return channel_id

    async def until_pairable(self, emulator: Emulator) -> None:
        """Every line can be paired at once."""


def _server(emulator: Emulator) -> Server:
    return cast("Server", emulator.world.accounts["toy"])


HARNESSES = {"": Toy()}
