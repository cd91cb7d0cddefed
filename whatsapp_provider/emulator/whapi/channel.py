"""One channel's life: provisioning, sleep, INIT, LAUNCH, QR, AUTH, STOP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from whatsapp_provider.emulator.clock import Timer
from whatsapp_provider.emulator.network import Inbound, NetworkError
from whatsapp_provider.emulator.whapi.history import History
from whatsapp_provider.emulator.whapi.ids import MessageIds
from whatsapp_provider.emulator.whapi.media import MediaShelf
from whatsapp_provider.emulator.whapi.qr import QrCode
from whatsapp_provider.emulator.whapi.trial import TrialMeter
from whatsapp_provider.emulator.whapi.webhooks import Webhooks, default_settings
from whatsapp_provider.emulator.world import World

# 1 to 5 are known from captures and clients; 0, 6 and 7 were chosen.
CODES = {
    "NOT_INIT": 0,
    "INIT": 1,
    "LAUNCH": 2,
    "QR": 3,
    "AUTH": 4,
    "ERROR": 5,
    "SYNC_ERROR": 6,
    "STOP": 7,
}
VERSION = "1.8.7-18-g5f9aea44"
SENDING = frozenset({"AUTH", "SYNC_ERROR"})


class WhapiChannel:
    """One WhatsApp number's place at the gateway; also the network's port to it."""

    def __init__(self, world: World, facts: dict[str, Any]) -> None:
        self.world = world
        self.facts = facts
        self.id: str = facts["id"]
        self.token: str = facts["token"]
        self.provisioned = False
        self.provisioned_at = 0.0
        self.status = "NOT_INIT"
        self.start_at = 0.0
        self.user: dict[str, Any] | None = None
        self.phone: str | None = None
        self.device_id = 0
        self.qr: QrCode | None = None
        self.settings = default_settings()
        self.webhooks = Webhooks(world, self.id)
        self.ids = MessageIds(world.random)
        self.history = History(lambda: world.settings.history_limit)
        self.media = MediaShelf(world.random)
        self.trial = TrialMeter(world, facts)
        self._step: Timer | None = None
        self._qr_timer: Timer | None = None
        self._scan_timer: Timer | None = None
        self._overdue_timer: Timer | None = None

    # -- life -------------------------------------------------------------------------------

    def provision(self) -> None:
        """Begin to exist: the gate does not know the channel until this is over."""
        self._next(self.world.settings.provisioning_seconds, self._provisioned)
        self.watch_active_till()

    def _provisioned(self) -> None:
        self.provisioned = True
        self.provisioned_at = self.world.clock.now()

    def wake(self) -> None:
        """Start a sleeping channel, as ``/health`` and the login calls do."""
        if self.provisioned and self.status == "NOT_INIT":
            self.boot()

    def boot(self) -> None:
        """Go through INIT and LAUNCH to AUTH, or to a QR code when no phone is linked."""
        self.start_at = self.world.clock.now()
        self._move("INIT")
        self._next(self.world.settings.init_seconds, self._launch)

    def _launch(self) -> None:
        self._move("LAUNCH")
        self._next(self.world.settings.launch_seconds, self._launched)

    def _launched(self) -> None:
        if self.phone is None:
            self.show_qr()
        else:
            self._move("AUTH")

    def stop(self) -> None:
        """Stop; the phone stays linked."""
        self._cancel_timers()
        self.qr = None
        self.facts["stopped"] = True
        self._move("STOP")

    def start(self) -> None:
        """Start again after a stop."""
        self.facts["stopped"] = False
        self.boot()

    def shut_down(self) -> None:
        """Leave for ever."""
        self._cancel_timers()
        if self._overdue_timer is not None:
            self._overdue_timer.cancel()

    def watch_active_till(self) -> None:
        """Stop the channel when its paid time is over."""
        if self._overdue_timer is not None:
            self._overdue_timer.cancel()
        left = self.facts["activeTill"] / 1000 - self.world.clock.now()
        self._overdue_timer = self.world.timeline.call_later(left, self.stop)

    def _next(self, delay: float, run: Callable[[], object]) -> None:
        if self._step is not None:
            self._step.cancel()
        self._step = self.world.timeline.call_later(delay, run)

    def _cancel_timers(self) -> None:
        for timer in (self._step, self._qr_timer, self._scan_timer):
            if timer is not None:
                timer.cancel()
        self._scan_timer = None

    def _move(self, status: str) -> None:
        self.status = status
        if self.webhooks.wants("channel", "post"):
            health = {
                "start_at": int(self.start_at),
                "uptime": self.uptime(),
                "status": self.status_object(),
                "version": VERSION,
            }
            self.webhooks.emit("channel", "post", {"health": health})

    # -- pairing ----------------------------------------------------------------------------

    def show_qr(self) -> None:
        """Show a fresh QR code, and another each time it gets old."""
        self._cancel_timers()
        self._move("QR")
        self._renew_qr()

    def _renew_qr(self) -> None:
        lifetime = self.world.settings.qr_lifetime
        self.qr = QrCode(self.world.random, self.world.clock.now() + lifetime)
        self._qr_timer = self.world.timeline.call_later(lifetime, self._renew_qr)
        if self.webhooks.wants("channel", "patch"):
            self.webhooks.emit("channel", "patch", {"qr": self.qr.as_dict(lifetime)})
            self.qr_seen()

    def qr_seen(self, phone: str | None = None) -> None:
        """Somebody looks at the code: the owner of the phone will scan it, if set so."""
        after = self.world.settings.scan_after
        if after is not None and self._scan_timer is None:
            self._scan_timer = self.world.timeline.call_later(after, self._scan, phone)

    def _scan(self, phone: str | None) -> None:
        self._scan_timer = None
        if self.linkable():
            self.world.network.link(self.id, phone)

    def linkable(self) -> bool:
        """Say whether there is a code to scan."""
        return self.status == "QR"

    def linked(self, phone: str) -> None:
        """Become operational."""
        self._cancel_timers()
        self.qr = None
        self.phone = phone
        self.device_id += 1
        self.user = {
            "id": phone,
            "name": self.facts["name"],
            "pushname": self.facts["name"],
            "is_business": False,
            "saved": True,
        }
        if not self.start_at:
            self.start_at = self.world.clock.now()
        self._move("AUTH")
        self.webhooks.emit("users", "post", {"user": {"id": phone, "name": self.facts["name"]}})

    def unlinked(self) -> None:
        """Go back to a QR code."""
        user, self.user, self.phone = self.user, None, None
        if user is not None:
            gone = {"id": user["id"], "name": user["name"]}
            self.webhooks.emit("users", "delete", {"user": gone})
        if self.status != "STOP":
            self.show_qr()

    def force(self, state: str) -> None:
        """Put the channel into a state by its text, for tests of trouble."""
        if state not in CODES:
            raise NetworkError(f"No such state: {state!r}. Known: {', '.join(CODES)}.")
        if state == "QR":
            self.show_qr()
        elif state == "AUTH" and self.phone is None:
            raise NetworkError(f"Channel {self.id!r} has no phone; scan it instead.")
        else:
            self._cancel_timers()
            self._move(state)

    # -- what the gate shows ----------------------------------------------------------------

    def can_send(self) -> bool:
        """Say whether messages leave; with SYNC_ERROR they still do."""
        return self.status in SENDING

    def uptime(self) -> int:
        """Return whole seconds since the channel was started."""
        return int(self.world.clock.now() - self.start_at) if self.start_at else 0

    def status_object(self) -> dict[str, Any]:
        """Return code and text of the status."""
        return {"code": CODES[self.status], "text": self.status}

    def health(self) -> dict[str, Any]:
        """Return the body of ``/health`` in the captured order of keys."""
        body: dict[str, Any] = {
            "start_at": int(self.start_at),
            "uptime": self.uptime(),
            "status": self.status_object(),
            "version": VERSION,
            "user": self.user,
            "ip": "127.0.0.1",
            "is_business": False,
            "channel_id": self.id,
            "api_version": VERSION.rpartition("-g")[2],
            "core_version": "29f50c024",
        }
        if self.user is not None:
            body["device_id"] = self.device_id
        return body

    def describe(self) -> dict[str, Any]:
        """Return what the control API shows."""
        return {
            "gateway": "whapi",
            "name": self.facts["name"],
            "state": self.status if self.provisioned else "PROVISIONING",
            "phone": self.phone,
            "mode": self.facts["mode"],
            "messages": len(self.history),
        }

    # -- what the network tells -------------------------------------------------------------

    def receipt(self, message_id: str, status: str) -> None:
        """Note a tick, and tell the webhooks; ticks never go back."""
        change = self.history.advance(message_id, status, self.world.clock.now())
        if change is not None and self.webhooks.subscribed:
            self.webhooks.emit("statuses", "post", {"statuses": [change]})

    def inbound(self, message: Inbound) -> str:
        """Store a message from a phone, and tell the webhooks."""
        content = self.history.incoming(message, self.ids.received(), self.world.clock.now())
        self.webhooks.emit("messages", "post", {"messages": [content]})
        return str(content["id"])
