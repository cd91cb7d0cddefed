"""A bot's life over HTTP: create, list, init, scan, instance, logout, delete."""

from __future__ import annotations

import html
from typing import Any

from whatsapp_provider.emulator.asgi import Reply
from whatsapp_provider.emulator.waabot.call import Call, Route, deleted, done
from whatsapp_provider.emulator.waabot.refusals import HTML, not_connected, unknown_pair

PAGE = (
    "<!DOCTYPE html><html><head><title>WhatsApp QrCode</title></head>"
    '<body><img src="{}" alt="QR code"></body></html>'
)


async def create(call: Call) -> Reply:
    """Answer POST createNewWhatsapp: a row, which nobody has initialised yet."""
    name = call.data.get("bot_name")
    bot = call.account.create_bot(str(name) if name else None)
    return done("Whatsapp created successfully!", bot.document())


async def bots(call: Call) -> Reply:
    """Answer GET /whatsapp with all bots of the account, whatever pair the body has."""
    return done("Whatsapp fetched successfully!", [bot.listed() for bot in call.account.bots.values()])


async def init(call: Call) -> Reply:
    """Answer POST init; the code is not there yet, only the address of its page."""
    bot = call.row()
    config = call.data.get("config")
    config = config if isinstance(config, dict) else {}
    url = config.get("webhookUrl")
    enabled = bool(config.get("setWebhook")) and isinstance(url, str)
    if enabled:
        bot.hook.change(str(url))
    bot.begin()
    host = call.request.header(b"host") or "api.waabot.com"
    pair = f"session_id={bot.session_id}&access_token={bot.access_token}"
    scan_url = f"{call.request.scope.get('scheme', 'http')}://{host}/waabot/api/v1/whatsapp/scan?{pair}"
    data = {
        "session_id": bot.session_id,
        "webhook": {"enabled": enabled, "webhookUrl": url if enabled else None},
        "qrcode": {"base64": "", "url": scan_url},
    }
    return done("Initializing successfully", data)


async def scan(call: Call) -> Reply:
    """Answer GET scan: a page, or the code as text."""
    bot = call.bot
    bot.qr_seen()
    asked = call.request.query.get("format")
    if asked == "base64text":
        if call.account.world.settings.waabot_qr_form == "text":
            return Reply(200, bot.qr.encode(), HTML)
        return done("QR Base64 fetched successfully", bot.qr)
    if asked == "base64":
        inner = {"error": False, "message": "QR Base64 fetched successfully", "qrcode": bot.qr}
        return done("QR fetched successfully", inner)
    return Reply(200, PAGE.format(html.escape(bot.qr)).encode(), HTML)


async def instance(call: Call) -> Reply:
    """Answer GET instance: upstream's answer inside the envelope, or from the end of 2023 the bot's row."""
    bot = call.bot
    data: dict[str, Any] = bot.document()
    if call.account.world.settings.waabot_instance_shape == "seed":
        told = bot.instance()
        data = {"error": False, "message": "Instance fetched successfully", "instance_data": told}
    return done("Status checked successfully", data)


async def log_out(call: Call) -> Reply:
    """Answer GET logout, with the id in the path or without: the phone drops the bot."""
    bot = call.bot
    if call.request.params.get("id", bot.id) != bot.id:
        raise unknown_pair()
    if not bot.online:
        raise not_connected()
    if call.account.world.network.linked_phone(bot.id) is None:
        bot.unlinked()
    else:
        call.account.world.network.unlink(bot.id)
    # The spelling is upstream's.
    inner = {"error": False, "message": "logout successfull", "errormsg": None}
    return done("Whatsapp logged out successfully!", inner)


async def delete(call: Call) -> Reply:
    """Answer DELETE by ``_id``; nothing deleted is a success too."""
    return deleted("Whatsapp", int(call.account.delete_bot(call.request.params["id"])))


ROUTES = {
    ("POST", "/whatsapp/createnewwhatsapp"): Route(create, for_account=True, recorded=True),
    ("GET", "/whatsapp"): Route(bots, for_account=True, recorded=True),
    ("POST", "/whatsapp/init"): Route(init),
    ("GET", "/whatsapp/scan"): Route(scan),
    ("GET", "/whatsapp/instance"): Route(instance, recorded=True),
    ("GET", "/whatsapp/info"): Route(instance),
    ("GET", "/whatsapp/logout"): Route(log_out),
    ("GET", "/whatsapp/instance/logout/{id}"): Route(log_out),
    ("DELETE", "/whatsapp/{id}"): Route(delete, for_account=True),
}
