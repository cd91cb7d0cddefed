"""What Whapi answers, as far as this package reads it (partner spec 0.1.1, gate spec 1.8.7).

Unknown keys are ignored and optional ones may be missing: the vendor's own specs, samples and
captured answers differ.
"""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from whatsapp_provider.gateways.reading import Many, Payload, Reader


class ChannelPayload(Payload):
    """A channel as the manager tells it; times are milliseconds (captured on the wire)."""

    id: str
    name: str = ""
    token: str = Field(default="", repr=False)
    projectId: str | None = None  # noqa: N815 - the wire's spelling
    activeTill: float | None = None  # noqa: N815 - the wire's spelling
    creationTS: float = 0.0  # noqa: N815 - the wire's spelling
    mode: str | None = None
    stopped: bool = False
    blocked: bool | None = None

    @property
    def is_stopped(self) -> bool:
        """Whether the account's owner or the vendor has stopped it."""
        return self.stopped or bool(self.blocked)


class ChannelList(Payload):
    """One page of channels."""

    channels: Many[ChannelPayload] = Field(default_factory=list)
    total: int | None = None


class ProjectPayload(Payload):
    """A project; the dashboard shows the channels of the main one only."""

    id: str
    name: str = ""
    isDefault: bool | None = None  # noqa: N815 - the wire's spelling


class ProjectList(Payload):
    """One page of projects."""

    projects: Many[ProjectPayload] = Field(default_factory=list)


class HealthStatus(Payload):
    """The word that counts is ``text``; its code differs between versions."""

    text: str = ""


class HealthUser(Payload):
    """The paired account."""

    id: str = Field(default="", repr=False)
    name: str | None = None


class Health(Payload):
    """``GET /health``."""

    status: HealthStatus
    user: HealthUser | None = None
    channel_id: str | None = None


class EventEntry(Payload):
    """One event of a webhook; entries made elsewhere may lack the method."""

    type: str | None = None
    method: str | None = None


class HookEntry(Payload):
    """One webhook. It is checked here and written back as it came, with what this package does not know of."""

    url: str | None = None
    events: Many[EventEntry] | None = None
    headers: dict[str, str] | None = Field(default=None, repr=False)


class HookList(Payload):
    """What settings tell of webhooks."""

    webhooks: Many[HookEntry] | None = None


class QrPayload(Payload):
    """``GET /users/login`` and ``/users/login/rowdata``."""

    status: str = ""
    base64: str | None = Field(default=None, repr=False)
    rowdata: str | None = Field(default=None, repr=False)
    expire: float | None = None


class CodePayload(Payload):
    """``GET /users/login/{phone}``."""

    code: str = Field(repr=False)


class MessagePayload(Payload):
    """A message; its content is under a key named like its type."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(strict=True, min_length=1)
    type: str = ""
    from_me: bool = True
    timestamp: float = 0.0
    status: str | None = None
    # Whatever it is: it is not what makes an answer readable.
    chat_id: Any = None

    @property
    def content(self) -> dict[str, Any]:
        """What stands under the key named like the type."""
        content = (self.model_extra or {}).get(self.type)
        return content if isinstance(content, dict) else {}

    @property
    def kind(self) -> str:
        """Our kind of message, by what it has where the gate's word leaves it open; else the gate's word."""
        if self.type not in {"text", "interactive", "buttons", "list", "hsm"}:
            return self.type
        action = self.content.get("action")
        parts = self.content | (action if isinstance(action, dict) else {})
        has = {name for name, value in parts.items() if value}
        if has & {"sections", "list"}:
            return "list"
        if "buttons" in has:
            return "media_buttons" if "media" in has else "buttons"
        return self.type

    @property
    def text(self) -> str | None:
        """Body or caption."""
        value = self.content.get("body", self.content.get("caption"))
        if isinstance(value, dict):
            value = value.get("text")
        return value if isinstance(value, str) else None


class SentPayload(Payload):
    """The answer to a send. ``sent`` may be missing on success; ``false`` in a 200 is a refusal."""

    # Strict: a text or a number there is not what the gate documents, and proves nothing.
    sent: bool | None = Field(default=None, strict=True)
    message: MessagePayload | None = None


class MessageList(Payload):
    """``GET /messages/list/{chat}``."""

    messages: Many[MessagePayload] = Field(default_factory=list)


class StatusEntry(Payload):
    """One step of a message; ``timestamp`` is a string of seconds here."""

    status: str
    timestamp: float | None = None


class StatusList(Payload):
    """``GET /statuses/{id}``."""

    statuses: Many[StatusEntry] = Field(default_factory=list)


class CheckEntry(Payload):
    """One checked number."""

    input: str = Field(repr=False)
    status: str
    wa_id: str | None = Field(default=None, repr=False)


class CheckPayload(Payload):
    """``POST /contacts``."""

    contacts: Many[CheckEntry] = Field(default_factory=list)


_reader = Reader("Whapi", "Is the URL of the connection that of Whapi?")
read = _reader.one
image = _reader.image
