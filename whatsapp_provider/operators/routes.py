"""The channels that a campaign goes through, each with the hook that reaches it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from whatsapp_provider.errors import ConfigurationError
from whatsapp_provider.hooks.channels import ChannelLike, names_nothing
from whatsapp_provider.hooks.whatsapp import WhatsAppHook

if TYPE_CHECKING:
    from whatsapp_provider.campaigns.terms import Route
    from whatsapp_provider.gateways.base import MessageCheck
    from whatsapp_provider.messages import Message
    from whatsapp_provider.model import ChannelRef

CONN_ID = "whatsapp_conn_id"
_KEYS = {CONN_ID, "channel", "weight"}


@dataclass(frozen=True, slots=True)
class Reach:
    """A channel and the hook that reaches it.

    :param weight: how many of the people whom no channel knows it gets, beside the other channels' weights.
    """

    hook: WhatsAppHook
    channel: ChannelRef
    weight: float = 1.0

    @property
    def key(self) -> str:
        """The channel's name in the ledger."""
        return self.channel.key(self.hook.gateway.channel_scope)

    @property
    def route(self) -> Route:
        """What the ledger keeps of it."""
        from whatsapp_provider.campaigns.terms import Route

        return Route(self.hook.whatsapp_conn_id, self.channel, self.key, self.weight)


def reaches(channels: Any, default: WhatsAppHook) -> tuple[Reach, ...]:
    """Return each channel that ``channels`` names, in order.

    :param channels: a list of channels of the task's own connection, or of mappings such as
        ``{"whatsapp_conn_id": "…", "channel": "…"}``.
    :raises ConfigurationError: if it is no such list, or a channel comes twice.
    """
    if isinstance(channels, str | Mapping) or not isinstance(channels, Sequence) or not channels:
        raise ConfigurationError(
            f"channels must be a list of channels, or of mappings such as {{'{CONN_ID}': 'second', 'channel': …}}, "
            f"not {'an empty one' if channels == [] else type(channels).__name__}."
        )
    hooks = {default.whatsapp_conn_id: default}
    found = tuple(_reach(entry, default, hooks) for entry in channels)
    keys = [reach.key for reach in found]
    if len(set(keys)) != len(keys):
        raise ConfigurationError("channels names one channel twice; its pace would be counted once only.")
    return found


def _reach(entry: Any, default: WhatsAppHook, hooks: dict[str, WhatsAppHook]) -> Reach:
    channel: ChannelLike = entry
    hook, weight = default, 1.0
    # What a task that creates a channel returned names its gateway, and no connection.
    if isinstance(entry, Mapping) and (CONN_ID in entry or "gateway" not in entry):
        if unknown := sorted(set(map(str, entry)) - _KEYS):
            raise ConfigurationError(
                f"channels: {', '.join(unknown)} is unknown; there is {', '.join(sorted(_KEYS))}."
            )
        channel = entry.get("channel")
        weight = _weight(entry.get("weight", 1))
    if isinstance(entry, Mapping) and CONN_ID in entry:
        hook = hooks.setdefault(str(entry[CONN_ID]), WhatsAppHook(str(entry[CONN_ID])))
    elif names_nothing(channel):
        raise ConfigurationError(f"channels has an entry that names no channel: {entry!r}.")
    return Reach(hook, hook.channel_ref(channel), weight)


def _weight(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < inf:
        raise ConfigurationError(f"channels: weight must be a number above 0, not {value!r}.")
    return float(value)


def of_routes(routes: Sequence[Route]) -> tuple[Reach, ...]:
    """Return the channels that a campaign was planned for.

    :raises ConfigurationError: if a connection leads to another place by now: the plan's checks were made there.
    """
    hooks: dict[str, WhatsAppHook] = {}
    found = []
    for route in routes:
        hook = hooks.setdefault(route.conn_id, WhatsAppHook(route.conn_id))
        reach = Reach(hook, route.channel, route.weight)
        if reach.key != route.key:
            raise ConfigurationError(
                f"Connection {route.conn_id!r} led to {route.key!r} when the campaign was planned, and leads to "
                f"{reach.key!r} now. Give the connection what it had, or plan another campaign."
            )
        found.append(reach)
    return tuple(found)


def message_check(everywhere: Sequence[Reach], kind: str) -> MessageCheck:
    """Return what refuses a message that one of the channels can't send.

    :raises UnsupportedError: if one of the gateways can't send the kind at all.
    """
    for reach in everywhere:
        reach.hook.gateway.capabilities.require_kind(reach.hook.gateway.name, kind)
    checks = [reach.hook.message_check(kind, channel=reach.channel) for reach in everywhere]

    def check(message: Message) -> None:
        for one in checks:
            one(message)

    return check
