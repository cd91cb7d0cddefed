"""Look at all channels of an account; one that can't be asked hides none of the others."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from whatsapp_provider.errors import ConfigurationError, UnsupportedError, WhatsAppError
from whatsapp_provider.model import Channel, ChannelState
from whatsapp_provider.redaction import mask_number, redact

if TYPE_CHECKING:
    from whatsapp_provider.gateways.base import ChannelGateway, Gateway

#: The state of a channel that could not be asked.
UNKNOWN = "unknown"
#: Meta's words for templates that were approved once and can't be sent now.
PAUSED = frozenset({"PAUSED", "DISABLED"})
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class TemplateHealth:
    """How the templates of a channel are.

    :param statuses: how many there are of each status, in Meta's words.
    :param paused: those that Meta paused or disabled, as ``name (language)``.
    :param error: why they could not be read.
    """

    statuses: Mapping[str, int] = field(default_factory=dict)
    paused: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """One channel; holds no secret and no whole number.

    :param state: a word of ``ChannelState``, or ``unknown`` where it could not be asked.
    :param detail: the gateway's own word, or the error.
    :param phone: the paired number, masked.
    :param mode: the gateway's plan word.
    :param days_left: days until the paid or trial time ends, where the gateway tells it; below 0 once it has.
    :param templates: ``None`` where the channel has none.
    """

    channel_id: str
    name: str
    state: str
    detail: str = ""
    phone: str | None = None
    mode: str | None = None
    days_left: float | None = None
    templates: TemplateHealth | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, without what is not known."""
        told: dict[str, Any] = {
            "channel_id": self.channel_id,
            "name": self.name,
            "state": self.state,
            "detail": self.detail,
            "phone": self.phone,
            "mode": self.mode,
            "days_left": self.days_left,
        }
        if self.templates is not None:
            known = {
                "statuses": dict(self.templates.statuses),
                "paused": list(self.templates.paused),
                "error": self.templates.error,
            }
            told["templates"] = {name: value for name, value in known.items() if value}
        return {name: value for name, value in told.items() if value not in (None, "")}


async def look_at_all(
    gateway: Gateway, *, concurrency: int = 5, templates: bool = True, now: float | None = None
) -> Sequence[ChannelHealth]:
    """Look at each channel that the connection reaches, in the order of the account's list.

    :param concurrency: channels that are asked at once.
    :param templates: read the templates of connected channels, too, where the gateway tells them.
    :param now: seconds since the epoch (UTC), for the days that are left.
    :raises GatewayError: if the account can't be asked for its channels.
    :raises ConfigurationError: if the connection reaches neither an account nor a channel.
    """
    places = asyncio.Semaphore(max(1, concurrency))
    moment = time.time() if now is None else now

    async def look(channel: Channel) -> ChannelHealth:
        async with places:
            return await _look(gateway, channel, moment, templates=templates)

    return await asyncio.gather(*(look(channel) for channel in await _channels(gateway)))


async def _channels(gateway: Gateway) -> Sequence[Channel]:
    try:
        account = gateway.account()
    except ConfigurationError:
        own = gateway.default_channel
        if own is None:
            raise
        return [Channel(own)]
    return await account.list_channels()


async def _look(gateway: Gateway, channel: Channel, now: float, *, templates: bool) -> ChannelHealth:
    ref = channel.ref
    state, detail, phone, told = ChannelState.STOPPED.value, "stopped, says the account", None, None
    try:
        # A stopped one is not asked: on limited plans each request counts.
        if not channel.stopped:
            one = gateway.channel(ref)
            status = await one.status()
            state, detail, phone = status.state.value, status.detail, status.account_phone
            if templates and status.state is ChannelState.CONNECTED and gateway.capabilities.templates:
                told = await _templates(one)
    except WhatsAppError as error:
        state, detail = UNKNOWN, f"{type(error).__name__}: {error}"
    return ChannelHealth(
        ref.channel_id,
        redact(ref.name),  # some gateways put the number into it
        state,
        redact(detail),
        mask_number(phone) if phone else None,
        channel.mode,
        None if channel.active_till is None else round((channel.active_till - now) / DAY, 1),
        told,
    )


async def _templates(channel: ChannelGateway) -> TemplateHealth | None:
    try:
        found = await channel.templates()
    except UnsupportedError:
        return None  # of this gateway's channels, not each is one of the official API
    except WhatsAppError as error:
        return TemplateHealth(error=redact(f"{type(error).__name__}: {error}"))
    counts = Counter(template.status or "without a status" for template in found)
    paused = sorted(f"{one.name} ({one.language})" for one in found if one.status in PAUSED)
    return TemplateHealth(dict(sorted(counts.items())), tuple(paused))
