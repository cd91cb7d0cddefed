"""The message kinds: what each body must have, and how v1 wraps it."""

from __future__ import annotations

from typing import NamedTuple

from whatsapp_provider.emulator.evolution.body import Data
from whatsapp_provider.emulator.evolution.refusals import bad_request
from whatsapp_provider.emulator.evolution.schema import SWITCH, TEXT, Rule, Schema, complaints, demand

NUMBER = Rule("string", say="Invalid format")
INTEGER = Rule("integer")
REAL = Rule("number")
ANY = Rule()
DELAY = Rule("integer", say="Enter a value in milliseconds")
MENTIONED = Rule(
    "array",
    say='"mentioned" must be an array of numeric strings',
    least=1,
    item=Rule("string", pattern=r"^\d+"),
)
QUOTED = Rule("object", inner=Schema({"key": Rule("object", inner=Schema({"id": TEXT}, ("id",)))}))
OPTIONS = {
    "delay": DELAY,
    "linkPreview": SWITCH,
    "quoted": QUOTED,
    "everyOne": SWITCH,
    "mentioned": MENTIONED,
}
CONTACT = Schema(
    {"fullName": TEXT, "wuid": TEXT, "phoneNumber": Rule("string", least=10), "organization": TEXT},
    ("fullName", "phoneNumber"),
)
ROW = Schema({"title": TEXT, "description": TEXT, "rowId": TEXT}, ("title", "rowId"))
SECTION = Schema(
    {"title": TEXT, "rows": Rule("array", item=Rule("object", inner=ROW))},
    ("title", "rows"),
)
BUTTON = Schema(
    {"type": Rule("string", values=("reply", "copy", "url", "call", "pix")), "displayText": TEXT, "id": TEXT},
    ("type",),
)
KEY = Schema({"id": TEXT, "remoteJid": TEXT, "fromMe": SWITCH}, ("id", "remoteJid", "fromMe"))


class Kind(NamedTuple):
    """One kind: its schema without ``number`` and options, the name that v1 wraps it in, its place in the log."""

    rules: dict[str, Rule]
    required: tuple[str, ...]
    wrapper: str
    logged_as: str
    addressed: bool = True

    def schema(self) -> Schema:
        """Return the schema of v2's flat body."""
        head = {"number": NUMBER} if self.addressed else {}
        required = ("number", *self.required) if self.addressed else self.required
        return Schema({**head, **self.rules, **OPTIONS}, required)


KINDS = {
    "sendText": Kind({"text": TEXT}, ("text",), "textMessage", "text"),
    "sendMedia": Kind(
        {
            "mediatype": Rule("string", values=("image", "document", "video", "audio")),
            "mimetype": TEXT,
            "media": TEXT,
            "fileName": TEXT,
            "caption": TEXT,
        },
        ("mediatype",),
        "mediaMessage",
        "media",
    ),
    "sendWhatsAppAudio": Kind({"audio": TEXT}, (), "audioMessage", "voice"),
    "sendPtv": Kind({"video": TEXT}, (), "ptvMessage", "short"),
    "sendSticker": Kind({"sticker": TEXT}, (), "stickerMessage", "sticker"),
    "sendLocation": Kind(
        {"latitude": REAL, "longitude": REAL, "name": TEXT, "address": TEXT},
        ("latitude", "longitude", "name", "address"),
        "locationMessage",
        "location",
    ),
    "sendContact": Kind(
        {"contact": Rule("array", least=1, item=Rule("object", inner=CONTACT))},
        ("contact",),
        "contactMessage",
        "contact",
    ),
    "sendPoll": Kind(
        {
            "name": TEXT,
            "selectableCount": Rule("integer", least=0, most=10),
            "values": Rule("array", least=2, most=10, item=TEXT),
        },
        ("name", "selectableCount", "values"),
        "pollMessage",
        "poll",
    ),
    "sendList": Kind(
        {
            "title": TEXT,
            "description": TEXT,
            "footerText": TEXT,
            "buttonText": TEXT,
            "sections": Rule("array", least=1, item=Rule("object", inner=SECTION)),
        },
        ("title", "footerText", "buttonText", "sections"),
        "listMessage",
        "list",
    ),
    "sendButtons": Kind(
        {
            "title": TEXT,
            "description": TEXT,
            "footer": TEXT,
            "buttons": Rule("array", least=1, item=Rule("object", inner=BUTTON)),
        },
        ("buttons",),
        "buttonMessage",
        "buttons",
    ),
    "sendReaction": Kind(
        {"key": Rule("object", inner=KEY), "reaction": TEXT},
        ("key", "reaction"),
        "reactionMessage",
        "reaction",
        addressed=False,
    ),
    "sendTemplate": Kind(
        {"name": TEXT, "language": TEXT, "components": Rule("array"), "webhookUrl": TEXT},
        ("name", "language"),
        "templateMessage",
        "template",
    ),
    "sendStatus": Kind(
        {
            "type": Rule("string", values=("text", "image", "audio", "video")),
            "content": TEXT,
            "caption": TEXT,
            "backgroundColor": TEXT,
            "font": Rule("integer", least=0, most=5),
            "statusJidList": Rule("array", item=TEXT),
            "allContacts": SWITCH,
        },
        ("type",),
        "statusMessage",
        "status",
        addressed=False,
    ),
}
# What a text usually has; a type here is exact, for a true is no number of milliseconds.
PLAIN: dict[str, type] = {"number": str, "text": str, "linkPreview": bool, "delay": int}
SCHEMAS = {name: kind.schema() for name, kind in KINDS.items()}


def read(name: str, data: Data, version: int) -> Data:
    """Check a body and return it in the flat form of v2."""
    if name == "sendText":
        # Most of what is ever sent needs no walk through the schema.
        flat = data if version == 2 else _flat_text(data)
        if _is_plain(flat):
            return flat
    if version == 1:
        data = _unwrapped(name, data)
    demand(data, SCHEMAS[name])
    if name == "sendPoll" and len(set(data["values"])) != len(data["values"]):
        raise bad_request("values contains duplicate item")
    return data


def _is_plain(data: Data) -> bool:
    if "number" not in data or "text" not in data:
        return False
    return all(PLAIN.get(name) is type(value) for name, value in data.items())


def _flat_text(data: Data) -> Data:
    text, options = data.get("textMessage"), data.get("options", {})
    if type(text) is not dict or type(options) is not dict or "number" not in data:
        return {}
    flat = {**options, **text, "number": data["number"]}
    flat.pop("presence", None)
    return flat


def _unwrapped(name: str, data: Data) -> Data:
    """Check v1's wrapping and take it off."""
    kind = KINDS[name]
    # Contacts are the one kind whose wrapper is the list itself.
    inner = None if name == "sendContact" else Schema({}, kind.required)
    if name == "sendSticker":
        inner = Schema({"image": TEXT}, ("image",))
    wrapped = Rule("array") if name == "sendContact" else Rule("object", inner=inner)
    head = ("number",) if kind.addressed else ()
    has_file = "file" in data
    schema = Schema({kind.wrapper: wrapped}, head if has_file else (*head, kind.wrapper))
    if complaints(data, schema, ""):
        demand(data, schema)
    content = data.get(kind.wrapper, {})
    flat: Data = {"contact": content} if name == "sendContact" else dict(content)
    if name == "sendSticker":
        flat["sticker"] = flat.pop("image", None)
    options = data.get("options") or {}
    flat |= {option: options[option] for option in ("delay", "linkPreview", "quoted") if option in options}
    mentions = options.get("mentions") or {}
    flat |= {option: mentions[option] for option in ("everyOne", "mentioned") if option in mentions}
    kept: Data = {option: data[option] for option in ("number", "file") if option in data}
    if has_file and not content:
        kept = {**{option: value for option, value in data.items() if option != "options"}, **kept}
    return {**kept, **flat}
