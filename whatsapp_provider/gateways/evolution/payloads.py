"""What an Evolution server answers, as far as this package reads it (captured from 2.3.6; source of 1.8).

Both versions' shapes become one. Unknown keys are ignored and optional ones may be missing.
"""

from __future__ import annotations

from typing import Any

from pydantic import AliasChoices, Field, model_validator

from whatsapp_provider.gateways.reading import Payload, Reader


def _either(*names: str) -> Any:
    """Return a field that stands under one of these names, by version."""
    return Field(default=None, validation_alias=AliasChoices(*names))


class InstanceState(Payload):
    """The inner part of ``connectionState``; right after the server's start it has no state."""

    instanceName: str  # noqa: N815 - the wire's spelling
    state: str | None = None


class StateAnswer(Payload):
    """``GET /instance/connectionState/{instance}``."""

    instance: InstanceState


class InstanceRow(Payload):
    """One row of ``fetchInstances``; the token in it is not read.

    :param status: the database's word, which can lag behind the live state.
    :param lost_by: status code of the last loss; kept after a reconnect. Only version 2 has it.
    """

    name: str
    status: str | None = None
    owner: str | None = Field(default=None, repr=False)
    profile_name: str | None = Field(default=None, repr=False)
    integration: str | None = None
    number: str | None = Field(default=None, repr=False)
    lost_by: int | None = None
    tells_losses: bool = False

    @model_validator(mode="before")
    @classmethod
    def _either_shape(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        inner = value.get("instance")
        if isinstance(inner, dict):
            return _from_v1(inner)
        return {
            "name": value.get("name"),
            "status": value.get("connectionStatus"),
            "owner": value.get("ownerJid"),
            "profile_name": value.get("profileName"),
            "integration": value.get("integration"),
            "number": value.get("number"),
            "lost_by": value.get("disconnectionReasonCode"),
            "tells_losses": "disconnectionReasonCode" in value,
        }


def _from_v1(inner: dict[str, Any]) -> dict[str, Any]:
    integration = inner.get("integration")
    details = integration if isinstance(integration, dict) else {"integration": integration}
    return {
        "name": inner.get("instanceName"),
        "status": inner.get("status"),
        "owner": inner.get("owner"),
        "profile_name": inner.get("profileName"),
        "integration": details.get("integration"),
        "number": details.get("number"),
    }


class CreatedInstance(Payload):
    """The inner part of the answer to a create."""

    instanceName: str  # noqa: N815 - the wire's spelling


class CreatedAnswer(Payload):
    """``POST /instance/create``; its token and its QR code are not read."""

    instance: CreatedInstance


class ConnectAnswer(Payload):
    """``GET /instance/connect/{instance}`` in all its shapes."""

    pairingCode: str | None = Field(default=None, repr=False)  # noqa: N815 - the wire's spelling
    code: str | None = Field(default=None, repr=False)
    base64: str | None = Field(default=None, repr=False)
    count: int | None = None
    instance: InstanceState | None = None
    error: bool | None = None


class WebhookRow(Payload):
    """``GET /webhook/find/{instance}``."""

    url: str = ""
    enabled: bool | None = None
    events: list[str] | None = None
    headers: dict[str, str] | None = Field(default=None, repr=False)
    by_events: bool | None = _either("webhookByEvents", "webhook_by_events")
    base64: bool | None = _either("webhookBase64", "webhook_base64")


class StatusRow(Payload):
    """One update of a message; there is no time in it and no order."""

    status: str | None = None


class NumberRow(Payload):
    """One checked number."""

    number: str = Field(repr=False)
    exists: bool
    jid: str | None = Field(default=None, repr=False)
    lid: Any = Field(default=None, repr=False)


class ProfileAnswer(Payload):
    """``POST /chat/fetchProfile/{instance}``."""

    wuid: str | None = Field(default=None, repr=False)
    name: str | None = None
    isBusiness: bool | None = None  # noqa: N815 - the wire's spelling


_reader = Reader(
    "The server",
    "Is the server URL of the connection that of an Evolution server, or does another program answer there?",
)
read = _reader.one
read_list = _reader.many
image = _reader.image
