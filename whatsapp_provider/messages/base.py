"""What all kinds of message are made of."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

MAX_TEXT = 65_536  #: characters; WhatsApp's own bound for a text message


class Part(BaseModel):
    """A message, or a part of one."""

    # hide_input: a validation error must not carry a message text or media bytes into a log.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, ser_json_bytes="base64")


class Text(Part):
    """A text message."""

    kind: Literal["text"] = "text"
    body: str = Field(min_length=1, max_length=MAX_TEXT, repr=False)


def is_web_address(url: str) -> bool:
    """Whether it begins with http:// or https:// and names a host."""
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
