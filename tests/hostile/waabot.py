"""The Bots API's calls with its documented answers (sources in ``tests/gateways/waabot_facts.py``)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar

from tests.gateways import waabot_facts as facts
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
from whatsapp_provider.gateways.registry import GATEWAYS
from whatsapp_provider.gateways.waabot.gateway import open_gateway
from whatsapp_provider.model import (
    Channel,
    ChannelRef,
    ChannelSpec,
    ChannelStatus,
    Pairing,
    Profile,
    SendResult,
    Webhook,
)
from whatsapp_provider.transport import Wire

REF = ChannelRef("waabot", facts.BOT_ID, facts.NAME)
HALT, HOLD, RETRY, SKIP = Disposition.HALT, Disposition.HOLD, Disposition.RETRY, Disposition.SKIP
#: What the server below says before it sends anything.
_BEFORE = (
    "phone isn't connected",
    "invalid key supplied",
    "no key query was present",
    "oops! you are not an authorized user, kindly login",
    "no account exists",
)
REFUSED = (
    Said(400, facts.INVALID),
    Said(401, facts.NOT_CONNECTED),
    Said(403, facts.UNKNOWN_PAIR),
    Said(403, facts.NO_PAIR),
    Said(403, facts.NOT_LOGGED_IN),
    Said(500, facts.NOT_THERE),
    Said(500, facts.CRASHED),
    ok(facts.NOT_THERE),
    ok(facts.CRASHED),
    ok(facts.done("Message sent", {"error": True, "message": "phone isn't connected"})),
    Said(204, b""),
    Said(413, b"<title>413 Request Entity Too Large</title>", {"content-type": "text/html"}),
)


def _asks(asks: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Said]]:
    listed = {"GET /whatsapp": (facts.LISTED,)}
    return {
        f"{what.partition(' ')[0]} bots/api/v1{what.partition(' ')[2]}": (*map(ok, bodies), *REFUSED)
        for what, bodies in {**listed, **asks}.items()
    }


def _account(
    name: str, asks: Mapping[str, Sequence[Any]], run: Callable[[AccountGateway], Awaitable[Any]], gives: Any
) -> Call:
    return Call(name, of_account(run), gives, _asks(asks))


def _channel(
    name: str, asks: Mapping[str, Sequence[Any]], run: Callable[[ChannelGateway], Awaitable[Any]], gives: Any
) -> Call:
    return Call(name, of_channel(REF, run), gives, _asks(asks))


def _text(body: str) -> Said:
    return Said(200, body.encode(), {"content-type": "text/html"})


_SENT = (facts.TEXT_SENT, facts.IMAGE_SENT, facts.LOCATION_SENT, facts.DEPRECATED_SENT)


def _send(kind: str) -> Call:
    run = of_channel(REF, lambda channel: channel.send(PHONE, MESSAGES[kind]))
    asks = _asks({"POST /whatsapp/message*": _SENT})
    return Call(f"send {kind}", run, SendResult, asks, sends="POST bots/api/v1/whatsapp/message*")


_HOOK = Webhook("https://hook.example/in", ("onMessage",))
_UPDATES = {
    "PUT /whatsapp/updateGeneral": (facts.UPDATED, facts.MATCHED_NOTHING),
    "PUT /whatsapp/updateActions": (facts.UPDATED, facts.MATCHED_NOTHING),
}
_INSTANCE = "GET /whatsapp/instance"
_CONNECTED, _STARTING = facts.instance(**facts.CONNECTED), facts.instance(**facts.STARTING)
_ONLINE = facts.document("ONLINE")
_QR = (_text(facts.DATA_URL), facts.QR_ENVELOPE, _text(facts.QR_PAGE), facts.done("ok", facts.DATA_URL))
_CALLS = (
    _account("describe", {}, lambda a: a.describe(), str),
    _account("list channels", {}, lambda a: a.list_channels(), Sequence[Channel]),
    _account("find channel", {}, lambda a: a.find_channel(facts.NAME), Channel | None),
    _account("get channel", {}, lambda a: a.get_channel(facts.BOT_ID), Channel | None),
    _account(
        "create channel",
        {
            "POST /whatsapp/createNewWhatsapp": (facts.CREATED,),
            "POST /whatsapp/init": (facts.INITIALIZED,),
            **_UPDATES,
        },
        lambda a: a.create_channel(ChannelSpec(facts.NAME)),
        Channel,
    ),
    _account(
        "delete channel",
        {f"DELETE /whatsapp/{facts.BOT_ID}": (facts.DELETED,)},
        lambda a: a.delete_channel(facts.BOT_ID),
        bool,
    ),
    _channel("status", {_INSTANCE: (_CONNECTED, _ONLINE)}, lambda c: c.status(), ChannelStatus),
    _channel(
        "status of one that starts",
        {_INSTANCE: (_STARTING,), "GET /whatsapp/scan": _QR, "POST /whatsapp/init": (facts.INITIALIZED,)},
        lambda c: c.status(),
        ChannelStatus,
    ),
    _channel(
        "status of one that was never started",
        {_INSTANCE: (facts.instance(),), "POST /whatsapp/init": (facts.INITIALIZED,)},
        lambda c: c.status(),
        ChannelStatus,
    ),
    _channel(
        "qr",
        {_INSTANCE: (_STARTING,), "GET /whatsapp/scan": _QR, "POST /whatsapp/init": (facts.INITIALIZED,)},
        lambda c: c.pairing_qr(),
        Pairing | None,
    ),
    _channel(
        "logout",
        {f"GET /whatsapp/instance/logout/{facts.BOT_ID}": (facts.LOGGED_OUT,)},
        lambda c: c.logout(),
        bool,
    ),
    _channel("settings", {}, lambda c: c.settings(), dict[str, Any]),
    _channel(
        "change",
        _UPDATES,
        lambda c: c.update_settings({"bot_name": "x", "actions": {"reply_msgs": False}}),
        None,
    ),
    _channel("webhooks", {_INSTANCE: (_CONNECTED, _ONLINE)}, lambda c: c.webhooks(), Sequence[Webhook]),
    _channel(
        "set webhook",
        {
            _INSTANCE: (_CONNECTED,),
            "PUT /whatsapp/setWebhook": (facts.UPDATED, facts.MATCHED_NOTHING),
            **_UPDATES,
        },
        lambda c: c.set_webhook(_HOOK),
        bool,
    ),
    _channel("profile", {_INSTANCE: (_CONNECTED, _ONLINE)}, lambda c: c.profile(), Profile),
)


class WaabotSubject:
    """One account and one of its bots."""

    name = "waabot"
    calls: ClassVar = (*_CALLS, *map(_send, sorted(GATEWAYS["waabot"].capabilities.message_kinds)))
    secrets: ClassVar = (facts.TOKEN, facts.SESSION_ID, facts.ACCESS_TOKEN)

    def open(self, wire: Wire) -> Gateway:
        """Return the gateway of the account."""
        values = ConnectionValues("hostile", password=facts.TOKEN, host="https://bots.example/api/v1")
        return open_gateway(values, wire=wire, sleep=no_wait)

    def documented(self, status: int, body: Any) -> frozenset[Outcome]:
        """Read the page: ``status`` is true, or a message's key is told; the texts of the server below refuse."""
        if _refuses_before(body):
            return frozenset({SKIP, HALT})
        if status == 413:
            return frozenset({SKIP, HALT})
        if not 200 <= status < 300 or not isinstance(body, dict) or _fails(body):
            return frozenset()
        return (
            frozenset({ACCEPTED}) if body.get("status") is True or _has_key(body.get("data")) else frozenset()
        )


def _fails(body: Any, levels: int = 3) -> bool:
    """Whether it says anywhere that it failed."""
    if not isinstance(body, dict) or not levels:
        return False
    return body.get("status") is False or body.get("error") is True or _fails(body.get("data"), levels - 1)


def _refuses_before(body: Any, levels: int = 3) -> bool:
    if isinstance(body, str):
        return body.strip().rstrip(".!").lower() in _BEFORE
    if not isinstance(body, dict) or not levels:
        return False
    inner = [body.get(name) for name in ("error", "message", "data")]
    return any(_refuses_before(one, levels - 1) for one in inner)


def _has_key(data: Any) -> bool:
    if isinstance(data, str):
        return data.startswith("true_")
    while isinstance(data, dict):
        key = data.get("key")
        if isinstance(key, dict) and isinstance(key.get("id"), str) and key["id"]:
            return True
        data = data.get("data")
    return False
