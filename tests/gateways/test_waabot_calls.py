"""Where token, refresh token and pair stand in each call, and how the token is renewed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.gateways import waabot_facts as facts
from tests.gateways.waabot_server import REF, WaabotServer
from whatsapp_provider.errors import CredentialRejectedError, NotFoundError
from whatsapp_provider.gateways.waabot.gateway import WaabotGateway
from whatsapp_provider.messages import parse_message
from whatsapp_provider.model import ChannelSpec, Webhook

Work = Callable[[WaabotGateway], Awaitable[Any]]
BODY, QUERY = "body", "query"
FILE = {"data": b"\x89PNG\r\n\x1a\n"}


def sends(**message: Any) -> Work:
    return lambda gateway: gateway.channel(REF).send(facts.PHONE, parse_message(message))


def updates(**changes: Any) -> Work:
    return lambda gateway: gateway.channel(REF).update_settings(changes)


REPLY = {"type": "reply", "title": "Yes"}
LIST = {
    "body": "B",
    "button": "Choose",
    "sections": [{"title": "All", "rows": [{"title": "One"}]}],
}
#: What is done, by which call, and where the pair travels in it: the table of the vendor's page. The four updates show
#: no pair there, and match nothing there either; they go as the vendor's client sends them.
CALLS: dict[str, tuple[Work, set[str]]] = {
    "POST /whatsapp/createNewWhatsapp": (
        lambda gateway: gateway.account().create_channel(ChannelSpec(facts.NAME)),
        set(),
    ),
    f"DELETE /whatsapp/{facts.BOT_ID}": (
        lambda gateway: gateway.account().delete_channel(facts.BOT_ID),
        set(),
    ),
    "POST /whatsapp/init": (
        lambda gateway: gateway.account().create_channel(ChannelSpec(facts.NAME)),
        {BODY},
    ),
    "GET /whatsapp/instance": (lambda gateway: gateway.channel(REF).status(), {BODY, QUERY}),
    "GET /whatsapp/scan": (lambda gateway: gateway.channel(REF).pairing_qr(), {QUERY}),
    f"GET /whatsapp/instance/logout/{facts.BOT_ID}": (
        lambda gateway: gateway.channel(REF).logout(),
        {QUERY},
    ),
    "PUT /whatsapp/setWebhook": (
        lambda gateway: gateway.channel(REF).set_webhook(Webhook("https://a.example"), replace=True),
        {BODY},
    ),
    "PUT /whatsapp/updateGeneral": (updates(bot_lang="en"), {BODY, QUERY}),
    "PUT /whatsapp/updateActions": (updates(actions={"reply_msgs": True}), {BODY, QUERY}),
    "PUT /whatsapp/updateActiveDays": (updates(active_days={"sunday": False}), {BODY, QUERY}),
    "PUT /whatsapp/updateActiveHours": (updates(active_hours={"to": "5:00"}), {BODY, QUERY}),
    "POST /whatsapp/message": (sends(kind="text", body="hi"), {BODY, QUERY}),
    "POST /whatsapp/message/image": (sends(kind="image", media=FILE), {QUERY}),
    "POST /whatsapp/message/video": (sends(kind="video", media=FILE), {QUERY}),
    "POST /whatsapp/message/audio": (sends(kind="audio", media=FILE), {QUERY}),
    "POST /whatsapp/message/doc": (sends(kind="document", media=FILE), {QUERY}),
    "POST /whatsapp/message/fileurl": (sends(kind="image", media={"url": facts.URL}), {QUERY}),
    "POST /whatsapp/message/button": (sends(kind="buttons", body="B", buttons=[REPLY]), {QUERY}),
    "POST /whatsapp/message/MediaButton": (
        sends(kind="media_buttons", body="B", buttons=[REPLY], media={"url": facts.URL}),
        {QUERY},
    ),
    "POST /whatsapp/message/list": (sends(kind="list", **LIST), {QUERY}),
    "POST /whatsapp/message/contact": (
        sends(kind="contact", full_name="Ada", phone=facts.OWNER),
        {QUERY},
    ),
}


def ready(waabot: WaabotServer) -> None:
    """Answer each call as documented."""
    for fact in facts.WIRE:
        waabot.say(fact.asked, fact.answer)
    waabot.say_instance(facts.instance(**facts.LOST))
    waabot.say_scan(facts.DATA_URL)
    waabot.say("PUT /whatsapp/updateActions", facts.UPDATED)
    for fact in facts.WIRE:
        if fact.kind:
            waabot.say(fact.asked, facts.IMAGE_SENT)


@pytest.mark.parametrize("what", CALLS)
async def test_the_pair_stands_where_the_call_wants_it(waabot: WaabotServer, what: str) -> None:
    ready(waabot)
    work, places = CALLS[what]
    await work(waabot.gateway(refresh_token=facts.REFRESH))
    asked = waabot.calls(what)[0]
    found = {
        place
        for place, holder in ((BODY, asked.body or {}), (QUERY, asked.query))
        if all(holder.get(name) == value for name, value in facts.PAIR.items())
    }
    stray = {
        place for place, holder in ((BODY, asked.body or {}), (QUERY, asked.query)) if "session_id" in holder
    }
    assert found == stray == places
    assert asked.bearer == facts.TOKEN
    assert asked.refresh == facts.REFRESH
    expected = "multipart/form-data" if asked.files or "fileurl" in what else "application/json"
    assert asked.content_type == (expected if asked.body is not None else "")


async def test_the_older_text_call_has_the_pair_in_its_body_alone(waabot: WaabotServer) -> None:
    waabot.say("POST /whatsapp/sendText", facts.DEPRECATED_SENT)
    await waabot.channel(text_call="deprecated").send(facts.PHONE, parse_message("hi"))
    [asked] = waabot.calls("POST /whatsapp/sendText")
    assert asked.body == {**facts.PAIR, "to": facts.PHONE, "message": "hi"}
    assert asked.query == {}


async def test_the_account_is_asked_for_its_bots_with_an_empty_pair(waabot: WaabotServer) -> None:
    await waabot.gateway().account().list_channels()
    [asked] = waabot.asked
    assert asked.body == {"session_id": "", "access_token": ""}
    assert asked.query == {}


async def test_a_pair_alone_goes_without_any_token(waabot: WaabotServer) -> None:
    waabot.say("POST /whatsapp/message", facts.TEXT_SENT)
    await waabot.own_channel().send(facts.PHONE, parse_message("hi"))
    [asked] = waabot.asked
    assert (asked.bearer, asked.refresh) == (None, None)
    assert asked.query == facts.PAIR


async def test_a_token_that_an_answer_renews_is_used_from_then_on(waabot: WaabotServer) -> None:
    gateway = waabot.gateway(refresh_token=facts.REFRESH)
    waabot.say("GET /whatsapp", facts.LISTED, **{"x-access-token": facts.RENEWED})
    for _ in range(2):
        await gateway.account().list_channels()
    assert [asked.bearer for asked in waabot.asked] == [facts.TOKEN, facts.RENEWED]
    assert facts.RENEWED not in repr([vars(gateway), gateway.account(), gateway.channel(REF)])


async def test_a_refusal_renews_the_token_too(waabot: WaabotServer) -> None:
    gateway = waabot.gateway(refresh_token=facts.REFRESH)
    headers = {"x-access-token": facts.RENEWED}
    waabot.say(
        "POST /whatsapp/message",
        httpx.Response(401, json=facts.NOT_CONNECTED, headers=headers),
        httpx.Response(200, json=facts.TEXT_SENT),
    )
    channel = gateway.channel(REF)
    with pytest.raises(Exception, match="Pair a phone"):
        await channel.send(facts.PHONE, parse_message("hi"))
    await channel.send(facts.PHONE, parse_message("hi"))
    assert [asked.bearer for asked in waabot.calls("POST /whatsapp/message")] == [facts.TOKEN, facts.RENEWED]


@pytest.mark.parametrize("token", ["", "  ", "a b", "a\tb"])
async def test_a_header_that_can_be_no_token_renews_nothing(waabot: WaabotServer, token: str) -> None:
    gateway = waabot.gateway()
    waabot.say("GET /whatsapp", facts.LISTED, **{"x-access-token": token})
    for _ in range(2):
        await gateway.account().list_channels()
    assert [asked.bearer for asked in waabot.asked] == [facts.TOKEN, facts.TOKEN]


async def test_a_renewed_token_is_struck_out_of_what_the_api_says(waabot: WaabotServer) -> None:
    gateway = waabot.gateway()
    waabot.say("GET /whatsapp", facts.LISTED, **{"x-access-token": "short-renewed"})
    await gateway.account().list_channels()
    waabot.say("GET /whatsapp", facts.refused("No: short-renewed"), status=403)
    with pytest.raises(CredentialRejectedError) as caught:
        await gateway.account().list_channels()
    assert "short-renewed" not in str(caught.value)


async def test_an_ended_token_is_refused_with_what_to_do(waabot: WaabotServer) -> None:
    waabot.say("GET /whatsapp", facts.NOT_LOGGED_IN, status=403)
    with pytest.raises(CredentialRejectedError, match=r"fill in a new one \(Password\)"):
        await waabot.gateway().account().list_channels()


async def test_the_pair_of_a_bot_is_asked_for_once(waabot: WaabotServer) -> None:
    waabot.say("POST /whatsapp/message", facts.TEXT_SENT)
    gateway = waabot.gateway()
    for _ in range(3):
        await gateway.channel(REF).send(facts.PHONE, parse_message("hi"))
    assert len(waabot.calls("GET /whatsapp")) == 1


async def test_a_bot_that_the_account_has_not_is_refused_by_its_id(waabot: WaabotServer) -> None:
    waabot.say("GET /whatsapp", facts.done("", []))
    with pytest.raises(NotFoundError, match=f"no bot '{facts.BOT_ID}' .{facts.NAME}."):
        await waabot.channel().send(facts.PHONE, parse_message("hi"))


@pytest.mark.parametrize("what", ["GET /whatsapp/instance", "PUT /whatsapp/updateGeneral"])
async def test_a_read_is_retried_and_a_change_that_may_be_repeated(waabot: WaabotServer, what: str) -> None:
    ready(waabot)
    waabot.say(what, httpx.Response(502), httpx.Response(502), httpx.Response(200, json=dict(_answer(what))))
    await CALLS[what][0](waabot.gateway())
    assert len(waabot.calls(what)) == 3


def _answer(what: str) -> dict[str, Any]:
    return facts.instance(**facts.CONNECTED) if "instance" in what else facts.UPDATED


async def test_nothing_of_a_call_is_logged(waabot: WaabotServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ready(waabot)
    await asyncio.gather(*(work(waabot.gateway()) for work, _ in CALLS.values()))
    assert caplog.records == []
