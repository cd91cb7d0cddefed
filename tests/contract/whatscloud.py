"""WhatsCloud for the contract suite: one tenant, which is one channel."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.contract.harness import BASE, Refusal
from whatsapp_provider.emulator import Emulator
from whatsapp_provider.gateways.connection import ConnectionValues


def refused_by_meta(code: int) -> dict[str, Any]:
    words = f"(#{code}) Refused"
    return {
        "status": "error",
        "message": words,
        "errors": {"message": words, "type": "OAuthException", "code": code, "fbtrace_id": "A"},
    }


class WhatsCloud:
    settings: ClassVar[dict[str, Any]] = {}
    pairable_at_once = True
    send_path = "/whatscloud/api/v1/acme/messages/(send|media|template)$"
    create_path = "no such path"
    events = ("", "")
    unpaired = Refusal(400, refused_by_meta(133010))
    used_up = Refusal(400, refused_by_meta(131042))
    bad_recipient = Refusal(
        422,
        {
            "status": "error",
            "message": "Validation failed",
            "errors": {"phone_number": ["The phone number field format is invalid."]},
        },
    )

    def account(self, emulator: Emulator) -> ConnectionValues:
        settings = emulator.settings
        return ConnectionValues(
            "contract",
            host=f"{BASE}/whatscloud/api/v1",
            password=settings.whatscloud_token,
            extra={"tenant": settings.whatscloud_tenant},
        )

    def one_channel(self, emulator: Emulator, channel_id: str) -> ConnectionValues:
        return self.account(emulator)

    def secrets(self, emulator: Emulator) -> list[str]:
        return [emulator.settings.whatscloud_token]

    async def paired(self, emulator: Emulator) -> str:
        return emulator.settings.whatscloud_tenant

    async def until_pairable(self, emulator: Emulator) -> None:
        """The number is connected from the start."""

    def in_network(self, emulator: Emulator, channel_id: str) -> str:
        return emulator.whatscloud.channel_id


HARNESSES = {"": WhatsCloud()}
