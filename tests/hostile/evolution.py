"""An Evolution server's calls with its recorded answers (sources in ``tests/gateways/evolution_facts.py``)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from tests.gateways import evolution_facts as facts
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
from whatsapp_provider.gateways.evolution.capabilities import CAPABILITIES
from whatsapp_provider.gateways.evolution.connection import EvolutionConfig
from whatsapp_provider.gateways.evolution.gateway import EvolutionGateway
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
from whatsapp_provider.templates import OfficialTemplate
from whatsapp_provider.transport import Wire

NAME = facts.NAME
REF = ChannelRef("evolution", NAME, NAME)
GROUP = "120363194291501000@g.us"
HALT, HOLD, RETRY, SKIP = Disposition.HALT, Disposition.HOLD, Disposition.RETRY, Disposition.SKIP

REFUSED = (
    Said(400, facts.refused(400, facts.NOT_THERE)),
    Said(400, facts.refused(400, facts.NO_TEXT)),
    Said(400, facts.refused(400, [facts.UNAVAILABLE])),
    Said(400, facts.refused(400, [facts.CLOSED_LISTED])),
    Said(400, facts.refused(400, [facts.NOT_MEDIA])),
    Said(400, facts.refused(400, [facts.NO_GRAPH])),
    Said(400, facts.refused(400, [facts.LOST_RACE])),
    Said(400, facts.refused(400, facts.UNKNOWN_GROUP)),
    Said(401, facts.refused(401, "Unauthorized")),
    Said(403, facts.taken()),
    Said(404, facts.missing()),
    Said(404, facts.unlisted()),
    Said(404, facts.refused(404, ["Cannot POST /message/sendText/wa1"])),
    Said(500, facts.refused(500, facts.NEVER_PAIRED)),
    Said(500, facts.refused(500, facts.CLOSED)),
    Said(502, b"<html><head><title>502 Bad Gateway</title></head></html>", {"content-type": "text/html"}),
)
# [SRC] as the routes for groups and history have them; [META] a template.
A_GROUP = {
    "id": GROUP,
    "subject": "Neighbours",
    "size": 2,
    "owner": f"{facts.OWNER}@s.whatsapp.net",
    "creation": 1,
}
MEMBERS = {
    "participants": [
        {"id": f"{facts.OWNER}@s.whatsapp.net", "admin": "superadmin"},
        {"id": "99123@lid", "admin": None, "phoneNumber": f"{PHONE}@s.whatsapp.net"},
    ]
}
STORED = {
    "id": "cm1",
    "key": facts.SENT["key"],
    "pushName": "Você",
    "messageType": "conversation",
    "message": {"conversation": "hello"},
    "messageTimestamp": 1795220810,
    "MessageUpdate": [{"status": "DELIVERY_ACK"}, {"status": "SERVER_ACK"}],
}
PAGES = {
    "messages": {
        "total": 2,
        "pages": 2,
        "currentPage": 1,
        "records": [STORED, {**STORED, "messageType": "x"}],
    }
}
UPDATES = [{"id": "u1", "keyId": "m1", "status": "SERVER_ACK"}, {"id": "u2", "keyId": "m1", "status": "READ"}]
NUMBERS = [{"jid": f"{PHONE}@s.whatsapp.net", "exists": True, "number": PHONE, "name": "Ana"}]
PROFILE = {"wuid": f"{facts.OWNER}@s.whatsapp.net", "name": "Loja", "numberExists": True, "isBusiness": False}
TEMPLATE = {
    "name": "order_confirmation",
    "language": "en_US",
    "status": "APPROVED",
    "category": "UTILITY",
    "id": "123456789012345",
    "components": [
        {"type": "HEADER", "format": "TEXT", "text": "Order {{1}}"},
        {
            "type": "BODY",
            "text": "Hi {{1}}, your order {{2}} is confirmed.",
            "example": {"body_text": [["Ann", "42"]]},
        },
        {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "See", "url": "https://example.com/{{1}}"}]},
    ],
}
MADE = {"id": "t1", "template": {"id": "123", "status": "PENDING", "category": "MARKETING"}}
_BUSINESS = {**facts.ROW, "integration": "WHATSAPP-BUSINESS", **facts.OWNED}
_META = {**facts.META_ERROR, "code": 131047}
_HOOK = Webhook("https://hook.example/secret-path", ("MESSAGES_UPSERT",), {"x-secret": "s"})
_DEFINITION = {
    "name": "order_confirmation",
    "category": "UTILITY",
    "language": "en_US",
    "components": [{"type": "BODY", "text": "Hello"}],
}


class EvolutionSubject:
    """One server of one version, and an instance of it."""

    secrets = (facts.GLOBAL_KEY, facts.INSTANCE_TOKEN)

    def __init__(self, version: str) -> None:
        self.name = "evolution" if version == "v2" else "evolution-1"
        self._version = version
        self._welcome = {"GET evo/": (ok(facts.WELCOME if version == "v2" else facts.WELCOME_1), *REFUSED)}
        templates = self._of_templates() if version == "v2" else ()
        self.calls = (*self._of_the_account(), *self._of_the_channel(), *templates, *self._sends())

    def open(self, wire: Wire) -> Gateway:
        """Return the gateway of the server's global key."""
        values = ConnectionValues("hostile", password=facts.GLOBAL_KEY, host="http://evo.example")
        return EvolutionGateway(EvolutionConfig.read(values), wire, sleep=no_wait)

    def documented(self, status: int, body: Any) -> frozenset[Outcome]:
        """Read what was captured: ``key.id`` is acceptance, an error of Meta's in a 2xx is a refusal."""
        if 200 <= status < 300:
            return _documented_2xx(body)
        return _documented_refusal(body) if status in {400, 500} else frozenset()

    def _asks(self, asks: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Said]]:
        said = {
            f"{what.partition(' ')[0]} evo{what.partition(' ')[2]}": (*map(ok, bodies), *REFUSED)
            for what, bodies in asks.items()
        }
        return said | self._welcome

    def _account(
        self,
        name: str,
        asks: Mapping[str, Sequence[Any]],
        run: Callable[[AccountGateway], Awaitable[Any]],
        gives: Any,
    ) -> Call:
        return Call(name, of_account(run), gives, self._asks(asks))

    def _channel(
        self,
        name: str,
        asks: Mapping[str, Sequence[Any]],
        run: Callable[[ChannelGateway], Awaitable[Any]],
        gives: Any,
    ) -> Call:
        return Call(name, of_channel(REF, run), gives, self._asks(asks))

    @property
    def _row(self) -> Any:
        return {**facts.ROW, **facts.OWNED} if self._version == "v2" else facts.ROW_1

    def _of_the_account(self) -> list[Call]:
        rows = {"GET /instance/fetchInstances": ([self._row], self._row, [])}
        state = {f"GET /instance/connectionState/{NAME}": (facts.state("open"), facts.state("close"))}
        created = facts.CREATED if self._version == "v2" else facts.CREATED_1
        restart = f"{'POST' if self._version == 'v2' else 'PUT'} /instance/restart/{NAME}"
        return [
            self._account(
                "describe", {"POST /verify-creds": (facts.VALID,), **rows}, lambda a: a.describe(), str
            ),
            self._account("list channels", rows, lambda a: a.list_channels(), Sequence[Channel]),
            self._account("find channel", rows, lambda a: a.find_channel(NAME), Channel | None),
            self._account(
                "create channel",
                {"POST /instance/create": (created,), **rows},
                lambda a: a.create_channel(ChannelSpec(NAME)),
                Channel,
            ),
            self._account(
                "delete channel",
                {f"DELETE /instance/delete/{NAME}": (facts.DELETED,), **state},
                lambda a: a.delete_channel(NAME),
                bool,
            ),
            self._account(
                "delete channel that is gone",
                {
                    f"DELETE /instance/delete/{NAME}": (facts.DELETED,),
                    f"GET /instance/connectionState/{NAME}": (Said(404, facts.missing()),),
                },
                lambda a: a.delete_channel(NAME),
                bool,
            ),
            self._account(
                "restart channel",
                {restart: (facts.QR, facts.FAILED)},
                lambda a: a.restart_channel(NAME),
                None,
            ),
        ]

    def _of_the_channel(self) -> list[Call]:
        rows = {"GET /instance/fetchInstances": ([self._row], self._row)}
        unowned = {"GET /instance/fetchInstances": ([facts.ROW],)}
        states = tuple(facts.state(word) for word in ("open", "close", "connecting", None))
        state = {f"GET /instance/connectionState/{NAME}": states}
        closed = {f"GET /instance/connectionState/{NAME}": states[1:2]}
        connect = {
            f"GET /instance/connect/{NAME}": (facts.CODE, facts.QR, facts.NO_QR, facts.FAILED, states[0])
        }
        logout = {f"DELETE /instance/logout/{NAME}": (facts.LOGGED_OUT,)}
        settings = facts.SETTINGS if self._version == "v2" else facts.SETTINGS_1
        found, put = (
            {f"GET /settings/find/{NAME}": (settings,)},
            {f"POST /settings/set/{NAME}": ({"settings": {}},)},
        )
        hook = {f"GET /webhook/find/{NAME}": (facts.HOOK if self._version == "v2" else facts.HOOK_1, None)}
        set_hook = {f"POST /webhook/set/{NAME}": (facts.HOOK,)}
        chat = {f"POST /chat/findMessages/{NAME}": (PAGES if self._version == "v2" else [STORED],)}
        headers = {"x-secret": "s"} if self._version == "v2" else None
        changed = Webhook(_HOOK.url, ("CONNECTION_UPDATE",), headers)
        return [
            self._channel("status", {**state, **rows}, lambda c: c.status(), ChannelStatus),
            self._channel("qr", connect, lambda c: c.pairing_qr(), Pairing | None),
            self._channel("code", {**connect, **closed, **rows}, lambda c: c.pairing_code(PHONE), Pairing),
            self._channel(
                "code of one that shows QR codes",
                {**connect, f"GET /instance/connectionState/{NAME}": states[2:3], **unowned, **logout},
                lambda c: c.pairing_code(PHONE),
                Pairing,
            ),
            self._channel("logout", {**closed, **logout}, lambda c: c.logout(), bool),
            self._channel("settings", found, lambda c: c.settings(), dict[str, Any]),
            self._channel(
                "change", {**found, **put}, lambda c: c.update_settings({"always_online": True}), None
            ),
            self._channel("webhooks", hook, lambda c: c.webhooks(), Sequence[Webhook]),
            self._channel("set webhook", {**hook, **set_hook}, lambda c: c.set_webhook(changed), bool),
            self._channel(
                "remove webhook", {**hook, **set_hook}, lambda c: c.remove_webhook(_HOOK.url), bool
            ),
            self._channel(
                "message status",
                {f"POST /chat/findStatusMessage/{NAME}": (UPDATES,)},
                lambda c: c.message_status("m1"),
                MessageStatus,
            ),
            self._channel(
                "check numbers",
                {f"POST /chat/whatsappNumbers/{NAME}": (NUMBERS,)},
                lambda c: c.check_numbers([PHONE]),
                Sequence[NumberCheck],
            ),
            self._channel("history", chat, lambda c: c.history(PHONE, since=0), Sequence[HistoryEntry]),
            self._channel(
                "groups",
                {f"GET /group/fetchAllGroups/{NAME}": ([A_GROUP],)},
                lambda c: c.groups(),
                Sequence[Group],
            ),
            self._channel(
                "group",
                {f"GET /group/findGroupInfos/{NAME}": (A_GROUP,)},
                lambda c: c.group(GROUP),
                Group | None,
            ),
            self._channel(
                "members",
                {f"GET /group/participants/{NAME}": (MEMBERS,)},
                lambda c: c.group_members(GROUP),
                Sequence[GroupMember],
            ),
            self._channel(
                "profile",
                {f"POST /chat/fetchProfile/{NAME}": (PROFILE,), **rows},
                lambda c: c.profile(),
                Profile,
            ),
        ]

    def _of_templates(self) -> list[Call]:
        rows = {"GET /instance/fetchInstances": ([_BUSINESS],)}
        return [
            self._channel(
                "templates",
                {f"GET /template/find/{NAME}": ([TEMPLATE],), **rows},
                lambda c: c.templates(),
                Sequence[OfficialTemplate],
            ),
            self._channel(
                "create template",
                {f"POST /template/create/{NAME}": (MADE,), **rows},
                lambda c: c.create_template(_DEFINITION),
                OfficialTemplate,
            ),
        ]

    def _sends(self) -> list[Call]:
        path = "POST evo/message/*"
        asks = {"POST /message/*": (facts.SENT, facts.META_ERROR, _META, {"error": facts.META_ERROR})}
        template = {
            f"GET /template/find/{NAME}": ([TEMPLATE],),
            "GET /instance/fetchInstances": ([_BUSINESS],),
        }
        # Version 1 has no buttons, and is asked for no template before it is sent.
        is_new = self._version == "v2"
        kinds = sorted(CAPABILITIES.message_kinds - (set() if is_new else {"buttons"}))
        sends = [
            Call(
                f"send {kind}",
                of_channel(REF, lambda channel, kind=kind: channel.send(PHONE, MESSAGES[kind])),  # type: ignore[misc]  # a default's type
                SendResult,
                self._asks({**asks, **(template if is_new and kind == "template" else {})}),
                sends=path,
            )
            for kind in kinds
        ]
        to_group = of_channel(REF, lambda channel: channel.send(GROUP, MESSAGES["text"]))
        return [*sends, Call("send to a group", to_group, SendResult, self._asks(asks), sends=path)]


def _documented_2xx(body: Any) -> frozenset[Outcome]:
    if not isinstance(body, dict):
        return frozenset()
    key = body.get("key")
    if isinstance(key, dict) and isinstance(key.get("id"), str) and key["id"]:
        return frozenset({ACCEPTED})
    return frozenset({SKIP, HALT, RETRY}) if _metas_refusal(body) else frozenset()


def _metas_refusal(body: Any, levels: int = 3) -> bool:
    """Whether there is an error of Meta's with a code that proves that nothing was sent."""
    if not isinstance(body, dict):
        return False
    code = body.get("code")
    if type(code) is int and {"fbtrace_id", "error_data", "type"} & body.keys():
        # 1 and 131000 are failures of which nobody says at what point.
        return 0 <= code < 10_000_000 and code not in {1, 131000}
    inner = [
        item
        for name in ("error", "errors", "data")
        for item in (body[name] if isinstance(body.get(name), list) else [body.get(name)])
    ]
    return levels > 0 and any(_metas_refusal(item, levels - 1) for item in inner)


def _documented_refusal(body: Any) -> frozenset[Outcome]:
    told = body.get("response") if isinstance(body, dict) else None
    message = told.get("message") if isinstance(told, dict) else None
    if isinstance(message, list) and message and all(isinstance(one, dict) for one in message):
        return frozenset({SKIP}) if all(one.get("exists") is False for one in message) else frozenset()
    text = str(body).lower()
    if "reading 'onwhatsapp'" in text or "method not available" in text:
        return frozenset({HALT})
    if any(words in text for words in ("owned media must be", "unsupported image format", "[object object]")):
        return frozenset({SKIP, HALT})
    return frozenset()
