"""Read groups and their members from an Evolution server's answers (source of 2.3.6)."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from whatsapp_provider.gateways.evolution.payloads import read, read_list
from whatsapp_provider.gateways.evolution.states import phone_of
from whatsapp_provider.gateways.reading import Payload
from whatsapp_provider.model import Group, GroupMember


class GroupRow(Payload):
    """A group of ``GET /group/fetchAllGroups`` and ``findGroupInfos``."""

    id: str
    subject: str | None = None
    size: int | None = None


class MemberRow(Payload):
    """A member; ``id`` may be a ``…@lid``, with the number beside it where the server knows it.

    :param admin: ``admin``, ``superadmin`` or nothing.
    """

    id: str = Field(repr=False)
    admin: str | None = None
    phoneNumber: str | None = Field(default=None, repr=False)  # noqa: N815 - the wire's spelling
    jid: str | None = Field(default=None, repr=False)


class MemberList(Payload):
    """``GET /group/participants``."""

    participants: list[MemberRow] = Field(repr=False)


def group(body: Any) -> Group:
    """Return one group in our words."""
    return _group(read(GroupRow, body))


def groups(body: Any) -> list[Group]:
    """Return the groups in our words."""
    return [_group(row) for row in read_list(GroupRow, body)]


def members(body: Any) -> list[GroupMember]:
    """Return the members in our words."""
    return [_member(row) for row in read(MemberList, body).participants]


def _group(row: GroupRow) -> Group:
    return Group(row.id, row.subject or "", row.size)


def _member(row: MemberRow) -> GroupMember:
    phone = phone_of(row.id) or phone_of(row.phoneNumber) or phone_of(row.jid)
    chat_id = row.id if "@" in row.id else f"{row.id}@s.whatsapp.net"
    return GroupMember(chat_id=chat_id, phone=phone, is_admin=bool(row.admin))
