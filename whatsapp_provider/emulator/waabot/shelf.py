"""Attachments and contacts, as far as messages name them."""

from __future__ import annotations

import base64

from whatsapp_provider.emulator.asgi import Reply
from whatsapp_provider.emulator.waabot.body import Data
from whatsapp_provider.emulator.waabot.call import Call, Route, deleted, done
from whatsapp_provider.emulator.waabot.refusals import crashed, undefined

HIDDEN = "content"


def _shown(row: Data) -> Data:
    return {name: value for name, value in row.items() if name != HIDDEN}


async def add_attachment(call: Call) -> Reply:
    """Answer POST /attachment with the file as a data URL, as the page shows it; the id is in the list."""
    bot = call.row()
    if call.file is None:
        raise undefined("mimetype")
    name, mimetype, content = call.file
    now, ending = call.account.now(), mimetype.rpartition("/")[2]
    row: Data = {
        "_id": call.account.object_id(),
        "type": ending,
        "mimetype": mimetype,
        "name": name,
        "path": f"./public/attachments/{name}",
        "client_id": bot.id,
        "createdAt": now,
        "updatedAt": now,
        "__v": 0,
        HIDDEN: content,
    }
    call.account.attachments[row["_id"]] = row
    data = f"data:{mimetype};base64,{base64.b64encode(content).decode()}"
    return done("Attachment created successfully!", data)


async def attachments(call: Call) -> Reply:
    """Answer GET /attachment with the bot's own."""
    rows = [_shown(row) for row in call.account.attachments.values() if row["client_id"] == call.row().id]
    return done("Attachment fetched successfully!", rows)


async def attachment(call: Call) -> Reply:
    """Answer GET /attachment/{id}; an id that nobody has is null, not an error."""
    row = call.account.attachments.get(call.request.params["id"])
    return done("Attachment fetched successfully!", None if row is None else _shown(row))


async def delete_attachment(call: Call) -> Reply:
    """Answer DELETE /attachment/{id}."""
    gone = call.account.attachments.pop(call.request.params["id"], None)
    return deleted("Attachment", int(gone is not None))


async def add_contact(call: Call) -> Reply:
    """Answer POST /contact; a number may be there twice."""
    name, number = call.data.get("name"), call.data.get("number")
    if not name or not number:
        raise crashed("Contact validation failed")
    now = call.account.now()
    row: Data = {
        "_id": call.account.object_id(),
        "name": str(name),
        "number": str(number),
        "client_id": call.row().id,
        "group_id": call.data.get("group_id"),
        "channel": "whatsapp",
        "createdAt": now,
        "updatedAt": now,
        "__v": 0,
    }
    call.account.contacts[row["_id"]] = row
    return done("Contact created successfully!", row)


async def contacts(call: Call) -> Reply:
    """Answer GET /contact with the bot's own, or with ``type=all`` those of all bots."""
    rows = list(call.account.contacts.values())
    if call.request.query.get("type") != "all":
        rows = [row for row in rows if row["client_id"] == call.row().id]
    return done("Contact fetched successfully!", rows)


async def contact(call: Call) -> Reply:
    """Answer GET /contact/{id}."""
    return done("Contact fetched successfully!", call.account.contacts.get(call.request.params["id"]))


async def change_contact(call: Call) -> Reply:
    """Answer PUT /contact/{id} with the changed row."""
    row = call.account.contacts.get(call.request.params["id"])
    if row is not None:
        changes: Data = {
            name: call.data[name] for name in ("name", "number", "group_id") if name in call.data
        }
        row |= {**changes, "updatedAt": call.account.now()}
    return done("Contact updated successfully!", row)


async def delete_contact(call: Call) -> Reply:
    """Answer DELETE /contact/{id}."""
    gone = call.account.contacts.pop(call.request.params["id"], None)
    return deleted("Contact", int(gone is not None))


ROUTES = {
    ("POST", "/attachment"): Route(add_attachment, for_account=True, recorded=True),
    ("GET", "/attachment"): Route(attachments, for_account=True, recorded=True),
    ("GET", "/attachment/{id}"): Route(attachment, for_account=True, recorded=True),
    ("DELETE", "/attachment/{id}"): Route(delete_attachment, for_account=True, recorded=True),
    ("POST", "/contact"): Route(add_contact, for_account=True, recorded=True),
    ("GET", "/contact"): Route(contacts, for_account=True, recorded=True),
    ("GET", "/contact/{id}"): Route(contact, for_account=True, recorded=True),
    ("PUT", "/contact/{id}"): Route(change_contact, for_account=True, recorded=True),
    ("DELETE", "/contact/{id}"): Route(delete_contact, for_account=True, recorded=True),
}
