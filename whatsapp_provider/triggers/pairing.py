"""Tell somebody of a channel's QR code while a sensor waits for the phone."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from time import time
from typing import TYPE_CHECKING, Any, Self

from whatsapp_provider.errors import (
    AlreadyConnectedError,
    ConfigurationError,
    UnsupportedError,
    WhatsAppError,
)
from whatsapp_provider.operators.links import pairing_page

if TYPE_CHECKING:
    from airflow.sdk.definitions.callback import AsyncCallback

    from whatsapp_provider.gateways.base import Gateway
    from whatsapp_provider.model import ChannelRef, ChannelState, ChannelStatus, Pairing

#: Seconds that asking for a code and telling of it may take, all in all: a code does not live longer.
MOST_SECONDS = 30.0
#: Seconds that a code counts for where the gateway does not say, and within which what it says is believed.
LIFETIME, SHORTEST, LONGEST = 20.0, 5.0, 60.0
RARELY = 3600.0  #: seconds until a gateway is asked again for what it can't do


@dataclass(slots=True)
class PairingSchedule:
    """When to ask for a code, and whether it is told. Of what was told it keeps a hash.

    :param interval: seconds at least between two that are told.
    :param ask_at: seconds since the epoch before which nothing is asked.
    :param told: hash of the code that was told last.
    """

    interval: float = 0.0
    ask_at: float = 0.0
    told: str = ""

    def is_due(self, state: ChannelState, now: float) -> bool:
        """Whether to ask the gateway now."""
        from whatsapp_provider.model import ChannelState

        return state is ChannelState.WAITING_FOR_PAIRING and now >= self.ask_at

    def is_news(self, pairing: Pairing | None, now: float) -> bool:
        """Take what the gateway gave, and tell whether somebody is to be told of it."""
        if pairing is None:
            self.ask_at = now + SHORTEST
            return False
        lifetime = LIFETIME if pairing.expires_in is None else pairing.expires_in
        self.ask_at = now + min(max(lifetime, SHORTEST), LONGEST)
        digest = _digest(pairing)
        if digest == self.told:
            return False
        self.told = digest
        self.ask_at = max(self.ask_at, now + self.interval)
        return True

    def after_error(self, error: Exception, now: float) -> None:
        """Leave everybody in peace for a while; for long where there are no QR codes."""
        wait = RARELY if isinstance(error, UnsupportedError) else LIFETIME
        pause = max(wait, getattr(error, "retry_after", None) or 0.0)
        # A notifier that failed for one of several people has reached the others.
        self.ask_at = max(self.ask_at, now + pause)


def _digest(pairing: Pairing) -> str:
    # The text inside a picture stays the same however it is drawn. A code to type is too short for a hash to hide.
    content = pairing.raw.encode() if pairing.raw else pairing.image or b""
    return hashlib.sha256(content).hexdigest()[:16]


class PairingNotice:
    """Awaits a notifier for each new code of a channel; that it fails or hangs is logged and harms no wait.

    :param callback: what :func:`stored_callback` gives.
    :param log: of whoever waits.
    """

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], conn_id: str, log: Any) -> Self:
        """Return the notice that goes on where another process stopped."""
        schedule = PairingSchedule(stored["interval"], stored["ask_at"], stored.get("told", ""))
        return cls({"path": stored["path"], "kwargs": stored["kwargs"]}, conn_id, schedule, log)

    def to_dict(self) -> dict[str, Any]:
        """Return what another process needs to go on; of a code only its hash is in it."""
        schedule = self.schedule
        return {
            **self._callback,
            "interval": schedule.interval,
            "ask_at": schedule.ask_at,
            "told": schedule.told,
        }

    def __init__(
        self, callback: Mapping[str, Any], conn_id: str, schedule: PairingSchedule, log: Any
    ) -> None:
        self._callback = callback
        self._conn_id = conn_id
        self._log = log
        self.schedule = schedule

    async def after_look(
        self, gateway: Gateway, ref: ChannelRef, status: ChannelStatus, *, within: float = MOST_SECONDS
    ) -> None:
        """Tell of the code that there is now, if it is new.

        :param within: seconds that are left of the wait.
        """
        if within <= 0 or not self.schedule.is_due(status.state, time()):
            return
        try:
            async with asyncio.timeout(min(within, MOST_SECONDS)):
                await self._tell_news(gateway, ref)
        except AlreadyConnectedError:
            return  # the next look sees it
        except Exception as error:
            self.schedule.after_error(error, time())
            self._log.warning("Nobody was told of the pairing; the wait goes on: %s", _said(error))

    async def _tell_news(self, gateway: Gateway, ref: ChannelRef) -> None:
        gateway.capabilities.require(gateway.name, "pairing_qr")
        pairing = await gateway.channel(ref).pairing_qr()
        if not self.schedule.is_news(pairing, time()) or pairing is None:
            return
        context = {"pairing": _shown(pairing, ref, pairing_page(self._conn_id, ref.channel_id))}
        # Its first use in a process imports it, which no other wait should have to wait for.
        told = await asyncio.to_thread(_imported, self._callback["path"])
        await told(**self._callback["kwargs"], context=context)
        self._log.info("Told %s of a new %s.", self._callback["path"], pairing.kind.value)


def stored_callback(callback: AsyncCallback | Mapping[str, Any]) -> dict[str, Any]:
    """Return path and arguments of what is to be awaited for a pairing.

    :raises ConfigurationError: if it is neither an ``AsyncCallback`` of Airflow's nor what its ``serialize`` gives.
    """
    from airflow.sdk.definitions.deadline import AsyncCallback  # type: ignore[attr-defined]  # 3.1's place

    if isinstance(callback, Mapping) and set(callback) == {"path", "kwargs"}:
        callback = AsyncCallback(callback["path"], callback["kwargs"])
    if not isinstance(callback, AsyncCallback):
        raise ConfigurationError(
            f"on_pairing is a {type(callback).__name__}; wrap the notifier class or the coroutine function, e.g. "
            "AsyncCallback(WhatsAppNotifier, kwargs={…})."
        )
    return {"path": callback.path, "kwargs": callback.kwargs or {}}


def _shown(pairing: Pairing, ref: ChannelRef, page_url: str) -> dict[str, Any]:
    return {
        "kind": pairing.kind.value,
        "image": pairing.image,
        "raw": pairing.raw,
        "code": pairing.code,
        "expires_in": pairing.expires_in,
        "page_url": page_url,
        "channel": ref.to_dict(),
    }


def _imported(path: str) -> Any:
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigurationError(f"the notifier {path!r} can't be imported here: {error}") from None


def _said(error: Exception) -> str:
    # A text that isn't ours may tell the code.
    if isinstance(error, WhatsAppError):
        return str(error)
    return (
        f"it took more than {MOST_SECONDS:g} s" if isinstance(error, TimeoutError) else type(error).__name__
    )
