"""Each documented exchange, asked and read by the gateway's own code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.gateways import whatscloud_facts as facts
from tests.gateways.whatscloud_facts import WIRE
from tests.gateways.whatscloud_server import WhatsCloudServer
from tests.gateways.wire_facts import Fact
from whatsapp_provider.gateways.directory import ContactDraft, ContactQuery, NamedRecord, Shelf
from whatsapp_provider.messages import parse_message
from whatsapp_provider.model import MessageStatus
from whatsapp_provider.templates import OfficialTemplate

FILE = {"kind": "image", "media": {"url": "https://example.com/a.png"}}
#: Our words for what each fact sends, by its path and kind, in the order of the facts.
MESSAGES: tuple[dict[str, Any], ...] = (
    {"kind": "text", "body": "Hello"},
    {
        "kind": "buttons",
        "body": "Well?",
        "header": "Order 47",
        "footer": "Thanks",
        "buttons": [{"type": "reply", "title": "Yes", "id": "yes"}, {"type": "reply", "title": "No"}],
    },
    {
        "kind": "buttons",
        "body": "Look",
        "buttons": [{"type": "url", "title": "Open", "url": "https://example.com"}],
    },
    {"kind": "image", "media": {"url": "https://example.com/image"}, "caption": "Look"},
    {"kind": "video", "media": {"url": "https://example.com/video"}, "caption": "Look"},
    {"kind": "audio", "media": {"url": "https://example.com/audio"}},
    {
        "kind": "document",
        "media": {"url": "https://example.com/document"},
        "caption": "Look",
        "filename": "a.pdf",
    },
    {
        "kind": "template",
        "name": "order_confirmation",
        "language": "en_US",
        "body": ["Ada", "47"],
        "buttons": {0: "47"},
    },
    {"kind": "template", "name": "sale_photo", "language": "en_US", "body": ["Ada"], "header": FILE},
)
SENDS = [fact for fact in WIRE if fact.kind]

DRAFT = ContactDraft(
    phone=facts.PHONE,
    firstname="John",
    lastname="Doe",
    email="john@example.com",
    source="Referral",
    status="New",
    groups=("vip", "news"),
)
QUERY = ContactQuery(type="lead", source="Referral", status="1")
Call = Callable[[WhatsCloudServer], Awaitable[Any]]


async def every(rows: Any) -> list[Any]:
    return [row async for row in rows]


#: The call that makes each of the other requests, and what it returns.
CALLS: dict[str, tuple[Call, Callable[[Any], bool]]] = {
    f"GET /messages/{facts.QUOTED_WAMID}/status": (
        lambda server: server.channel().message_status(facts.WAMID),
        lambda got: got is MessageStatus.DELIVERED,
    ),
    "POST /phone/validate": (
        lambda server: server.account().number_format(facts.PHONE),
        lambda got: got.format_valid and got.country == "US",
    ),
    "GET /templates": (
        lambda server: server.channel().templates(),
        lambda got: [one.name for one in got] == ["order_confirmation", "sale_photo"],
    ),
    "GET /templates/11": (
        lambda server: server.account().template("11"),
        lambda got: (
            got
            == OfficialTemplate(
                name="order_confirmation",
                language="en_US",
                status="APPROVED",
                category="UTILITY",
                header="text",
                body_names=("1", "2"),
                button_values=(0,),
                body="Hi {{1}}, your order {{2}} is confirmed.",
            )
        ),
    ),
    "GET /templatebots": (
        lambda server: server.account().template_bots(),
        lambda got: (
            [(bot.id, bot.template_id, bot.is_bot_active) for bot in got] == [("3", "123456789012345", True)]
        ),
    ),
    "GET /templatebots/3": (lambda server: server.account().template_bot("3"), lambda got: got.id == "3"),
    "GET /messagebots": (
        lambda server: server.account().message_bots(),
        lambda got: [(bot.id, bot.trigger) for bot in got] == [("5", "hours")],
    ),
    "GET /messagebots/5": (lambda server: server.account().message_bot("5"), lambda got: got.id == "5"),
    "GET /contacts": (
        lambda server: every(server.account().directory().contacts(QUERY)),
        lambda got: [one.row()["phone"] for one in got] == ["+15550000001"],
    ),
    "GET /contacts/451": (
        lambda server: server.account().directory().get_contact("451"),
        lambda got: (
            (got.firstname, got.company, got.group_ids, got.is_opted_out) == ("John", "", ("1", "2"), False)
        ),
    ),
    "POST /contacts": (
        lambda server: server.account().directory().create_contact(DRAFT),
        lambda got: got.id == "451",
    ),
    "PUT /contacts/451": (
        lambda server: server.account().directory().update_contact("451", {"company": "Acme"}),
        lambda got: got.id == "451",
    ),
    "DELETE /contacts/451": (
        lambda server: server.account().directory().delete_contact("451"),
        lambda got: got is True,
    ),
}


def shelf_calls(shelf: Shelf, entry_id: str, old: str, new: str, **color: str) -> None:
    def directory(server: WhatsCloudServer) -> Any:
        return server.account().directory()

    first = {Shelf.STATUSES: "1"}.get(shelf, entry_id)
    CALLS[f"GET /{shelf}"] = (
        lambda server: directory(server).entries(shelf),
        lambda got: all(isinstance(entry, NamedRecord) for entry in got) and got[0].id == first,
    )
    CALLS[f"GET /{shelf}/{first}"] = (
        lambda server: directory(server).get_entry(shelf, first),
        lambda got: got.id == first and got.is_default is (shelf is Shelf.STATUSES),
    )
    CALLS[f"POST /{shelf}"] = (
        lambda server: directory(server).create_entry(shelf, old, **color),
        lambda got: (got.id, got.name) == (entry_id, old),
    )
    CALLS[f"PUT /{shelf}/{entry_id}"] = (
        lambda server: directory(server).update_entry(shelf, entry_id, name=new),
        lambda got: got.id == entry_id,
    )
    CALLS[f"DELETE /{shelf}/{entry_id}"] = (
        lambda server: directory(server).delete_entry(shelf, entry_id),
        lambda got: got is True,
    )


shelf_calls(Shelf.STATUSES, "4", "Pending", "Later", color="#FF0000")
shelf_calls(Shelf.SOURCES, "2", "Referral", "Friends")
shelf_calls(Shelf.GROUPS, "1", "vip", "vips")


def named(fact: Fact) -> str:
    return f"{fact.asked} {fact.source}"


def answering(server: WhatsCloudServer, *shown: Fact) -> None:
    """Answer all reads as documented, and what is shown as this fact has it."""
    for fact in (*WIRE, *shown):
        if fact in shown or fact.asked.startswith("GET"):
            server.say(fact.asked, fact.answer, status=fact.status)


@pytest.mark.parametrize(
    ("fact", "message"), list(zip(SENDS, MESSAGES, strict=True)), ids=[named(fact) for fact in SENDS]
)
async def test_a_message_becomes_the_documented_request_and_its_answer_is_read(
    whatscloud: WhatsCloudServer, fact: Fact, message: dict[str, Any]
) -> None:
    answering(whatscloud, fact)
    sent = await whatscloud.channel().send(facts.PHONE, parse_message(message))
    assert sent.message_id == facts.WAMID
    [asked] = whatscloud.calls(fact.asked)
    assert (asked.body, asked.files) == (fact.request, {})


@pytest.mark.parametrize("fact", [fact for fact in WIRE if not fact.kind], ids=named)
async def test_a_call_makes_the_documented_request_and_its_answer_is_read(
    whatscloud: WhatsCloudServer, fact: Fact
) -> None:
    answering(whatscloud, fact)
    call, is_right = CALLS[fact.asked]
    got = await call(whatscloud)
    assert is_right(got), got
    asked = whatscloud.calls(fact.asked)[-1]
    assert (asked.body, asked.query) == (fact.request, dict(fact.query))


async def test_each_request_has_the_token_and_asks_for_json(whatscloud: WhatsCloudServer) -> None:
    answering(whatscloud)
    await whatscloud.channel().templates()
    await whatscloud.account().directory().get_contact("451")
    assert {asked.host for asked in whatscloud.asked} == {"whatscloud.pro"}
    assert {asked.headers["authorization"] for asked in whatscloud.asked} == {f"Bearer {facts.TOKEN}"}
    assert {asked.headers["accept"] for asked in whatscloud.asked} == {"application/json"}
