"""One look at a channel for all who watch its pairing, kept for seconds in this process's memory.

The gateway is asked at most every two seconds for a channel, however many pages are open, and for a
QR code only when the last one is about to expire. Nothing is stored or logged.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException

from whatsapp_provider.errors import AlreadyConnectedError, InputError, RateLimitedError, WhatsAppError
from whatsapp_provider.hooks.channels import resolve
from whatsapp_provider.hooks.whatsapp import WhatsAppHook
from whatsapp_provider.model import ChannelState, ChannelStatus
from whatsapp_provider.plugin import words
from whatsapp_provider.plugin.words import Words

if TYPE_CHECKING:
    from whatsapp_provider.gateways.base import Gateway
    from whatsapp_provider.model import ChannelRef, Pairing

LOOK_INTERVAL = 2.0  #: seconds between two looks at one channel
LOOK_TIMEOUT = 20.0  #: seconds after which a page is told that the gateway does not answer
QR_MARGIN = 2.0  #: a code with less time left is asked for anew
QR_LIFETIME = 20.0  #: assumed where the gateway does not tell
CODE_INTERVAL = 15.0  #: seconds between two pairing codes of one channel
REOPENED_AFTER = 60.0  #: seconds after which a changed connection is noticed
IDLE_SECONDS = 30.0  #: after which a channel that nobody watches is forgotten
MOST_WATCHED = 64
MOST_OFFERED = 200

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Watched:
    """What is known of one channel that somebody watches."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    used_at: float = 0.0
    looked_at: float = float("-inf")
    opened_at: float = float("-inf")
    code_at: float = float("-inf")
    gateway: Gateway | None = field(default=None, repr=False)
    ref: ChannelRef | None = None
    words: Words | None = None
    picture: str | None = field(default=None, repr=False)
    picture_until: float = 0.0

    def forget(self) -> None:
        """Drop what was opened, so that the next look starts from the connection."""
        self.gateway = self.ref = self.picture = None


class Desk:
    """Looks at channels on behalf of pages.

    :param clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._watched: dict[tuple[str, str], _Watched] = {}

    async def look(self, conn_id: str, channel: str) -> dict[str, Any]:
        """Return what the page shows of a channel, as JSON."""
        watched = self._entry(conn_id, channel)
        async with watched.lock:
            if watched.words is None or self._clock() - watched.looked_at >= LOOK_INTERVAL:
                watched.words = await self._look_or_explain(conn_id, channel, watched)
                watched.looked_at = self._clock()
            return self._shown(watched, watched.words)

    async def code(self, conn_id: str, channel: str, phone: str) -> str:
        """Return the code to type on the phone of that number; it is not kept.

        :raises InputError: if it is no phone number.
        :raises RateLimitedError: if the last code is seconds old.
        :raises WhatsAppError: whatever the gateway says.
        """
        digits = phone_digits(phone)
        watched = self._entry(conn_id, channel)
        async with watched.lock, asyncio.timeout(LOOK_TIMEOUT):
            wait = watched.code_at + CODE_INTERVAL - self._clock()
            if wait > 0:
                message = f"A code was asked for just now; try again in {wait:.0f} s."
                raise RateLimitedError(message, retry_after=wait)
            gateway = await self._open(conn_id, watched)
            gateway.capabilities.require(gateway.name, "pairing_code")
            ref = await self._resolve(gateway, channel, watched)
            watched.code_at = self._clock()
            pairing = await gateway.channel(ref).pairing_code(digits)
            return pairing.code or ""

    def _entry(self, conn_id: str, channel: str) -> _Watched:
        now, key = self._clock(), (conn_id, channel.strip())
        for other, watched in list(self._watched.items()):
            if now - watched.used_at > IDLE_SECONDS and not watched.lock.locked():
                del self._watched[other]
        if key not in self._watched and len(self._watched) >= MOST_WATCHED:
            del self._watched[min(self._watched, key=lambda other: self._watched[other].used_at)]
        watched = self._watched.setdefault(key, _Watched())
        watched.used_at = now
        return watched

    async def _look_or_explain(self, conn_id: str, channel: str, watched: _Watched) -> Words:
        try:
            async with asyncio.timeout(LOOK_TIMEOUT):
                return await self._look(conn_id, channel, watched)
        except Exception as error:
            watched.forget()
            return explain(error, conn_id)

    async def _look(self, conn_id: str, channel: str, watched: _Watched) -> Words:
        gateway = await self._open(conn_id, watched)
        if not channel.strip() and gateway.default_channel is None:
            return words.choose(await offered(gateway))
        ref = await self._resolve(gateway, channel, watched)
        status = await gateway.channel(ref).status()
        if status.state is not ChannelState.WAITING_FOR_PAIRING:
            watched.picture = None
            return words.of_status(status)
        if not gateway.capabilities.pairing_qr:
            gateway.capabilities.require(gateway.name, "pairing_code")
            return words.of_status(status, by_number=True)
        if watched.picture is None or watched.picture_until - self._clock() <= QR_MARGIN:
            try:
                self._keep(watched, await gateway.channel(ref).pairing_qr())
            except AlreadyConnectedError:
                watched.picture = None
                status = ChannelStatus(ChannelState.CONNECTED)
        return words.of_status(status, has_qr=watched.picture is not None)

    async def _open(self, conn_id: str, watched: _Watched) -> Gateway:
        if watched.gateway is None or self._clock() - watched.opened_at > REOPENED_AFTER:
            watched.ref = None
            watched.gateway = await asyncio.to_thread(open_gateway, conn_id)
            watched.opened_at = self._clock()
        return watched.gateway

    async def _resolve(self, gateway: Gateway, channel: str, watched: _Watched) -> ChannelRef:
        if watched.ref is None:
            watched.ref = await resolve(gateway, channel)
        return watched.ref

    def _keep(self, watched: _Watched, pairing: Pairing | None) -> None:
        watched.picture = None
        if pairing is not None and pairing.image is not None:
            lifetime = QR_LIFETIME if pairing.expires_in is None else pairing.expires_in
            watched.picture = f"data:image/png;base64,{b64encode(pairing.image).decode()}"
            watched.picture_until = self._clock() + lifetime

    def _shown(self, watched: _Watched, said: Words) -> dict[str, Any]:
        ref, gateway = watched.ref, watched.gateway
        waiting = said.state == ChannelState.WAITING_FOR_PAIRING
        return {
            **asdict(said),
            "channel": {"id": ref.channel_id, "name": ref.name} if ref else None,
            "gateway": gateway.name if gateway else None,
            "qr": watched.picture,
            "expires_in": max(0.0, watched.picture_until - self._clock()) if watched.picture else None,
            "by_number": bool(waiting and gateway and gateway.capabilities.pairing_code),
        }


def explain(error: Exception, conn_id: str) -> Words:
    """Return what to say of a failure; one that nobody foresaw is logged by its kind."""
    if isinstance(error, AirflowNotFoundException):
        return words.unknown_connection(conn_id)
    if not isinstance(error, WhatsAppError | TimeoutError):
        # Not its text: nobody has looked that over for numbers and tokens.
        log.warning("The pairing page of connection %r met a %s.", conn_id, type(error).__name__)
    return words.of_error(error, conn_id)


def phone_digits(phone: str) -> str:
    """Return the digits of a number as a person types it.

    :raises InputError: if it is no phone number.
    """
    digits = re.sub(r"[\s().+-]", "", phone)
    if not re.fullmatch(r"[1-9]\d{6,14}", digits, re.ASCII):
        raise InputError("Give the number with its country code, 7 to 15 digits, e.g. +1 555 000 0001.")
    return digits


def open_gateway(conn_id: str) -> Gateway:
    """Return the gateway of a connection; reads Airflow's database, so it runs in a thread."""
    return WhatsAppHook(conn_id).gateway


async def offered(gateway: Gateway) -> tuple[dict[str, Any], ...]:
    """Return the account's channels, for a person to choose one."""
    channels = await gateway.account().list_channels()
    return tuple(
        {"id": channel.ref.channel_id, "name": channel.ref.name, "stopped": channel.stopped}
        for channel in channels[:MOST_OFFERED]
    )
