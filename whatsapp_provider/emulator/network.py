"""The phone network: who is linked to which channel, and what each phone received.

It knows no gateway's words. A dialect attaches each of its channels as a ``ChannelPort``, hands over
accepted messages, and is told of receipts, replies, links and unlinks. The truth log is the authority
on who got what and how often: an entry is written when a gateway has accepted a message, whatever the
gateway (or a fault on the wire) answers afterwards.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol, TextIO

from whatsapp_provider.emulator.clock import Clock, Timeline
from whatsapp_provider.emulator.groups import Groups
from whatsapp_provider.emulator.settings import EmulatorSettings

EDIT = "edit"


class Received(NamedTuple):
    """One line of the truth log: a phone got a message."""

    at: float
    phone: str
    channel_id: str
    message_id: str
    kind: str
    text: str | None
    media: Mapping[str, Any] | None
    chat_id: str


class Outgoing(NamedTuple):
    """A message that a gateway accepted and hands to the network."""

    message_id: str
    chat_id: str
    kind: str
    text: str | None = None
    media: Mapping[str, Any] | None = None


class Inbound(NamedTuple):
    """A message that a phone writes to a channel."""

    phone: str
    name: str
    text: str
    quoted_id: str | None = None
    button_id: str | None = None


class ChannelPort(Protocol):
    """What the network needs from a dialect's channel."""

    def linkable(self) -> bool:
        """Say whether a phone could scan or enter a code now."""

    def linked(self, phone: str) -> None:
        """Learn that a phone was linked."""

    def unlinked(self) -> None:
        """Learn that the phone dropped the channel from its linked devices."""

    def receipt(self, message_id: str, status: str) -> None:
        """Learn that a message is ``sent``, ``delivered``, ``read`` or ``failed``."""

    def inbound(self, message: Inbound) -> str:
        """Take a message that a phone wrote; return the id the gateway gave to it."""

    def force(self, state: str) -> None:
        """Put the channel into a named state, for tests of trouble."""

    def describe(self) -> dict[str, Any]:
        """Return what the control API shows of the channel."""


class NetworkError(Exception):
    """A command to the phone network that makes no sense now."""


class PhoneNetwork:
    """All phones, all channels, and the truth log."""

    def __init__(self, clock: Clock, timeline: Timeline, settings: Callable[[], EmulatorSettings]) -> None:
        self._clock = clock
        self._timeline = timeline
        self._settings = settings
        self._ports: dict[str, ChannelPort] = {}
        self._linked: dict[str, str] = {}
        self._channels_of: dict[str, list[str]] = {}
        self._phones_given = 0
        self._log: list[Received] = []
        self._by_phone: dict[str, list[Received]] = {}
        self._tallies: Counter[tuple[str, str]] = Counter()
        self._truth_file: TextIO | None = None
        self.groups = Groups(clock)

    def write_truth_to(self, stream: TextIO | None) -> None:
        """Copy each further line of the truth log to a file, as JSON lines."""
        self._truth_file = stream

    # -- channels ---------------------------------------------------------------------------

    def attach(self, channel_id: str, port: ChannelPort) -> None:
        """Make a dialect's channel known."""
        self._ports[channel_id] = port

    def detach(self, channel_id: str) -> None:
        """Forget a deleted channel; what its recipients received stays in the log."""
        self._ports.pop(channel_id, None)
        self._drop_link(channel_id)

    def ports(self) -> Iterable[tuple[str, ChannelPort]]:
        """Return all channels of all dialects."""
        return self._ports.items()

    def port(self, channel_id: str) -> ChannelPort:
        """Return one channel, or refuse."""
        port = self._ports.get(channel_id)
        if port is None:
            raise NetworkError(f"There is no channel {channel_id!r}.")
        return port

    def linked_phone(self, channel_id: str) -> str | None:
        """Return the number a channel is linked to."""
        return self._linked.get(channel_id)

    def new_phone(self) -> str:
        """Return a number that no channel uses yet."""
        number = str(int(self._settings().phone) + self._phones_given)
        self._phones_given += 1
        return number

    def link(self, channel_id: str, phone: str | None = None) -> str:
        """Scan the QR code or enter the pairing code of a channel with a phone."""
        port = self.port(channel_id)
        if not port.linkable():
            raise NetworkError(f"Channel {channel_id!r} shows nothing to scan now.")
        number = phone or self.new_phone()
        self._linked[channel_id] = number
        self._channels_of.setdefault(number, []).append(channel_id)
        port.linked(number)
        return number

    def unlink(self, channel_id: str) -> None:
        """Remove a channel from its phone's linked devices."""
        port = self.port(channel_id)
        if self._drop_link(channel_id) is None:
            raise NetworkError(f"Channel {channel_id!r} is not linked to a phone.")
        port.unlinked()

    def _drop_link(self, channel_id: str) -> str | None:
        phone = self._linked.pop(channel_id, None)
        if phone is not None:
            self._channels_of[phone].remove(channel_id)
        return phone

    def add_group(self, subject: str, participants: Iterable[str], description: str | None = None) -> str:
        """Make a group, and return its chat id; a message to it is one line of the truth log."""
        return self.groups.add(subject, participants, description).id

    # -- messages ---------------------------------------------------------------------------

    def on_whatsapp(self, digits: str) -> bool:
        """Say whether a number has WhatsApp at all."""
        return 7 <= len(digits) <= 15 and digits not in self._settings().numbers_without_whatsapp

    def send(self, channel_id: str, message: Outgoing) -> None:
        """Carry an accepted message to its phone, and its ticks back."""
        settings = self._settings()
        phone = message.chat_id.partition("@")[0]
        if phone in settings.numbers_without_whatsapp:
            self._timeline.call_later(settings.sent_after or 0, self._fail, channel_id, message.message_id)
            return
        entry = Received(
            self._clock.now(),
            phone,
            channel_id,
            message.message_id,
            message.kind,
            message.text,
            message.media,
            message.chat_id,
        )
        self._record(entry)
        if message.kind == EDIT:
            return
        if settings.sent_after is not None:
            self._timeline.call_later(settings.sent_after, self._tick, channel_id, message.message_id, 0)
        if phone in self._channels_of:
            self._deliver_to_channels(channel_id, phone, message)

    def tally(self, channel_id: str, phone: str) -> None:
        """Count a message to a phone without keeping it, for measurements: they send too many."""
        self._tallies[channel_id, phone] += 1

    def _record(self, entry: Received) -> None:
        self._log.append(entry)
        mine = self._by_phone.get(entry.phone)
        if mine is None:
            self._by_phone[entry.phone] = [entry]
        else:
            mine.append(entry)
        if self._truth_file is not None:
            self._truth_file.write(json.dumps(entry._asdict()) + "\n")

    def _deliver_to_channels(self, sender: str, phone: str, message: Outgoing) -> None:
        """Show the message in each channel that the receiving phone is linked to."""
        sender_phone = self._linked.get(sender, "")
        for channel_id in self._channels_of[phone]:
            if channel_id != sender:
                self._ports[channel_id].inbound(Inbound(sender_phone, sender_phone, message.text or ""))

    def _tick(self, channel_id: str, message_id: str, stage: int) -> None:
        # Each tick plans the next one, so a changed setting holds for messages under way.
        port = self._ports.get(channel_id)
        if port is None:
            return
        port.receipt(message_id, ("sent", "delivered", "read")[stage])
        settings = self._settings()
        delays = (settings.sent_after, settings.delivered_after, settings.read_after)
        if stage == 2 or (following := delays[stage + 1]) is None:
            return
        wait = max(0.0, following - (delays[stage] or 0.0))
        self._timeline.call_later(wait, self._tick, channel_id, message_id, stage + 1)

    def _fail(self, channel_id: str, message_id: str) -> None:
        port = self._ports.get(channel_id)
        if port is not None:
            port.receipt(message_id, "failed")

    def read(self, phone: str, message_id: str | None = None) -> int:
        """Let a phone read one message, or all it has; return how many."""
        entries = [
            entry
            for entry in self._by_phone.get(phone, ())
            if entry.kind != EDIT and message_id in (None, entry.message_id)
        ]
        for entry in entries:
            if entry.channel_id in self._ports:
                self._ports[entry.channel_id].receipt(entry.message_id, "read")
        return len(entries)

    def reply(self, message: Inbound, channel_id: str | None = None) -> tuple[str, str]:
        """Let a phone write to a channel, by default the last that wrote to it."""
        if channel_id is None:
            entries = self._by_phone.get(message.phone)
            if not entries:
                raise NetworkError(f"Phone {message.phone} has received nothing it could answer to.")
            channel_id = entries[-1].channel_id
        if channel_id not in self._linked:
            raise NetworkError(f"Channel {channel_id!r} is not linked to a phone.")
        return channel_id, self.port(channel_id).inbound(message)

    # -- truth ------------------------------------------------------------------------------

    def received(self, phone: str | None = None, channel_id: str | None = None) -> list[Received]:
        """Return what phones received, oldest first."""
        entries = self._log if phone is None else self._by_phone.get(phone, [])
        if channel_id is None:
            return list(entries)
        return [entry for entry in entries if entry.channel_id == channel_id]

    def counts(self, channel_id: str | None = None) -> dict[str, int]:
        """Return how many messages each phone received; an edit is not another message."""
        totals: dict[str, int] = {}
        for phone, entries in self._by_phone.items():
            number = sum(e.kind != EDIT and channel_id in (None, e.channel_id) for e in entries)
            if number:
                totals[phone] = number
        for (sender, phone), number in self._tallies.items():
            if channel_id in (None, sender):
                totals[phone] = totals.get(phone, 0) + number
        return totals

    def total(self) -> int:
        """Return how many messages and edits phones received."""
        return len(self._log) + self._tallies.total()
