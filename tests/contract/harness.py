"""What the suite needs to know of a gateway: its connections at the emulator, and its paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from whatsapp_provider.emulator import Emulator
from whatsapp_provider.gateways.connection import ConnectionValues

BASE = "http://emulator"


@dataclass(frozen=True)
class Refusal:
    """An answer of the gateway that refuses a send for the reason of the test."""

    status: int
    body: Any


class Harness(Protocol):
    """One gateway at the emulator."""

    #: Settings of the emulator without which the gateway's life can't be seen.
    settings: Mapping[str, Any]
    #: Whether a new channel can be paired as soon as it is created.
    pairable_at_once: bool
    #: Regular expression of the paths that send, and of those that create a channel.
    send_path: str
    create_path: str
    #: Two events that a webhook can be set for.
    events: tuple[str, str]
    #: A send refused because no phone is paired, the plan is used up, and the recipient is bad.
    unpaired: Refusal
    used_up: Refusal
    bad_recipient: Refusal

    def account(self, emulator: Emulator) -> ConnectionValues:
        """Return a connection that reaches the whole account."""

    def one_channel(self, emulator: Emulator, channel_id: str) -> ConnectionValues:
        """Return a connection that reaches one channel and nothing else."""

    def secrets(self, emulator: Emulator) -> list[str]:
        """Return all tokens there are."""

    async def paired(self, emulator: Emulator) -> str:
        """Return the id of a channel that can send."""

    def in_network(self, emulator: Emulator, channel_id: str) -> str:
        """Return how the phone network calls a channel."""

    async def until_pairable(self, emulator: Emulator) -> None:
        """Let pass the time that a new channel, once looked at, needs before it can be paired."""
