"""What the Waabot dialect sends, what it refuses, and what its webhooks tell of it, in both formats."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator.conftest import Receiver
from tests.emulator.waabot_facts import facts
from tests.emulator.waabot_wire import PICTURE, TO, Waabot, pair, refusal
from tests.emulator.wire_facts import shape
from whatsapp_provider.emulator import Fault
from whatsapp_provider.emulator.network import Inbound
from whatsapp_provider.emulator.waabot.bot import Bot

UPSTREAM = facts("upstream")
NOT_THERE = UPSTREAM["refusals"]["not on whatsapp"]
HOOK = "https://hook.example/bots"


# -- to whom ----------------------------------------------------------------------------------


async def test_a_chat_id_is_digits_or_a_full_address(waabot: Waabot) -> None:
    bot = waabot.account.paired_bot("bot")
    group = waabot.emulator.network.add_group("Bakers", [TO])
    for chat_id in (TO, f"{TO}@s.whatsapp.net", group):
        assert (await waabot.text(bot, chat_id)).status_code == 200
    received = waabot.emulator.network.received()
    assert [entry.chat_id for entry in received] == [f"{TO}@s.whatsapp.net"] * 2 + [group]


@pytest.mark.parametrize("chat_id", ["+15550001234", "1 555", f"{TO}@c.us", "15550009999", ""])
async def test_a_recipient_without_whatsapp_is_a_500(waabot: Waabot, chat_id: str) -> None:
    waabot.emulator.configure(numbers_without_whatsapp=["15550009999"])
    bot = waabot.account.paired_bot("bot")
    assert refusal(await waabot.text(bot, chat_id)) == NOT_THERE
    files = {"data": {"chatId": chat_id}, "files": PICTURE}
    assert refusal(await waabot.send(bot, "/image", **files)) == NOT_THERE
    assert waabot.emulator.network.total() == 0


async def test_a_dash_makes_a_group_and_a_new_group_needs_its_ending(waabot: Waabot) -> None:
    bot = waabot.account.paired_bot("bot")
    group = waabot.emulator.network.add_group("Bakers", [TO])
    assert refusal(await waabot.text(bot, "1555-1234")) == [500, "item-not-found"]
    assert refusal(await waabot.text(bot, group.removesuffix("@g.us"))) == NOT_THERE


# -- what -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind", "content"),
    [
        ("/image", "image", "imageMessage"),
        ("/video", "video", "videoMessage"),
        ("/audio", "voice", "audioMessage"),
        ("/doc", "document", "documentMessage"),
    ],
)
async def test_a_file_is_sent_as_its_kind(waabot: Waabot, path: str, kind: str, content: str) -> None:
    bot = waabot.account.paired_bot("bot")
    fields = {"chatId": TO, "caption": "Look", "filename": "named.bin"}
    answer = await waabot.send(bot, path, data=fields, files=PICTURE)
    assert list(answer.json()["data"]["message"]) == [content]
    (entry,) = waabot.emulator.network.received(TO)
    assert entry.media is not None
    assert (entry.kind, entry.media["size"]) == (kind, len(PICTURE["file"][1]))
    assert entry.media["filename"] == ("named.bin" if kind == "document" else "bread.png")


@pytest.mark.parametrize("kind", ["image", "video", "audio", "document"])
async def test_a_url_is_sent_as_its_kind_from_a_form(waabot: Waabot, kind: str) -> None:
    bot = waabot.account.paired_bot("bot")
    fields = {"chatId": TO, "url": "https://files.example/a", "type": kind, "mimetype": "a/b", "caption": ""}
    # Text fields of a multipart body, as the vendor's sample has them.
    answer = await waabot.send(bot, "/fileurl", files={name: (None, text) for name, text in fields.items()})
    assert answer.json()["status"] is True
    (entry,) = waabot.emulator.network.received(TO)
    assert entry.media is not None
    assert (entry.kind, entry.media["link"]) == (kind, "https://files.example/a")


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("", {"message": "x"}, "Cannot read properties of undefined (reading 'includes')"),
        ("/image", {"chatId": TO}, "Cannot read properties of undefined (reading 'mimetype')"),
        ("", {"chatId": TO, "attachments": 5}, "attachments is not iterable"),
        ("", {"chatId": TO, "location": {"lat": "north", "lng": "1"}}, "degreesLatitude: number expected"),
        ("", {"chatId": TO, "location": {"lat": "nan", "lng": "1"}}, "degreesLatitude: number expected"),
        ("/fileurl", {"chatId": TO, "type": "image", "url": "https://[x"}, "Invalid URL"),
        ("/fileurl", {"chatId": TO, "type": "sticker", "url": "https://a.example"}, "Invalid media type"),
        (
            "/fileurl",
            {"chatId": TO, "type": "image", "url": "https://a.invalid/x"},
            "getaddrinfo ENOTFOUND a.invalid",
        ),
        ("/button", {"chatId": TO}, "Cannot read properties of undefined (reading 'buttons')"),
        (
            "/button",
            {"chatId": TO, "btndata": {"text": "x"}},
            "Cannot read properties of undefined (reading 'map')",
        ),
        ("/list", {"chatId": TO}, "Cannot read properties of undefined (reading 'text')"),
        ("/contact", {"chatId": TO}, "Cannot read properties of undefined (reading 'fullName')"),
    ],
)
async def test_what_is_missing_is_a_500_with_javascripts_words(
    waabot: Waabot, path: str, body: dict[str, Any], text: str
) -> None:
    bot = waabot.account.paired_bot("bot")
    assert refusal(await waabot.send(bot, path, json=body)) == [500, text]
    assert waabot.emulator.network.total() == 0


async def test_a_combined_call_that_breaks_has_sent_the_parts_before(waabot: Waabot) -> None:
    bot = waabot.account.paired_bot("bot")
    body = {"chatId": TO, "message": "Hello", "attachments": ["unknown"], "contactId": "x"}
    answer = await waabot.send(bot, json=body)
    assert answer.status_code == 500
    assert [entry.kind for entry in waabot.emulator.network.received(TO)] == ["text"]


async def test_contacts_can_be_changed_and_deleted_until_they_are_sent(waabot: Waabot) -> None:
    bot = waabot.account.paired_bot("bot")
    made = await waabot.ask(
        "POST", "/contact", params=pair(bot), json={"name": "Maria", "number": "15550004321"}
    )
    path = f"/contact/{made.json()['data']['_id']}"
    await waabot.ask("PUT", path, json={**pair(bot), "name": "Ana"})
    assert (await waabot.ask("GET", path, json=pair(bot))).json()["data"]["name"] == "Ana"
    assert len((await waabot.ask("GET", "/contact", json=pair(bot))).json()["data"]) == 1
    assert (await waabot.ask("DELETE", path)).json()["data"] == {"n": 1, "ok": 1, "deletedCount": 1}
    assert (await waabot.ask("GET", path, json=pair(bot))).json()["data"] is None


# -- what goes wrong --------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["", "/image", "/button", "/contact", "/list", "/fileurl"])
async def test_a_send_left_unsent_by_a_fault_is_refused_in_the_services_words(
    waabot: Waabot, path: str
) -> None:
    bot = waabot.account.paired_bot("bot")
    waabot.emulator.faults.add(Fault(kind="unsent"))
    assert refusal(await waabot.send(bot, path, json={"chatId": TO, "message": "Hello"})) == NOT_THERE
    assert waabot.emulator.network.total() == 0


@pytest.mark.parametrize(
    ("form", "status", "body"),
    [
        ("upstream", 500, {"error": True, "code": 500, "message": NOT_THERE[1]}),
        (
            "nested",
            200,
            {
                "status": True,
                "message": "Message sent successfully",
                "data": {"error": True, "code": 500, "message": NOT_THERE[1]},
            },
        ),
    ],
)
async def test_refusals_of_the_server_below_may_come_in_other_forms(
    waabot: Waabot, form: str, status: int, body: dict[str, Any]
) -> None:
    waabot.emulator.configure(waabot_refusals=form)
    bot = waabot.account.paired_bot("bot")
    answer = await waabot.text(bot, "123")
    assert (answer.status_code, answer.json()) == (status, body)
    # The service's own refusals and Express' pages have their one form.
    assert "not an authorized user" in (await waabot.ask("GET", "/whatsapp", None)).json()["message"]
    assert (await waabot.ask("GET", "/nothing")).status_code == 404


async def test_a_send_takes_its_time(waabot: Waabot) -> None:
    bot = waabot.account.paired_bot("bot")
    waabot.emulator.configure(send_latency=4)
    before = waabot.emulator.clock.now()
    await waabot.text(bot)
    assert waabot.emulator.clock.now() == before + 4


# -- webhooks ---------------------------------------------------------------------------------


async def hooked(waabot: Waabot, **more: Any) -> Bot:
    bot = waabot.account.paired_bot("bot", "15550001000")
    body = {**pair(bot), "webhook_url": HOOK, **more}
    answer = (await waabot.ask("PUT", "/whatsapp/setWebhook", json=body)).json()
    assert (answer["data"]["matchedCount"], answer["data"]["modifiedCount"]) == (1, 1)
    return bot


async def test_open_wa_tells_an_incoming_message_twice(waabot: Waabot, receiver: Receiver) -> None:
    bot = await hooked(waabot)
    _, message_id = waabot.emulator.network.reply(Inbound(TO, "Maria", "hi"), bot.id)
    await waabot.emulator.advance(0)
    calls = receiver.bodies()
    expected = UPSTREAM["open-wa webhook"]["body"]
    assert [call["event"] for call in calls] == ["onMessage", "onAnyMessage"]
    assert shape({**calls[0], "data": {}}) == shape(expected)
    data = calls[0]["data"]
    assert (data["id"], data["body"], data["notifyName"]) == (f"false_{TO}@c.us_{message_id}", "hi", "Maria")
    assert (data["from"], data["to"], data["fromMe"]) == (f"{TO}@c.us", "15550001000@c.us", False)


async def test_open_wa_tells_acks_of_what_was_sent_and_never_back(waabot: Waabot, receiver: Receiver) -> None:
    waabot.emulator.configure(read_after=1)
    bot = await hooked(waabot, events=["onAck"])
    await waabot.text(bot)
    await waabot.emulator.advance(5)
    (entry,) = waabot.emulator.network.received(TO)
    bot.receipt(entry.message_id, "delivered")
    await waabot.emulator.advance(0)
    acks = [(call["data"]["id"], call["data"]["ack"]) for call in receiver.bodies()]
    assert acks == [(f"true_{TO}@c.us_{entry.message_id}", ack) for ack in (1, 2, 3)]


async def test_a_button_pressed_has_its_event(waabot: Waabot, receiver: Receiver) -> None:
    bot = await hooked(waabot, events=["onButton"])
    waabot.emulator.network.reply(Inbound(TO, "Maria", "Yes", button_id="yes", quoted_id="BAE5"), bot.id)
    await waabot.emulator.advance(0)
    (call,) = receiver.bodies()
    assert (call["data"]["type"], call["data"]["selectedButtonId"]) == ("buttons_response", "yes")
    assert call["data"]["quotedMsgObj"] == {"id": "BAE5"}


async def test_the_other_format_lets_the_message_overwrite_the_instances_key(
    waabot: Waabot, receiver: Receiver
) -> None:
    waabot.emulator.configure(waabot_webhook_format="baileys")
    bot = await hooked(waabot)
    waabot.emulator.network.reply(Inbound(TO, "Maria", "hi"), bot.id)
    await waabot.text(bot)
    await waabot.emulator.advance(5)
    inbound, own = receiver.bodies()
    assert shape(inbound) == shape(UPSTREAM["baileys webhook"]["body"])
    assert inbound["instanceKey"] == bot.instance_key
    # Own messages are told too; receipts have no event here.
    assert own["body"]["key"]["fromMe"] is True
    waabot.emulator.network.unlink(bot.id)
    await waabot.emulator.advance(0)
    assert receiver.bodies()[-1]["body"] == {"connection": "close"}


async def test_a_webhook_is_called_once_with_the_headers_it_asked_for(
    waabot: Waabot, receiver: Receiver
) -> None:
    config = {"headers": {"x-secret": "open sesame"}, "method": "put"}
    bot = await hooked(waabot, events=["onMessage"], requestConfig=config)
    receiver.answers = [500]
    waabot.emulator.network.reply(Inbound(TO, "Maria", "hi"), bot.id)
    await waabot.emulator.advance(3600)
    (call,) = receiver.calls
    assert (call["method"], call["headers"]["x-secret"]) == ("PUT", "open sesame")


async def test_a_webhook_can_be_changed_and_taken_away(waabot: Waabot, receiver: Receiver) -> None:
    bot = await hooked(waabot, events=["onLogout", "onStateChanged"])
    waabot.emulator.network.unlink(bot.id)
    await waabot.emulator.advance(0)
    assert [call["event"] for call in receiver.bodies()] == ["onStateChanged", "onLogout"]
    await waabot.ask("PUT", "/whatsapp/setWebhook", json={**pair(bot), "webhook_url": ""})
    await waabot.init(bot)
    await waabot.emulator.advance(1)
    waabot.emulator.network.link(bot.id)
    await waabot.emulator.advance(0)
    assert len(receiver.calls) == 2
    nobody = await waabot.ask("PUT", "/whatsapp/setWebhook", json={"webhook_url": HOOK})
    assert nobody.json()["data"]["matchedCount"] == 0


async def test_the_action_send_webhook_may_be_a_switch(waabot: Waabot, receiver: Receiver) -> None:
    waabot.emulator.configure(waabot_webhook_switch=True)
    bot = await hooked(waabot, events=["onMessage"])
    waabot.emulator.network.reply(Inbound(TO, "Maria", "unheard"), bot.id)
    await waabot.ask("PUT", "/whatsapp/updateActions", json={**pair(bot), "send_webhook": True})
    waabot.emulator.network.reply(Inbound(TO, "Maria", "heard"), bot.id)
    await waabot.emulator.advance(0)
    assert [call["data"]["body"] for call in receiver.bodies()] == ["heard"]


async def test_the_inbox_counts_events_of_both_formats(waabot: Waabot) -> None:
    for body in (UPSTREAM["open-wa webhook"]["body"], UPSTREAM["baileys webhook"]["body"]):
        await waabot.http.post("/_emulator/inbox", content=json.dumps(body))
    assert (await waabot.http.get("/_emulator/inbox")).json() == {"onMessage": 1, "message": 1}
