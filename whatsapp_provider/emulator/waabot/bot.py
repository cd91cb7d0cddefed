"""One bot: its row, its socket's life from ``init`` to the scan, and what it remembers of its messages."""

from __future__ import annotations

import base64
import uuid
from typing import Any, NamedTuple

from whatsapp_provider.emulator.clock import Timer
from whatsapp_provider.emulator.network import Inbound, NetworkError
from whatsapp_provider.emulator.qr import pairing_text, png
from whatsapp_provider.emulator.waabot.hooks import Hook
from whatsapp_provider.emulator.world import World

QR_SIZE = 300
QR_SCALE = 4
SUFFIX = "@s.whatsapp.net"
DATA_URL = "data:image/png;base64,"
# What a test may force; ``lost`` is a connection that is down for a moment and still counts as one.
STATES = ("new", "connecting", "qr", "open", "closed", "lost")
# How far a message is, in the numbers of open-wa.
ACKS = {"failed": -1, "sent": 1, "delivered": 2, "read": 3}


class Remembered(NamedTuple):
    """What a bot knows of a message that it sent."""

    chat_id: str
    text: str
    kind: str
    ack: int


class Bot:
    """One WhatsApp number's place at the service; also the network's port to it."""

    def __init__(self, world: World, row: dict[str, Any], instance_key: str) -> None:
        self.world = world
        self.row = row
        self.id: str = row["_id"]
        self.session_id: str = row["session_id"]
        self.access_token: str = row["settings"]["access_token"]
        self.instance_key = instance_key
        self.state = "new"
        # None until the first connection: upstream's field is not set before.
        self.online: bool | None = None
        self.phone: str | None = None
        self.device = 0
        # A data URL; empty before the first code, and one space when nobody scanned in time.
        self.qr = ""
        self.hook = Hook(self)
        self.sent: dict[str, Remembered] = {}
        self._codes = 0
        self._step: Timer | None = None
        self._scan_timer: Timer | None = None

    # -- life -------------------------------------------------------------------------------

    def begin(self) -> None:
        """Open the socket, as ``init`` does; a bot that is connected stays so."""
        if self.online and self.state in ("open", "lost"):
            return
        self.shut_down()
        # A new instance takes the old one's place, and knows nothing of its connection.
        self.state, self.online, self.qr, self._codes = "connecting", None, "", 0
        self._step = self.world.timeline.call_later(self.world.settings.waabot_qr_after, self.show_qr)

    def show_qr(self) -> None:
        """Show the next code; at the cap the socket is closed and nothing is left to scan."""
        self._cancel_step()
        self._codes += 1
        settings = self.world.settings
        if self._codes >= settings.waabot_qr_limit:
            self.shut_down()
            self.state, self.qr = "closed", " "
            return
        picture = png(pairing_text(self.world.random), QR_SIZE, QR_SCALE)
        self.state, self.qr = "qr", DATA_URL + base64.b64encode(picture).decode()
        first = self._codes == 1
        lifetime = settings.waabot_qr_lifetime if first else settings.waabot_qr_next_lifetime
        self._step = self.world.timeline.call_later(lifetime, self.show_qr)

    def qr_seen(self) -> None:
        """Somebody looks at the code: the owner of the phone will scan it, if set so."""
        after = self.world.settings.scan_after
        if after is not None and self.state == "qr" and self._scan_timer is None:
            self._scan_timer = self.world.timeline.call_later(after, self._scan)

    def _scan(self) -> None:
        self._scan_timer = None
        if self.linkable():
            self.world.network.link(self.id)

    def shut_down(self) -> None:
        """Do nothing any more by itself."""
        self._cancel_step()
        if self._scan_timer is not None:
            self._scan_timer.cancel()
            self._scan_timer = None

    def _cancel_step(self) -> None:
        if self._step is not None:
            self._step.cancel()
            self._step = None

    def linkable(self) -> bool:
        """Say whether there is a code to scan."""
        return self.state == "qr"

    def linked(self, phone: str) -> None:
        """Become connected; upstream's restart after the scan takes no time here."""
        self.shut_down()
        self.state, self.online = "open", True
        self._forget_code()
        self.phone = phone
        self.device += 1
        settings = self.row["settings"]
        settings["bot_name"] = settings["bot_name"].replace("(bot_number)", f"({phone})")
        self.hook.connection("open")

    def unlinked(self) -> None:
        """Lose the credentials; only another ``init`` shows a code."""
        self.shut_down()
        self.state, self.online, self.phone = "closed", False, None
        self._forget_code()
        self.hook.connection("close")

    def _forget_code(self) -> None:
        # The server below never does: what was scanned stays shown, to the next init.
        if self.world.settings.waabot_instance_shape != "seed":
            self.qr = ""

    def force(self, state: str) -> None:
        """Put the bot into a state, for tests of trouble."""
        if state not in STATES:
            raise NetworkError(f"No such state: {state!r}. Known: {', '.join(STATES)}.")
        if state in ("open", "lost") and self.phone is None:
            raise NetworkError(f"Bot {self.id!r} has no phone; scan it instead.")
        self.shut_down()
        if state == "qr":
            self._codes = 0
            self.show_qr()
            return
        self.state = state
        if state in ("open", "lost"):
            self.online = True
        else:
            self.online = None if state == "new" else False

    # -- what the service shows -------------------------------------------------------------

    def status(self) -> str:
        """Return ``settings.status``, which only the later servers keep."""
        if self.world.settings.waabot_instance_shape == "seed" or self.online is None:
            return "CONNECTED"
        return "ONLINE" if self.online else "DISCONNECTED"

    def document(self) -> dict[str, Any]:
        """Return the row as its creation shows it."""
        return {**self.row, "settings": {**self.row["settings"], "status": self.status()}}

    def listed(self) -> dict[str, Any]:
        """Return the row as the list shows it: the id first, no owner, no language, and the number once known."""
        document = self.document()
        settings = {name: value for name, value in document["settings"].items() if name != "bot_lang"}
        if self.phone is not None:
            settings = {"bot_number": self.phone, **settings}
        rest = {name: document[name] for name in ("session_id", "createdAt", "updatedAt", "__v")}
        return {"_id": self.id, "settings": settings, **rest}

    def instance(self) -> dict[str, Any]:
        """Return ``instance_data``: empty while no socket was ever opened."""
        if self.state == "new":
            return {}
        data: dict[str, Any] = {"instance_key": self.instance_key}
        if self.online is not None:
            data["phone_connected"] = self.online
        data["webhookUrl"] = self.hook.url or None
        if self.phone is None or not self.online:
            return {**data, "user": {}}
        name = self.row["settings"]["bot_name"]
        return {**data, "user": {"id": f"{self.phone}:{self.device}{SUFFIX}", "name": name}}

    def describe(self) -> dict[str, Any]:
        """Return what the control API shows."""
        return {
            "gateway": "waabot",
            "name": self.row["settings"]["bot_name"],
            "state": self.state,
            "phone": self.phone,
            "messages": len(self.sent),
        }

    # -- messages ---------------------------------------------------------------------------

    def remember(self, message_id: str, chat_id: str, text: str, kind: str) -> None:
        """Keep what receipts will tell of; the oldest are forgotten first."""
        self.sent[message_id] = Remembered(chat_id, text, kind, 0)
        if len(self.sent) > self.world.settings.history_limit:
            del self.sent[next(iter(self.sent))]

    def receipt(self, message_id: str, status: str) -> None:
        """Tell a tick, if it is one more than before."""
        message = self.sent.get(message_id)
        ack = ACKS[status]
        if message is None or (message.ack >= ack and status != "failed"):
            return
        self.sent[message_id] = message = message._replace(ack=ack)
        self.hook.ack(message_id, message.chat_id, message.text, message.kind, ack)

    def inbound(self, message: Inbound) -> str:
        """Take what a phone wrote, and tell the webhook."""
        source = self.world.random
        message_id = f"3EB0{source.getrandbits(72):018X}"
        self.hook.received(message, message_id)
        return message_id

    def new_uuid(self) -> str:
        """Return an id as the webhooks have them."""
        return str(uuid.UUID(int=self.world.random.getrandbits(128), version=4))
