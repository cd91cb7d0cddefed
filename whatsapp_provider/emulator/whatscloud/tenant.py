"""The tenant: its rows, its number on Meta's side, and what a test can do to it."""

from __future__ import annotations

from collections import Counter, deque
from datetime import UTC, datetime
from typing import Any

from whatsapp_provider.emulator.network import Inbound, NetworkError
from whatsapp_provider.emulator.whatscloud import contacts, meta, templates
from whatsapp_provider.emulator.whatscloud.history import FAILED, History, Sent, wamid
from whatsapp_provider.emulator.whatscloud.hooks import Webhooks
from whatsapp_provider.emulator.whatscloud.tables import Row, Table
from whatsapp_provider.emulator.world import World

TENANT_ID = 13
DAY = 86_400.0
#: What a test can force the number into, and the code with which Meta then refuses all sends.
STATES: dict[str, int | None] = {
    "connected": None,
    "unregistered": meta.NOT_REGISTERED,
    "locked": meta.LOCKED,
    "maintenance": meta.MAINTENANCE,
}
STATUSES = (("New", "#3B82F6", 1), ("In progress", "#F59E0B", 0), ("Closed", "#10B981", 0))
SOURCES = ("WhatsApp", "Website")


class Tenant:
    """One tenant with one number, connected from the start; also the network's port to it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.channel_id = f"whatscloud-{world.settings.whatscloud_tenant}"
        self.phone: str | None = None
        self.state = "connected"
        self.contacts = contacts.Contacts(TENANT_ID, self.now)
        self.statuses: Table = self._table()
        self.sources: Table = self._table()
        self.groups: Table = self._table()
        self.templates: Table = self._table()
        self.template_bots: Table = self._table()
        self.message_bots: Table = self._table()
        self.history = History(lambda: world.settings.history_limit)
        self.webhooks = Webhooks(world, self.channel_id, TENANT_ID)
        #: How many sends were ``accepted``, and how many Meta ``refused``.
        self.counts: Counter[str] = Counter()
        self._refusals: deque[int] = deque()
        self._heard: dict[str, float] = {}
        self._closed: set[str] = set()
        self._preset()
        world.network.attach(self.channel_id, self)
        world.network.link(self.channel_id, world.settings.whatscloud_phone)

    def _table(self) -> Table:
        return Table(TENANT_ID, self.now)

    def _preset(self) -> None:
        for name, color, default in STATUSES:
            self.statuses.add(name=name, color=color, isdefault=default)
        for name in SOURCES:
            self.sources.add(name=name)
        for template in templates.PRESET:
            templates.add(self.templates, template)
        params = {"header_params": "[]", "body_params": '["@{name}"]', "footer_params": "[]"}
        self.template_bots.add(
            name="Greeting",
            rel_type="lead",
            template_id=self.templates.rows[1]["template_id"],
            **params,
            filename=None,
            trigger="hello",
            reply_type=1,
            is_bot_active=1,
            sending_count=0,
        )
        buttons: Row = {f"button{number}{part}": None for number in (1, 2, 3) for part in ("", "_id")}
        self.message_bots.add(
            name="Opening hours",
            rel_type="lead",
            reply_text="We open at nine.",
            reply_type=1,
            trigger="hours",
            bot_header=None,
            bot_footer=None,
            **buttons,
            button_name=None,
            button_url=None,
            addedfrom=contacts.STAFF,
            is_bot_active=True,
            sending_count=0,
            filename=None,
        )

    def now(self) -> str:
        """Return the time as the product writes it."""
        return datetime.fromtimestamp(self.world.clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    # -- what a test does -------------------------------------------------------------------

    def add_template(self, name: str, **details: Any) -> Row:
        """Add a template; see :class:`whatsapp_provider.emulator.whatscloud.templates.Template`."""
        return templates.add(self.templates, templates.Template(name=name, **details))

    def set_template_status(self, name: str, status: str) -> None:
        """Approve, pause, reject … a template in all its languages."""
        found = [row for row in self.templates.rows.values() if row["template_name"] == name]
        if not found:
            raise NetworkError(f"There is no template {name!r}.")
        for row in found:
            self.templates.change(row, {"status": status})

    def forbid(self, *abilities: str) -> None:
        """Leave the token all abilities but these."""
        self.world.settings = self.world.settings.changed({"whatscloud_missing_abilities": abilities})

    def refuse_next(self, *codes: int) -> None:
        """Let Meta refuse the next sends with these codes, one each."""
        for code in codes:
            if code not in meta.CODES:
                raise NetworkError(f"The emulator does not know Meta's code {code}.")
        self._refusals.extend(codes)

    def close_window(self, *phones: str) -> None:
        """Make it longer than a day ago that these phones wrote; a word from them opens it again."""
        self._closed.update(phones)

    # -- what Meta says to a send -----------------------------------------------------------

    def meta_code(self, digits: str, *, free: bool) -> int | None:
        """Return the code with which Meta refuses a message, if it does; ``free`` ones need the window."""
        settings = self.world.settings
        if (code := STATES[self.state]) is not None:
            return code
        if self.phone is None:
            return meta.NOT_REGISTERED
        if self._refusals:
            return self._refusals.popleft()
        if settings.whatscloud_meta_error is not None:
            return settings.whatscloud_meta_error
        if (code := meta.magic_code(digits)) is not None:
            return code
        if digits == self.phone:
            return 131021
        return meta.WINDOW_CLOSED if free and not self._window_open(digits) else None

    def _window_open(self, digits: str) -> bool:
        if digits in self._closed:
            return False
        if not self.world.settings.whatscloud_window:
            return True
        heard = self._heard.get(digits)
        return heard is not None and self.world.clock.now() - heard < DAY

    # -- the network's port -----------------------------------------------------------------

    def linkable(self) -> bool:
        """Say whether a phone could be linked; there is no QR code, a person does it in Meta's pages."""
        return self.phone is None

    def linked(self, phone: str) -> None:
        """Have a number."""
        self.phone = phone

    def unlinked(self) -> None:
        """Have none any more."""
        self.phone = None

    def force(self, state: str) -> None:
        """Put the number into a state of :data:`STATES`."""
        if state not in STATES:
            raise NetworkError(f"No such state: {state!r}. Known: {', '.join(STATES)}.")
        self.state = state

    def describe(self) -> dict[str, Any]:
        """Return what the control API shows."""
        return {
            "gateway": "whatscloud",
            "name": self.world.settings.whatscloud_tenant,
            "state": self.state,
            "phone": self.phone,
            "messages": len(self.history.messages),
        }

    def receipt(self, message_id: str, status: str) -> None:
        """Note a tick, and tell the webhook."""
        self.tick(message_id, status, meta.UNDELIVERABLE)

    def tick(self, message_id: str, status: str, code: int) -> None:
        """Note a status; a failed one has Meta's words for the code."""
        error = meta.words(code) if status == FAILED else None
        message = self.history.advance(message_id, status, self.now(), error)
        if message is None:
            return
        data = {"message_id": message.id, "status": status, "error_message": message.error}
        if status == "sent":
            data |= {"text": message.text, "type": message.kind}
        self.webhooks.message(f"message.{status}", data)

    def remember(self, phone: str, contact: Row, kind: str, text: str | None, request: Any) -> Sent:
        """Give a message its id and keep it."""
        message_id = wamid(self.world.random, phone)
        sent = Sent(message_id, phone, contact["id"], kind, text, request, self.now())
        self.history.add(sent)
        return sent

    def inbound(self, message: Inbound) -> str:
        """Take a message of a phone: it opens the window for a day, and its owner becomes a contact."""
        self._heard[message.phone] = self.world.clock.now()
        self._closed.discard(message.phone)
        if self.contacts.by_phone(message.phone) is None:
            contacts.make(self, f"+{message.phone}", {"firstname": message.name})
        message_id = wamid(self.world.random, message.phone)
        data = {"message_id": message_id, "status": "received", "error_message": None}
        self.webhooks.message(
            "message.received", {**data, "text": message.text, "type": "text", "from": message.phone}
        )
        return message_id
