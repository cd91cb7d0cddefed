"""Groups over HTTP: the network's, seen by an instance whose phone owns them."""

from __future__ import annotations

from typing import Any

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.evolution.body import Data
from whatsapp_provider.emulator.evolution.chats import online
from whatsapp_provider.emulator.evolution.instance import Instance
from whatsapp_provider.emulator.evolution.refusals import RefusalError, bad_request
from whatsapp_provider.emulator.evolution.schema import TEXT, Rule, Schema, demand
from whatsapp_provider.emulator.evolution.session import SUFFIX
from whatsapp_provider.emulator.groups import Group

ACTIONS = ("add", "remove", "promote", "demote")
NEW = Schema(
    {"subject": TEXT, "description": TEXT, "participants": Rule("array", least=1, item=TEXT)},
    ("subject", "participants"),
)
UPDATE = Schema(
    {"action": Rule("string", values=ACTIONS), "participants": Rule("array", least=1, item=TEXT)},
    ("action", "participants"),
)


def _metadata(instance: Instance, group: Group, *, members: bool) -> Data:
    owner = instance.jid()
    data: dict[str, Any] = {
        "id": group.id,
        "subject": group.subject,
        "subjectOwner": owner,
        "subjectTime": int(group.created_at),
        "pictureUrl": None,
        "size": len(_members(instance, group)),
        "creation": int(group.created_at),
        "owner": owner,
        "desc": group.description,
        "descId": None if group.description is None else f"{group.id[:16]}",
        "restrict": False,
        "announce": False,
    }
    if members:
        data["participants"] = _members(instance, group)
    return {**data, "isCommunity": False, "isCommunityAnnounce": False, "linkedParent": None}


def _members(instance: Instance, group: Group) -> list[Data]:
    own = instance.session.phone
    others = [phone for phone in group.participants if phone != own]
    admins = dict.fromkeys(group.admins, "admin")
    return [
        {"id": f"{own}{SUFFIX}", "admin": "superadmin"},
        *({"id": phone + SUFFIX, "admin": admins.get(phone)} for phone in others),
    ]


def _group(instance: Instance, request: Request, data: Data, title: str) -> Group:
    """Return the group that a body or a query names, or refuse with a title and a detail."""
    online(instance)
    wanted = data.get("groupJid") or request.query.get("groupJid")
    if not wanted:
        raise bad_request("The group id needs to be informed in the query", 'ex: "groupJid=120362@g.us"')
    group = instance.world.network.groups.get(str(wanted))
    if group is None:
        raise RefusalError(404, [title, "Error: item-not-found"])
    return group


async def fetch_all(instance: Instance, request: Request, _data: Data) -> Reply:
    """Answer fetchAllGroups; whether the members come along must be said."""
    wanted = request.query.get("getParticipants")
    if wanted not in ("true", "false"):
        raise bad_request("The getParticipants needs to be informed in the query")
    online(instance)
    groups = instance.world.network.groups.all()
    return json_reply([_metadata(instance, group, members=wanted == "true") for group in groups])


async def find(instance: Instance, request: Request, data: Data) -> Reply:
    """Answer findGroupInfos."""
    group = _group(instance, request, data, "Error fetching group")
    return json_reply(_metadata(instance, group, members=True))


async def participants(instance: Instance, request: Request, data: Data) -> Reply:
    """Answer participants."""
    group = _group(instance, request, data, "No participants")
    return json_reply({"participants": _members(instance, group)})


async def invite_code(instance: Instance, request: Request, data: Data) -> Reply:
    """Answer inviteCode."""
    code = _group(instance, request, data, "No invite code").invite_code
    return json_reply({"inviteUrl": f"https://chat.whatsapp.com/{code}", "inviteCode": code})


async def create(instance: Instance, _request: Request, data: Data) -> Reply:
    """Answer create: a group of the whole network, with the linked phone as its owner."""
    demand(data, NEW)
    online(instance)
    group = instance.world.network.groups.add(data["subject"], data["participants"], data.get("description"))
    return json_reply(_metadata(instance, group, members=True), 201)


async def update(instance: Instance, request: Request, data: Data) -> Reply:
    """Answer updateParticipant."""
    demand(data, UPDATE)
    group = _group(instance, request, data, "Error updating participants")
    phones = [item.partition("@")[0] for item in data["participants"]]
    if data["action"] == "add":
        group.participants += [phone for phone in phones if phone not in group.participants]
    elif data["action"] == "remove":
        group.participants[:] = [phone for phone in group.participants if phone not in phones]
    elif data["action"] == "promote":
        group.admins.update(phones)
    else:
        group.admins.difference_update(phones)
    done = [{"status": "200", "jid": phone + SUFFIX} for phone in phones]
    return json_reply({"updateParticipants": done}, 201)
