"""Messages that show a place or a person."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from whatsapp_provider.messages.base import Part

MAX_NAME = 1_000


class Location(Part):
    """A place on the map.

    :param latitude: degrees, north positive.
    :param longitude: degrees, east positive.
    :param name: what the place is called.
    """

    kind: Literal["location"] = "location"
    latitude: float = Field(ge=-90, le=90, repr=False)
    longitude: float = Field(ge=-180, le=180, repr=False)
    name: str | None = Field(default=None, max_length=MAX_NAME, repr=False)
    address: str | None = Field(default=None, max_length=MAX_NAME, repr=False)


class ContactCard(Part):
    """A person's card, which the recipient can keep in the phone's address book.

    :param phone: with country code; digits, a leading ``+`` allowed.
    """

    kind: Literal["contact"] = "contact"
    full_name: str = Field(min_length=1, max_length=MAX_NAME, repr=False)
    phone: str = Field(repr=False)
    organization: str | None = Field(default=None, max_length=MAX_NAME, repr=False)

    @field_validator("full_name", "organization")
    @classmethod
    def _one_line(cls, value: str | None) -> str | None:
        # A line of its own would be a field of its own in the vCard that gateways make or take.
        if value is not None and any(character in value for character in "\r\n"):
            raise ValueError("it must be one line")
        return value

    @field_validator("phone")
    @classmethod
    def _digits(cls, value: str) -> str:
        digits = value.strip().removeprefix("+")
        if not (digits.isascii() and digits.isdigit() and 7 <= len(digits) <= 15):
            raise ValueError("it must be a number with country code, digits alone, e.g. +15550000000")
        return digits
