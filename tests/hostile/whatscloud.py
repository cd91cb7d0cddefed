"""WhatsCloud's calls with its documented answers (sources in ``tests/gateways/whatscloud_facts.py``)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar, cast

from tests.gateways import whatscloud_facts as facts
from tests.hostile.calls import ACCEPTED, MESSAGES, PHONE, Call, Outcome, Said, no_wait, of_channel, ok
from whatsapp_provider.errors import Disposition
from whatsapp_provider.gateways.base import ChannelGateway, Gateway
from whatsapp_provider.gateways.connection import ConnectionValues
from whatsapp_provider.gateways.directory import (
    ContactDraft,
    ContactQuery,
    ContactRecord,
    NamedRecord,
    Shelf,
)
from whatsapp_provider.gateways.registry import GATEWAYS
from whatsapp_provider.gateways.whatscloud.account import WhatsCloudAccount
from whatsapp_provider.gateways.whatscloud.gateway import open_gateway
from whatsapp_provider.model import ChannelRef, ChannelStatus, MessageStatus, SendResult
from whatsapp_provider.templates import OfficialTemplate
from whatsapp_provider.transport import Wire

REF = ChannelRef("whatscloud", facts.TENANT, facts.TENANT)
HALT, HOLD, RETRY, SKIP = Disposition.HALT, Disposition.HOLD, Disposition.RETRY, Disposition.SKIP
REFUSED = (
    *(Said(status, body) for status, body in facts.REFUSALS.values()),
    Said(400, facts.meta_error(131026)),
    Said(500, facts.refused("(#131047) Re-engagement message")),
    Said(500, facts.refused("Failed", facts.meta_error(131000))),
    Said(403, facts.refused("Contact has opted out")),
    Said(404, facts.refused("Template not found")),
    Said(413, b"<title>413 Request Entity Too Large</title>", {"content-type": "text/html"}),
    Said(502, b"<title>502 Bad Gateway</title>", {"content-type": "text/html"}),
)
_SENT = (
    facts.SENT,
    facts.SENT_LATER,
    facts.ok("Message sent successfully"),
    facts.refused("Failed to send"),
    facts.ok(data={"whatsapp_response": facts.meta_error(131026)}),
    facts.refused("(#130429) Rate limit hit"),
)


def _asks(asks: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Said]]:
    return {
        f"{what.partition(' ')[0]} cloud/api/v1/{facts.TENANT}{what.partition(' ')[2]}": (
            *map(ok, bodies),
            *REFUSED,
        )
        for what, bodies in asks.items()
    }


def _account(
    name: str,
    asks: Mapping[str, Sequence[Any]],
    run: Callable[[WhatsCloudAccount], Awaitable[Any]],
    gives: Any,
) -> Call:
    async def on(gateway: Gateway) -> Any:
        return await run(cast("WhatsCloudAccount", gateway.account()))

    return Call(name, on, gives, _asks(asks))


def _channel(
    name: str, asks: Mapping[str, Sequence[Any]], run: Callable[[ChannelGateway], Awaitable[Any]], gives: Any
) -> Call:
    return Call(name, of_channel(REF, run), gives, _asks(asks))


def _send(kind: str) -> Call:
    run = of_channel(REF, lambda channel: channel.send(PHONE, MESSAGES[kind]))
    what = "POST /messages/*"
    return Call(f"send {kind}", run, SendResult, _asks({what: _SENT}), sends=next(iter(_asks({what: ()}))))


async def _contacts(account: WhatsCloudAccount) -> list[ContactRecord]:
    return [contact async for contact in account.directory().contacts(ContactQuery(type="lead"))]


_LISTS = (
    facts.nested(facts.TEMPLATE, facts.PHOTO),
    facts.ok(data=[facts.TEMPLATE]),
    facts.flat(facts.TEMPLATE, page=1, total=300),
    facts.nested(facts.TEMPLATE, page=1, last=3),
)
_PEOPLE = {"GET /contacts": (facts.flat(facts.CONTACT), facts.nested(facts.CONTACT))}
_SHELVES = {
    "GET /statuses": (facts.flat(facts.STATUS, facts.PENDING), facts.nested(facts.STATUS)),
    "GET /sources": (facts.flat(facts.SOURCE),),
}
_GROUPS = {"GET /groups": (facts.ok(data=[facts.GROUP, facts.OTHER_GROUP]), facts.nested(facts.GROUP))}
_DRAFT = ContactDraft(phone=facts.PHONE, firstname="Ana", groups=("vip",))
_MADE = facts.ok("Group created successfully", data=facts.GROUP)
_CALLS = (
    _account("describe", {"GET /templates": _LISTS}, lambda a: a.describe(), str),
    _account(
        "template",
        {"GET /templates/11": (facts.ok(data=facts.TEMPLATE),)},
        lambda a: a.template("11"),
        OfficialTemplate | None,
    ),
    _account(
        "template bots",
        {"GET /templatebots": (facts.flat(facts.TEMPLATE_BOT),)},
        lambda a: a.template_bots(),
        Sequence[Any],
    ),
    _account(
        "message bots",
        {"GET /messagebots": (facts.flat(facts.MESSAGE_BOT),)},
        lambda a: a.message_bots(),
        Sequence[Any],
    ),
    _account(
        "number format",
        {"POST /phone/validate": (facts.VALIDATED,)},
        lambda a: a.number_format(facts.PHONE),
        Any,
    ),
    _account("contacts", _PEOPLE, _contacts, Sequence[ContactRecord]),
    _account(
        "contact",
        {"GET /contacts/451": (facts.ok(data=facts.CONTACT),)},
        lambda a: a.directory().get_contact("451"),
        ContactRecord | None,
    ),
    _account(
        "create contact",
        {"POST /contacts": (facts.ok("Contact created successfully", data=facts.CONTACT),), **_SHELVES},
        lambda a: a.directory().create_contact(_DRAFT),
        ContactRecord,
    ),
    _account(
        "change contact",
        {
            "GET /contacts/451": (facts.ok(data=facts.CONTACT),),
            "PUT /contacts/451": (facts.ok("Contact updated successfully", data=facts.CONTACT),),
            **_GROUPS,
        },
        lambda a: a.directory().update_contact("451", {"company": "Acme"}),
        ContactRecord,
    ),
    _account(
        "delete contact",
        {"DELETE /contacts/451": (facts.ok("Contact deleted successfully"),)},
        lambda a: a.directory().delete_contact("451"),
        bool,
    ),
    _account("groups", _GROUPS, lambda a: a.directory().entries(Shelf.GROUPS), Sequence[NamedRecord]),
    _account(
        "create group",
        {"POST /groups": (_MADE,)},
        lambda a: a.directory().create_entry(Shelf.GROUPS, "vip"),
        NamedRecord,
    ),
    _channel("status", {"GET /templates": _LISTS}, lambda c: c.status(), ChannelStatus),
    _channel("templates", {"GET /templates": _LISTS}, lambda c: c.templates(), Sequence[OfficialTemplate]),
    _channel(
        "message status",
        {f"GET /messages/{facts.QUOTED_WAMID}/status": (facts.STATUS_OF_MESSAGE,)},
        lambda c: c.message_status(facts.WAMID),
        MessageStatus,
    ),
)


class WhatsCloudSubject:
    """One tenant, which is one channel."""

    name = "whatscloud"
    calls: ClassVar = (*_CALLS, *map(_send, sorted(GATEWAYS["whatscloud"].capabilities.message_kinds)))
    secrets: ClassVar = (facts.TOKEN,)

    def open(self, wire: Wire) -> Gateway:
        """Return the gateway of the tenant."""
        values = ConnectionValues(
            "hostile",
            password=facts.TOKEN,
            host="https://cloud.example/api/v1",
            extra={"tenant": facts.TENANT},
        )
        return open_gateway(values, wire=wire, sleep=no_wait)

    def documented(self, status: int, body: Any) -> frozenset[Outcome]:
        """Read the reference: ``status`` is ``success``, unless Meta's error is in it; Meta's codes refuse."""
        code = _metas(body)
        if status == 413 and code is None:
            return frozenset({SKIP, HALT})
        if not isinstance(body, dict):
            return frozenset()
        if 200 <= status < 300:
            if code is None:
                return frozenset({ACCEPTED}) if _says_success(body) else frozenset()
            return frozenset() if _has_id(body) else _by(code)
        if status >= 400 and code is not None:
            return _by(code)
        text = str(body).lower()
        names_the_person = status == 422 and "phone_number" in text
        if names_the_person or (status == 403 and re.search(r"opted[ _-]out", text)):
            return frozenset({SKIP, HALT})
        return frozenset()


def _by(code: int) -> frozenset[Outcome]:
    return frozenset() if code in {1, 131000} else frozenset({SKIP, HALT, RETRY})


def _metas(body: Any, levels: int = 5) -> int | None:
    """Return the code of Meta's error, wherever it may be wrapped."""
    if isinstance(body, list):
        return next((code for item in body if (code := _metas(item, levels - 1)) is not None), None)
    if not isinstance(body, dict) or not levels:
        return None
    code = body.get("code")
    if type(code) is int and 0 <= code < 10_000_000 and {"fbtrace_id", "error_data", "type"} & body.keys():
        return code
    texts = (
        [body.get(name) for name in ("message", "errors", "error")] if body.get("status") == "error" else []
    )
    told = [re.match(r"\s*\(#(\d{1,6})\)", text) for text in texts if isinstance(text, str)]
    if any(told):
        return next(int(one[1]) for one in told if one)
    inner = [body.get(name) for name in ("error", "errors", "data", "whatsapp_response")]
    return next((found for one in inner if (found := _metas(one, levels - 1)) is not None), None)


def _says_success(body: dict[str, Any]) -> bool:
    """Whether it says so, and what it hands on of Meta's answer, if anything, names the message."""
    data = body.get("data")
    handed_on = data.get("whatsapp_response") if isinstance(data, dict) else None
    return body.get("status") == "success" and (handed_on is None or _has_id(body))


def _has_id(body: dict[str, Any]) -> bool:
    data = body.get("data")
    return isinstance(data, dict) and bool(re.search(r"'(message_)?id': '[^']*\S", str(data)))
