"""One connection: is it complete, what does it reach, what can be done with it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from time import monotonic
from typing import TYPE_CHECKING

from whatsapp_provider.cli.doctor.findings import Finding, Topic
from whatsapp_provider.cli.doctor.looking import Check
from whatsapp_provider.errors import (
    ConfigurationError,
    CredentialRejectedError,
    GatewayError,
    NoAnswerError,
    WhatsAppError,
)
from whatsapp_provider.gateways.base import Capabilities
from whatsapp_provider.model import ChannelState
from whatsapp_provider.plugin.urls import PAIRING_PATH
from whatsapp_provider.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any, TypeVar

    from whatsapp_provider.gateways.base import Gateway
    from whatsapp_provider.model import ChannelRef, ChannelStatus

    T = TypeVar("T")

_FATAL = (ChannelState.STOPPED, ChannelState.ERROR)


def check_of(conn_id: str) -> Check:
    """Return the check of one connection."""
    topic = Topic(f"connection {conn_id}")

    def look(seconds: float) -> Iterator[Finding]:
        return look_at_connection(topic, conn_id, monotonic() + seconds)

    return Check(topic, look)


def look_at_connection(topic: Topic, conn_id: str, deadline: float) -> Iterator[Finding]:
    """Look at the form, the gateway's answer, the capabilities and the default channel.

    :param deadline: by the monotonic clock.
    """
    from airflow.providers.common.compat.sdk import AirflowNotFoundException

    from whatsapp_provider.hooks.whatsapp import WhatsAppHook

    try:
        gateway = WhatsAppHook(conn_id).gateway
    except AirflowNotFoundException:
        yield topic.problem(
            "form",
            "Airflow has no connection of this id, or can't read it, or can't ask its secrets backend or database now.",
            "Check the id; 'airflow connections list' shows those of the metadata database.",
        )
        return
    except ConfigurationError as error:
        yield topic.problem("form", str(error), "Edit the connection under Admin → Connections.")
        return
    yield topic.ok("form", f"Complete, for gateway {gateway.name!r}.")
    yield _abilities(topic, gateway)
    started = monotonic()
    try:
        answer = _within(gateway.test(), deadline)
    except WhatsAppError as error:
        yield _failed(topic, "gateway", error)
        return
    yield topic.ok("gateway", f"Answered in {monotonic() - started:.2f} s: {redact(answer)}")
    if gateway.default_channel is not None:
        yield _channel(topic, gateway, gateway.default_channel, deadline)


def _within(asked: Coroutine[Any, Any, T], deadline: float) -> T:
    from whatsapp_provider.hooks import edge

    async def bounded() -> T:
        try:
            async with asyncio.timeout(deadline - monotonic()):
                return await asked
        except TimeoutError:
            raise NoAnswerError("No answer came within the time given by --timeout.") from None

    return edge.run(bounded())


def _failed(topic: Topic, looked_at: str, error: WhatsAppError) -> Finding:
    if isinstance(error, CredentialRejectedError):
        advice = "The token is wrong, expired or of another account: copy it anew into the connection."
    elif isinstance(error, GatewayError) and error.is_transient:
        advice = (
            "Check the address in the connection, and that this host can reach it (proxy, firewall, DNS)."
        )
    else:
        advice = "Check what the connection's fields say; the gateway's own page may tell more."
    return topic.problem(looked_at, str(error), advice)


def _abilities(topic: Topic, gateway: Gateway) -> Finding:
    able = gateway.capabilities
    flags = Capabilities.flags()
    can = [Capabilities.label(flag) for flag in flags if getattr(able, flag)]
    can_not = [Capabilities.label(flag) for flag in flags if not getattr(able, flag)]
    found = f"Sends {', '.join(sorted(able.message_kinds))}. Can {', '.join(can) or 'nothing else'}."
    if can_not:
        found += f" Can't {', '.join(can_not)}."
    try:
        gateway.account()
    except ConfigurationError as error:
        return topic.ok("capabilities", f"{found} But: {error}")
    return topic.ok("capabilities", found)


def _channel(topic: Topic, gateway: Gateway, ref: ChannelRef, deadline: float) -> Finding:
    looked_at = f"channel {redact(ref.channel_id)}"
    try:
        status = _within(gateway.channel(ref).status(), deadline)
    except WhatsAppError as error:
        return _failed(topic, looked_at, error)
    return judge_channel(topic, looked_at, status)


def judge_channel(topic: Topic, looked_at: str, status: ChannelStatus) -> Finding:
    """Return what is to be thought of a channel's state."""
    detail = redact(status.detail)
    # The gateway's own word is often the same as ours.
    told = f" ({detail})" if detail and detail.lower() != status.state.value else ""
    found = f"The channel is {status.state.value.replace('_', ' ')}{told}."
    if status.state is ChannelState.CONNECTED:
        return topic.ok(looked_at, found)
    if status.state in _FATAL:
        return topic.problem(looked_at, found, "See to it at the gateway: paid, started, not banned?")
    if status.state is ChannelState.WAITING_FOR_PAIRING:
        return topic.warning(looked_at, found, f"Pair a phone on the page {PAIRING_PATH} of Airflow's UI.")
    return topic.warning(
        looked_at, found, "Look again in a minute; nothing can be sent before it is connected."
    )
