"""Groups of the account: listed, and each with its members; by the gate's schema, of which no capture is known."""

from __future__ import annotations

from typing import Any

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.groups import Group
from whatsapp_provider.emulator.whapi.channel import WhapiChannel
from whatsapp_provider.emulator.whapi.refusals import RefusalError, bad_request

USUAL_COUNT = 100
MOST = 500


async def all_groups(channel: WhapiChannel, request: Request) -> Reply:
    """Answer GET /groups."""
    _check_paired(channel)
    try:
        count = min(int(request.query.get("count", USUAL_COUNT)), MOST)
        offset = int(request.query.get("offset", 0))
    except ValueError:
        raise bad_request("/query/count must be integer") from None
    groups = channel.world.network.groups.all()
    page = [_shown(channel, group) for group in groups[offset : offset + count]]
    return json_reply({"groups": page, "count": len(page), "total": len(groups), "offset": offset})


async def one_group(channel: WhapiChannel, request: Request) -> Reply:
    """Answer GET /groups/{GroupID}."""
    _check_paired(channel)
    group = channel.world.network.groups.get(request.params["group"])
    if group is None:
        raise RefusalError(404, "Specified group not found")
    return json_reply(_shown(channel, group))


def _check_paired(channel: WhapiChannel) -> None:
    if not channel.can_send():
        raise RefusalError(401, "need channel authorization")


def _shown(channel: WhapiChannel, group: Group) -> dict[str, Any]:
    own = channel.world.network.linked_phone(channel.facts["id"]) or ""
    members = [{"id": own, "rank": "creator"}]
    members += [
        {"id": phone, "rank": "admin" if phone in group.admins else "member"}
        for phone in group.participants
        if phone != own
    ]
    return {
        "id": group.id,
        "name": group.subject,
        "type": "group",
        "description": group.description or "",
        "created_at": int(group.created_at),
        "created_by": own,
        "participants": members,
    }
