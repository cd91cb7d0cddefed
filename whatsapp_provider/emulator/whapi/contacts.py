"""Checking which numbers have WhatsApp."""

from __future__ import annotations

import re

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.whapi.channel import WhapiChannel
from whatsapp_provider.emulator.whapi.messages import SUFFIX, read_json
from whatsapp_provider.emulator.whapi.refusals import RefusalError, bad_request, missing

CONTACT_ID = re.compile(r"\d{7,15}", re.ASCII)


async def check(channel: WhapiChannel, request: Request) -> Reply:
    """Answer POST /contacts."""
    data = read_json(request)
    numbers = data.get("contacts")
    if numbers is None:
        raise missing("contacts")
    if not isinstance(numbers, list) or not all(isinstance(item, str) for item in numbers):
        raise bad_request("/body/contacts must be array")
    if not channel.can_send():
        raise RefusalError(401, "need channel authorization")
    channel.trial.count_checks(len(numbers))
    found = []
    for text in numbers:
        digits = re.sub(r"\D", "", text)
        if channel.world.network.on_whatsapp(digits):
            found.append({"input": text, "status": "valid", "wa_id": digits + SUFFIX})
        else:
            found.append({"input": text, "status": "invalid"})
    return json_reply({"contacts": found})


async def exists(channel: WhapiChannel, request: Request) -> Reply:
    """Answer HEAD /contacts/{ContactID}."""
    digits = request.params["contact"]
    if CONTACT_ID.fullmatch(digits) is None:
        raise bad_request('/params/ContactID must match pattern "^([\\d]{7,15})?$"')
    if not channel.can_send():
        raise RefusalError(401, "need channel authorization")
    channel.trial.count_checks(1)
    if not channel.world.network.on_whatsapp(digits):
        raise RefusalError(404, "Specified contact not registered")
    return json_reply({"success": True})
