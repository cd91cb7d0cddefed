"""What WhatsCloud answers, as far as this package reads it.

Sources: the vendor's API reference (WhatsMark SaaS v1) and the pages of other white labels of the same product. Nothing
was captured from whatscloud.pro itself, so both documented forms of everything are read.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field, field_validator

from whatsapp_provider.gateways.reading import Payload, Reader


class Row(Payload):
    """One row of any list; ids are whole numbers there, and text here."""

    id: str


class NamedRow(Row):
    """A status, a source or a group of contacts. ``isdefault`` is 0, 1, false or true."""

    name: str = ""
    color: str | None = None
    isdefault: bool | None = None


class ContactRow(Row):
    """A contact. 0 and 1 stand for no and yes."""

    firstname: str | None = Field(default=None, repr=False)
    lastname: str | None = Field(default=None, repr=False)
    company: str | None = Field(default=None, repr=False)
    description: str | None = Field(default=None, repr=False)
    email: str | None = Field(default=None, repr=False)
    phone: str | None = Field(default=None, repr=False)
    type: str | None = None
    source_id: str | None = None
    status_id: str | None = None
    country_id: str | None = None
    assigned_id: str | None = None
    group_id: tuple[str, ...] = ()
    is_enabled: bool | None = None
    is_opted_out: bool | None = None
    created_at: str | None = None

    @field_validator("group_id", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        """Read a list, the text of one, a single id, and none."""
        if isinstance(value, str):
            value = [part.strip(' "') for part in value.strip("[] ").split(",")]
        elif value is None or isinstance(value, int):
            value = [value]
        if not isinstance(value, list):
            return value
        return [item for item in value if item not in (None, "")]


class TemplateRow(Row):
    """A template, flattened; ``buttons_data`` is the text of a JSON list."""

    template_name: str
    language: str
    status: str = ""
    category: str | None = None
    header_data_format: str | None = None
    header_data_text: str | None = Field(default=None, repr=False)
    header_params_count: int | None = None
    body_data: str | None = Field(default=None, repr=False)
    body_params_count: int | None = None
    buttons_data: list[dict[str, Any]] = Field(default_factory=list)
    #: Of newer versions, the text of a JSON list or one; only whether there are any is read.
    cards_json: Any = Field(default=None, repr=False)

    @field_validator("buttons_data", mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, str):
            try:
                value = json.loads(value) if value.strip() else []
            except (ValueError, RecursionError):
                raise ValueError("it must be the text of a JSON list") from None
        return [] if value is None else value


class TemplateBotRow(Row):
    """A bot that answers with a template; its parameters are the texts of JSON lists."""

    name: str = ""
    rel_type: str | None = None
    template_id: str | None = None
    trigger: str | None = None
    reply_type: int | None = None
    is_bot_active: bool | None = None
    sending_count: int | None = None


class MessageBotRow(Row):
    """A bot that answers with a text."""

    name: str = ""
    rel_type: str | None = None
    reply_text: str | None = Field(default=None, repr=False)
    reply_type: int | None = None
    trigger: str | None = None
    is_bot_active: bool | None = None
    sending_count: int | None = None


class StatusData(Payload):
    """How far a message has come."""

    delivery_status: str


class StatusAnswer(Payload):
    """``GET /messages/{wamid}/status``."""

    data: StatusData


class NumberData(Payload):
    """Whether a number is well formed; nobody asks WhatsApp for it."""

    format_valid: bool
    e164: str | None = Field(default=None, repr=False)
    country: str | None = None
    reason: str | None = None


class NumberAnswer(Payload):
    """``POST /phone/validate``."""

    data: NumberData


_reader = Reader("WhatsCloud", "Is the API URL of the connection that of WhatsCloud's API, version 1?")
read = _reader.one
