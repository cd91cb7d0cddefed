"""Questions about messages, numbers and profiles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.evolution.body import Data
from whatsapp_provider.emulator.evolution.history import Stored
from whatsapp_provider.emulator.evolution.hooks import iso, row_id
from whatsapp_provider.emulator.evolution.instance import Instance
from whatsapp_provider.emulator.evolution.life import ELSEWHERE
from whatsapp_provider.emulator.evolution.refusals import RefusalError, bad_request, crashed, undefined
from whatsapp_provider.emulator.evolution.schema import TEXT, Rule, Schema, demand
from whatsapp_provider.emulator.evolution.session import SUFFIX

NUMBERS = Schema({"numbers": Rule("array", item=TEXT)}, ("numbers",))
PAGE = 50


# -- messages -------------------------------------------------------------------------------------


async def find_statuses(instance: Instance, _request: Request, data: Data) -> Reply:
    """Answer findStatusMessage: a row for each update; nothing heard is an empty list."""
    where = data.get("where") or {}
    rows = [
        row
        for stored in _known(instance, where.get("id"))
        if where.get("remoteJid") in (None, stored.key["remoteJid"])
        for row in stored.updates
    ]
    return json_reply(_page(rows, data)[0])


async def find_messages(instance: Instance, _request: Request, data: Data) -> Reply:
    """Answer findMessages: a page for v2, a plain list for v1; the newest come first."""
    where = data.get("where") or {}
    key = where.get("key") or {}
    since, until = _moments(where.get("messageTimestamp"))
    shown = instance.world.clock.now() - instance.world.settings.history_lag
    found = [
        stored
        for stored in _known(instance, key.get("id"))
        if key.get("remoteJid") in (None, stored.key["remoteJid"])
        # Only ``true`` is looked at.
        and (key.get("fromMe") is not True or stored.key["fromMe"])
        and stored.at <= shown
        and since <= stored.data["messageTimestamp"] <= until
    ]
    kept, number, pages = _page(found, data)
    records = [_record(instance, stored) for stored in kept]
    if instance.server.version == 1:
        return json_reply(records)
    page = {"total": len(found), "pages": pages, "currentPage": number, "records": records}
    return json_reply({"messages": page})


def _known(instance: Instance, key_id: str | None) -> Iterator[Stored]:
    if key_id is None:
        yield from instance.history.newest_first()
    elif (stored := instance.history.get(key_id)) is not None:
        yield stored


def _moments(wanted: Data | None) -> tuple[float, float]:
    ends = [(wanted or {}).get(name) for name in ("gte", "lte")]
    if None in ends:
        # One end alone is not looked at.
        return 0, float("inf")
    since, until = (datetime.fromisoformat(str(end)).timestamp() for end in ends)
    return int(since), int(until)


def _page(rows: list[Any], data: Data) -> tuple[list[Any], int, int]:
    """Return one page, its number and how many there are; ``offset`` is the size of a page."""
    size, number = int(data.get("offset") or PAGE), int(data.get("page") or 1)
    start = (number - 1) * size
    return rows[start : start + size], number, -(-len(rows) // size)


def _record(instance: Instance, stored: Stored) -> Data:
    data = stored.data
    key = stored.key
    if instance.server.version == 1:
        return {"_id": stored.id[1:], **data}
    order = ("id", "fromMe", "remoteJid")
    own = key["fromMe"]
    return {
        "id": stored.id,
        "key": {**{name: key[name] for name in order}, **{k: v for k, v in key.items() if k not in order}},
        "pushName": data.get("pushName") if instance.baileys or not own else None,
        "messageType": data["messageType"],
        "message": data["message"],
        "messageTimestamp": data["messageTimestamp"],
        "instanceId": instance.id,
        "source": data["source"],
        "contextInfo": data.get("contextInfo"),
        "MessageUpdate": [{"status": row["status"]} for row in stored.updates],
    }


# -- numbers and profiles -------------------------------------------------------------------------


async def check_numbers(instance: Instance, _request: Request, data: Data) -> Reply:
    """Answer whatsappNumbers; its errors have no envelope, and without a socket no body."""
    try:
        demand(data, NUMBERS)
    except RefusalError as refusal:
        return refusal.bare()
    if not instance.baileys:
        return bad_request(ELSEWHERE[instance.integration]).bare()
    session = instance.session
    if session.state != "open" or session.dead:
        return json_reply({}, 400)
    network = instance.world.network
    found = []
    for number in data["numbers"]:
        if number.endswith("@g.us"):
            found.append({"jid": number, "exists": network.groups.get(number) is not None, "number": number})
            continue
        digits = re.sub(r"\D", "", number.partition("@")[0])
        known = network.on_whatsapp(digits)
        found.append({"jid": digits + SUFFIX, "exists": known, "number": number})
    return json_reply(found)


def online(instance: Instance) -> None:
    """Refuse what needs a phone that is linked and a socket that is up."""
    if not instance.baileys:
        raise bad_request(ELSEWHERE[instance.integration])
    session = instance.session
    if not session.started:
        raise crashed(undefined("onWhatsApp"))
    if session.state != "open" or session.dead:
        raise crashed("Connection Closed")


async def fetch_profile(instance: Instance, _request: Request, data: Data) -> Reply:
    """Answer fetchProfile, by default of the linked number."""
    online(instance)
    own = instance.jid() or ""
    number = data.get("number")
    jid = own if number is None else re.sub(r"\D", "", str(number).partition("@")[0]) + SUFFIX
    known = instance.world.network.on_whatsapp(jid.partition("@")[0])
    return json_reply(
        {
            "wuid": jid,
            "name": instance.session.profile_name if jid == own else None,
            "numberExists": known,
            "picture": None,
            "status": None,
            "isBusiness": False,
            "email": None,
            "description": None,
            "website": None,
        }
    )


async def picture_url(instance: Instance, _request: Request, data: Data) -> Reply:
    """Answer fetchProfilePictureUrl; nobody in the fake network has a picture."""
    online(instance)
    jid = re.sub(r"\D", "", str(data.get("number", "")).partition("@")[0]) + SUFFIX
    return json_reply({"wuid": jid, "profilePictureUrl": None})


async def send_presence(instance: Instance, _request: Request, data: Data) -> Reply:
    """Answer sendPresence, which is over when the time that was asked for is."""
    options = data if instance.server.version == 2 else data.get("options") or {}
    schema = Schema({"presence": TEXT, "delay": Rule("integer")}, ("presence", "delay"))
    demand(data, Schema({"number": TEXT}, ("number",)))
    demand(options, schema)
    online(instance)
    await instance.world.wait(options["delay"] / 1000)
    return json_reply({"presence": options["presence"]}, 201)


async def find_chats(instance: Instance, _request: Request, _data: Data) -> Reply:
    """Answer findChats: one row for each chat, the one with the newest message first."""
    chats: dict[str, Data] = {}
    for stored in instance.history.newest_first():
        jid = stored.key["remoteJid"]
        if jid not in chats:
            name = None if stored.key["fromMe"] else stored.data.get("pushName")
            chats[jid] = {
                "id": row_id(instance),
                "remoteJid": jid,
                "pushName": name,
                "profilePicUrl": None,
                "updatedAt": iso(stored.data["messageTimestamp"]),
            }
    return json_reply(list(chats.values()))


async def find_contacts(instance: Instance, _request: Request, _data: Data) -> Reply:
    """Answer findContacts: whoever wrote to the instance."""
    people: dict[str, Data] = {}
    for stored in instance.history.newest_first():
        jid = stored.key["remoteJid"]
        if not stored.key["fromMe"] and jid not in people:
            at = iso(stored.data["messageTimestamp"])
            people[jid] = {
                "id": row_id(instance),
                "remoteJid": jid,
                "pushName": stored.data.get("pushName"),
                "profilePicUrl": None,
                "createdAt": at,
                "updatedAt": at,
                "instanceId": instance.id,
                "isGroup": False,
                "isSaved": True,
                "type": "contact",
            }
    return json_reply(list(people.values()))
