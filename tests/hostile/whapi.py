"""Whapi's calls with its recorded answers (see ``tests/gateways/whapi_facts.py`` for their sources)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar

from tests.gateways import whapi_facts as facts
from tests.hostile.calls import (
    ACCEPTED,
    MESSAGES,
    PHONE,
    Call,
    Outcome,
    Said,
    no_wait,
    of_account,
    of_channel,
    ok,
)
from whatsapp_provider.errors import Disposition
from whatsapp_provider.gateways.base import AccountGateway, ChannelGateway, Gateway
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.whapi.capabilities import CAPABILITIES
from whatsapp_provider.gateways.whapi.connection import WhapiConfig
from whatsapp_provider.gateways.whapi.gateway import WhapiGateway
from whatsapp_provider.model import (
    Channel,
    ChannelRef,
    ChannelSpec,
    ChannelStatus,
    Group,
    GroupMember,
    HistoryEntry,
    MessageStatus,
    NumberCheck,
    Pairing,
    Profile,
    SendResult,
    Webhook,
)
from whatsapp_provider.transport import Wire

ID, NAME = facts.CHANNEL_ID, facts.CREATED["name"]
REF = ChannelRef("whapi", ID, NAME)
CHANNEL = f"manager/channels/{ID}"
GROUP = "120363194291501000@g.us"
LISTED = {"channels": [facts.CREATED], "count": 1, "total": 1, "offset": 0}
SERVER_BUSY = "Sorry, but all our servers are currently busy. Try again later."
# [GATE] a group and a page of them, by schema.
A_GROUP = {
    "id": GROUP,
    "name": "Neighbours",
    "type": "group",
    "timestamp": 1712995245,
    "participants": [{"id": "15550001000", "rank": "creator"}, {"id": PHONE, "rank": "member"}],
    "created_by": "15550001000",
}
GROUPS = {"groups": [A_GROUP], "count": 1, "total": 1, "offset": 0}
CHAT = {"messages": [facts.MESSAGE, {**facts.MESSAGE, "id": "x2"}], "count": 2, "total": 2, "offset": 0}
WITH_HOOKS = {**facts.SETTINGS, "webhooks": [facts.HOOK]}

REFUSED = (
    Said(400, facts.error("bad request", details=facts.BAD_TO)),
    Said(400, facts.error(facts.NO_MEDIA)),
    Said(400, facts.error("media link is not available")),
    Said(401, facts.error("need channel authorization", 401)),
    Said(401, facts.flat("Unauthorized", 401)),
    Said(402, facts.flat("trial version limit exceeded", 402)),
    Said(403, facts.error("forbidden to send to this recipient", 403)),
    Said(403, facts.CLOUDFLARE),
    Said(404, facts.error("Specified channel not found", 404)),
    Said(404, facts.error("chat not found", 404)),
    Said(404, facts.error("media with specified id not found", 404)),
    Said(409, facts.error("channel already authenticated", 409)),
    Said(413, facts.error("file too large", 413)),
    Said(415, facts.error("unsupported media", 415)),
    Said(422, facts.error("unprocessable", 422)),
    Said(429, facts.error("too many requests", 429), {"retry-after": "3"}),
    Said(500, facts.error("internal server error", 500)),
    Said(502, facts.CLOUDFLARE_PAGE.encode(), {"content-type": "text/html"}),
    Said(503, facts.error("servers are busy", 503), {"retry-after": "5"}),
)
MANAGER_REFUSED = (
    Said(400, facts.error("/params/ChannelID must match pattern")),
    Said(401, facts.error("Unauthorized", 401)),
    Said(404, facts.error("Channel not found", 404)),
    Said(503, facts.error(SERVER_BUSY, 503)),
)

_TOKEN = {f"GET {CHANNEL}": (ok(facts.CREATED), *MANAGER_REFUSED)}


def _manager(
    name: str, what: str, body: Any, run: Callable[[AccountGateway], Awaitable[Any]], gives: Any, **more: Any
) -> Call:
    """Return a call of the account that asks the manager."""
    asks = {what: body, **more.get("also", {})}
    said = {
        f"{path.partition(' ')[0]} manager{path.partition(' ')[2]}": (ok(answer), *MANAGER_REFUSED)
        for path, answer in asks.items()
    }
    return Call(name, of_account(run), gives, said)


def _gate(
    name: str,
    asks: Mapping[str, Sequence[Any]],
    run: Callable[[ChannelGateway], Awaitable[Any]],
    gives: Any,
) -> Call:
    """Return a call of the channel that asks the gate, and the manager for the channel's token."""
    said = {
        f"{what.partition(' ')[0]} gate{what.partition(' ')[2]}": (*map(ok, bodies), *REFUSED)
        for what, bodies in asks.items()
    }
    return Call(name, of_channel(REF, run), gives, said | _TOKEN)


def _send(kind: str) -> Call:
    path = "POST gate/messages/*"
    sent = (ok(facts.SENT), ok({"message": facts.MESSAGE}), ok({"sent": False}), ok({"sent": True}), *REFUSED)
    run = of_channel(REF, lambda channel: channel.send(PHONE, MESSAGES[kind]))
    return Call(f"send {kind}", run, SendResult, {path: sent} | _TOKEN, sends=path)


_PROJECTS = {"GET /projects": facts.PROJECTS}
_HOOK = Webhook("https://hook.example/other", ("messages.post",), {"x-secret": "s"})
_HEALTHY = tuple(
    facts.health(word, paired=word == "AUTH") for word in ("AUTH", "QR", "LAUNCH", "SYNC_ERROR", "STOP")
)
_ACCOUNT = (
    _manager("describe", "GET /channels/list", LISTED, lambda a: a.describe(), str, also=_PROJECTS),
    _manager("list channels", "GET /channels/list", LISTED, lambda a: a.list_channels(), Sequence[Channel]),
    _manager("find channel", "GET /channels/list", LISTED, lambda a: a.find_channel(NAME), Channel | None),
    _manager(
        "get channel", f"GET /channels/{ID}", facts.CREATED, lambda a: a.get_channel(ID), Channel | None
    ),
    _manager(
        "create channel",
        "PUT /channels",
        facts.CREATED,
        lambda a: a.create_channel(ChannelSpec(NAME)),
        Channel,
        also=_PROJECTS,
    ),
    _manager(
        "delete channel",
        f"DELETE /channels/{ID}",
        facts.DELETED,
        lambda a: a.delete_channel(ID),
        bool,
    ),
    _manager(
        "delete channel in doubt",
        f"DELETE /channels/{ID}",
        Said(502, b""),
        lambda a: a.delete_channel(ID),
        bool,
        also={f"GET /channels/{ID}": Said(404, facts.error("Channel not found", 404))},
    ),
    _manager(
        "extend channel",
        f"POST /channels/{ID}/extend",
        facts.SUCCESS,
        lambda a: a.extend_channel(ID, days=1, comment="x"),
        None,
    ),
    _manager(
        "mode", f"PATCH /channels/{ID}/mode", facts.SUCCESS, lambda a: a.set_channel_mode(ID, "live"), None
    ),
    _manager(
        "start channel", f"POST /channels/{ID}/start", facts.SUCCESS, lambda a: a.start_channel(ID), None
    ),
    _manager("stop channel", f"POST /channels/{ID}/stop", facts.SUCCESS, lambda a: a.stop_channel(ID), None),
    _manager(
        "restart channel",
        f"POST /channels/{ID}/restart",
        facts.SUCCESS,
        lambda a: a.restart_channel(ID),
        None,
    ),
)
_SET = "PATCH /settings"
_CHANNEL = (
    _gate("status", {"GET /health": _HEALTHY}, lambda c: c.status(), ChannelStatus),
    _gate("profile", {"GET /health": _HEALTHY}, lambda c: c.profile(), Profile),
    _gate(
        "qr", {"GET /users/login": (facts.QR_OK, facts.QR_TIMEOUT)}, lambda c: c.pairing_qr(), Pairing | None
    ),
    _gate("code", {f"GET /users/login/{PHONE}": (facts.CODE,)}, lambda c: c.pairing_code(PHONE), Pairing),
    _gate("logout", {"POST /users/logout": (facts.SUCCESS,)}, lambda c: c.logout(), bool),
    _gate("settings", {"GET /settings": (WITH_HOOKS,)}, lambda c: c.settings(), dict[str, Any]),
    _gate("change", {_SET: (facts.SUCCESS,)}, lambda c: c.update_settings({"offline_mode": True}), None),
    _gate(
        "webhooks", {"GET /settings": (WITH_HOOKS, facts.SETTINGS)}, lambda c: c.webhooks(), Sequence[Webhook]
    ),
    _gate(
        "set webhook",
        {"GET /settings": (WITH_HOOKS,), _SET: (facts.SUCCESS,)},
        lambda c: c.set_webhook(_HOOK),
        bool,
    ),
    _gate(
        "remove webhook",
        {"GET /settings": (WITH_HOOKS,), _SET: (facts.SUCCESS,)},
        lambda c: c.remove_webhook(facts.HOOK["url"]),
        bool,
    ),
    _gate(
        "message status",
        {"GET /statuses/m1": ({"statuses": [facts.DELIVERED, {**facts.DELIVERED, "status": "read"}]},)},
        lambda c: c.message_status("m1"),
        MessageStatus,
    ),
    _gate(
        "check numbers",
        {"POST /contacts": (facts.CHECKED,)},
        lambda c: c.check_numbers([PHONE]),
        Sequence[NumberCheck],
    ),
    _gate(
        "history",
        {f"GET /messages/list/{PHONE}@s.whatsapp.net": (CHAT,)},
        lambda c: c.history(PHONE, since=0),
        Sequence[HistoryEntry],
    ),
    _gate("groups", {"GET /groups": (GROUPS,)}, lambda c: c.groups(), Sequence[Group]),
    _gate("group", {f"GET /groups/{GROUP}": (A_GROUP,)}, lambda c: c.group(GROUP), Group | None),
    _gate(
        "members",
        {f"GET /groups/{GROUP}": (A_GROUP,)},
        lambda c: c.group_members(GROUP),
        Sequence[GroupMember],
    ),
)


class WhapiSubject:
    """One account and one of its channels."""

    name = "whapi"
    calls: ClassVar = (*_ACCOUNT, *_CHANNEL, *(_send(kind) for kind in sorted(CAPABILITIES.message_kinds)))
    secrets: ClassVar = (facts.PARTNER_TOKEN, facts.CHANNEL_TOKEN)

    def open(self, wire: Wire) -> Gateway:
        """Return the gateway of the account."""
        values = ConnectionValues("hostile", password=facts.PARTNER_TOKEN)
        return WhapiGateway(WhapiConfig.read(values), wire, now=lambda: facts.BEFORE_ITS_END, sleep=no_wait)

    def documented(self, status: int, body: Any) -> frozenset[Outcome]:
        """Read the gate's documents: a message's id is acceptance unless ``sent`` is false."""
        if 200 <= status < 300:
            return _documented_2xx(body)
        if status in {413, 415} or (status in {400, 403, 404} and _names_the_recipient_or_file(status, body)):
            return frozenset({Disposition.SKIP, Disposition.HALT, Disposition.HOLD})
        return frozenset()


def _documented_2xx(body: Any) -> frozenset[Outcome]:
    if not isinstance(body, dict):
        return frozenset()
    if body.get("sent") is False:
        return frozenset({Disposition.SKIP})
    message = body.get("message")
    has_id = isinstance(message, dict) and isinstance(message.get("id"), str) and message["id"] != ""
    return frozenset({ACCEPTED}) if has_id and body.get("sent") in (None, True) else frozenset()


def _names_the_recipient_or_file(status: int, body: Any) -> bool:
    said = str(body).lower()
    words = {400: ("/body/to ", "media link is not available"), 403: ("recipient", "group")}
    return any(word in said for word in words.get(status, ("media with specified id",)))
