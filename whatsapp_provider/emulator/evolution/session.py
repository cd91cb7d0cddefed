"""The session of one instance with WhatsApp: connecting, QR codes, open, lost."""

from __future__ import annotations

import base64
import json
import string
from typing import TYPE_CHECKING, Any

from whatsapp_provider.emulator.clock import Timer
from whatsapp_provider.emulator.evolution.hooks import iso
from whatsapp_provider.emulator.network import NetworkError
from whatsapp_provider.emulator.qr import pairing_text, png

if TYPE_CHECKING:
    from whatsapp_provider.emulator.evolution.instance import Instance

SUFFIX = "@s.whatsapp.net"
CODE_LETTERS = string.digits[1:] + string.ascii_uppercase
PAIRING_SECONDS = 1.0
SIZE, SCALE = 364, 4
LIMIT = {"message": "QR code limit reached, please login again", "statusCode": 500}
LOGGED_OUT, BANNED, NOT_CONNECTED = 401, 403, 428
REASONS = {LOGGED_OUT: "Unauthorized", BANNED: "Forbidden"}
STATES = ("open", "connecting", "close", "refused", "banned", "dead")


class Session:
    """``state`` is what ``connectionState`` shows; only Baileys instances ever leave ``open`` by themselves."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._world = instance.world
        self.state = "close" if instance.baileys else "open"
        self.started = False
        self.lost = False
        self.dead = False
        self.phone: str | None = None
        self.owner_jid: str | None = None
        self.profile_name: str | None = None
        self.code: str | None = None
        self.pairing_code: str | None = None
        self.count = 0
        self.reason: int | None = None
        self.reason_object: str | None = None
        self.lost_at: float | None = None
        self._number: str | None = None
        self._picture: str | None = None
        self._loss = LOGGED_OUT
        self._timer: Timer | None = None
        self._scan_timer: Timer | None = None

    # -- connecting -------------------------------------------------------------------------

    def connect(self, number: str | None = None) -> None:
        """Go to WhatsApp: with the stored session back to open, else towards a QR code."""
        self._cancel()
        self.started, self.dead, self._number = True, False, number
        self._move("connecting", 200)
        after = self._world.settings.evolution_qr_after
        if after is None:
            # No way out of the server: the socket dies at once, and so does each of its retries.
            self.state = "close"
        elif self.phone is not None:
            self._later(after, self._opened)
        else:
            self.lost = False
            self._later(after + (PAIRING_SECONDS if number else 0), self._show_code)

    def pairable(self) -> None:
        """Show a code at once, for those who have no time to wait."""
        self.started, self.state = True, "connecting"
        self._show_code()

    def _show_code(self) -> None:
        settings = self._world.settings
        if self.count >= settings.evolution_qr_limit:
            self.refuse()
            return
        self.count += 1
        self.code = pairing_text(self._world.random)
        self._picture = None
        letters = self._world.random.choices(CODE_LETTERS, k=8)
        self.pairing_code = "".join(letters) if self._number else None
        self._later(settings.evolution_qr_lifetime, self._show_code)
        if self._instance.webhook.wants("QRCODE_UPDATED"):
            shown = {"instance": self._instance.name, **self.qrcode()}
            del shown["count"]
            self._instance.webhook.emit("QRCODE_UPDATED", {"qrcode": shown})
            self.code_seen()

    def refuse(self) -> None:
        """Give up after so many codes that nobody scanned."""
        self._cancel()
        self._instance.webhook.emit("QRCODE_UPDATED", LIMIT)
        self.count = 0
        self._move("refused", NOT_CONNECTED)
        self.state = "close"

    def qrcode(self) -> dict[str, Any]:
        """Return the code as ``connect`` shows it; without a code only how many there have been."""
        if self.code is None:
            return {"count": self.count}
        if self._picture is None:
            picture = base64.b64encode(png(self.code, SIZE, SCALE)).decode()
            self._picture = f"data:image/png;base64,{picture}"
        return {
            "pairingCode": self.pairing_code,
            "code": self.code,
            "base64": self._picture,
            "count": self.count,
        }

    def code_seen(self) -> None:
        """Somebody looks at the code: the owner of the phone will scan it, if set so."""
        after = self._world.settings.scan_after
        if after is not None and self._scan_timer is None and self.code is not None:
            self._scan_timer = self._world.timeline.call_later(after, self._scan)

    def _scan(self) -> None:
        self._scan_timer = None
        if self.scannable():
            self._world.network.link(self._instance.channel_id, self._number)

    def scannable(self) -> bool:
        """Say whether there is a code to scan."""
        return self.state == "connecting" and self.code is not None

    # -- open -------------------------------------------------------------------------------

    def linked(self, phone: str) -> None:
        """Become operational; instances without Baileys are so from birth and tell nothing."""
        self.phone = phone
        if self._instance.baileys:
            self.started = True
            self.owner_jid = phone + SUFFIX
            self.profile_name = self._instance.name
            self._opened()

    def _opened(self) -> None:
        self._cancel()
        self.lost = self.dead = False
        self._move("open", 200)

    def restart(self) -> None:
        """Drop the socket and come back."""
        if self._instance.baileys:
            self.connect(self._number)

    # -- lost -------------------------------------------------------------------------------

    def log_out(self, reason: int = LOGGED_OUT) -> None:
        """Wipe the session, on our side or by order of WhatsApp."""
        self._loss = reason
        if self.phone is not None and self._instance.baileys:
            self._world.network.unlink(self._instance.channel_id)
        else:
            self.unlinked()

    def unlinked(self) -> None:
        """Lose the session for good, and tell so."""
        self._cancel()
        reason, self._loss = self._loss, LOGGED_OUT
        webhook, name = self._instance.webhook, self._instance.name
        if not self._instance.baileys:
            self.state = "close"
            webhook.emit("LOGOUT_INSTANCE", None)
            return
        now = self._world.clock.now()
        self.lost, self.phone = True, None
        self.reason, self.lost_at = reason, now
        self.reason_object = _loss_object(reason, iso(now))
        webhook.emit(
            "STATUS_INSTANCE",
            {
                "instance": name,
                "status": "closed",
                "disconnectionAt": iso(now),
                "disconnectionReasonCode": reason,
                "disconnectionObject": self.reason_object,
            },
        )
        webhook.emit("LOGOUT_INSTANCE", None)
        self._move("close", reason)

    def force(self, state: str) -> None:
        """Put the session into a state, for tests of trouble."""
        if state not in STATES:
            raise NetworkError(f"No such state: {state!r}. Known: {', '.join(STATES)}.")
        if state in ("open", "dead") and self.phone is None:
            raise NetworkError(f"Instance {self._instance.name!r} has no phone; scan it instead.")
        if state == "refused":
            self.refuse()
        elif state == "banned":
            self.log_out(BANNED)
        elif state == "connecting" and self.phone is None:
            self.connect()
        elif state == "open":
            self._opened()
        else:
            # A socket that went away says nothing: ``close`` is only told when a session is lost.
            self._cancel()
            self.dead = state == "dead"
            self.state = "open" if self.dead else state

    def shut_down(self) -> None:
        """Leave for ever, without a word."""
        self._cancel()
        self.state = "close"

    # -- helpers ----------------------------------------------------------------------------

    def _move(self, state: str, reason: int) -> None:
        self.state = state
        if not self._instance.webhook.wants("CONNECTION_UPDATE"):
            return
        data: dict[str, Any] = {"instance": self._instance.name}
        if state == "open" and self._instance.server.version == 2:
            data |= {"wuid": self.owner_jid, "profileName": self.profile_name, "profilePictureUrl": None}
        self._instance.webhook.emit("CONNECTION_UPDATE", {**data, "state": state, "statusReason": reason})

    def _later(self, delay: float, run: Any) -> None:
        self._timer = self._world.timeline.call_later(delay, run)

    def _cancel(self) -> None:
        for timer in (self._timer, self._scan_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._scan_timer = None
        self.code = self._picture = self.pairing_code = None


def _loss_object(reason: int, date: str) -> str:
    payload = {"statusCode": reason, "error": REASONS.get(reason, "Unknown"), "message": "Connection Failure"}
    output = {"statusCode": reason, "payload": payload, "headers": {}}
    data = {"reason": str(reason), "location": "frc"}
    error = {"data": data, "isBoom": True, "isServer": False, "output": output}
    return json.dumps({"error": error, "date": date}, separators=(",", ":"))
