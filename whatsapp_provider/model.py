"""The nouns of this package: channels, pairings, webhooks, send results.

Frozen and typed; they know no gateway and do no I/O. Message kinds live in ``messages.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

from whatsapp_provider.errors import ConfigurationError


class ChannelState(StrEnum):
    """Where a channel is in its life, the same words for every gateway."""

    PROVISIONING = "provisioning"  #: bought, but the gateway does not serve it yet
    INITIALIZING = "initializing"  #: served, starting, or reconnecting for a moment
    WAITING_FOR_PAIRING = "waiting_for_pairing"  #: a QR code or pairing code can be had
    CONNECTED = "connected"  #: a phone is paired and messages can be sent
    DISCONNECTED = "disconnected"  #: paired once, now without a connection
    STOPPED = "stopped"  #: stopped by a person, unpaid or expired
    ERROR = "error"  #: the gateway reports an error for it

    @property
    def is_initialized(self) -> bool:
        """Whether the channel answers and can be paired or used."""
        return self in {self.WAITING_FOR_PAIRING, self.CONNECTED, self.DISCONNECTED}

    @property
    def is_fatal(self) -> bool:
        """Whether only a person can change it, so that waiting is of no use."""
        return self is ChannelState.STOPPED


@dataclass(frozen=True, slots=True)
class ChannelRef:
    """What travels between tasks to say which channel is meant. Holds no secret.

    :param gateway: its name in the registry.
    :param channel_id: the gateway's own id.
    :param name: the name the channel was created under, for people.
    """

    gateway: str
    channel_id: str
    name: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the form that is stored in XCom and trigger arguments."""
        return {"gateway": self.gateway, "channel_id": self.channel_id, "name": self.name}

    def key(self, scope: str = "") -> str:
        """Return the channel's name in the ledger.

        :param scope: what ids are unique within, where that isn't the whole gateway; ``Gateway.channel_scope``.
        """
        return "/".join(filter(None, (self.gateway, scope, self.channel_id)))

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote.

        :raises ConfigurationError: if a key is missing or empty.
        """
        for key in ("gateway", "channel_id"):
            if not value.get(key):
                raise ConfigurationError(
                    f"A channel reference needs the key {key!r}; pass what the create-channel task returned, "
                    "a channel id, or a channel name."
                )
        return cls(str(value["gateway"]), str(value["channel_id"]), str(value.get("name") or ""))


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """One look at a channel.

    :param detail: the gateway's own word for the state, or its reason.
    :param account_phone: the paired number (digits), where the gateway says it.
    """

    state: ChannelState
    detail: str = ""
    account_phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as the account lists it.

    :param project: the gateway's grouping of channels, where it has one.
    :param active_till: end of the paid or trial time, seconds since the epoch (UTC).
    :param mode: the gateway's plan word (``trial``, ``live``…).
    """

    ref: ChannelRef
    project: str | None = None
    active_till: float | None = None
    mode: str | None = None
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """What to create.

    :param options: what only some gateways know, by each gateway's own names; may hold secrets.
    """

    name: str
    project: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)


class PairingKind(StrEnum):
    """How a phone can be paired."""

    QR = "qr"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Pairing:
    """A QR code or a pairing code of a channel that waits for its phone.

    Whoever holds it can take the channel, so nothing of it is in ``repr``.

    :param image: PNG bytes of the QR code.
    :param raw: the text inside the QR code.
    :param code: what a person types on the phone instead of scanning.
    :param expires_in: seconds until it is no longer accepted.
    """

    kind: PairingKind
    image: bytes | None = field(default=None, repr=False)
    raw: str | None = field(default=None, repr=False)
    code: str | None = field(default=None, repr=False)
    expires_in: float | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where a gateway reports events of a channel.

    :param url: an http(s) address that the gateway can reach.
    :param events: the gateway's event names, e.g. ``messages.post``; empty means the gateway's default.
    :param headers: sent with each delivery; may hold a secret, so it is not in ``repr``. ``None`` keeps
        those that the webhook of this URL has; an empty mapping takes them away.
    """

    url: str
    events: tuple[str, ...] = ()
    headers: Mapping[str, str] | None = field(default=None, repr=False)


class MessageStatus(StrEnum):
    """How far a message has come, the same words for every gateway."""

    PENDING = "pending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    DELETED = "deleted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SendResult:
    """A gateway accepted a message.

    :param message_id: the gateway's id, by which its status can be asked; ``None`` from a gateway that accepts
        messages and tells no id of them.
    :param chat_ids: what it calls the chat, which may be other forms of the recipient than the one that was asked for.
    """

    message_id: str | None
    status: MessageStatus = MessageStatus.PENDING
    chat_ids: tuple[str, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class NumberCheck:
    """Whether a number is on WhatsApp, by the gateway's own word.

    :param number: the number as asked, digits.
    :param chat_id: WhatsApp's id for it, where it exists.
    :param hidden_id: the person's LID, where the gateway tells it.
    """

    number: str = field(repr=False)
    exists: bool
    chat_id: str | None = field(default=None, repr=False)
    hidden_id: str | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A message that the gateway remembers having sent to a chat.

    :param text: body or caption, where the message has one.
    :param sent_at: seconds since the epoch (UTC), by the gateway's clock.
    """

    message_id: str
    sent_at: float
    kind: str
    text: str | None = field(default=None, repr=False)
    status: MessageStatus = MessageStatus.UNKNOWN


@dataclass(frozen=True, slots=True)
class Group:
    """A WhatsApp group that a channel's account is in.

    :param chat_id: WhatsApp's id of it, ``…@g.us``; a recipient like any other.
    :param size: how many members it has, where the gateway says it.
    """

    chat_id: str
    subject: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True)
class GroupMember:
    """One member of a group.

    :param chat_id: WhatsApp's id, ``…@s.whatsapp.net`` or, where the group hides numbers, ``…@lid``.
    :param phone: digits, where the gateway tells the number.
    """

    chat_id: str = field(repr=False)
    phone: str | None = field(default=None, repr=False)
    is_admin: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """The WhatsApp account that a channel is paired with.

    :param phone: digits.
    """

    phone: str | None = field(default=None, repr=False)
    name: str | None = None
    is_business: bool | None = None
