"""Sending: validation with the real validator's texts, the send itself, edits, and the answer."""

from __future__ import annotations

import re
from typing import Any

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.network import EDIT, Outgoing
from whatsapp_provider.emulator.whapi.channel import WhapiChannel
from whatsapp_provider.emulator.whapi.media import ACCEPTED, media_content, parse_media
from whatsapp_provider.emulator.whapi.refusals import RefusalError, bad_request, missing

TO_PATTERN = r"^[\d-]{9,31}(@[\w\.]{1,})?$"
TO = re.compile(TO_PATTERN, re.ASCII)
SUFFIX = "@s.whatsapp.net"
MAX_TYPING = 60
POLL_OPTIONS = range(2, 13)
BUTTON_TYPES = ("quick_reply", "call", "copy", "url")
MOST_REPLIES = 3

REQUIRED: dict[str, tuple[str, ...]] = {
    "text": ("to", "body"),
    **dict.fromkeys(ACCEPTED, ("to", "media")),
    "link_preview": ("to", "body", "title"),
    "location": ("to", "latitude", "longitude"),
    "live_location": ("to", "latitude", "longitude"),
    "contact": ("to", "name", "vcard"),
    "contact_list": ("to", "list"),
    "poll": ("to", "title", "options"),
    "interactive": ("to", "action"),
    "carousel": ("to", "cards"),
    "event": ("to", "title", "startTime"),
}
# Fields that steer a send and are not part of its content.
STEERING = frozenset({"to", "quoted", "edit", "typing_time", "no_link_preview", "wide_link_preview", "media"})


async def send_kind(channel: WhapiChannel, request: Request, kind: str) -> Reply:
    """Answer POST /messages/<kind>."""
    if kind == "text" and not request.header(b"content-type").startswith("multipart/"):
        return await send(channel, kind, read_json(request), request)
    return await send(channel, kind, await read_any(request), request)


async def send_raw(channel: WhapiChannel, request: Request) -> Reply:
    """Answer POST /messages/media/<kind>: the body is the file, the rest is in the query."""
    kind = request.params["kind"]
    if kind not in ACCEPTED:
        raise RefusalError(404, "Not found")
    data: dict[str, Any] = dict(request.query)
    data["media"] = (data.get("filename", ""), request.header(b"content-type"), request.body)
    return await send(channel, kind, data, request)


async def send(channel: WhapiChannel, kind: str, data: dict[str, Any], request: Request) -> Reply:
    """Validate, hand to the network, remember, tell the webhooks, answer."""
    settings = channel.world.settings
    chat_id = _chat_id(kind, data)
    wait = settings.send_latency
    if data.get("typing_time") is not None:
        seconds = _typing_time(data["typing_time"])
        wait += seconds if settings.typing_delays_answer else 0
    if not channel.can_send():
        raise RefusalError(401, "need channel authorization")
    text, content, media = _content(channel, kind, data, settings.media_limit_bytes)
    if request.unsent:
        return json_reply({"sent": False})
    channel.trial.count_message(chat_id)
    if wait:
        await channel.world.wait(wait)
    if data.get("edit"):
        return _edit(channel, data["edit"], chat_id, text, kind, content)
    message = sent_message(channel, kind, chat_id, content, data.get("quoted"))
    channel.history.add(message, channel.world.clock.now())
    logged_as = _logged_as(kind, content)
    channel.world.network.send(channel.id, Outgoing(message["id"], chat_id, logged_as, text, media))
    if channel.webhooks.subscribed:
        channel.webhooks.emit("messages", "post", {"messages": [message]})
    return json_reply({"sent": True, "message": message})


def _chat_id(kind: str, data: dict[str, Any]) -> str:
    """Check what the request validator checks first, and return whom the message is for."""
    for name in REQUIRED[kind]:
        if name not in data:
            raise missing(name)
    to = data["to"]
    if not isinstance(to, str):
        raise bad_request("/body/to must be string")
    if TO.match(to) is None or to.endswith("@c.us"):
        raise bad_request(f'/body/to must match pattern "{TO_PATTERN}"')
    return to if "@" in to else to + SUFFIX


def sent_message(
    channel: WhapiChannel, kind: str, chat_id: str, content: dict[str, Any], quoted: str | None
) -> dict[str, Any]:
    """Return what the gateway tells of a message it took."""
    message = {
        "id": channel.ids.sent(),
        "from_me": True,
        "type": kind,
        "chat_id": chat_id,
        "timestamp": int(channel.world.clock.now()),
        "source": "api",
        "device_id": channel.device_id,
        "status": "pending",
        kind: content,
    }
    if quoted:
        message["context"] = {"quoted_id": quoted}
    message["from"] = channel.phone
    return message


def _content(
    channel: WhapiChannel, kind: str, data: dict[str, Any], limit: int
) -> tuple[str | None, dict[str, Any], dict[str, Any] | None]:
    """Return the text, the content object and, for media, what the truth log keeps."""
    if kind == "text":
        if not isinstance(data["body"], str):
            raise bad_request("/body/body must be string")
        return data["body"], {"body": data["body"]}, None
    if kind in ACCEPTED:
        file = parse_media(channel.media, kind, data, limit)
        content = media_content(file, data, int(channel.world.clock.now()))
        return data.get("caption"), content, file.summary()
    options = data.get("options")
    if kind == "poll" and (not isinstance(options, list) or len(options) not in POLL_OPTIONS):
        raise bad_request("/body/options must NOT have fewer than 2 items")
    content = {name: value for name, value in data.items() if name not in STEERING}
    summary = None
    if kind == "interactive":
        _check_interactive(data)
        if data.get("media"):
            # What kind of file may stand there is not documented.
            file = parse_media(channel.media, "document", data, limit)
            content["media"] = media_content(file, {}, int(channel.world.clock.now()))
            summary = file.summary()
    body = content.get("body")
    text = body.get("text") if isinstance(body, dict) else body
    return text or content.get("title") or content.get("name"), content, summary


def _check_interactive(data: dict[str, Any]) -> None:
    action = data["action"]
    if not isinstance(action, dict):
        raise bad_request("/body/action must be object")
    for number, button in enumerate(action.get("buttons") or ()):
        for name in ("type", "title", "id"):
            if name not in button:
                raise bad_request(
                    f"/body/action/buttons/{number} must have required property '{name}'",
                )
        if button["type"] not in BUTTON_TYPES:
            raise bad_request(
                f"/body/action/buttons/{number}/type must be equal to one of the allowed values"
            )
    replies = sum(button["type"] == "quick_reply" for button in action.get("buttons") or ())
    if replies > MOST_REPLIES:
        raise bad_request("/body/action/buttons must NOT have more than 3 items")


def _logged_as(kind: str, content: dict[str, Any]) -> str:
    """Return what a person would call the message."""
    if kind != "interactive":
        return kind
    if content.get("type", "button") != "button":
        return str(content["type"])
    return "media_buttons" if "media" in content else "buttons"


def _typing_time(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        raise bad_request("/body/typing_time must be number") from None
    if not 0 <= seconds <= MAX_TYPING:
        raise bad_request(f"/body/typing_time must be <= {MAX_TYPING}")
    return seconds


def _edit(
    channel: WhapiChannel, message_id: str, chat_id: str, text: str | None, kind: str, content: dict[str, Any]
) -> Reply:
    """Replace the content of an own message; the phone gets no second message."""
    message = channel.history.get(message_id)
    message[kind] = content
    channel.world.network.send(channel.id, Outgoing(message_id, chat_id, EDIT, text))
    return json_reply({"sent": True, "message": message})


def read_json(request: Request) -> dict[str, Any]:
    """Read an object from the body, or refuse."""
    try:
        data = request.json()
    except ValueError:
        raise bad_request("Unexpected token in JSON") from None
    if not isinstance(data, dict):
        raise bad_request("/body must be object")
    return data


async def read_any(request: Request) -> dict[str, Any]:
    """Read JSON, or a multipart form whose file becomes ``media``."""
    if not request.header(b"content-type").startswith("multipart/"):
        return read_json(request)
    fields, files = await request.form()
    data: dict[str, Any] = dict(fields)
    if files:
        data["media"] = files.get("media") or next(iter(files.values()))
    return data
