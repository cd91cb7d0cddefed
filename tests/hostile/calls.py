"""What is asked of a gateway, and what it answers when nothing is wrong: recorded, with what it answers otherwise."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol

from whatsapp_provider.errors import Disposition
from whatsapp_provider.gateways.base import AccountGateway, ChannelGateway, Gateway
from whatsapp_provider.messages import (
    Audio,
    Buttons,
    ContactCard,
    Document,
    Image,
    ListMessage,
    ListRow,
    ListSection,
    Location,
    Media,
    MediaButtons,
    Message,
    ReplyButton,
    TemplateMessage,
    Text,
    Video,
    Voice,
)
from whatsapp_provider.model import ChannelRef
from whatsapp_provider.transport import Wire

JSON = "application/json"
PHONE = "5511900000000"  #: whom messages are for
TEXT = "Your parcel waits at the counter"  #: what they say


class Accepted(Enum):
    """Beside the dispositions: the message was taken."""

    ACCEPTED = "accepted"


ACCEPTED = Accepted.ACCEPTED
Outcome = Disposition | Accepted
HELD: frozenset[Outcome] = frozenset({Disposition.HOLD})


@dataclass(frozen=True, slots=True)
class Said:
    """One answer.

    :param body: JSON as Python has it, or the bytes themselves.
    """

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": JSON})

    @property
    def content(self) -> bytes:
        """The bytes of the body."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def ok(body: Any) -> Said:
    """Return what is answered with 200; an answer of its own is as it is."""
    return body if isinstance(body, Said) else Said(200, body)


Run = Callable[[Gateway], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a gateway's.

    :param gives: the type of its result.
    :param asks: its requests as ``POST gate/messages/text`` (the host's first label; a ``*`` at the end stands for
        any more), each with recorded answers; with the first ones the call succeeds.
    :param sends: which of the requests sends a message.
    """

    name: str
    run: Run
    gives: Any
    asks: Mapping[str, Sequence[Said]]
    sends: str | None = None


class Subject(Protocol):
    """One gateway under test."""

    name: str
    calls: Sequence[Call]
    #: What must not be in any error's text.
    secrets: Sequence[str]

    def open(self, wire: Wire) -> Gateway:
        """Return the gateway of a connection, whose waits take no time."""

    def documented(self, status: int, body: Any) -> frozenset[Outcome]:
        """Return what a send's answer means by the gateway's documents, beyond what its status means for all.

        :param body: the JSON, ``None`` where it is none.
        """


async def no_wait(_seconds: float) -> None:
    """Take no time."""


def of_account(run: Callable[[AccountGateway], Awaitable[Any]]) -> Run:
    """Return what runs a call of the account."""

    async def on(gateway: Gateway) -> Any:
        return await run(gateway.account())

    return on


def of_channel(ref: ChannelRef, run: Callable[[ChannelGateway], Awaitable[Any]]) -> Run:
    """Return what runs a call of one channel."""

    async def on(gateway: Gateway) -> Any:
        return await run(gateway.channel(ref))

    return on


_FILE = Media(data=b"\x89PNG\r\n\x1a\n", mime_type="image/png")
_FAR = "https://files.example/a.mp4"
#: One message of each kind.
MESSAGES: Mapping[str, Message] = {
    message.kind: message
    for message in (
        Text(body=TEXT),
        Image(media=_FILE, caption=TEXT),
        Video(media=Media(url=_FAR)),
        Audio(media=Media(url=_FAR)),
        Voice(media=Media(url=_FAR)),
        Document(media=_FILE, filename="a.png"),
        Location(latitude=-23.5, longitude=-46.6, name="Shop"),
        ContactCard(full_name="Ana Souza", phone="15550001000"),
        Buttons(body=TEXT, buttons=(ReplyButton(title="Yes"), ReplyButton(title="No"))),
        MediaButtons(
            media=Media(url=_FAR, mime_type="image/png"), body=TEXT, buttons=(ReplyButton(title="Yes"),)
        ),
        ListMessage(
            body=TEXT, button="Choose", sections=(ListSection(title="All", rows=(ListRow(title="One"),)),)
        ),
        TemplateMessage(name="order_confirmation", language="en_US", header="42", body=("Ann", "42")),
    )
}
