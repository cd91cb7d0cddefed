"""One tenant: whether it can be used, its lists to their end, its bots."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.gateways import whatscloud_facts as facts
from tests.gateways.whatscloud_server import REF, WhatsCloudServer
from whatsapp_provider.errors import (
    ConfigurationError,
    CredentialRejectedError,
    NoAnswerError,
    NotFoundError,
    RateLimitedError,
    RequestRejectedError,
    UnsupportedError,
    WhatsAppError,
)
from whatsapp_provider.gateways.whatscloud import pages
from whatsapp_provider.gateways.whatscloud.pages import read_page
from whatsapp_provider.model import Channel, ChannelRef, ChannelSpec, ChannelState
from whatsapp_provider.templates import OfficialTemplate

TEMPLATES = "GET /templates"


def rows(first: int, last: int) -> list[dict[str, Any]]:
    return [{**facts.PLAIN, "id": number, "template_name": f"t{number}"} for number in range(first, last + 1)]


async def names(server: WhatsCloudServer, **extra: Any) -> list[str]:
    return [template.name for template in await server.channel(**extra).templates()]


# -- whether it can be used -----------------------------------------------------------------------


async def test_a_tenant_whose_templates_can_be_read_is_connected(whatscloud: WhatsCloudServer) -> None:
    whatscloud.say(TEMPLATES, facts.nested(facts.TEMPLATE, total=3))
    status = await whatscloud.channel().status()
    assert status.state is ChannelState.CONNECTED
    assert "3 templates can be read" in status.detail
    assert whatscloud.asked[0].query == {"page": "1", "per_page": "1"}
    assert await whatscloud.gateway().test() == "WhatsCloud tenant 'acme', 3 templates"


@pytest.mark.parametrize("body", [facts.ok(data=[]), facts.flat(total=0), facts.nested(total=0)])
async def test_a_tenant_without_templates_is_connected_too(whatscloud: WhatsCloudServer, body: Any) -> None:
    whatscloud.say(TEMPLATES, body)
    assert (await whatscloud.channel().status()).state is ChannelState.CONNECTED


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        (
            "unknown tenant",
            NotFoundError,
            "knows no tenant 'acme'; mend the tenant of connection 'whatsapp_test'",
        ),
        ("no token", CredentialRejectedError, "Copy the API token anew"),
        ("wrong token", CredentialRejectedError, "Copy the API token anew into connection 'whatsapp_test'"),
        ("missing ability", CredentialRejectedError, r"Give the token the ability contacts\.create on"),
    ],
)
async def test_what_keeps_a_tenant_from_being_used_is_said_with_what_to_do(
    whatscloud: WhatsCloudServer, name: str, error: type[WhatsAppError], words: str
) -> None:
    whatscloud.refuse(TEMPLATES, name)
    for look in (whatscloud.channel().status, whatscloud.gateway().test, whatscloud.channel().templates):
        with pytest.raises(error, match=words):
            await look()


async def test_api_access_that_is_off_is_asked_about(whatscloud: WhatsCloudServer) -> None:
    whatscloud.say(TEMPLATES, facts.refused("API access is disabled"), status=403)
    with pytest.raises(CredentialRejectedError, match="Is API access switched on"):
        await whatscloud.channel().status()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(200, text="<html>Welcome</html>"), NoAnswerError),
        (httpx.Response(200, json=[]), NoAnswerError),
        (httpx.Response(200, json={}), NoAnswerError),
        (httpx.Response(200, json=facts.ok(data=3)), NoAnswerError),
        (httpx.Response(200, json=facts.ok(data={"data": "x"})), NoAnswerError),
        (httpx.Response(200, json=facts.refused("no", data=[])), NoAnswerError),
        (httpx.Response(404, text="<html>Not found</html>"), RequestRejectedError),
    ],
    ids=range(7),
)
async def test_another_program_at_the_url_is_not_taken_for_a_tenant(
    whatscloud: WhatsCloudServer, answer: httpx.Response, error: type[WhatsAppError]
) -> None:
    whatscloud.say(TEMPLATES, answer)
    with pytest.raises(error, match="URL of the connection"):
        await whatscloud.channel().status()


# -- one channel ----------------------------------------------------------------------------------


async def test_the_tenant_is_the_only_channel_and_no_request_tells_it(whatscloud: WhatsCloudServer) -> None:
    gateway, account = whatscloud.gateway(), whatscloud.account()
    assert gateway.default_channel == REF
    assert await account.list_channels() == [Channel(REF)]
    assert await account.find_channel("acme") == await account.get_channel("acme") == Channel(REF)
    assert await account.find_channel("Acme") is None
    with pytest.raises(ConfigurationError, match="tenant 'acme' alone, which does not reach 'other'"):
        gateway.channel(ChannelRef("whatscloud", "other"))
    assert whatscloud.asked == []


async def test_creating_is_refused_with_what_to_do_instead(whatscloud: WhatsCloudServer) -> None:
    with pytest.raises(
        UnsupportedError, match=r"'whatscloud' can't create .* name its tenant in the connection"
    ):
        await whatscloud.account().create_channel(ChannelSpec("Bot"))
    with pytest.raises(UnsupportedError, match="on WhatsCloud's webhook page"):
        await whatscloud.channel().webhooks()
    with pytest.raises(UnsupportedError, match="not paired with a phone"):
        await whatscloud.channel().pairing_qr()
    with pytest.raises(UnsupportedError, match="whether a number is well formed, not"):
        await whatscloud.channel().check_numbers([facts.PHONE])


# -- lists to their end ---------------------------------------------------------------------------


async def test_all_pages_of_the_nested_form_are_read(whatscloud: WhatsCloudServer) -> None:
    whatscloud.say(
        TEMPLATES,
        facts.nested(*rows(1, 2), last=2, total=3),
        facts.nested(*rows(3, 3), page=2, last=2, total=3),
    )
    assert await names(whatscloud) == ["t1", "t2", "t3"]
    assert [asked.query["page"] for asked in whatscloud.asked] == ["1", "2"]


async def test_all_pages_of_the_flat_form_are_read(whatscloud: WhatsCloudServer) -> None:
    whatscloud.say(
        TEMPLATES,
        facts.flat(*rows(1, 2), total=3, per_page=2),
        facts.flat(*rows(3, 3), page=2, total=3, per_page=2),
    )
    assert await names(whatscloud) == ["t1", "t2", "t3"]


async def test_a_list_that_tells_nothing_of_its_pages_is_read_until_one_is_not_full(
    whatscloud: WhatsCloudServer,
) -> None:
    whatscloud.say(TEMPLATES, facts.ok(data=rows(1, 15)), facts.ok(data=rows(16, 17)))
    assert len(await names(whatscloud)) == 17


async def test_a_server_that_does_not_look_at_the_page_is_asked_twice_at_most(
    whatscloud: WhatsCloudServer,
) -> None:
    whatscloud.say(TEMPLATES, facts.ok(data=rows(1, 20)))
    assert len(await names(whatscloud)) == 20
    assert len(whatscloud.asked) == 2


async def test_a_row_that_moves_between_pages_is_told_once(whatscloud: WhatsCloudServer) -> None:
    whatscloud.say(TEMPLATES, facts.nested(*rows(1, 2), last=2), facts.nested(*rows(2, 3), page=2, last=2))
    assert await names(whatscloud) == ["t1", "t2", "t3"]


async def test_a_list_without_an_end_is_given_up(
    whatscloud: WhatsCloudServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST_PAGES", 3)
    whatscloud.say(TEMPLATES, *(facts.nested(*rows(at, at), page=at, last=9) for at in range(1, 6)))
    with pytest.raises(NoAnswerError, match="has no end after 3 pages"):
        await names(whatscloud)


@pytest.mark.parametrize(
    ("told", "has_next"),
    [
        ({"next_page_url": "https://x.example?page=2"}, True),
        ({"next_page_url": None, "last_page": 9}, False),
        ({"last_page": 2}, True),
        ({"last_page": 1, "total": 99}, False),
        ({"total": 3, "per_page": 2}, True),
        ({"total": 2, "per_page": 2}, False),
        ({"total": 200}, True),
        ({"total": "many", "last_page": None, "per_page": -1}, False),
        ({}, False),
    ],
    ids=str,
)
def test_whether_there_is_another_page_is_read_in_the_documented_order(told: Any, has_next: bool) -> None:
    body = facts.ok(data={"data": rows(1, 2), **told})
    assert read_page(body, number=1, per_page=100).has_next is has_next
    flat = {"status": "success", "data": rows(1, 2), "meta": told}
    assert read_page(flat, number=1, per_page=100).has_next is has_next


async def test_a_long_list_is_read_no_faster_than_the_token_may(whatscloud: WhatsCloudServer) -> None:
    answers = [facts.nested(*rows(at, at), page=at, last=5) for at in range(1, 6)]
    whatscloud.say(TEMPLATES, *answers)
    assert len(await names(whatscloud, rate_limit=4)) == 5
    # Half of the minute's requests at once, then one each fourth of a minute.
    assert whatscloud.pauses == [15, 15, 15]


async def test_a_limit_reached_in_the_middle_of_a_list_is_waited_for(whatscloud: WhatsCloudServer) -> None:
    limited = httpx.Response(429, json={"message": "Too many requests", "retry_after": 45})
    whatscloud.say(
        TEMPLATES,
        facts.nested(*rows(1, 1), last=2),
        limited,
        facts.nested(*rows(2, 2), page=2, last=2),
    )
    assert await names(whatscloud) == ["t1", "t2"]
    assert whatscloud.pauses == [45]


async def test_a_limit_that_is_the_callers_to_wait_for_is_told(whatscloud: WhatsCloudServer) -> None:
    begun = facts.nested(*rows(1, 1), last=2)
    for first, wait in (([], 45), ([begun], 600)):
        limited = httpx.Response(429, json={"message": "Too many requests", "retry_after": wait})
        whatscloud.say(TEMPLATES, *first, limited)
        with pytest.raises(RateLimitedError) as caught:
            await names(whatscloud)
        assert caught.value.retry_after == wait
    assert whatscloud.pauses == []


# -- templates as they are told -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"header_data_format": None, "buttons_data": None}, {"header": None, "button_values": ()}),
        ({"header_data_format": "VIDEO"}, {"header": "video", "header_values": 0}),
        ({"header_data_text": "No {{1}}"}, {"header": "text", "header_values": 1}),
        ({"header_data_text": None, "header_params_count": 1}, {"header_values": 1}),
        ({"buttons_data": ""}, {"button_values": ()}),
        ({"buttons_data": "[]"}, {"button_values": ()}),
        ({"buttons_data": facts.BUTTONS_DATA}, {"button_values": (0,)}),
        ({"body_data": "None"}, {"body_names": ("1", "2")}),
        ({"body_data": "{{2}} {{1}} {{2}}"}, {"body_names": ("1", "2")}),
        ({"status": "approved"}, {"status": "APPROVED", "is_approved": True}),
        ({"category": None}, {"category": ""}),
    ],
)
async def test_a_row_becomes_a_template(whatscloud: WhatsCloudServer, changes: Any, expected: Any) -> None:
    whatscloud.say(TEMPLATES, facts.flat({**facts.TEMPLATE, **changes}))
    [template] = await whatscloud.channel().templates()
    assert isinstance(template, OfficialTemplate)
    assert {name: getattr(template, name) for name in expected} == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"template_name": None},
        {"buttons_data": "{not json"},
        {"buttons_data": '{"a": 1}'},
        {"buttons_data": "[1]"},
        {"body_params_count": "two"},
    ],
    ids=str,
)
async def test_a_row_that_is_no_template_is_no_answer(whatscloud: WhatsCloudServer, changes: Any) -> None:
    whatscloud.say(TEMPLATES, facts.flat({**facts.TEMPLATE, **changes}))
    with pytest.raises(NoAnswerError, match="where TemplateRow belongs"):
        await whatscloud.channel().templates()


@pytest.mark.parametrize("row", [3, None, "a", [], {}, {"id": None}, {"id": True}, {"id": {}}], ids=str)
async def test_what_is_no_row_is_no_answer(whatscloud: WhatsCloudServer, row: Any) -> None:
    whatscloud.say(TEMPLATES, facts.flat(facts.TEMPLATE, row))
    with pytest.raises(NoAnswerError):
        await whatscloud.channel().templates()


# -- bots -----------------------------------------------------------------------------------------


async def test_a_bot_or_template_that_there_is_not_is_none(whatscloud: WhatsCloudServer) -> None:
    account = whatscloud.account()
    for path, what, look in (
        ("/templates/9", "Template", account.template),
        ("/templatebots/9", "Template bot", account.template_bot),
        ("/messagebots/9", "Message bot", account.message_bot),
    ):
        whatscloud.say(f"GET {path}", facts.refused(f"{what} not found"), status=404)
        assert await look("9") is None
        whatscloud.say(f"GET {path}", {"message": "The route could not be found."}, status=404)
        with pytest.raises(RequestRejectedError, match="no such call"):
            await look("9")
