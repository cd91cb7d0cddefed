"""Pairing: QR code as base64, as a picture, as raw text; pairing code; logout; profile."""

from __future__ import annotations

import re
import string

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.whapi.channel import WhapiChannel
from whatsapp_provider.emulator.whapi.qr import QrCode
from whatsapp_provider.emulator.whapi.refusals import RefusalError

PHONE = re.compile(r"\d{7,15}", re.ASCII)
CODE_LETTERS = string.ascii_uppercase + string.digits


def _code(channel: WhapiChannel, request: Request) -> QrCode | None:
    """Return the code to show; None when there is none in time."""
    if channel.phone is not None:
        raise RefusalError(409, "Channel already authenticated")
    if request.query.get("wakeup") != "false":
        channel.wake()
    if channel.status != "QR" or channel.qr is None:
        return None
    channel.qr_seen()
    return channel.qr


async def login(channel: WhapiChannel, request: Request) -> Reply:
    """Answer GET /users/login; sizes and colours are ignored, as the captured 300 by 300 suggests."""
    code = _code(channel, request)
    if code is None:
        return json_reply({"status": "TIMEOUT"})
    return json_reply(code.as_dict(code.expires_at - channel.world.clock.now()))


async def login_image(channel: WhapiChannel, request: Request) -> Reply:
    """Answer GET /users/login/image."""
    code = _code(channel, request)
    if code is None:
        return json_reply({"status": "TIMEOUT"})
    return Reply(200, code.png(), b"image/png")


async def login_rowdata(channel: WhapiChannel, request: Request) -> Reply:
    """Answer GET /users/login/rowdata."""
    code = _code(channel, request)
    if code is None:
        return json_reply({"status": "TIMEOUT"})
    left = int(code.expires_at - channel.world.clock.now())
    return json_reply({"status": "OK", "expire": max(0, left), "rowdata": code.raw})


async def login_phone(channel: WhapiChannel, request: Request) -> Reply:
    """Answer GET /users/login/{PhoneNumber} with a pairing code."""
    phone = request.params["phone"]
    if PHONE.fullmatch(phone) is None:
        raise RefusalError(400, "Invalid phone number")
    if channel.phone is not None:
        raise RefusalError(409, "Channel already authenticated")
    channel.wake()
    if channel.status != "QR":
        raise RefusalError(422, "Render QR failed")
    channel.qr_seen(phone)
    letters = "".join(channel.world.random.choices(CODE_LETTERS, k=8))
    return json_reply({"code": f"{letters[:4]}-{letters[4:]}"})


async def logout(channel: WhapiChannel, _request: Request) -> Reply:
    """Answer POST /users/logout."""
    if channel.phone is None:
        raise RefusalError(409, "Channel already logged out")
    channel.world.network.unlink(channel.id)
    return json_reply({"success": True})


async def profile(channel: WhapiChannel, _request: Request) -> Reply:
    """Answer GET /users/profile."""
    if channel.user is None:
        raise RefusalError(401, "need channel authorization")
    return json_reply({"name": channel.user["name"], "about": "", "icon": "", "icon_full": ""})
