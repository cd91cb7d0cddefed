"""The options of a new instance: one spelling for both versions, and the versions' own ones as aliases.

Ours is nested and in snake case: ``{"reject_call": True, "webhook": {"url": …, "by_events": False}}``. Version 1's
documentation is flat (``webhook``, ``webhook_by_events``, ``chatwoot_url``), that of version 2 in camel case, in
part flat (``rejectCall``, ``proxyHost``); both are understood for either server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from whatsapp_provider.errors import ConfigurationError


class _Options(BaseModel):
    # Strict: a server takes "false" for true, or refuses it. Hidden: options hold tokens.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class WebhookOptions(_Options):
    """The webhook of a new instance; no events are the default ones."""

    url: str
    events: list[str] = Field(default_factory=list)
    by_events: bool | None = None
    base64: bool | None = None
    headers: dict[str, str] | None = Field(default=None, repr=False)

    @field_validator("url")
    @classmethod
    def _called(cls, value: str) -> str:
        # A server stores anything and calls nothing that is no URL.
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must begin with http:// or https://")
        return value


class EventsOptions(_Options):
    """Another way of the same events: WebSocket, RabbitMQ, SQS, NATS, Kafka."""

    enabled: bool = True
    events: list[str] = Field(default_factory=list)


class PusherOptions(EventsOptions):
    """Pusher, with its application."""

    app_id: str | None = None
    key: str | None = Field(default=None, repr=False)
    secret: str | None = Field(default=None, repr=False)
    cluster: str | None = None
    use_tls: bool | None = None


class ProxyOptions(_Options):
    """The proxy to WhatsApp; the server tries it at once."""

    host: str
    port: str
    protocol: str = "http"
    username: str | None = None
    password: str | None = Field(default=None, repr=False)

    @field_validator("port", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return _number_as_text(value)


class ChatwootOptions(_Options):
    """Chatwoot, where the server has it."""

    account_id: str
    token: str = Field(repr=False)
    url: str
    sign_msg: bool = False
    reopen_conversation: bool = False
    conversation_pending: bool = False
    import_contacts: bool | None = None
    name_inbox: str | None = None
    merge_brazil_contacts: bool | None = None
    import_messages: bool | None = None
    days_limit_import_messages: int | None = None
    organization: str | None = None
    logo: str | None = None
    auto_create: bool | None = None

    @field_validator("account_id", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        return _number_as_text(value)


class TypebotOptions(_Options):
    """Typebot; only version 1 takes it at a creation."""

    url: str
    typebot: str
    expire: int | None = None
    keyword_finish: str | None = None
    delay_message: int | None = None
    unknown_message: str | None = None
    listening_from_me: bool | None = None


class Options(_Options):
    """All documented options.

    :param integration: the connection's, where none is given.
    :param number: the phone to pair by code (Baileys), or Meta's phone number id (Business).
    :param token: the new instance's own key, or Meta's access token (Business).
    """

    integration: Literal["WHATSAPP-BAILEYS", "WHATSAPP-BUSINESS", "EVOLUTION"]
    qrcode: bool | None = None
    number: str | None = Field(default=None, repr=False, pattern=r"^\+?\d[\d.@\w-]+$")
    token: str | None = Field(default=None, repr=False, min_length=1)
    business_id: str | None = None
    reject_call: bool | None = None
    msg_call: str | None = None
    groups_ignore: bool | None = None
    always_online: bool | None = None
    read_messages: bool | None = None
    read_status: bool | None = None
    sync_full_history: bool | None = None
    wavoip_token: str | None = Field(default=None, repr=False)
    webhook: WebhookOptions | None = None
    websocket: EventsOptions | None = None
    rabbitmq: EventsOptions | None = None
    sqs: EventsOptions | None = None
    nats: EventsOptions | None = None
    kafka: EventsOptions | None = None
    pusher: PusherOptions | None = None
    proxy: ProxyOptions | None = None
    chatwoot: ChatwootOptions | None = None
    typebot: TypebotOptions | None = None


GROUPS: Mapping[str, type[_Options]] = {
    "webhook": WebhookOptions,
    "websocket": EventsOptions,
    "rabbitmq": EventsOptions,
    "sqs": EventsOptions,
    "nats": EventsOptions,
    "kafka": EventsOptions,
    "pusher": PusherOptions,
    "proxy": ProxyOptions,
    "chatwoot": ChatwootOptions,
    "typebot": TypebotOptions,
}
#: What version 1's documentation calls a group's main field: the group's own name, and the bare word.
_FLAT = {"webhook": ("webhook", "url"), "typebot": ("typebot", "typebot"), "events": ("webhook", "events")}
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def read_options(given: Mapping[str, Any], *, default_integration: str) -> Options:
    """Read the options of a new instance, in any of their spellings.

    :raises ConfigurationError: naming the option that is unknown, given twice, missing or of a wrong type; never
        its value.
    """
    options = {"integration": default_integration, **_canonical(given)}
    try:
        return Options.model_validate(options)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors(include_input=False, include_url=False)
        )
        raise ConfigurationError(f"The options of the new channel can't be used: {problems}.") from None


def snake(name: str) -> str:
    """Return a name of either version in snake case."""
    return _CAPITAL.sub("_", name).lower()


def _canonical(given: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in given.items():
        for group, field, part in _placed(str(name), value):
            target = found.setdefault(group, {}) if group else found
            if field in target and target[field] != part:
                shown = f"{group}.{field}" if group else field
                raise ConfigurationError(
                    f"Option {shown!r} of the new channel is given twice, with two values."
                )
            target[field] = part
    return found


def _placed(name: str, value: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield group, field and value for one option as it is given."""
    known = snake(name)
    if known in GROUPS and isinstance(value, Mapping):
        for inner, part in value.items():
            field = snake(str(inner))
            # Version 2 answers with webhookByEvents where it asks for byEvents.
            short = field.removeprefix(f"{known}_")
            yield known, short if short in GROUPS[known].model_fields else field, part
    elif known in _FLAT:
        group, field = _FLAT[known]
        yield group, field, value
    else:
        group, _, field = known.partition("_")
        if group in GROUPS and field in GROUPS[group].model_fields:
            yield group, field, value
        else:
            yield "", known, value


def _number_as_text(value: Any) -> Any:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value
