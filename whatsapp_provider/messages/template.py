"""Messages made from a template that Meta has approved (the official API)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from whatsapp_provider.messages.base import MAX_TEXT, Part
from whatsapp_provider.messages.media import Media

_Value = Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]


class HeaderMedia(Part):
    """The file above a template's text.

    :param kind: as in the template.
    :param filename: shown with a document.
    """

    kind: Literal["image", "video", "document"]
    media: Media
    filename: str | None = None


class TemplateMessage(Part):
    """A template of the official API with a person's values in it.

    Name, language and each value may differ from person to person: in a campaign they are Jinja like any text.

    :param name: as in WhatsApp Manager, e.g. ``order_update``.
    :param language: e.g. ``en_US``; a template has each language of its own.
    :param header: the value of the header's one placeholder, or its file.
    :param body: values of the body's placeholders: a list for ``{{1}}``, ``{{2}}`` …, a mapping for named ones.
    :param buttons: values of buttons by their place, from 0: the end of a URL, a code to copy.
    """

    kind: Literal["template"] = "template"
    name: str = Field(pattern=r"^[a-z0-9_]{1,512}$")
    language: str = Field(pattern=r"^[A-Za-z]{2,3}(_[A-Za-z0-9]{2,8})?$")
    header: _Value | HeaderMedia | None = Field(default=None, repr=False)
    body: tuple[_Value, ...] | dict[str, _Value] = Field(default=(), repr=False)
    buttons: dict[int, _Value] = Field(default_factory=dict, repr=False)

    @field_validator("body", mode="before")
    @classmethod
    def _in_order(cls, value: Any) -> Any:
        # Left out or empty, all placeholders are: a campaign's mapping may come out of Jinja without any.
        return () if isinstance(value, Mapping) and not value else value

    @model_validator(mode="after")
    def _places(self) -> Self:
        if any(not 0 <= place <= 9 for place in self.buttons):
            raise ValueError("buttons are named by their place, 0 to 9")
        return self
