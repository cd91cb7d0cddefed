"""Messages that offer something to tap: buttons and lists.

The bounds are WhatsApp's own for the official API; gateways with narrower ones refuse before anything is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from whatsapp_provider.messages.base import MAX_TEXT, Part, is_web_address
from whatsapp_provider.messages.media import Media

MAX_BUTTONS = 3
MAX_ROWS = 10
_Title = Annotated[str, Field(min_length=1, max_length=256, repr=False)]


class ReplyButton(Part):
    """Sends its title back as an answer.

    :param id: what the answer carries beside the title; made from the button's place where it is left out.
    """

    type: Literal["reply"] = "reply"
    title: _Title
    id: str | None = Field(default=None, min_length=1, max_length=256)


class UrlButton(Part):
    """Opens a page."""

    type: Literal["url"] = "url"
    title: _Title
    url: str = Field(repr=False)

    @field_validator("url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if not is_web_address(value):
            raise ValueError("it must begin with http:// or https://")
        return value


class CallButton(Part):
    """Calls a number.

    :param phone: with country code; digits, a leading ``+`` allowed.
    """

    type: Literal["call"] = "call"
    title: _Title
    phone: str = Field(pattern=r"^\+?[0-9]{7,15}$", repr=False)


Button = Annotated[ReplyButton | UrlButton | CallButton, Field(discriminator="type")]


class _Buttoned(Part):
    body: str = Field(min_length=1, max_length=MAX_TEXT, repr=False)
    footer: str | None = Field(default=None, max_length=MAX_TEXT, repr=False)
    buttons: tuple[Button, ...] = Field(min_length=1, max_length=MAX_BUTTONS)

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        _each_once("buttons", button_ids(self.buttons))
        return self


class Buttons(_Buttoned):
    """A text with buttons below it.

    :param header: a line above the text.
    """

    kind: Literal["buttons"] = "buttons"
    header: str | None = Field(default=None, max_length=MAX_TEXT, repr=False)


class MediaButtons(_Buttoned):
    """A file with a text and buttons below it.

    :param media_kind: what the file is.
    """

    kind: Literal["media_buttons"] = "media_buttons"
    media: Media
    media_kind: Literal["image", "video", "document"] = "image"


class ListRow(Part):
    """One choice of a list.

    :param id: what the answer carries beside the title; made from the row's place where it is left out.
    """

    title: _Title
    description: str | None = Field(default=None, max_length=MAX_TEXT, repr=False)
    id: str | None = Field(default=None, min_length=1, max_length=256)


class ListSection(Part):
    """Choices under one heading."""

    title: _Title
    rows: tuple[ListRow, ...] = Field(min_length=1, max_length=MAX_ROWS)


class ListMessage(Part):
    """A text with a button that opens a list to choose from.

    :param button: the words on that button.
    :param title: a line above the text.
    """

    kind: Literal["list"] = "list"
    body: str = Field(min_length=1, max_length=MAX_TEXT, repr=False)
    button: _Title
    title: str | None = Field(default=None, max_length=MAX_TEXT, repr=False)
    footer: str | None = Field(default=None, max_length=MAX_TEXT, repr=False)
    sections: tuple[ListSection, ...] = Field(min_length=1, max_length=MAX_ROWS)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if sum(len(section.rows) for section in self.sections) > MAX_ROWS:
            raise ValueError(f"a list has at most {MAX_ROWS} rows in all its sections")
        _each_once("rows", [name for names in row_ids(self.sections) for name in names])
        return self


def button_ids(buttons: Sequence[ReplyButton | UrlButton | CallButton]) -> list[str]:
    """Return what each button is called in an answer: its own id, or its place, from 1."""
    return [getattr(button, "id", None) or str(place) for place, button in enumerate(buttons, 1)]


def row_ids(sections: Sequence[ListSection]) -> list[list[str]]:
    """Return what each row of each section is called in an answer: its own id, or its place, e.g. ``2.1``."""
    return [
        [row.id or f"{number}.{place}" for place, row in enumerate(section.rows, 1)]
        for number, section in enumerate(sections, 1)
    ]


def _each_once(what: str, ids: Sequence[str]) -> None:
    if len(set(ids)) < len(ids):
        raise ValueError(f"two {what} have the same id; an answer could not tell them apart")
