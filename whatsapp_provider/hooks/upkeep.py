"""What the hook offers for a channel's upkeep, beside sending: settings, templates, number checks, health."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from whatsapp_provider.hooks.channels import ChannelLike

if TYPE_CHECKING:
    from whatsapp_provider.gateways.base import Gateway
    from whatsapp_provider.gateways.directory import ContactQuery, ContactRecord
    from whatsapp_provider.hooks.health import ChannelHealth
    from whatsapp_provider.model import ChannelRef, NumberCheck
    from whatsapp_provider.templates import OfficialTemplate

T = TypeVar("T")


class _Hook(Protocol):
    """What the methods need of the hook that they are mixed into."""

    @property
    def gateway(self) -> Gateway: ...

    def run(self, work: Coroutine[Any, Any, T]) -> T: ...

    def channel_ref(self, channel: ChannelLike = None) -> ChannelRef: ...


class UpkeepMethods:
    """Mixin of the hook. What the gateway can't do is refused by name before anything is asked."""

    def settings(self: _Hook, *, channel: ChannelLike = None) -> dict[str, Any]:
        """Return a channel's settings as the gateway gives them, webhook secrets included."""
        self.gateway.capabilities.require(self.gateway.name, "settings")
        return self.run(self.gateway.channel(self.channel_ref(channel)).settings())

    def update_settings(self: _Hook, changes: Mapping[str, Any], *, channel: ChannelLike = None) -> None:
        """Change some settings of a channel and leave the others."""
        self.gateway.capabilities.require(self.gateway.name, "settings")
        self.run(self.gateway.channel(self.channel_ref(channel)).update_settings(changes))

    def templates(self: _Hook, *, channel: ChannelLike = None) -> Sequence[OfficialTemplate]:
        """Return the templates of the official API, approved or not."""
        self.gateway.capabilities.require(self.gateway.name, "templates")
        return self.run(self.gateway.channel(self.channel_ref(channel)).templates())

    def create_template(
        self: _Hook, definition: Mapping[str, Any], *, channel: ChannelLike = None
    ) -> OfficialTemplate:
        """Hand a template in for approval, in Meta's words: name, category, language, components."""
        self.gateway.capabilities.require(self.gateway.name, "create_templates")
        return self.run(self.gateway.channel(self.channel_ref(channel)).create_template(definition))

    def check_numbers(
        self: _Hook, numbers: Sequence[str], *, channel: ChannelLike = None
    ) -> Sequence[NumberCheck]:
        """Ask which numbers (digits) are on WhatsApp; mass checks draw attention, so ask sparingly."""
        self.gateway.capabilities.require(self.gateway.name, "check_numbers")
        return self.run(self.gateway.channel(self.channel_ref(channel)).check_numbers(numbers))

    def contacts(self: _Hook, query: ContactQuery | None = None) -> Sequence[ContactRecord]:
        """Return the gateway's contacts that a query chooses; all without one."""
        self.gateway.capabilities.require(self.gateway.name, "contact_book")
        found = self.gateway.account().directory().contacts(query)

        async def every() -> Sequence[ContactRecord]:
            return [contact async for contact in found]

        return self.run(every())

    def health(self: _Hook, *, concurrency: int = 5, templates: bool = True) -> Sequence[ChannelHealth]:
        """Look at all channels that the connection reaches; that one can't be asked is told of that one alone."""
        from whatsapp_provider.hooks.health import look_at_all

        return self.run(look_at_all(self.gateway, concurrency=concurrency, templates=templates))
