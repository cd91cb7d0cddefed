"""What the Bots API answers, as far as this package reads it (samples of its page; its client's history)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from pydantic import AliasChoices, Field

from whatsapp_provider.errors import NoAnswerError
from whatsapp_provider.exchange import Answer
from whatsapp_provider.gateways.reading import P, Payload, Reader, digits_of
from whatsapp_provider.gateways.waabot.connection import Pair

READER = Reader("Waabot", "Is the base URL of the connection (Host) that of the API?")
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
_PNG = b"\x89PNG"
#: The picture in the page that a browser is shown.
_PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/=]+")


class Settings(Payload):
    """The settings of a bot that say who it is."""

    bot_name: str | None = None
    bot_number: str | None = Field(default=None, repr=False)
    status: str | None = None
    access_token: str | None = Field(default=None, repr=False)
    actions: dict[str, Any] | None = None


class Bot(Payload):
    """One bot of the account, with its pair, which must not leave this gateway."""

    id: str = Field(validation_alias=AliasChoices("_id", "id"))
    session_id: str | None = Field(default=None, repr=False)
    createdAt: str | None = None  # noqa: N815 - the wire's spelling
    settings: Settings = Field(default_factory=Settings)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.settings.bot_name or ""

    @property
    def phone(self) -> str | None:
        """The paired number, digits."""
        return digits_of(self.settings.bot_number or "") or None

    @property
    def pair(self) -> Pair | None:
        """What opens the bot, where the answer has both halves."""
        if not (self.session_id and self.settings.access_token):
            return None
        return Pair(self.session_id, self.settings.access_token)


class Updated(Payload):
    """What an update did: the database's own answer."""

    matchedCount: int  # noqa: N815 - the wire's spelling
    modifiedCount: int = 0  # noqa: N815 - the wire's spelling


class Deleted(Payload):
    """What a deletion did."""

    deletedCount: int  # noqa: N815 - the wire's spelling


class User(Payload):
    """The WhatsApp account that a bot is paired with; empty without one."""

    id: str | None = Field(default=None, repr=False)
    name: str | None = None

    @property
    def phone(self) -> str | None:
        """Digits, without the number of the linked device."""
        return digits_of((self.id or "").partition(":")[0]) or None


class InstanceData(Payload):
    """The inner part of ``GET /whatsapp/instance`` as the page has it."""

    instance_key: str | None = Field(default=None, repr=False)
    phone_connected: bool | None = None
    webhookUrl: str | None = None  # noqa: N815 - the wire's spelling
    user: User | None = None


@dataclass(frozen=True, slots=True)
class Instance:
    """One look at a bot, whichever shape the server answers in.

    :param is_known: ``False`` where the server runs no such instance (yet).
    :param is_starting: whether it was started and has no phone yet; ``None`` where the server can't be asked that.
    :param was_unlinked: whether its phone dropped it: a code that is still shown then is the one scanned before.
    :param word: the server's own word.
    :param webhook_url: where it reports to; empty for nowhere, ``None`` where the server does not tell.
    """

    is_known: bool
    is_connected: bool = False
    is_starting: bool | None = False
    was_unlinked: bool = False
    word: str = ""
    phone: str | None = field(default=None, repr=False)
    name: str | None = None
    webhook_url: str | None = field(default=None, repr=False)


def instance_of(body: Any) -> Instance:
    """Read ``GET /whatsapp/instance``: the inner server's answer, or since 2023-12 the bot itself.

    :raises NoAnswerError: if it is neither.
    """
    data = data_of(body)
    if isinstance(data, dict) and "settings" in data:
        return _of_document(READER.one(Bot, data))
    inner = data.get("instance_data") if isinstance(data, dict) else None
    found = READER.one(InstanceData, inner)
    if not inner:
        return Instance(is_known=False, word="not started")
    connected, user = found.phone_connected is True, found.user or User()
    return Instance(
        is_known=True,
        is_connected=connected,
        # False is said of one that had a phone; before that there is no such key.
        is_starting=found.phone_connected is None,
        was_unlinked=found.phone_connected is False,
        word="phone connected" if connected else "no phone connected",
        phone=user.phone if connected else None,
        name=user.name,
        webhook_url=found.webhookUrl or "",
    )


def _of_document(bot: Bot) -> Instance:
    # A bot that was never paired says CONNECTED: the default of its schema. The vendor's client tests ONLINE.
    word = bot.settings.status or ""
    online = word.upper() == "ONLINE"
    return Instance(
        is_known=True,
        is_connected=online,
        is_starting=None if word.upper() == "CONNECTED" else False,
        was_unlinked=word.upper() == "DISCONNECTED",
        word=word,
        phone=bot.phone if online else None,
    )


@dataclass(frozen=True, slots=True)
class Scan:
    """What can be scanned now.

    :param is_spent: the server shows no further code until the bot is started anew.
    """

    image: bytes | None = field(default=None, repr=False)
    is_spent: bool = False


def scan_of(answer: Answer) -> Scan:
    """Read ``GET /whatsapp/scan``: a page with the picture, bare base64, a data URL, or one of them in an envelope.

    :raises NoAnswerError: if it is something else.
    """
    try:
        told = _picture_in(answer.json())
    except NoAnswerError:
        told = answer.body.decode("utf-8", "replace")
    if "<" in told:
        found = _PICTURE.search(told)
        # The page of a code that is spent, or not there yet, has a picture without content.
        return Scan(_png(found[0])) if found else Scan()
    if not told.strip():
        # One space where there was a code, nothing where there is none yet.
        return Scan(is_spent=bool(told))
    return Scan(_png(told.strip()))


def _png(text: str) -> bytes:
    # Half an answer may have a comma too, and nothing behind it.
    image = READER.image(text)
    if not image.startswith(_PNG):
        raise NoAnswerError("Waabot answered a QR code that is not a picture.", code="unreadable")
    return image


def _picture_in(body: Any) -> str:
    inner = data_of(body)
    for value in (inner, body):
        told = value.get("qrcode", value.get("base64")) if isinstance(value, dict) else value
        if isinstance(told, dict):
            told = told.get("base64")
        if isinstance(told, str):
            return told
    return ""


def data_of(body: Any) -> Any:
    """Return what an envelope is about, or the body itself where it has none."""
    return body["data"] if isinstance(body, dict) and "data" in body else body


def read(kind: type[P], body: Any) -> P:
    """Return what an envelope is about as a payload.

    :raises NoAnswerError: naming the fields that are not as expected.
    """
    return READER.one(kind, data_of(body))


def read_list(kind: type[P], body: Any) -> list[P]:
    """Return what an envelope is about as a list of payloads.

    :raises NoAnswerError: if it is none.
    """
    return READER.many(kind, data_of(body))


def is_object_id(text: str) -> bool:
    """Whether it can be the ``_id`` of a bot."""
    return bool(_OBJECT_ID.fullmatch(text))
