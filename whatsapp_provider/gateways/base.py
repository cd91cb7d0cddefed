"""What every gateway is: an account that owns channels, and channels that pair, are configured, and send.

Consumers are typed against these protocols and check :class:`Capabilities` first: what a gateway
cannot do is refused by name, never imitated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Protocol, runtime_checkable

from whatsapp_provider.errors import UnsupportedError
from whatsapp_provider.gateways.directory import ContactDirectory
from whatsapp_provider.messages import Message
from whatsapp_provider.model import (
    Channel,
    ChannelRef,
    ChannelSpec,
    ChannelStatus,
    Group,
    GroupMember,
    HistoryEntry,
    MessageStatus,
    NumberCheck,
    Pairing,
    Profile,
    SendResult,
    Webhook,
)
from whatsapp_provider.templates import OfficialTemplate

#: Refuses a message that the channel can't send, before anything is sent: UnsupportedError where it never can,
#: InputError where it can't this one.
MessageCheck = Callable[[Message], None]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a gateway can do. Each flag's ``label`` is its wording in refusals; the feature matrix is made of these.

    :param notes: what a yes or no leaves out, by flag or message kind: one sentence or two, which the feature matrix
        shows as a footnote. That of something that the gateway can't do says what to do instead; refusals end with it.
    """

    message_kinds: frozenset[str] = field(metadata={"label": "send messages of kind"})
    create_channels: bool = field(default=False, metadata={"label": "create and delete channels"})
    channel_lifecycle: bool = field(default=False, metadata={"label": "extend, stop and start channels"})
    restart: bool = field(default=False, metadata={"label": "restart channels"})
    pairing_qr: bool = field(default=False, metadata={"label": "show a QR code for pairing"})
    pairing_code: bool = field(default=False, metadata={"label": "give a pairing code for a number"})
    logout: bool = field(default=False, metadata={"label": "unlink the phone"})
    webhooks: bool = field(default=False, metadata={"label": "configure webhooks"})
    message_status: bool = field(default=False, metadata={"label": "tell a message's status"})
    check_numbers: bool = field(default=False, metadata={"label": "check whether a number is on WhatsApp"})
    history: bool = field(default=False, metadata={"label": "look up what was sent to a chat"})
    several_webhooks: bool = field(default=False, metadata={"label": "keep several webhooks for one channel"})
    groups: bool = field(default=False, metadata={"label": "list groups and their members"})
    profile: bool = field(default=False, metadata={"label": "tell the profile of the paired account"})
    settings: bool = field(default=False, metadata={"label": "change a channel's settings"})
    templates: bool = field(default=False, metadata={"label": "tell the templates of the official API"})
    create_templates: bool = field(default=False, metadata={"label": "create templates of the official API"})
    contact_book: bool = field(default=False, metadata={"label": "keep contacts and groups of contacts"})
    notes: Mapping[str, str] = field(default_factory=dict, hash=False)

    def require(self, gateway: str, flag: str) -> None:
        """Refuse by name what the gateway can't do.

        :raises UnsupportedError: naming the gateway and the missing ability.
        """
        if not getattr(self, flag):
            raise UnsupportedError(f"Gateway {gateway!r} can't {self.label(flag)}.{self._note(flag)}")

    def require_kind(self, gateway: str, kind: str) -> None:
        """Refuse a message kind that the gateway can't send.

        :raises UnsupportedError: naming the gateway, the kind and the kinds there are.
        """
        if kind not in self.message_kinds:
            known = ", ".join(sorted(self.message_kinds))
            raise UnsupportedError(
                f"Gateway {gateway!r} can't send messages of kind {kind!r}; it sends {known}.{self._note(kind)}"
            )

    def _note(self, subject: str) -> str:
        return f" {self.notes[subject]}" if subject in self.notes else ""

    @classmethod
    def flags(cls) -> list[str]:
        """Return the names of all abilities but the message kinds."""
        return [item.name for item in fields(cls) if isinstance(item.default, bool)]

    @classmethod
    def label(cls, flag: str) -> str:
        """Return the wording of one flag."""
        return str(next(item.metadata["label"] for item in fields(cls) if item.name == flag))


class AccountGateway(Protocol):
    """What an account's credential reaches."""

    async def describe(self) -> str:
        """Return one line that names the account, for a connection test."""

    async def list_channels(self) -> Sequence[Channel]:
        """Return all channels of the account."""

    async def find_channel(self, name: str, *, project: str | None = None) -> Channel | None:
        """Return the channel of that exact name, or ``None``."""

    async def get_channel(self, channel_id: str) -> Channel | None:
        """Return the channel of that id, or ``None``."""

    async def create_channel(self, spec: ChannelSpec) -> Channel:
        """Create a channel. Not idempotent by itself: look for the name first.

        :raises ConfigurationError: for an option that the gateway does not know, before anything is asked.
        """

    async def delete_channel(self, channel_id: str) -> bool:
        """Delete a channel; ``False`` if there was none."""

    async def extend_channel(self, channel_id: str, *, days: int, comment: str) -> None:
        """Add paid days to a channel."""

    async def set_channel_mode(self, channel_id: str, mode: str) -> None:
        """Change a channel's plan."""

    async def start_channel(self, channel_id: str) -> None:
        """Start a stopped channel."""

    async def stop_channel(self, channel_id: str) -> None:
        """Stop a channel."""

    async def restart_channel(self, channel_id: str) -> None:
        """Restart a channel."""

    def directory(self) -> ContactDirectory:
        """Return the people that the account knows; no request is made yet."""


@runtime_checkable
class Sender(Protocol):
    """All that the campaign runner needs of a channel."""

    async def send(self, recipient: str, message: Message) -> SendResult:
        """Send one message once. ``recipient`` is digits or a WhatsApp chat id.

        :raises WhatsAppError: whose ``disposition`` says what is known of the message.
        """

    async def status(self) -> ChannelStatus:
        """Look at the channel."""


class ChannelGateway(Sender, Protocol):
    """One channel."""

    async def message_check(self, kind: str) -> MessageCheck:
        """Return what refuses messages of a kind that this channel can't send, before the first is sent.

        Whatever must be asked of the gateway for it, such as its templates, is asked here, once.

        :raises UnsupportedError: if the channel can't send the kind at all.
        """

    async def templates(self) -> Sequence[OfficialTemplate]:
        """Return the templates of the official API, approved or not."""

    async def create_template(self, definition: Mapping[str, Any]) -> OfficialTemplate:
        """Hand a template in for approval; ``definition`` is in Meta's words: name, category, language, components."""

    async def pairing_qr(self) -> Pairing | None:
        """Return the QR code, ``None`` while it is not ready.

        :raises AlreadyConnectedError: if a phone is paired.
        """

    async def pairing_code(self, phone: str) -> Pairing:
        """Return the code that the owner of ``phone`` (digits) types on it."""

    async def logout(self) -> bool:
        """Unlink the phone; ``False`` if none was linked."""

    async def settings(self) -> dict[str, Any]:
        """Return the channel's settings as the gateway gives them, webhook secrets included."""

    async def update_settings(self, changes: Mapping[str, Any]) -> None:
        """Change some settings and leave the others."""

    async def webhooks(self) -> Sequence[Webhook]:
        """Return the configured webhooks."""

    async def set_webhook(self, webhook: Webhook, *, replace: bool = False) -> bool:
        """Add the webhook, or change the one of the same URL; others stay. ``False`` if nothing changed.

        :param replace: where a channel can have one webhook only, take the place of another URL's.
        :raises ConfigurationError: if there is no room for it.
        """

    async def remove_webhook(self, url: str) -> bool:
        """Remove the webhook of that URL; ``False`` if there was none."""

    async def message_status(self, message_id: str) -> MessageStatus:
        """Return how far a message has come."""

    async def check_numbers(self, numbers: Sequence[str]) -> Sequence[NumberCheck]:
        """Ask which numbers (digits) are on WhatsApp, in the given order."""

    async def history(self, recipient: str, *, since: float, limit: int = 100) -> Sequence[HistoryEntry]:
        """Return what was sent from here to one chat since a moment (seconds since the epoch)."""

    async def groups(self) -> Sequence[Group]:
        """Return the groups that the paired account is in."""

    async def group(self, chat_id: str) -> Group | None:
        """Return one group, ``None`` if the account is in no such group."""

    async def group_members(self, chat_id: str) -> Sequence[GroupMember]:
        """Return the members of one group, the paired account among them.

        :raises NotFoundError: if the account is in no such group.
        """

    async def profile(self) -> Profile:
        """Return the paired account's own profile."""


class Gateway(Protocol):
    """One connection's view of a gateway."""

    @property
    def name(self) -> str:
        """Registry name."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    @property
    def default_channel(self) -> ChannelRef | None:
        """The channel that the connection itself names, if it does."""

    @property
    def account_key(self) -> str:
        """A stable name of the account that is not a secret, for locks in the ledger."""

    @property
    def channel_scope(self) -> str:
        """What this connection's channel ids are unique within, no secret; empty where they are everywhere."""

    @property
    def send_timeout(self) -> float:
        """Seconds after which a send has been answered or given up."""

    @property
    def creation_limit(self) -> tuple[int, float] | None:
        """How many channels may be created within how many seconds, where the gateway has such a limit."""

    def account(self) -> AccountGateway:
        """Return the account.

        :raises ConfigurationError: if the connection has no account credential.
        """

    def channel(self, ref: ChannelRef) -> ChannelGateway:
        """Return one channel; no request is made yet."""

    async def test(self) -> str:
        """Make one cheap, harmless request and say in one line what the connection reaches."""
