"""Read groups and their members from the gate's answers (gate spec 1.8.7, by schema only).

A member is an object with ``id`` and ``rank``; a bare id, which other lists of the gate hold, is read too.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator

from whatsapp_provider.gateways.reading import Many, Payload
from whatsapp_provider.model import Group, GroupMember

PAGE = 100  #: groups asked for at once
_PERSON = "s.whatsapp.net"


class MemberPayload(Payload):
    """One member; ``rank`` is ``member``, ``admin`` or ``creator``."""

    id: str = Field(repr=False)
    rank: str = ""


class GroupPayload(Payload):
    """A group."""

    id: str
    name: str = ""
    participants: Many[MemberPayload] | None = Field(default=None, repr=False)

    @field_validator("participants", mode="before")
    @classmethod
    def _bare_ids_too(cls, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return [{"id": item} if isinstance(item, str) else item for item in value]


class GroupList(Payload):
    """One page of groups."""

    groups: Many[GroupPayload] = Field(default_factory=list)
    total: int | None = None


def group_of(payload: GroupPayload) -> Group:
    """Return the group in our words."""
    size = None if payload.participants is None else len(payload.participants)
    return Group(payload.id, payload.name, size)


def members_of(payload: GroupPayload) -> list[GroupMember]:
    """Return the members in our words."""
    return [_member(entry) for entry in payload.participants or ()]


def _member(entry: MemberPayload) -> GroupMember:
    name, _, server = entry.id.partition("@")
    is_number = server in {"", _PERSON, "c.us"} and name.isdigit()
    return GroupMember(
        chat_id=f"{name}@{_PERSON}" if is_number else entry.id,
        phone=name if is_number else None,
        is_admin=entry.rank in {"admin", "creator"},
    )
