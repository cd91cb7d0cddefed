"""Sending: one call, one message for most paths, and up to four for the combined one."""

from __future__ import annotations

from typing import Any

from whatsapp_provider.emulator.asgi import Reply
from whatsapp_provider.emulator.network import Outgoing
from whatsapp_provider.emulator.waabot.body import Data
from whatsapp_provider.emulator.waabot.bot import SUFFIX, Bot
from whatsapp_provider.emulator.waabot.call import Call, Handler, Route, done
from whatsapp_provider.emulator.waabot.contents import (
    Media,
    buttons_content,
    contact_content,
    list_content,
    location_content,
    media_content,
)
from whatsapp_provider.emulator.waabot.refusals import SENT, crashed, not_connected, undefined

GROUP = "@g.us"
# The kinds of the truth log in the words of open-wa.
TYPES = {
    "text": "chat",
    "voice": "ptt",
    "contact": "vcard",
    "buttons": "template",
    "media_buttons": "template",
}
URL_TYPES = ("image", "video", "audio", "document")


def whatsapp_id(chat_id: Any) -> str:
    """Return upstream's address of a chat: a dash makes it a group, an ending is left as it is."""
    if not isinstance(chat_id, str):
        raise undefined("includes") if chat_id is None else crashed("id.includes is not a function")
    if GROUP in chat_id or SUFFIX in chat_id:
        return chat_id
    return chat_id + (GROUP if "-" in chat_id else SUFFIX)


async def _recipient(call: Call, name: str = "chatId") -> tuple[Bot, str]:
    """Return who sends to whom, once it is sure that something could be sent, and when it is its time."""
    bot, network = call.bot, call.account.world.network
    if not bot.online:
        raise not_connected()
    chat_id = whatsapp_id(call.data.get(name))
    if bot.state == "lost":
        raise crashed("Connection Closed")
    if chat_id.endswith(GROUP):
        if network.groups.get(chat_id) is None:
            raise crashed("item-not-found")
        there = True
    else:
        digits = chat_id.removesuffix(SUFFIX)
        there = digits.isascii() and digits.isdigit() and network.on_whatsapp(digits)
    if call.request.unsent or not there:
        raise crashed("no account exists")
    latency = call.account.world.settings.send_latency
    if latency:
        await call.account.world.wait(latency)
    return bot, chat_id


def _deliver(
    bot: Bot, chat_id: str, kind: str, text: str, media: Data | None = None, message_id: str | None = None
) -> str:
    """Hand one message over, and return its id, which not every answer shows."""
    message_id = message_id or f"BAE5{bot.world.random.getrandbits(48):012X}"
    shown_as = TYPES.get(kind, kind)
    bot.remember(message_id, chat_id, text, shown_as)
    bot.world.network.send(bot.id, Outgoing(message_id, chat_id, kind, text, media))
    bot.hook.sent(message_id, chat_id, text, shown_as)
    return message_id


def _frame(bot: Bot, chat_id: str, message_id: str, content: Data) -> Reply:
    """Return the answer that shows a message as Baileys does."""
    data = {
        "key": {"remoteJid": chat_id, "fromMe": True, "id": message_id},
        "status": "PENDING",
        "message": content,
        "messageTimestamp": str(int(bot.world.clock.now())),
    }
    return done(SENT, data)


def _object(data: Data, name: str, first_read: str) -> Data:
    """Return an object of the body; upstream reads from it without a look."""
    value = data.get(name)
    if value is None:
        raise undefined(first_read)
    return value if isinstance(value, dict) else {}


# -- the combined call and the plain text -----------------------------------------------------


async def combined(call: Call) -> Reply:
    """Answer POST message: each part is a message of its own, and none has an id in the answer."""
    bot, chat_id = await _recipient(call)
    data = call.data
    answer: Data = {
        "message": {},
        "attachment": [],
        "contact": {},
        "image": {},
        "buttons": {},
        "location": {},
    }
    if data.get("message"):
        _deliver(bot, chat_id, "text", str(data["message"]))
    attachments = data.get("attachments") or []
    if not isinstance(attachments, list | str):
        raise crashed("attachments is not iterable")
    for wanted in attachments:
        _send_attachment(call, bot, chat_id, wanted)
        answer["attachment"].append(wanted)
    location = data.get("location")
    if isinstance(location, dict) and location:
        answer["location"] = location_content(location)
        place = answer["location"]["locationMessage"]
        _deliver(bot, chat_id, "location", str(location.get("name") or ""), dict(place))
    if data.get("contactId"):
        row = call.account.contacts.get(str(data["contactId"]))
        if row is None:
            raise crashed("Cannot read properties of null (reading 'name')")
        answer["contact"] = contact_content({"fullName": row["name"], "phoneNumber": row["number"]})
        _deliver(bot, chat_id, "contact", answer["contact"]["contactMessage"]["vcard"])
    return done(SENT, answer)


def _send_attachment(call: Call, bot: Bot, chat_id: str, wanted: Any) -> None:
    row = call.account.attachments.get(str(wanted))
    if row is None:
        raise crashed("Cannot read properties of null (reading 'path')")
    media = Media(row["mimetype"], row["name"], row["content"])
    main = media.mime_type.partition("/")[0]
    _deliver(bot, chat_id, main if main in URL_TYPES else "document", "", media.summary())


async def text(call: Call) -> Reply:
    """Answer the deprecated sendText: the one text that has an id, in the form of open-wa."""
    bot, chat_id = await _recipient(call, "to")
    digits = chat_id.partition("@")[0]
    ending = GROUP if chat_id.endswith(GROUP) else "@c.us"
    message_id = f"true_{digits}{ending}_3EB0{bot.world.random.getrandbits(64):016X}"
    _deliver(bot, chat_id, "text", str(call.data.get("message") or ""), message_id=message_id)
    return done(SENT, message_id)


# -- one message each -------------------------------------------------------------------------


def upload(kind: str) -> Handler:
    """Return what answers the multipart send of one kind."""

    async def answer(call: Call) -> Reply:
        bot, chat_id = await _recipient(call)
        if call.file is None:
            raise undefined("mimetype")
        media = Media.of_file(call.file)
        if len(media.content) > bot.world.settings.media_limit_bytes:
            raise crashed("File too large")
        if kind == "document" and call.data.get("filename"):
            media = media._replace(filename=str(call.data["filename"]))
        return _send_media(bot, chat_id, kind, media, call.data.get("caption"))

    return answer


async def by_url(call: Call) -> Reply:
    """Answer fileurl."""
    bot, chat_id = await _recipient(call)
    kind = call.data.get("type")
    if kind not in URL_TYPES:
        raise crashed("Invalid media type")
    media = Media.of_url(call.data.get("url"), call.data.get("mimetype"))
    return _send_media(bot, chat_id, kind, media, call.data.get("caption"))


def _send_media(bot: Bot, chat_id: str, kind: str, media: Media, caption: str | None) -> Reply:
    content = media_content(kind, media, caption, int(bot.world.clock.now()), bot.world.random)
    message_id = _deliver(bot, chat_id, kind, caption or "", media.summary())
    return _frame(bot, chat_id, message_id, content)


async def button(call: Call) -> Reply:
    """Answer button."""
    bot, chat_id = await _recipient(call)
    data = _buttons(call)
    message_id = _deliver(bot, chat_id, "buttons", str(data.get("text", "")))
    return _frame(bot, chat_id, message_id, buttons_content(data))


async def media_button(call: Call) -> Reply:
    """Answer MediaButton: the field with the URL is ``image``, whatever the media is."""
    bot, chat_id = await _recipient(call)
    data = _buttons(call)
    kind = data.get("mediaType")
    if kind not in ("image", "video", "document"):
        raise crashed("Invalid media type")
    media = Media.of_url(data.get("image"), data.get("mimeType"))
    shown = media_content(kind, media, None, int(bot.world.clock.now()), bot.world.random)
    message_id = _deliver(bot, chat_id, "media_buttons", str(data.get("text", "")), media.summary())
    return _frame(bot, chat_id, message_id, buttons_content(data, shown))


def _buttons(call: Call) -> Data:
    data = _object(call.data, "btndata", "buttons")
    buttons = data.get("buttons")
    if not isinstance(buttons, list) or not all(isinstance(item, dict) for item in buttons):
        raise undefined("map") if buttons is None else crashed("buttons.map is not a function")
    return data


async def send_list(call: Call) -> Reply:
    """Answer list."""
    bot, chat_id = await _recipient(call)
    data = _object(call.data, "msgdata", "text")
    message_id = _deliver(bot, chat_id, "list", str(data.get("text", "")))
    return _frame(bot, chat_id, message_id, list_content(data))


async def contact(call: Call) -> Reply:
    """Answer contact."""
    bot, chat_id = await _recipient(call)
    content = contact_content(_object(call.data, "vcard", "fullName"))
    message_id = _deliver(bot, chat_id, "contact", content["contactMessage"]["vcard"])
    return _frame(bot, chat_id, message_id, content)


ROUTES = {
    ("POST", "/whatsapp/message"): Route(combined, recorded=True),
    ("POST", "/whatsapp/message/image"): Route(upload("image"), recorded=True),
    ("POST", "/whatsapp/message/video"): Route(upload("video")),
    ("POST", "/whatsapp/message/audio"): Route(upload("voice")),
    ("POST", "/whatsapp/message/doc"): Route(upload("document")),
    ("POST", "/whatsapp/message/fileurl"): Route(by_url),
    ("POST", "/whatsapp/message/button"): Route(button),
    ("POST", "/whatsapp/message/mediabutton"): Route(media_button),
    ("POST", "/whatsapp/message/list"): Route(send_list),
    ("POST", "/whatsapp/message/contact"): Route(contact),
    # The page's heading has one path and its sample the other.
    ("POST", "/whatsapp/message/sendtext"): Route(text, recorded=True),
    ("POST", "/whatsapp/sendtext"): Route(text, recorded=True),
}
