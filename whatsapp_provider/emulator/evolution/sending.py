"""Sending: who is asked for, whether it may go, the send itself, and the answer of each integration."""

from __future__ import annotations

import re
import uuid
from typing import Any

from whatsapp_provider.emulator.asgi import Reply, Request, json_reply
from whatsapp_provider.emulator.evolution import contents, meta, templates
from whatsapp_provider.emulator.evolution.body import Data
from whatsapp_provider.emulator.evolution.contents import Draft
from whatsapp_provider.emulator.evolution.instance import BAILEYS, BUSINESS, EVOLUTION, Instance
from whatsapp_provider.emulator.evolution.kinds import KINDS, read
from whatsapp_provider.emulator.evolution.life import ELSEWHERE
from whatsapp_provider.emulator.evolution.media import FIELDS, MediaFile, read_file
from whatsapp_provider.emulator.evolution.refusals import RefusalError, bad_request, crashed, undefined
from whatsapp_provider.emulator.evolution.session import SUFFIX
from whatsapp_provider.emulator.network import Outgoing

GROUP_SUFFIX = "@g.us"
AVAILABLE = {
    BAILEYS: frozenset(KINDS) - {"sendTemplate"},
    BUSINESS: frozenset(
        {
            "sendText",
            "sendTemplate",
            "sendMedia",
            "sendWhatsAppAudio",
            "sendLocation",
            "sendContact",
            "sendList",
            "sendButtons",
            "sendReaction",
        }
    ),
    EVOLUTION: frozenset({"sendText", "sendMedia", "sendButtons", "sendWhatsAppAudio"}),
}
PRIVACY_EPOCH = 172_800
MOST_REPLY_BUTTONS = 3
# Not whether it is an emoji, only that it is not words: up to eight signs outside of ASCII.
EMOJI = re.compile(r"[^\x00-\x7f]{0,8}")


async def send(instance: Instance, request: Request, data: Data, name: str) -> Reply:
    """Answer POST message/<kind>."""
    data = read(name, data, instance.server.version)
    _available(instance, name)
    if instance.business:
        refused = meta.refusal(instance, name, data, unsent=request.unsent)
        if refused is not None:
            return json_reply(refused, 201)
    jid = _recipient(instance, name, data)
    if instance.baileys:
        _ready(instance)
        _reachable(instance, jid, data, unsent=request.unsent)
    elif request.unsent:
        raise not_there(jid, data)
    draft = _draft(instance, name, data)
    await _take_time(instance, data)
    return _deliver(instance, jid, draft, data)


def _available(instance: Instance, name: str) -> None:
    version = instance.server.version
    if name not in AVAILABLE[instance.integration]:
        if instance.baileys:
            raise crashed("Method not available in the Baileys service")
        raise bad_request(ELSEWHERE[instance.integration])
    if instance.baileys and name == "sendList" and version == 2:
        raise bad_request("TypeError: this.isZero is not a function")
    if instance.baileys and name == "sendButtons" and version == 1:
        raise bad_request("Method not available on WhatsApp Baileys")


def _recipient(instance: Instance, name: str, data: Data) -> str:
    if name == "sendReaction":
        return str(data["key"]["remoteJid"])
    if name == "sendStatus":
        return "status@broadcast"
    number: str = data["number"]
    if "@" in number:
        return number
    if number.isascii() and number.isdigit():
        return number + (GROUP_SUFFIX if len(number) >= 18 else SUFFIX)
    return re.sub(r"\D", "", number) + SUFFIX


def _ready(instance: Instance) -> None:
    """Refuse without a socket, in the words of the state."""
    session = instance.session
    if session.state == "open" and not session.dead:
        return
    if not session.started:
        raise crashed(undefined("onWhatsApp"))
    if session.lost:
        raise bad_request("Error: Connection Closed")
    raise crashed("Connection Closed")


def _reachable(instance: Instance, jid: str, data: Data, *, unsent: bool) -> None:
    network = instance.world.network
    if jid.endswith(GROUP_SUFFIX):
        if network.groups.get(jid) is None or unsent:
            raise bad_request("[object Object]")
    elif unsent or (not jid.endswith("@broadcast") and not network.on_whatsapp(jid.partition("@")[0])):
        raise not_there(jid, data)


def not_there(jid: str, data: Data) -> RefusalError:
    """Return the answer to a send to a number without WhatsApp."""
    number = data.get("number", jid.partition("@")[0])
    return RefusalError(400, [{"jid": jid, "exists": False, "number": number}])


def _draft(instance: Instance, name: str, data: Data) -> Draft:
    kind = KINDS[name].logged_as
    if name == "sendText" and instance.integration != EVOLUTION:
        text = data["text"]
        return Draft("text", text, {"conversation": text}, "conversation")
    if name == "sendReaction" and EMOJI.fullmatch(data["reaction"]) is None:
        raise bad_request("Reaction must be a single emoji or empty string")
    if name == "sendButtons":
        _check_buttons(data["buttons"])
    if name == "sendMedia":
        kind = data["mediatype"]
    file = _file(instance, name, kind, data)
    world = instance.world
    if instance.business:
        draft = contents.by_meta(kind, data, file, str(world.random.randrange(10_000, 99_999)))
        return draft._replace(text=templates.rendered(instance, data)) if kind == "template" else draft
    if instance.baileys:
        now_ms = int(world.clock.now() * 1000)
        shown_as = data["type"] if file is not None and kind == "status" else kind
        draft = contents.by_baileys(shown_as, data, file, now_ms, world.random.randbytes(32))
        return draft._replace(kind=kind)
    return contents.by_evolution(kind, data, file)


def _check_buttons(buttons: list[Data]) -> None:
    replies = sum(button["type"] == "reply" for button in buttons)
    if replies > MOST_REPLY_BUTTONS:
        raise bad_request("Maximum of 3 reply buttons allowed")
    if replies and replies != len(buttons):
        raise bad_request("Reply buttons cannot be mixed with other types")


def _file(instance: Instance, name: str, kind: str, data: Data) -> MediaFile | None:
    field = FIELDS.get(name)
    if field is None or (name == "sendStatus" and data["type"] == "text"):
        return None
    if name == "sendStatus":
        kind = data["type"]
    if instance.integration == EVOLUTION and name == "sendWhatsAppAudio" and "file" not in data:
        raise crashed("File or buffer is undefined.")
    return read_file(data, field, kind)


async def _take_time(instance: Instance, data: Data) -> None:
    settings = instance.world.settings
    wait = settings.send_latency
    if "delay" in data and settings.typing_delays_answer:
        # Milliseconds, for which the call is held open.
        wait += int(data["delay"]) / 1000
    if wait:
        await instance.world.wait(wait)


def _deliver(instance: Instance, jid: str, draft: Draft, data: Data) -> Reply:
    """Hand over, remember, tell the webhook, answer."""
    answer = _answer(instance, jid, draft, data)
    key = answer["key"]
    instance.history.add(answer, data.get("webhookUrl"))
    chat_id = jid if "@" in jid else jid + SUFFIX
    media = None if draft.file is None else draft.file.summary()
    instance.world.network.send(
        instance.channel_id, Outgoing(key["id"], chat_id, draft.kind, draft.text, media)
    )
    if instance.webhook.wants("SEND_MESSAGE"):
        instance.webhook.emit("SEND_MESSAGE", answer)
    if instance.server.version == 1:
        return json_reply(_answer_v1(answer), 201)
    return json_reply(answer, 201)


def _answer(instance: Instance, jid: str, draft: Draft, data: Data) -> dict[str, Any]:
    now = int(instance.world.clock.now())
    source = instance.world.random
    if not instance.baileys:
        return _answer_elsewhere(instance, jid, draft, data, now)
    key = {"remoteJid": jid, "fromMe": True, "id": f"3EB0{source.getrandbits(72):018X}"}
    if draft.kind == "buttons":
        key = {"id": key["id"], "remoteJid": jid, "participant": jid, "fromMe": True}
    answer: dict[str, Any] = {
        "key": key,
        "pushName": "Você",
        "status": "PENDING",
        "message": draft.message,
    }
    context = _context(instance, now, data) if draft.kind not in ("buttons", "reaction", "status") else None
    if context is not None and draft.kind in ("location", "contact"):
        draft.message[draft.message_type]["contextInfo"] = context
    if context is not None and draft.kind == "poll":
        draft.message["messageContextInfo"]["contextInfo"] = context
    elif context is not None:
        answer["contextInfo"] = context
    answer |= {"messageType": draft.message_type, "messageTimestamp": now}
    if instance.server.version == 2:
        answer["instanceId"] = instance.id
    else:
        answer["owner"] = instance.name
    answer["source"] = "web"
    return answer


def _context(instance: Instance, now: int, data: Data) -> dict[str, Any]:
    context: dict[str, Any] = {
        "mentionedJid": [f"{number}{SUFFIX}" for number in data.get("mentioned", ())],
        "groupMentions": [],
        "ephemeralSettingTimestamp": {"low": now - PRIVACY_EPOCH, "high": 0, "unsigned": False},
        "disappearingMode": {"initiator": 0},
    }
    quoted = data.get("quoted") or {}
    if quoted.get("message"):
        # Without the message the server looks for it, and says nothing when it finds none.
        context["participant"] = instance.session.owner_jid
        context["stanzaId"] = quoted["key"]["id"]
        context["quotedMessage"] = quoted["message"]
    return context


def _answer_elsewhere(instance: Instance, jid: str, draft: Draft, data: Data, now: int) -> dict[str, Any]:
    source = instance.world.random
    key: dict[str, Any] = {"fromMe": True}
    if instance.business:
        key |= {"id": f"wamid.{source.getrandbits(96):024X}", "remoteJid": jid}
    else:
        key |= {"id": str(uuid.UUID(int=source.getrandbits(128), version=4)), "remoteJid": data["number"]}
    answer: dict[str, Any] = {
        "key": key,
        "message": draft.message,
        "messageType": draft.message_type,
        "messageTimestamp": now,
    }
    if not instance.business:
        return {**answer, "source": "unknown", "instanceId": instance.id}
    answer["instanceId"] = instance.id
    if data.get("webhookUrl"):
        answer["webhookUrl"] = data["webhookUrl"]
    return {**answer, "status": "PENDING", "source": "unknown"}


def _answer_v1(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what v1 shows of a send: a text in another wrapper, and the time as a string."""
    message = answer["message"]
    if "conversation" in message:
        message = {"extendedTextMessage": {"text": message["conversation"]}}
    return {
        "key": answer["key"],
        "message": message,
        "messageTimestamp": str(answer["messageTimestamp"]),
        "status": "PENDING",
    }
