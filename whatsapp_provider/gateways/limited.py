"""What a gateway inherits of what it can't do: each method refuses by the name of the ability that is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NoReturn

from whatsapp_provider.gateways.base import Capabilities, MessageCheck
from whatsapp_provider.gateways.directory import ContactDirectory
from whatsapp_provider.messages import Message
from whatsapp_provider.model import (
    Channel,
    ChannelSpec,
    Group,
    GroupMember,
    HistoryEntry,
    MessageStatus,
    NumberCheck,
    Pairing,
    Profile,
    Webhook,
)
from whatsapp_provider.templates import OfficialTemplate


class _Limited:
    gateway: ClassVar[str]
    capabilities: ClassVar[Capabilities]

    def refuse(self, flag: str) -> NoReturn:
        """Refuse by name what the gateway can't do.

        :raises UnsupportedError: naming the gateway and the missing ability.
        """
        self.capabilities.require(self.gateway, flag)
        raise NotImplementedError(f"Gateway {self.gateway!r} declares {flag!r} and does not do it.")


class LimitedAccount(_Limited):
    """An account with none of the abilities that not every gateway has."""

    async def create_channel(self, spec: ChannelSpec) -> Channel:
        """See ``AccountGateway``."""
        self.refuse("create_channels")

    async def delete_channel(self, channel_id: str) -> bool:
        """See ``AccountGateway``."""
        self.refuse("create_channels")

    async def extend_channel(self, channel_id: str, *, days: int, comment: str) -> None:
        """See ``AccountGateway``."""
        self.refuse("channel_lifecycle")

    async def set_channel_mode(self, channel_id: str, mode: str) -> None:
        """See ``AccountGateway``."""
        self.refuse("channel_lifecycle")

    async def start_channel(self, channel_id: str) -> None:
        """See ``AccountGateway``."""
        self.refuse("channel_lifecycle")

    async def stop_channel(self, channel_id: str) -> None:
        """See ``AccountGateway``."""
        self.refuse("channel_lifecycle")

    async def restart_channel(self, channel_id: str) -> None:
        """See ``AccountGateway``."""
        self.refuse("restart")

    def directory(self) -> ContactDirectory:
        """See ``AccountGateway``."""
        self.refuse("contact_book")


class LimitedChannel(_Limited):
    """A channel with none of the abilities that not every gateway has."""

    async def message_check(self, kind: str) -> MessageCheck:
        """Check the kind alone."""
        self.capabilities.require_kind(self.gateway, kind)
        return self._check_kind

    def _check_kind(self, message: Message) -> None:
        self.capabilities.require_kind(self.gateway, message.kind)

    async def templates(self) -> Sequence[OfficialTemplate]:
        """See ``ChannelGateway``."""
        self.refuse("templates")

    async def create_template(self, definition: Mapping[str, Any]) -> OfficialTemplate:
        """See ``ChannelGateway``."""
        self.refuse("create_templates")

    async def pairing_qr(self) -> Pairing | None:
        """See ``ChannelGateway``."""
        self.refuse("pairing_qr")

    async def pairing_code(self, phone: str) -> Pairing:
        """See ``ChannelGateway``."""
        self.refuse("pairing_code")

    async def logout(self) -> bool:
        """See ``ChannelGateway``."""
        self.refuse("logout")

    async def settings(self) -> dict[str, Any]:
        """See ``ChannelGateway``."""
        self.refuse("settings")

    async def update_settings(self, changes: Mapping[str, Any]) -> None:
        """See ``ChannelGateway``."""
        self.refuse("settings")

    async def webhooks(self) -> Sequence[Webhook]:
        """See ``ChannelGateway``."""
        self.refuse("webhooks")

    async def set_webhook(self, webhook: Webhook, *, replace: bool = False) -> bool:
        """See ``ChannelGateway``."""
        self.refuse("webhooks")

    async def remove_webhook(self, url: str) -> bool:
        """See ``ChannelGateway``."""
        self.refuse("webhooks")

    async def message_status(self, message_id: str) -> MessageStatus:
        """See ``ChannelGateway``."""
        self.refuse("message_status")

    async def check_numbers(self, numbers: Sequence[str]) -> Sequence[NumberCheck]:
        """See ``ChannelGateway``."""
        self.refuse("check_numbers")

    async def history(self, recipient: str, *, since: float, limit: int = 100) -> Sequence[HistoryEntry]:
        """See ``ChannelGateway``."""
        self.refuse("history")

    async def groups(self) -> Sequence[Group]:
        """See ``ChannelGateway``."""
        self.refuse("groups")

    async def group(self, chat_id: str) -> Group | None:
        """See ``ChannelGateway``."""
        self.refuse("groups")

    async def group_members(self, chat_id: str) -> Sequence[GroupMember]:
        """See ``ChannelGateway``."""
        self.refuse("groups")

    async def profile(self) -> Profile:
        """See ``ChannelGateway``."""
        self.refuse("profile")
